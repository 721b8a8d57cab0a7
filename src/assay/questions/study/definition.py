"""What a study asks. It is stored before the first trial, so hypotheses cannot be fitted to results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from assay.ablation.adaptive.plans import adaptive_plan
from assay.ablation.components import check_hypotheses, merge
from assay.ablation.configurations import plain
from assay.ablation.designs import ADAPTIVE
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy
from assay.records.canonical import Record, identify
from assay.records.factor import Factor, Hypothesis, Level, MetricGoal
from assay.records.plan import PLAIN, DesignOptions, Plan


class Definition(Record, frozen=True, kw_only=True, tag_field="assay", tag="study/1"):
    """A study as data: equal questions have an equal id, and the id is the study's.

    Attributes:
        name: what the user calls it.
        subject: what is run: "module:function", or the arguments of a command joined by spaces.
        evaluation: where a value is prepared once for each block and only evaluated by the trials, the function that prepares it.
        baseline: parameters of the baseline as plain values.
        factors: components with their levels, settings as plain values.
        goals: metrics.
        seeds: one for each block.
        design: name of the design.
        configurations: named combinations beside the design's own: name to settings by path.
        hypotheses: what is expected.
        options: what the design is told: resolution, budget, groups, constraints.
    """

    name: str
    subject: str
    evaluation: str | None
    baseline: dict[str, Any]
    factors: tuple[Factor, ...]
    goals: tuple[MetricGoal, ...]
    seeds: tuple[int, ...]
    design: str
    configurations: dict[str, dict[str, Any]]
    hypotheses: tuple[Hypothesis, ...]
    options: DesignOptions = PLAIN

    LATER: ClassVar[Mapping[str, object]] = {"options": PLAIN}

    @property
    def id(self) -> str:
        """BLAKE3 of the canonical bytes."""
        return identify(self)


def define(
    *,
    name: str,
    subject: str,
    baseline: object,
    components: Sequence[Factor],
    metrics: Sequence[MetricGoal],
    seeds: Sequence[int],
    design: str,
    configurations: Mapping[str, Mapping[str, Any]],
    hypotheses: Sequence[Hypothesis],
    evaluation: str | None = None,
    options: DesignOptions = PLAIN,
) -> Definition:
    """The definition of what a user has asked, checked, with every value in its plain form.

    Raises:
        InvalidStudy: no metric, a metric twice, a component twice, or a hypothesis about what the study does not have.
        InvalidValue: a value has no plain form.
    """
    factors = merge(components)
    _check_goals(metrics)
    check_hypotheses(hypotheses, factors, metrics, configurations)
    if not isinstance(plain(baseline), dict):
        raise InvalidStudy("the baseline is no configuration", value=baseline, expected="a mapping or a dataclass of parameters")
    return Definition(
        name=name,
        subject=subject,
        evaluation=evaluation,
        baseline=plain(baseline),
        factors=tuple(_plain_factor(factor) for factor in factors),
        goals=tuple(metrics),
        seeds=tuple(seeds),
        design=design,
        configurations={key: plain(settings) for key, settings in configurations.items()},
        hypotheses=tuple(hypotheses),
        options=options,
    )


def plan_study(definition: Definition) -> Plan:
    """The trials of a study, and what they can and cannot tell.

    Raises:
        InvalidStudy, UnknownParameter: as for `assay.ablation.plans.make_plan`.
    """
    if definition.design == ADAPTIVE:
        plan = adaptive_plan(
            definition.baseline, definition.factors, definition.seeds, definition.configurations, definition.options
        )
    else:
        plan = _fixed_plan(definition)
    if definition.evaluation is None:
        return plan
    changed = {name: getattr(plan, name) for name in plan.__struct_fields__}
    return Plan(**changed | {"estimand": f"{plan.estimand} Evaluation only: of the trained model, without retraining."})


def _fixed_plan(definition: Definition) -> Plan:
    asked = (definition.design, definition.baseline, definition.factors, definition.seeds, definition.configurations)
    return make_plan(*asked, options=definition.options)


def _plain_factor(factor: Factor) -> Factor:
    levels = tuple(Level(name=level.name, settings=plain(level.settings)) for level in factor.levels)
    return Factor(name=factor.name, kind=factor.kind, levels=levels)


def _check_goals(metrics: Sequence[MetricGoal]) -> None:
    names = [goal.name for goal in metrics]
    if not names:
        raise InvalidStudy(
            "the study asks about no metric", expected="at least one", next_step='Add metrics=[assay.maximize("accuracy")].'
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InvalidStudy("a metric is listed twice", value=twice[0], expected="each metric once")
