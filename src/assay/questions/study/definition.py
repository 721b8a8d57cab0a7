"""What a study asks. It is stored before the first trial, so hypotheses cannot be fitted to results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from assay.ablation.adaptive.plans import adaptive_plan
from assay.ablation.components import check_hypotheses, controls, merge
from assay.ablation.configurations import plain
from assay.ablation.designs import ADAPTIVE
from assay.ablation.gates import check_gate
from assay.ablation.graphs import check_graph
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy
from assay.questions.study.costs import as_measured
from assay.records.canonical import Record, identify
from assay.records.factor import Factor, Hypothesis, MetricGoal
from assay.records.gate import GateAsked
from assay.records.origin import PLAIN_TERMS, Origin, Terms
from assay.records.plan import PLAIN, DesignOptions, Plan, Splits


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
        splits: data splits or folds that make blocks together with the seeds.
        origin: the study that this one goes on from.
        terms: how its command is run.
        gate: what is asked of the baseline; None: what is asked of every baseline.
        serves: id of the study whose conclusions this one is run to question (`assay sensitivity`); empty where none.
        graph: what the user takes to cause what: node to its children; empty where nothing is declared.
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
    splits: Splits | None = None
    origin: Origin | None = None
    terms: Terms = PLAIN_TERMS
    gate: GateAsked | None = None
    serves: str = ""
    graph: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)

    LATER: ClassVar[Mapping[str, object]] = {
        "options": PLAIN,
        "splits": None,
        "origin": None,
        "terms": PLAIN_TERMS,
        "gate": None,
        "serves": "",
        "graph": {},
    }

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
    splits: Splits | None = None,
    origin: Origin | None = None,
    terms: Terms = PLAIN_TERMS,
    gate: GateAsked | None = None,
    serves: str = "",
    graph: Mapping[str, Sequence[str]] | None = None,
) -> Definition:
    """The definition of what a user has asked, checked, with every value in its plain form.

    Raises:
        InvalidStudy: no metric, a metric twice, a component twice, a hypothesis about what the study does not have, a gate that asks of
            the baseline what it cannot be asked, or a graph with a cycle or with an arrow into a component.
        InvalidValue: a value has no plain form.
    """
    factors = merge(components)
    _check_goals(metrics)
    check_hypotheses(hypotheses, factors, metrics, configurations)
    check_graph(graph or {}, [factor.name for factor in factors])
    if not isinstance(plain(baseline), dict):
        raise InvalidStudy("the baseline is no configuration", value=baseline, expected="a mapping or a dataclass of parameters")
    if gate is not None:
        check_gate(gate, baseline, metrics, factors)
    return Definition(
        name=name,
        subject=subject,
        evaluation=evaluation,
        baseline=plain(baseline),
        factors=tuple(_plain_factor(factor) for factor in factors),
        goals=as_measured(metrics),
        seeds=tuple(seeds),
        design=design,
        configurations={key: plain(settings) for key, settings in configurations.items()},
        hypotheses=tuple(hypotheses),
        options=options,
        splits=splits,
        origin=origin,
        terms=terms,
        gate=gate,
        serves=serves,
        graph={node: tuple(children) for node, children in (graph or {}).items()},
    )


def plan_study(definition: Definition) -> Plan:
    """The trials of a study, and what they can and cannot tell.

    Raises:
        InvalidStudy, UnknownParameter: as for `assay.ablation.plans.make_plan`.
    """
    named = definition.configurations | controls(definition.factors)
    asked = (definition.baseline, definition.factors, definition.seeds, named)
    if definition.design == ADAPTIVE:
        plan = adaptive_plan(*asked, definition.options, definition.splits)
    else:
        plan = make_plan(definition.design, *asked, options=definition.options, splits=definition.splits)
    evaluated = " Evaluation only: of the trained model, without retraining." if definition.evaluation is not None else ""
    tuned = " Each configuration with hyperparameters of its own, tuned with the same budget." if _tunes(definition) else ""
    return msgspec.structs.replace(plan, estimand=f"{plan.estimand}{evaluated}{tuned}")


def _tunes(definition: Definition) -> bool:
    return definition.gate is not None and definition.gate.tuning != "none"


def _plain_factor(factor: Factor) -> Factor:
    levels = tuple(
        msgspec.structs.replace(level, settings=plain(level.settings), matched=plain(level.matched)) for level in factor.levels
    )
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
