"""Verdicts on sameness: how one run compares with another."""

from __future__ import annotations

from typing import Final, Literal

from assay.records.canonical import Record
from assay.records.finding import Finding

Sameness = Literal["identical", "numerical", "statistical", "not reproduced"]
RANKS: Final[dict[Sameness, int]] = {"identical": 3, "numerical": 2, "statistical": 1, "not reproduced": 0}
"""How well a result came back, by verdict."""
DifferenceKind = Literal["param", "code", "data", "package", "python", "system", "hardware", "flag", "seed", "lineage"]


def holds(verdict: Sameness | None, level: Sameness) -> bool:
    """Whether a result came back at least so well; without a verdict it did not.

    >>> holds("identical", "numerical"), holds("not reproduced", "numerical"), holds(None, "not reproduced")
    (True, False, False)
    """
    return verdict is not None and RANKS[verdict] >= RANKS[level]


class Difference(Record, frozen=True, kw_only=True):
    """One thing in which two runs differ; `a` and `b` are None where it is absent."""

    kind: DifferenceKind
    name: str
    a: str | None
    b: str | None


class MetricComparison(Record, frozen=True, kw_only=True):
    """One metric under both runs: `a`, `b` are last values (None: not reported); `note` says how it differs ("only in a").

    `learned` says from how many runs the tolerance was learned: 0 where it was given, or is the default.
    """

    name: str
    a: float | None
    b: float | None
    sameness: Sameness
    rtol: float = 0.0
    atol: float = 0.0
    measured: bool = False
    points: int = 0
    note: str = ""
    learned: int = 0


class FileComparison(Record, frozen=True, kw_only=True):
    """One output file under both runs, by content id; `note` says why it does not count ("event file", "only in a") or is empty."""

    path: str
    a: str | None
    b: str | None
    sameness: Sameness
    counts: bool = True
    note: str = ""


class Divergence(Record, frozen=True, kw_only=True):
    """The first point at which two runs part: a layer or a series at a step, or a file.

    `position` counts the points of a series from 0; `a` and `b` are the values of a metric, the norms of a layer, the contents of a file.
    """

    kind: Literal["layer", "metric", "file"]
    name: str
    position: int | None = None
    step: int | None = None
    a: float | str | None = None
    b: float | str | None = None


class Equivalence(Record, frozen=True, kw_only=True):
    """Whether a metric is the same on average, up to a margin that was given beforehand.

    Attributes:
        metric, margin: what was compared, and up to which difference in its unit the two sides are called equal.
        estimate: mean of the reproductions minus mean of the recorded runs; NaN where there is none.
        low, high: its 95 % interval; NaN where there is none.
        p: of the two one-sided tests; NaN where there is none.
        recorded, again: runs on each side.
        method: "paired t", "Welch's t", "pooled t", "exact" (every pair differs by the same), or "none".
        verdict: "equivalent" where the tests pass at 5 %; "differs" where they do not and the interval excludes 0; else "cannot tell".
        needed: runs on the side of the reproductions (of pairs, seeds) that would decide; None where no number would, or it is decided.
        learned: from how many runs the margin was learned; 0 where it was given.
        words: all of this in a sentence.
    """

    metric: str
    margin: float
    estimate: float
    low: float
    high: float
    p: float
    recorded: int
    again: int
    method: str
    verdict: Literal["equivalent", "differs", "cannot tell"]
    needed: int | None = None
    learned: int = 0
    words: str = ""


class Repetition(Record, frozen=True, kw_only=True):
    """One run carried out again: `run`, what it repeats, its seed where that was chosen, and how it compares alone.

    `verdict` is None where it is not to be the same run: it had another seed than what it repeats.
    """

    run: str
    original: str
    seed: int | None = None
    verdict: Sameness | None = None


class Verdict(Record, frozen=True, kw_only=True):
    """Whether a result came back; of several repetitions, the worst of each comparison, and what all of them say together."""

    verdict: Sameness
    metrics: tuple[MetricComparison, ...] = ()
    files: tuple[FileComparison, ...] = ()
    divergence: Divergence | None = None
    findings: tuple[Finding, ...] = ()
    equivalence: tuple[Equivalence, ...] = ()
    runs: tuple[Repetition, ...] = ()
