"""A matrix: one run carried out again in many environments, each with its verdict against the record."""

from __future__ import annotations

from assay.records.canonical import Record
from assay.records.finding import Finding
from assay.records.verdict import Divergence, MetricComparison, Sameness


class MatrixCell(Record, frozen=True, kw_only=True):
    """One environment.

    Attributes:
        levels: axis ("numpy", "python") to version; empty for the control, the environment as it was recorded.
        verdict: whether the result came back; None where the run could not be carried out, for the reason in `why`.
        run: the run that was carried out, or that stood for it.
        metrics: each metric against the record.
        divergence: the first point at which the runs part.
        forced: packages that the levels moved along, as "name old → new".
        why: why there is no verdict, or how the run ended where it did not finish.
        between: the cell is none of those that were asked for; it lies between two of them.
    """

    levels: dict[str, str]
    verdict: Sameness | None = None
    run: str | None = None
    metrics: tuple[MetricComparison, ...] = ()
    divergence: Divergence | None = None
    forced: tuple[str, ...] = ()
    why: str = ""
    between: bool = False


class Break(Record, frozen=True, kw_only=True):
    """Where a result is lost along one axis, all others fixed: `last_good` still gives `verdict_before`, `first_bad` gives `verdict_after`.

    `adjacent` says that no version that can be had lies between the two.
    """

    axis: str
    fixed: dict[str, str]
    last_good: str
    first_bad: str
    verdict_before: str
    verdict_after: str
    adjacent: bool


class Matrix(Record, frozen=True, kw_only=True):
    """A run under every cell.

    Attributes:
        original: id of the run.
        axes: axis to its levels, in the order given.
        level: how well a result has to come back to hold.
        control: the environment as it was recorded, built anew: what does not come back there says nothing of versions.
        cells: every combination of levels, the last axis running fastest, then those between that a bisection looked at.
        breaks: where the result is lost.
        changed: cells that differ from the baseline file, in words.
        findings: what else a reader must know.
    """

    original: str
    axes: dict[str, tuple[str, ...]]
    level: Sameness
    control: MatrixCell
    cells: tuple[MatrixCell, ...]
    breaks: tuple[Break, ...] = ()
    changed: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
