"""Sensitivity: what a study concluded, beside what it would have concluded under other conditions."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record
from assay.records.effect import Effect, EffectVerdict
from assay.records.factor import MetricGoal
from assay.records.finding import Finding

SensitiveTo = Literal["seeds", "params", "splits", "metrics", "data"]
Survival = Literal["survives", "does not survive", "nothing concluded", "not tested"]


class Condition(Record, frozen=True, kw_only=True):
    """The study under other circumstances.

    Attributes:
        name: "lr = 0.1", "without seed 3", "accuracy@max".
        levels: what is other than in the study, by name; empty where no parameter is.
        seeds: of its blocks.
        study: id of the study that was run for it; None where nothing was.
        runs: trials that were carried out for it; those that were reused are not among them.
        effects: what it found.
        readings: metric of the study to the one that stands for it here; empty where each stands for itself.
        left_out: components that could not be asked about here, with the reason.
    """

    name: str
    levels: dict[str, str] = {}
    seeds: tuple[int, ...] = ()
    study: str | None = None
    runs: int = 0
    effects: tuple[Effect, ...] = ()
    readings: dict[str, MetricGoal] = {}
    left_out: dict[str, str] = {}


class Standing(Record, frozen=True, kw_only=True):
    """One conclusion under one condition.

    Attributes:
        condition: its name.
        estimate, low, high, n, verdict: what was found there.
        same_sign, same_verdict, same_rank: whether it is as in the study; None where that cannot be said.
        rank: place among the components, the one that the flip costs most first; None without a value.
        contrary: what was found there contradicts the conclusion.
        shift, shift_low, shift_high, shift_p: effect there minus effect in the study (component × condition), corrected for all of them;
            NaN where no test exists.
        depends: the interval of the shift excludes 0, or the shift is exact and not 0.
    """

    condition: str
    estimate: float
    low: float
    high: float
    n: int
    verdict: EffectVerdict
    same_sign: bool | None
    same_verdict: bool
    same_rank: bool | None
    rank: int | None
    contrary: bool
    shift: float = float("nan")
    shift_low: float = float("nan")
    shift_high: float = float("nan")
    shift_p: float = float("nan")
    depends: bool = False


class Combined(Record, frozen=True, kw_only=True):
    """The effect over all splits, with the variance that their common data leaves it (Nadeau and Bengio 2003)."""

    estimate: float
    low: float
    high: float
    splits: int
    test_to_train: float
    verdict: EffectVerdict


class Conclusion(Record, frozen=True, kw_only=True):
    """What the study concluded of one component and metric, and whether that survives.

    Attributes:
        component, metric, estimate, low, high, n, verdict, rank: as in the study.
        survival: see `docs/decisions/028`.
        standings: under each condition that says something of it.
        combined: over all splits, where splits are asked about.
        words: the answer in a sentence or two.
    """

    component: str
    metric: str
    estimate: float
    low: float
    high: float
    n: int
    verdict: EffectVerdict
    rank: int | None
    survival: Survival
    standings: tuple[Standing, ...]
    words: str
    combined: Combined | None = None


class Source(Record, frozen=True, kw_only=True):
    """One source of variance: a factor, or an interaction of several.

    Attributes:
        of: names of the crossed factors: "seed", "component", a parameter.
        variance: in the metric's unit squared, at least 0.
        share: of the sum of all sources.
        low, high: 95 % interval of the variance.
        found: the estimate before it was raised to 0.
        df: degrees of freedom.
    """

    of: tuple[str, ...]
    variance: float
    share: float
    low: float
    high: float
    found: float
    df: int


class Decomposition(Record, frozen=True, kw_only=True):
    """Where the variance of a metric comes from, over a complete table of trials."""

    metric: str
    sizes: dict[str, int]
    sources: tuple[Source, ...]


class Sensitivity(Record, frozen=True, kw_only=True):
    """What a study's conclusions are sensitive to.

    Attributes:
        study, name: id of the study, and what the user called it.
        to: what was varied.
        conditions: the study under other circumstances.
        conclusions: one for each effect of the study.
        variance: by metric and, where parameters were varied one at a time, by parameter.
        findings: what else a reader must know.
        notes: how it was judged, in sentences.
    """

    study: str
    name: str
    to: SensitiveTo
    conditions: tuple[Condition, ...]
    conclusions: tuple[Conclusion, ...]
    variance: tuple[Decomposition, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
