"""The words of a trial's command: its configuration, seed, split and what was prepared, put where the user wants them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Literal

from assay.errors import InvalidStudy

OverrideStyle = Literal["space", "equals", "hydra"]
_PLACE = re.compile(r"\{([A-Za-z_][\w.-]*)\}")


def places_in(command: Sequence[str]) -> set[str]:
    """Names that stand in braces."""
    return {name for word in command for name in _PLACE.findall(word)}


def words_of(
    command: Sequence[str], params: Mapping[str, Any], given: Mapping[str, object], style: OverrideStyle = "space"
) -> tuple[str, ...]:
    """A command with everything in its place.

    Args:
        command: program and arguments, with `{overrides}` where the configuration goes.
        params: the configuration; what the command names by its key is not among the overrides.
        given: what else may be named: seed, split, what was prepared.
        style: how overrides are written.

    Raises:
        InvalidStudy: the command names what is neither.

    >>> words_of(["train", "{overrides}", "-s", "{seed}"], {"lr": 0.1, "fast": True}, {"seed": 3})
    ('train', '--lr', '0.1', '--fast', '-s', '3')
    """
    values = dict(_leaves(params))
    named = places_in(command) - {"overrides", *given}
    for name in sorted(named):
        if name not in values:
            near = get_close_matches(name, values, n=1)
            raise InvalidStudy(
                "the command names a key that the configuration does not have",
                value=f"{{{name}}}",
                expected=", ".join(["overrides", *given, *values]),
                next_step=f"Did you mean {{{near[0]}}}?" if near else "",
            )
    overrides = [word for key, value in values.items() if key not in named for word in _override(key, value, style)]
    known = {**values, **given}
    words: list[str] = []
    for word in command:
        if word == "{overrides}":
            words += overrides
        else:
            words.append(_PLACE.sub(lambda found: _text(known[found[1]]), word))
    return tuple(words)


def _leaves(params: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Every value of a nested configuration by its dotted key."""
    found: list[tuple[str, Any]] = []
    for key, value in params.items():
        found += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) and value else [(f"{prefix}{key}", value)]
    return found


def order_of(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Dotted keys in the order in which a command is given them; empty where a stored copy, whose keys are sorted, has the same.

    >>> order_of({"lr": 0.1, "depth": 2})
    ('lr', 'depth')
    """
    keys = tuple(key for key, _ in _leaves(params))
    return () if keys == tuple(key for key, _ in _leaves(_sorted(params))) else keys


def in_order(params: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """The same configuration with its keys in the order that `order_of` gave.

    >>> in_order({"depth": 2, "lr": 0.1}, ("lr", "depth"))
    {'lr': 0.1, 'depth': 2}
    """
    return _arranged(params, {key: index for index, key in enumerate(order)}, "")


def _arranged(params: Mapping[str, Any], place: Mapping[str, int], prefix: str) -> dict[str, Any]:
    def first(key: str) -> int:
        return min((place.get(leaf, len(place)) for leaf, _ in _leaves({key: params[key]}, prefix)), default=len(place))

    return {
        key: _arranged(params[key], place, f"{prefix}{key}.") if isinstance(params[key], dict) else params[key]
        for key in sorted(params, key=first)
    }


def _sorted(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _sorted(params[key]) if isinstance(params[key], dict) else params[key] for key in sorted(params)}


def _override(key: str, value: Any, style: OverrideStyle) -> list[str]:
    if style == "hydra":
        return [f"{key}={_text(value)}"]
    if value is None or value is False or value == {}:
        return []
    if value is True:
        return [f"--{key}"]
    if isinstance(value, list):
        return [word for item in value for word in _override(key, _text(item), style)]
    return [f"--{key}={_text(value)}"] if style == "equals" else [f"--{key}", _text(value)]


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{','.join(_text(item) for item in value)}]"
    return str(value)
