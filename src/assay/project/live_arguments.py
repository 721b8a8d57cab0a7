"""What a user may give to `assay.run` and its methods; the first mistakes that people make are told with what would be right."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from assay.errors import InvalidValue

Kind = Literal["metrics", "params"]
_ARGUMENTS = ("name", "params", "seed", "tags", "data", "root")
_RIGHT = {
    "metrics": 'Write run.log(loss=0.3, step=1), or run.log({"val/loss": 0.3}, step=1).',
    "params": 'Write run.param(lr=0.1), or run.param({"model.depth": 3}).',
}


def check_arguments(*, name: object, tags: object, data: object, root: object, unknown: Mapping[str, object]) -> None:
    """Nothing where the arguments of `assay.run` are of the right kinds.

    Raises:
        InvalidValue: one is not, or there is none of this name, or the root is no folder.
    """
    for given, value in unknown.items():
        near = get_close_matches(given, _ARGUMENTS, n=1)
        raise InvalidValue(
            f"assay.run has no argument {given!r}",
            value=value,
            expected=f"one of {', '.join(_ARGUMENTS)}",
            next_step=f"Did you mean {near[0]!r}?" if near else f"Give it as a parameter: assay.run(params={{{given!r}: …}}).",
        )
    if name is not None and not isinstance(name, str):
        next_step = "Write assay.run(params={…})." if isinstance(name, Mapping) else ""
        raise InvalidValue("a run's name is text", value=name, expected='a name such as "baseline"', next_step=next_step)
    _check_list("tags", tags, '["paper"]')
    _check_list("data", data, '["train.csv"]')
    for tag in tags if isinstance(tags, Sequence) else ():
        if not isinstance(tag, str):
            raise InvalidValue("a tag is a word", value=tag, expected='text such as "paper"')
    if root is not None:
        check_path("the root", root)
        if isinstance(root, str | os.PathLike) and not Path(root).is_dir():
            raise InvalidValue("the root is no folder", value=str(root), expected="the project's folder, which exists")


def _check_list(name: str, value: object, example: str) -> None:
    if isinstance(value, str | bytes | os.PathLike) or not isinstance(value, Sequence):
        raise InvalidValue(f"{name} is a list", value=value, expected=f"a list such as {example}")


def check_path(what: str, value: object) -> None:
    """Nothing where `value` is a path.

    Raises:
        InvalidValue: it is something else.
    """
    if not isinstance(value, str | os.PathLike):
        raise InvalidValue(
            f"{what} is text or a Path", value=value, expected='such as "model.pt"', next_step="Write an object into a file first."
        )


def check_given(kind: Kind, values: object, more: Sequence[object], named: Mapping[str, object]) -> None:
    """Nothing where one mapping was given, which may be empty, or keywords.

    Raises:
        InvalidValue: something else was given, or nothing at all.
    """
    if more or not (values is None or isinstance(values, Mapping)):
        raise InvalidValue(
            f"{kind} are names with values",
            value=(values, *more) if more else values,
            expected="keywords, or one mapping",
            next_step=_RIGHT[kind],
        )
    if values is None and not named:
        raise InvalidValue(f"no {kind} were given", expected="names with values", next_step=_RIGHT[kind])
