"""Configurations read and changed by path: mappings, classes with fields and lists, nested in any order. The baseline is never altered."""

from __future__ import annotations

import copy
import enum
import pickle
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Any

from assay.ablation.nodes import fields_of, is_omega, keys_of, value_at, with_value
from assay.errors import InvalidStudy, InvalidValue, UnknownParameter
from assay.records.canonical import digest
from assay.records.factor import Factor
from assay.records.plan import Configuration

_SCALARS: tuple[type[Any], ...] = (str, bytes, int, float)


def configure(baseline: Any, settings: Mapping[str, Any], *, component: str = "") -> Any:
    """A new configuration: the baseline with `settings` in it. Nothing in it is shared with the baseline.

    Args:
        baseline: mapping, dataclass, attrs or pydantic class (frozen ones too) or OmegaConf, nested.
        settings: path to value. "model.depth" reaches into what is nested, "layers.0" into a list; a key that holds a dot itself is found
            first. "blocks.*.dropout" stands for every path that fits, where * and ? never reach over a dot.
        component: what sets them, for messages.

    Raises:
        UnknownParameter: a path does not exist in the baseline, or a pattern fits nothing; names the nearest that does, and what is there.
        InvalidStudy: a class refuses the value, or something in the configuration cannot be copied.

    >>> configure({"model": {"depth": 4}}, {"model.depth": 1})
    {'model': {'depth': 1}}
    """
    changed = _copied(baseline, "the baseline")
    for path, value in settings.items():
        for steps in _resolve(baseline, path, component):
            changed = _set(changed, steps, _copied(value, path), component)
    return changed


def value_of(baseline: Any, path: str, *, component: str = "", single: bool = False) -> Any:
    """The value that a configuration has at a path (the first that fits a pattern).

    Args:
        baseline: the configuration.
        path: dotted, or a pattern.
        component: what errors call that which names the path.
        single: a pattern that stands for several places is an error.

    Raises:
        UnknownParameter: there is none, or there are several where one is wanted.

    >>> value_of({"model": {"depth": 4}}, "model.depth")
    4
    """
    found = _resolve(baseline, path, component)
    if single and len(found) > 1:
        raise _unknown(baseline, path, component)
    return _get(baseline, found[0])


def check_settings(baseline: Any, settings: Mapping[str, Any], *, component: str) -> None:
    """Passes where every path exists and every value differs from the baseline's (of a pattern, at one of the places that fit).

    Raises:
        UnknownParameter: a path does not exist, or a pattern fits nothing.
        InvalidStudy: a value is the baseline's own, so that setting it would silently do nothing; or two paths lie in one another.
    """
    for path, value in settings.items():
        if all(same(_get(baseline, steps), value) for steps in _resolve(baseline, path, component)):
            raise InvalidStudy(
                f"{component!r} sets {path!r} to the value it has in the baseline, which would change nothing",
                value=value,
                expected="another value",
                next_step=f"Give {path!r} another value, or leave this one out: everything is compared with the baseline's own anyway.",
            )
    clash = overlap(baseline, settings, settings)
    if clash is not None:
        raise InvalidStudy(
            f"{component!r} sets {clash[0]!r} and {clash[1]!r}, of which one lies in the other", expected="one of the two"
        )


def former_values(baseline: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the baseline has at every place that settings change: path without pattern, to value.

    Raises:
        UnknownParameter: a path does not exist.

    >>> former_values({"a": {"x": 1, "y": 2}}, {"a.*": 0})
    {'a.x': 1, 'a.y': 2}
    """
    return {".".join(steps): _get(baseline, steps) for path in settings for steps in _resolve(baseline, path, "")}


def overlap(baseline: Any, first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, str] | None:
    """Two paths, one of each, that set the same thing or lie in one another; None where there are none.

    A path is not compared with itself where both mappings are the same object.
    """
    for one in first:
        for other in second:
            if first is second and one == other:
                continue
            places = [(a, b) for a in _resolve(baseline, one, "") for b in _resolve(baseline, other, "")]
            if any(a[: len(b)] == b or b[: len(a)] == a for a, b in places):
                return one, other
    return None


def settings_of(configuration: Configuration, factors: Sequence[Factor], named: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Paths and values, as the user gave them, by which a plan's configuration differs from the baseline.

    `configure(baseline, settings_of(…))` is the configuration that the trial receives, with the baseline's own types in it.
    """
    name = configuration.of or configuration.name
    if name in named and not configuration.levels:
        return {**named[name], **configuration.settings}
    settings: dict[str, Any] = {}
    for factor in factors:
        chosen = configuration.levels.get(factor.name)
        for level in factor.levels:
            if level.name == chosen:
                settings.update(level.settings)
    return {**settings, **configuration.settings}


def plain(value: Any) -> Any:
    """`value` as records hold it: mappings with text keys, lists and plain scalars, equal for equal configurations in every process.

    Dataclasses, attrs and pydantic classes become mappings, enumerations their values, paths their text, arrays and array scalars lists and
    numbers; functions and classes become "module:name", other objects "module:name#digest" of their pickled form.

    Raises:
        InvalidValue: a value has no name and cannot be pickled (a lambda, an open file), or two keys are the same text.
    """
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if value is None or isinstance(value, bool):
        return value
    for scalar in _SCALARS:  # subclasses too: NumPy's float64 is a float, a YAML reader's text a str
        if isinstance(value, scalar):
            return scalar(value)
    fields = fields_of(value)
    if fields is not None:
        return {name: plain(getattr(value, name)) for name in fields}
    if is_omega(value):
        inner = {key: plain(value_at(value, key)) for key in keys_of(value)}
        return inner if isinstance(value, Mapping) else list(inner.values())
    if isinstance(value, Mapping):
        return _plain_mapping(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, PurePath):
        return value.as_posix()
    return _plain_object(value)


def same(first: Any, second: Any) -> bool:
    """Whether two values are equal, arrays element by element; NaN equals NaN."""
    try:
        equal = first == second
        return bool(equal.all() if hasattr(equal, "all") else equal) or (first != first and second != second)
    except (TypeError, ValueError, AttributeError):
        return first is second


def _copied(value: Any, what: str) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception as error:  # a border: __deepcopy__ of the user's own classes may raise anything
        raise InvalidStudy(
            f"{what} holds something that cannot be copied, so trials could alter the baseline",
            expected="values that copy.deepcopy takes",
            next_step=f"Build it inside the trial instead ({type(error).__name__}: {error}).",
        ) from error


def _plain_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    keys = {str(plain(key)) if not isinstance(key, str) else key: plain(item) for key, item in value.items()}
    if len(keys) != len(value):
        raise InvalidValue("two keys of a configuration are the same text", value=list(value), expected="keys that differ as text")
    return keys


def _plain_object(value: Any) -> Any:
    if hasattr(value, "tolist") and not isinstance(value, type):
        return plain(value.tolist())
    name = getattr(value, "__qualname__", None)
    if isinstance(name, str) and "<" not in name:
        return f"{value.__module__}:{name}"
    try:
        content = pickle.dumps(value, protocol=5)
    except Exception as error:  # a border: __reduce__ of the user's own classes may raise anything
        raise InvalidValue(
            "a value of the configuration has neither a name nor a stored form",
            value=value,
            expected="numbers, text, lists, mappings, dataclasses, importable functions or classes, or objects that pickle",
            next_step="Define it at the top of a module, or name it by text and build it in the trial.",
        ) from error
    kind = type(value)
    return f"{kind.__module__}:{kind.__qualname__}#{digest(content)[:16]}"


def _get(node: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        node = value_at(node, step)
    return node


def _resolve(baseline: Any, path: str, component: str) -> list[tuple[str, ...]]:
    """The keys that a path stands for; several for a pattern.

    Raises:
        UnknownParameter: there are none.
    """
    exact = _exact(baseline, path)
    if exact is not None:
        return [exact]
    wanted = path.split(".")
    found = [steps for steps in _paths(baseline) if len(steps) == len(wanted) and all(map(fnmatchcase, steps, wanted))]
    if not found or not any(mark in path for mark in "*?"):
        raise _unknown(baseline, path, component)
    return found


def _exact(baseline: Any, path: str) -> tuple[str, ...] | None:
    """The keys of a path without a pattern. At each level the longest key that fits is taken, since keys may hold dots."""
    steps: list[str] = []
    node, rest = baseline, path
    while True:
        fitting = [key for key in keys_of(node) if rest == key or rest.startswith(key + ".")]
        if not fitting:
            return None
        key = max(fitting, key=len)
        steps.append(key)
        if rest == key:
            return tuple(steps)
        node, rest = value_at(node, key), rest[len(key) + 1 :]


def _set(node: Any, steps: Sequence[str], value: Any, component: str) -> Any:
    if not steps:
        return value
    head, rest = steps[0], steps[1:]
    # Without a look at what is overwritten: a missing value of OmegaConf may be set.
    inner = _set(value_at(node, head), rest, value, component) if rest else value
    return _rebuilt(lambda: with_value(node, head, inner), head, inner, component)


def _rebuilt(build: Callable[[], Any], key: str, value: Any, component: str) -> Any:
    try:
        return build()
    except (TypeError, ValueError) as error:
        raise InvalidStudy(
            f"the configuration refuses the value that {component!r} gives to {key!r}",
            value=value,
            expected="a value that its class accepts",
            next_step=f"It said: {error}",
        ) from error


def _paths(node: Any, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every path of a configuration, as keys."""
    found: list[tuple[str, ...]] = []
    for key in keys_of(node):
        found.append((*before, key))
        found += _paths(value_at(node, key), (*before, key))
    return found


def _unknown(baseline: Any, path: str, component: str) -> UnknownParameter:
    known = [".".join(steps) for steps in _paths(baseline)]
    near = get_close_matches(path, known, n=1, cutoff=0.4) or get_close_matches(path.rpartition(".")[2], known, n=1, cutoff=0.4)
    shown = ", ".join(known[:30]) + (f" and {len(known) - 30} more" if len(known) > 30 else "")
    return UnknownParameter(
        f"{component!r} sets a parameter that the configuration does not have"
        if component
        else "the configuration has no such parameter",
        value=path,
        expected=f"one of {shown}" if known else "a baseline that is a mapping or a dataclass with parameters",
        next_step=f"Did you mean {near[0]!r}? If not, add it to the baseline."
        if near
        else "Add it to the baseline, or correct the name.",
    )
