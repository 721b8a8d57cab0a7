"""Data splits and folds as a user says them: blocks beside the seeds. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from assay.errors import InvalidStudy
from assay.records.plan import SplitName, Splits

Said = int | Sequence[SplitName] | Mapping[str, Any]
_KEYS = ("count", "names", "parameter", "test")
_TAKEN = ("config", "seed", "prepared", "overrides")
"""What trials are given under other meanings."""


def make_splits(folds: Said | None = None, splits: Said | None = None) -> Splits | None:
    """Splits of the data; None where neither is said.

    Args:
        folds: of a cross-validation: how many (0, 1, …), or `{"count": 5, "parameter": "fold"}`. Each tests on one part in so many.
        splits: how many, their names, or a mapping of `count` or `names`, `parameter`, and `test`: the share of the data that each
            tests on, where all of them are drawn from the same data.

    Raises:
        InvalidStudy: both are said, there are fewer than two, or a value is none that can be used.

    >>> make_splits(folds=5).test, make_splits(splits=["english", "german"]).names
    (0.2, ('english', 'german'))
    """
    if folds is not None and splits is not None:
        raise InvalidStudy(
            "a study has folds or splits, not both", value={"folds": folds, "splits": splits}, expected="one of them"
        )
    if folds is not None:
        return _made("folds", folds, "fold")
    return None if splits is None else _made("splits", splits, "split")


def _made(what: str, said: Said, parameter: str) -> Splits:
    body = _body(what, said)
    names = _names(what, body)
    parameter = body.get("parameter", parameter)
    if not isinstance(parameter, str) or not re.fullmatch(r"[A-Za-z_]\w*", parameter) or parameter in _TAKEN:
        raise InvalidStudy(f"the {what} have a parameter that cannot be given", value=parameter, expected='a name such as "fold"')
    test = 1 / len(names) if what == "folds" else body.get("test")
    if test is not None and (isinstance(test, bool) or not isinstance(test, int | float) or not 0 < test < 1):
        raise InvalidStudy(f"the {what} test on a share that is none", value=test, expected="a number between 0 and 1, such as 0.2")
    return Splits(names=names, parameter=parameter, test=None if test is None else float(test))


def _body(what: str, said: Said) -> dict[str, Any]:
    if isinstance(said, Mapping):
        unknown = [key for key in said if key not in _KEYS or (key == "test" and what == "folds")]
        if unknown or ("count" in said) == ("names" in said):
            known = [key for key in _KEYS if key != "test" or what == "splits"]
            raise InvalidStudy(f"the {what} cannot be read", value=dict(said), expected=f"{', '.join(known)}, with count or names")
        return dict(said)
    return {"count": said} if isinstance(said, int) else {"names": said}


def _names(what: str, body: Mapping[str, Any]) -> tuple[SplitName, ...]:
    count, names = body.get("count"), body.get("names")
    if isinstance(count, int) and not isinstance(count, bool) and count >= 2:
        return tuple(range(count))
    if isinstance(names, Sequence) and not isinstance(names, str | bytes) and len(names) >= 2:
        good = all(isinstance(name, int | str) and not isinstance(name, bool) and str(name).strip() for name in names)
        if good and len({str(name) for name in names}) == len(names):
            return tuple(names)
    said = count if count is not None else names
    raise InvalidStudy(
        f"these are no {what}", value=said, expected="a number of at least 2, or a list of two or more names that differ"
    )
