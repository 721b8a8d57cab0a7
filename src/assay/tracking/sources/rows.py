"""What the formats of rows share: which keys are steps, which are numbers, which numbers are measurements."""

# A long list of words is split from text: one word a line would hide the code.
# ruff: noqa: SIM905

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

# In this order, since where a row has a step and an epoch, the step is the finer one.
STEP_KEYS = ("step", "global_step", "_step", "iteration", "iter", "epoch")
_NON_FINITE = {"nan": math.nan, "inf": math.inf, "infinity": math.inf, "-inf": -math.inf, "-infinity": -math.inf}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MEASURED = frozenset(
    "time times wall walltime seconds secs sec elapsed duration runtime latency throughput fps memory mem rss vram power watts ms".split()
)
_STAMPS = frozenset(("timestamp", "timestamps", "datetime", "date", "created"))
# Seconds since 1970 from 2001 on; nothing that runs for a shorter time than decades is that large.
_EARLIEST_STAMP = 1e9
_FILE = re.compile(r"(?:^|[^a-z])(?:metrics?|results?|scores?|eval|evaluation|history|progress|logs?|losses|training)(?:[^a-z]|$)")


def step_of(row: Mapping[str, Any]) -> int | None:
    """The step that a row names, or None. Keys are compared without regard to case; a step that is not whole is none."""
    lowered = {key.lower(): value for key, value in row.items() if isinstance(key, str)}
    for key in STEP_KEYS:
        value = number(lowered.get(key))
        if value is not None and math.isfinite(value) and value == int(value):
            return int(value)
    return None


def is_step(name: str) -> bool:
    """Whether a key counts rows, so that it is no metric."""
    return name.lower() in STEP_KEYS


def number(value: object) -> float | None:
    """`value` as a float: numbers (not booleans) and the usual spellings of NaN and the infinities; None for everything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:  # an integer beyond the range of floats
            return None
    return _NON_FINITE.get(value.strip().lower()) if isinstance(value, str) else None


def numbers(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Names and values of the metrics in a row; nested mappings give dotted names. Steps and time stamps are left out."""
    for key, value in row.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from numbers(value, f"{name}.")
            continue
        found = number(value)
        if found is not None and not is_step(str(key)) and not is_stamp(name, found):
            yield name, found


def words_of(name: str) -> list[str]:
    """The words a name is made of, in lower case: "valLoss_per-step" is val, loss, per, step."""
    return [word.lower() for word in _WORDS.findall(name)]


def is_stamp(name: str, value: float) -> bool:
    """Whether this is a moment in time and not a quantity."""
    words = words_of(name)
    return bool(_STAMPS.intersection(words)) or ("time" in words and abs(value) >= _EARLIEST_STAMP)


def is_measurement(name: str) -> bool:
    """Whether a name says that its values are times, memory, speed or power, which no two runs share.

    A script that never heard of Assay cannot mark them, and without this no run of it would ever be identical to another.
    """
    words = words_of(name)
    if "per" in words and words[-1] in ("second", "sec", "s"):
        return True
    return any(word in _MEASURED and words[place + 1 : place + 2] not in (["step"], ["steps"]) for place, word in enumerate(words))


def names_metrics(stem: str) -> bool:
    """Whether a file's name says that metrics are in it ("metrics", "eval_results", "training-log")."""
    return bool(_FILE.search(stem.lower()))
