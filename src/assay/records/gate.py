"""The baseline gate: what is asked of a baseline before its ablations are believed, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from assay.records.canonical import Record
from assay.records.effect import Effect
from assay.records.finding import Finding
from assay.records.run import State

Reproducible = Literal["identical", "numerical", "statistical", "unchecked"]
Tuning = Literal["none", "same budget"]
PartName = Literal["run twice", "over seeds", "around its tuning", "other seeds"]


class Tuned(Record, frozen=True, kw_only=True):
    """A hyperparameter: its path, and either the values that it may take or the range that it may lie in.

    Attributes:
        path: where it is in the configuration.
        values: what it may be, where they are listed; empty for a range.
        low, high: ends of the range; None where values are listed.
        levels: values that the range is walked in, both ends included: a step is the distance of two of them.
        log: steps are ratios.
    """

    path: str
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    levels: int = 5
    log: bool = False


class GateAsked(Record, frozen=True, kw_only=True):
    """What the gate is told; part of what a study asks.

    Attributes:
        tune: hyperparameters around whose values the baseline is checked.
        criterion: metric by which a setting is better; empty: the study's first.
        budget: most settings beside the baseline's; None: one step each way of every hyperparameter.
        seeds: how many of the study's seeds the settings run under; None: all.
        reproducible: what the second run has to be; "statistical": it may differ, and that is said; "unchecked": there is none.
        tuning: "none": every configuration has the baseline's hyperparameters; "same budget": each is tuned over the same settings.
        tuning_seeds: how many seeds, none of them the study's own, each setting is tried under.
        other_seeds: the baseline runs under as many other seeds, too: an A/A pair.
    """

    tune: tuple[Tuned, ...] = ()
    criterion: str = ""
    budget: int | None = None
    seeds: int | None = None
    reproducible: Reproducible = "numerical"
    tuning: Tuning = "none"
    tuning_seeds: int = 3
    other_seeds: bool = False


class GatePart(Record, frozen=True, kw_only=True):
    """One thing that the gate looks at: whether it held, in a word and in sentences."""

    name: PartName
    state: Literal["passed", "failed", "not checked"]
    text: str


class GateTrial(Record, frozen=True, kw_only=True):
    """A trial that the gate needed beside those of the plan.

    Attributes:
        configuration: what was run ("baseline, again", "baseline, lr = 0.05").
        settings: hyperparameters that differ from the baseline's.
        seed: seed it was given.
        run: id of the run; None where there is none.
        state: state of the run.
        metrics: last values by name.
        seconds: wall time.
        reused: an earlier run was taken instead.
    """

    configuration: str
    seed: int
    settings: dict[str, Any] = {}
    run: str | None = None
    state: State = "queued"
    metrics: dict[str, float] = {}
    seconds: float = 0.0
    reused: bool = False


class TunedSetting(Record, frozen=True, kw_only=True):
    """What tuning chose for one configuration, and by what.

    Attributes:
        configuration: of the plan.
        settings: hyperparameters that were chosen and differ from the baseline's; empty where the baseline's are best.
        score: mean of the criterion over the tuning seeds at that setting; NaN where no setting gave a value.
        tried: settings that gave a value under every tuning seed.
    """

    configuration: str
    settings: dict[str, Any] = {}
    score: float = float("nan")
    tried: int = 0


class GateEvidence(Record, frozen=True, kw_only=True):
    """What the gate found.

    Attributes:
        asked: what it was told.
        criterion: the metric by which settings were compared.
        parts: what it looked at, in its order.
        settings: neighbours of the baseline's setting, name to hyperparameters that differ.
        effects: of each neighbour on the criterion, minus the baseline.
        trials: those that it needed beside the plan's.
        tuned: what tuning chose for each configuration, where configurations are tuned.
        tuning_seeds: seeds of the tuning.
        findings: what must be said of a baseline that passed.
        accepted: the reason for which a baseline that failed was taken all the same; empty where none was given.
    """

    asked: GateAsked
    criterion: str
    parts: tuple[GatePart, ...]
    settings: dict[str, dict[str, Any]] = {}
    effects: tuple[Effect, ...] = ()
    trials: tuple[GateTrial, ...] = ()
    tuned: tuple[TunedSetting, ...] = ()
    tuning_seeds: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()
    accepted: str = ""

    LATER: ClassVar[Mapping[str, object]] = {}

    @property
    def passed(self) -> bool:
        """No part failed."""
        return all(part.state != "failed" for part in self.parts)

    @property
    def stops(self) -> bool:
        """A part failed, and nobody has accepted that."""
        return not self.passed and not self.accepted
