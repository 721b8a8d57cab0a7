"""The causal reading of a study, put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import isfinite

from assay.ablation.graphs import Graph, check_graph, descendants, nodes_of
from assay.errors import InvalidStudy, UnknownMetric
from assay.questions.causal.conditional import conditional_effects
from assay.questions.causal.identifying import identify, implications, instruments
from assay.questions.causal.mediating import mediations
from assay.questions.causal.readings import Readings, excludes_nothing, in_words, names_of, together
from assay.records.causal import CausalReading, Refutation
from assay.records.evidence import StudyEvidence
from assay.records.finding import Finding

_ASSUMED = (
    "Every configuration ran under the same seeds, in a clean process of its own: nothing but the flip differs within a pair.",
    "Flipping a component changes what its settings say, and nothing is tuned again for it: effects are those of the system as it is tuned now.",
)


def causal_reading(
    evidence: StudyEvidence,
    *,
    mediators: Sequence[str] = (),
    through: Mapping[str, str] | None = None,
    placebos: Sequence[str] = (),
    graph: Graph | None = None,
) -> CausalReading:
    """What a study says of causes.

    Args:
        evidence: the study.
        mediators: recorded variables that effects may go through; beside them those that the graph has between a component and a metric.
        through: variable to a component that moves the metrics through it alone.
        placebos: components that do nothing; their effects refute the study where there are any. Any named "placebo" is one.
        graph: what is taken to cause what, node to its children.

    Raises:
        InvalidStudy: a component does not exist, or the graph cannot be.
        UnknownMetric: no trial recorded a variable.
    """
    read = Readings(evidence)
    _check_names(read, mediators, {**(through or {})}, placebos)
    declared = graph or {}
    components = [factor.name for factor in read.factors]
    check_graph(declared, components, read.variables)
    flipped = [factor.name for factor in read.factors if any(read.effect(name) for name in (factor.name, *names_of(factor)))]
    asked = list(dict.fromkeys((*mediators, *_in_between(read, declared))))
    conditional, findings = conditional_effects(read) if len(components) > 1 else ([], [])
    moved = {**_movers(read, declared, asked, flipped), **(through or {})}
    parts = [one for mediator in asked for one in mediations(read, mediator, moved)]
    held = {
        (_factor(read, one.component), one.mediator, one.metric): one.by
        for one in parts
        if one.basis == "matched control" and one.by
    }
    if through is None and not declared and mediators:
        findings = [*findings, _hint(mediators)]
    return CausalReading(
        study=evidence.study,
        name=evidence.name,
        estimand=evidence.plan.estimand,
        average=tuple(effect.words for effect in evidence.effects),
        conditional=tuple(conditional),
        mediation=tuple(parts),
        refutation=tuple(
            _refutations(read, [*placebos, *(one.name for one in read.factors if one.kind == "placebo" or one.name == "placebo")])
        ),
        identified=tuple(identify(declared, components, flipped, read.fixed, held)),
        implications=tuple(implications(read, declared)) if declared else (),
        findings=tuple(findings),
        assumptions=_ASSUMED,
    )


def _check_names(read: Readings, mediators: Sequence[str], through: Mapping[str, str], placebos: Sequence[str]) -> None:
    for variable in (*mediators, *through):
        if variable not in read.variables:
            near = get_close_matches(variable, read.variables, n=1)
            raise UnknownMetric(
                "no trial recorded this variable",
                value=variable,
                expected="one of " + ", ".join(map(repr, read.variables)) if read.variables else "trials that recorded something",
                next_step=f"Did you mean {near[0]!r}?" if near else "Let the trials report it.",
            )
    known = [name for factor in read.factors for name in (factor.name, *names_of(factor))]
    for component in (*placebos, *through.values()):
        if component not in known:
            near = get_close_matches(component, known, n=1)
            raise InvalidStudy(
                "the study has no such component",
                value=component,
                expected="one of " + ", ".join(map(repr, dict.fromkeys(known))) if known else "a study with components",
                next_step=f"Did you mean {near[0]!r}?" if near else "",
            )


def _in_between(read: Readings, graph: Graph) -> list[str]:
    """Measured variables that, as the graph says, carry some of a component's effect on a metric."""
    goals = {goal.name for goal in read.evidence.goals}
    below = {node for factor in read.factors for node in descendants(graph, factor.name)}
    return [node for node in nodes_of(graph) if node in below and node in read.variables and descendants(graph, node) & goals]


def _factor(read: Readings, name: str) -> str:
    """The component that an effect is of."""
    return next(factor.name for factor in read.factors if name in (factor.name, *names_of(factor)))


def _movers(read: Readings, graph: Graph, mediators: Sequence[str], flipped: Sequence[str]) -> dict[str, str]:
    """For each mediator a component that, as the graph says, reaches every metric of it through it alone."""
    found = {}
    for mediator in mediators:
        goals = [goal.name for goal in read.evidence.goals if goal.name != mediator and goal.name in nodes_of(graph)]
        sets = [set(instruments(graph, mediator, goal, flipped)) for goal in goals]
        common = set.intersection(*sets) if sets else set()
        chosen = next((name for factor in read.factors if factor.name in common for name in names_of(factor)), None)
        if chosen is not None:
            found[mediator] = chosen
    return found


def _refutations(read: Readings, placebos: Sequence[str]) -> list[Refutation]:
    """Every placebo on every metric, corrected together: an effect of what does nothing refutes the study's others."""
    names = [name for factor in read.factors for name in names_of(factor) if factor.name in placebos or name in placebos]
    asked = [(name, goal.name) for name in names for goal in read.evidence.goals]
    values = together([read.flips(name, metric) for name, metric in asked])
    found = []
    for (name, metric), value in zip(asked, values, strict=True):
        there = excludes_nothing(value)
        if there:
            said = "an effect of what does nothing: the study's other effects cannot be believed"
        elif there is None:
            said = "nothing can be told" if not isfinite(value.estimate) else "no interval exists with one seed"
        else:
            seen = max(abs(value.low), abs(value.high)) if isfinite(value.low) else 0.0
            said = f"none is found, as it must be{f' (one beyond {seen:.3g} would have been)' if seen else ''}"
        words = f"{name if name == 'placebo' else f'placebo {name}'} on {metric}: {in_words(value)}; {said}."
        found.append(Refutation(placebo=name, metric=metric, value=value, passed=None if there is None else not there, words=words))
    return found


def _hint(mediators: Sequence[str]) -> Finding:
    text = (
        "Flipping a component does not identify what goes through a measured variable. Say which component moves it alone "
        f"(--through {mediators[0]}=COMPONENT), declare a graph, or add a configuration that flips the component and holds {mediators[0]}."
    )
    return Finding(kind="mediation", about=", ".join(mediators), text=text)
