"""Differences of two calls of functions: the function itself, and each key of its configuration."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from typing import Any

import msgspec

from assay.comparison.diff import flatten
from assay.errors import UsageError
from assay.execution.again import Original
from assay.execution.again.function import recorded_call
from assay.execution.calls import Call
from assay.execution.shipping import ship
from assay.questions.why.flips import Flip, Variant
from assay.store.store import Store

_FUNCTION, _WHOLE = "function", "configuration"


class ConfigurationPart:
    """What two trials of functions were called with; nothing where both runs are of commands.

    A configuration that is a plain dictionary is flipped key by key, any other as a whole.

    Args:
        store: has the recorded calls, and takes those of variants.
        good, bad: the runs.

    Raises:
        UsageError: one run is of a function and the other is not.
        MissingContent, StoreDamaged: a call is not in the store, or cannot be read.
    """

    def __init__(self, store: Store, good: Original, bad: Original) -> None:
        self.flips: list[Flip] = []
        self._objects = store.objects
        functions = [side.recipe.function for side in (good, bad)]
        if functions == [None, None]:
            return
        if None in functions:
            raise UsageError(
                "one of these runs is a trial of a function and the other is a command, so no variant can lie between them",
                value=bad.run.id,
                expected="two commands, or two trials of functions",
            )
        self._bad = bad
        self._calls = [recorded_call(store, side.run, side.recipe) for side in (good, bad)]
        if functions[0] != functions[1]:
            self.flips.append(Flip("code", _FUNCTION, functions[0], functions[1]))
        self._plain = [_plain(call.configuration) for call in self._calls]
        self.flips += self._keys(good, bad)

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """The variant with the call of the combination."""
        on = [flip for flip in self.flips if flip.key in bad]
        if not on:
            return variant
        one, other = self._calls
        names = {flip.name for flip in on}
        original, recipe = variant.original, variant.original.recipe
        function = other.function if _FUNCTION in names else one.function
        configuration, params = one.configuration, recipe.params
        if _WHOLE in names:
            configuration, params = other.configuration, self._bad.recipe.params
        elif names - {_FUNCTION}:
            mixed = _mixed(self._plain[0] or {}, self._plain[1] or {}, names)
            configuration, params = ship(mixed, "the configuration of a variant"), mixed
        call = Call(function, configuration, one.path, one.argv, one.directory, one.root)
        trial = original.run.start.trial
        assert trial is not None  # only trials have recorded calls
        kept = msgspec.structs.replace(trial, call=self._objects.put(msgspec.msgpack.encode(call)))
        run = msgspec.structs.replace(original.run, start=msgspec.structs.replace(original.run.start, trial=kept))
        named = self._bad.recipe.function if _FUNCTION in names else recipe.function
        return variant._replace(
            original=original._replace(run=run, recipe=msgspec.structs.replace(recipe, params=params, function=named))
        )

    def _keys(self, good: Original, bad: Original) -> list[Flip]:
        one, other = self._plain
        if one is None or other is None:
            same = self._calls[0].configuration == self._calls[1].configuration or good.recipe.params == bad.recipe.params
            return [] if same else [Flip("param", _WHOLE, str(good.recipe.params)[:200], str(bad.recipe.params)[:200])]
        a, b = dict(flatten(one)), dict(flatten(other))
        names = [name for name in dict.fromkeys([*a, *b]) if name not in a or name not in b or a[name] != b[name]]
        return [Flip("param", name, _text(a, name), _text(b, name)) for name in names]


def _plain(shipped: bytes) -> dict[str, Any] | None:
    """The configuration, where it is a dictionary of values that any process has; it is what reproducing the run would load as well."""
    try:
        value = pickle.loads(shipped)
    except Exception:  # noqa: BLE001 - a class of the user's, whose module is not here, fails in its own way
        return None
    return value if type(value) is dict and all(isinstance(name, str) for name in value) else None


def _mixed(a: Mapping[str, Any], b: Mapping[str, Any], names: set[str], above: str = "") -> dict[str, Any]:
    """`a` with the values of `b` at the dotted paths in `names`; what `b` lacks there is left out."""
    mixed: dict[str, Any] = {}
    for key in dict.fromkeys([*a, *b]):
        path = f"{above}{key}"
        both = [side[key] for side in (a, b) if key in side]
        if all(isinstance(value, Mapping) and value for value in both) and path not in names:
            inner = _mixed(a.get(key, {}), b.get(key, {}), names, f"{path}.")
            if inner or key in a:
                mixed[key] = inner
        elif path in names:
            if key in b:
                mixed[key] = b[key]
        elif key in a:
            mixed[key] = a[key]
    return mixed


def _text(values: Mapping[str, object], name: str) -> str | None:
    return repr(values[name]) if name in values else None
