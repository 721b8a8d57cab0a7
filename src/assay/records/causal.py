"""The causal reading of a study: what its effects say of causes, and what has to be assumed for it."""

from __future__ import annotations

from typing import Literal

from assay.records.canonical import Record
from assay.records.finding import Finding

How = Literal["intervention", "adjustment", "not identified"]
Basis = Literal["matched control", "moved by a component", "sequential ignorability", "not identified"]


class Estimated(Record, frozen=True, kw_only=True):
    """A number with its interval, in the metric's unit; no interval (NaN) where it is exact, or where there are too few seeds."""

    estimate: float
    low: float = float("nan")
    high: float = float("nan")
    p: float = float("nan")
    exact: bool = False


class Conditional(Record, frozen=True, kw_only=True):
    """The effect of a component where another one stands as in the baseline, or is flipped.

    Attributes:
        component, metric: the effect's name, and the metric.
        given: the other component.
        state: "as in the baseline", or the level it is flipped to.
        value: interval and p corrected for all conditional effects of the metric.
        n: seeds.
        basis: "configurations that differ in it alone", or "the design's model".
        aliases: what the design cannot tell from it.
        words: the same in a sentence.
    """

    component: str
    metric: str
    given: str
    state: str
    value: Estimated
    n: int
    basis: str
    words: str
    aliases: tuple[str, ...] = ()


class Mediation(Record, frozen=True, kw_only=True):
    """How much of a component's effect goes through a measured variable.

    Attributes:
        component, mediator, metric: what is flipped, the variable, the metric.
        on_mediator: effect of the component on the variable.
        total, through, direct: of the effect on the metric; None where not identified.
        share: through / total; NaN where there is no total to speak of.
        basis: how it is identified; `by` names the configuration or component.
        assumptions: under which the numbers mean what they say, in sentences.
        rho: correlation of a confounder of variable and metric that would explain the part through it away; NaN where not needed.
        rho_enough: the smallest such correlation that would put 0 into the interval; 0 where it is in it anyway.
        words: the same in a sentence.
    """

    component: str
    mediator: str
    metric: str
    on_mediator: Estimated
    total: Estimated
    through: Estimated | None
    direct: Estimated | None
    basis: Basis
    words: str
    by: str = ""
    share: float = float("nan")
    assumptions: tuple[str, ...] = ()
    rho: float = float("nan")
    rho_enough: float = float("nan")


class Refutation(Record, frozen=True, kw_only=True):
    """A placebo's effect, which has to be none. `passed` is None where it cannot be told."""

    placebo: str
    metric: str
    value: Estimated
    passed: bool | None
    words: str


class Identified(Record, frozen=True, kw_only=True):
    """How the effect along one arrow of the declared graph is known.

    Attributes:
        cause, effect: the arrow.
        part: "total", or "direct" where there are other ways from cause to effect.
        how: by intervention (the design sets it, or something that acts through it alone), by adjustment, or not.
        by: the component or the variables.
    """

    cause: str
    effect: str
    part: Literal["total", "direct"]
    how: How
    words: str
    by: tuple[str, ...] = ()


class Implication(Record, frozen=True, kw_only=True):
    """What the declared graph rules out, beside what was found: a component that reaches a variable in no way has no effect on it."""

    component: str
    metric: str
    value: Estimated
    verdict: Literal["contradicted", "agrees", "cannot tell"]
    words: str


class CausalReading(Record, frozen=True, kw_only=True):
    """Everything that a study says of causes.

    Attributes:
        study, name, estimand: id of the study, what the user called it, and what its effects average over.
        average: each effect as an average causal effect, in sentences.
        findings: what cannot be said, and why.
        assumptions: of the study as an experiment.
    """

    study: str
    name: str
    estimand: str
    average: tuple[str, ...]
    conditional: tuple[Conditional, ...] = ()
    mediation: tuple[Mediation, ...] = ()
    refutation: tuple[Refutation, ...] = ()
    identified: tuple[Identified, ...] = ()
    implications: tuple[Implication, ...] = ()
    findings: tuple[Finding, ...] = ()
    assumptions: tuple[str, ...] = ()
