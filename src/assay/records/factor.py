"""Factors: what can be flipped in a recipe, between named levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from assay.records.canonical import Record

FactorKind = Literal["remove", "replace", "change", "add", "placebo"]


class Patch(Record, frozen=True, kw_only=True):
    """A change of the code.

    Attributes:
        name: what the user calls it.
        text: the whole of it as `git apply` takes it, with paths relative to the project's root.
        reverse: it is made the other way round.
    """

    name: str
    text: str
    reverse: bool = False


class Level(Record, frozen=True, kw_only=True):
    """One state of a factor.

    Attributes:
        name: what the user calls it.
        settings: the parameter paths it sets ("model.depth" reaches into nested mappings), with their values.
        patches: changes of the code that make it.
        matched: settings of a control: the component is there, in a system as small as the level leaves it.
    """

    name: str
    settings: dict[str, Any] = {}
    patches: tuple[Patch, ...] = ()
    matched: dict[str, Any] = {}

    LATER: ClassVar[Mapping[str, object]] = {"patches": (), "matched": {}}


class Factor(Record, frozen=True, kw_only=True):
    """A component of the baseline and the levels it can be flipped to; its baseline level is the configuration as it stands.

    Attributes:
        name: what the user calls it ("augmentation").
        kind: "remove" (one level, the component is gone), "replace" (alternatives), "change" (another value), "add" (one level: something
            that the baseline does not have is there), "placebo" (one level, which must do nothing).
        levels: alternatives to the baseline, at least one.
    """

    name: str
    kind: FactorKind
    levels: tuple[Level, ...]


class MetricGoal(Record, frozen=True, kw_only=True):
    """A metric that a study asks about.

    Attributes:
        name: as the trial reports it.
        goal: "maximize" or "minimize".
        margin: smallest difference that would matter, in the metric's unit; None: equality is never claimed.
        measured: a measurement (time, memory): compared, but never part of a no-op or of sameness.
        source: where a command's metric is read, "tensorboard:Loss/test", "jsonl:metrics.jsonl:loss", "json:out/m.json:f1",
            "csv:log.csv:loss" or "output:loss"; None: any.
        at: which value of the series: "last", "min", "max" or "mean of the last N".
        range: lowest and highest value that it can have; None where nobody said.
    """

    name: str
    goal: Literal["maximize", "minimize"]
    margin: float | None = None
    measured: bool = False
    source: str | None = None
    at: str = "last"
    range: tuple[float, float] | None = None

    LATER: ClassVar[Mapping[str, object]] = {"range": None}


class Hypothesis(Record, frozen=True, kw_only=True):
    """What is expected before the runs: that `component` raises or lowers `metric`, by at least `by` (in its unit)."""

    component: str
    metric: str
    direction: Literal["raises", "lowers"]
    by: float = 0.0

    @property
    def sentence(self) -> str:
        """As study files have it: component, direction, metric, and by how much where that was said."""
        by = f" by {self.by:g}" if self.by else ""
        return f"{self.component} {self.direction} {self.metric}{by}"

    @property
    def words(self) -> str:
        """As readers of reports are told it: what it asks for is a least amount."""
        by = f" by at least {self.by:g}" if self.by else ""
        return f"{self.component} {self.direction} {self.metric}{by}"

    def is_about(self, effect: str) -> bool:
        """Whether an effect of this name is that of the component, or of one of its levels."""
        return effect == self.component or effect.startswith(f"{self.component}: ")


class Constraint(Record, frozen=True, kw_only=True):
    """Which things go together. A thing is a component as it stands (one that is added: where it is there), or "component: level".

    Attributes:
        thing: where it is there, the others are asked about.
        kind: "requires": each of the others must be there too; "excludes": none of them may.
        others: at least one.
    """

    thing: str
    kind: Literal["requires", "excludes"]
    others: tuple[str, ...]
