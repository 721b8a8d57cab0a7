"""Verdicts on sameness: how one run compares with another."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record
from assay.records.finding import Finding

Sameness = Literal["identical", "numerical", "statistical", "not reproduced"]
DifferenceKind = Literal["param", "code", "data", "package", "python", "system", "hardware", "flag", "seed", "lineage"]


class Difference(Record, frozen=True, kw_only=True):
    """One thing in which two runs differ; `a` and `b` are None where it is absent."""

    kind: DifferenceKind
    name: str
    a: str | None
    b: str | None


class MetricComparison(Record, frozen=True, kw_only=True):
    """One metric under both runs: `a`, `b` are last values (None: not reported); `note` says how it differs ("only in a")."""

    name: str
    a: float | None
    b: float | None
    sameness: Sameness
    rtol: float = 0.0
    atol: float = 0.0
    measured: bool = False
    points: int = 0
    note: str = ""


class FileComparison(Record, frozen=True, kw_only=True):
    """One output file under both runs, by content id; `note` says why it does not count ("event file", "only in a") or is empty."""

    path: str
    a: str | None
    b: str | None
    sameness: Sameness
    counts: bool = True
    note: str = ""


class Divergence(Record, frozen=True, kw_only=True):
    """The first point at which two runs part: a series at a step, or a file. `position` counts the points of the series from 0."""

    kind: Literal["metric", "file"]
    name: str
    position: int | None = None
    step: int | None = None
    a: float | str | None = None
    b: float | str | None = None


class Verdict(Record, frozen=True, kw_only=True):
    """Whether a result came back."""

    verdict: Sameness
    metrics: tuple[MetricComparison, ...] = ()
    files: tuple[FileComparison, ...] = ()
    divergence: Divergence | None = None
    findings: tuple[Finding, ...] = ()
