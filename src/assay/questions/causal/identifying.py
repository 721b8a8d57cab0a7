"""A declared graph against the design: which arrows are known by intervention, which by adjustment, which not; and what it rules out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from assay.ablation.graphs import (
    UNMEASURED,
    Graph,
    back_door,
    descendants,
    edges_of,
    front_door,
    nodes_of,
    separator,
    without_edges,
)
from assay.questions.causal.readings import Readings, excludes_nothing, in_words, names_of, together
from assay.records.causal import Identified, Implication

Held = Mapping[tuple[str, str, str], str]


def identify(
    graph: Graph, components: Sequence[str], flipped: Sequence[str], fixed: Collection[str] = (), held: Held | None = None
) -> list[Identified]:
    """How the effect along each arrow can be known.

    Args:
        graph: what is declared.
        components: everything that the design sets.
        flipped: those of them whose effect the design estimates.
        fixed: variables that the configuration alone decides: nothing can be adjusted for them, or for others to tell what they do.
        held: for a component, the variable between and the metric, the configuration that flips the one and holds the other.
    """
    observed = [node for node in nodes_of(graph) if not node.startswith(UNMEASURED)]
    found = []
    for cause, effect in edges_of(graph):
        if cause.startswith(UNMEASURED) or effect.startswith(UNMEASURED):
            continue
        beside = effect in descendants(without_edges(graph, edge=(cause, effect)), cause)
        if cause in components:
            found.append(_set_by_design(cause, effect, cause in flipped))
            if beside:
                found.append(_direct(graph, cause, effect, observed, flipped))
        else:
            found.append(_of_variable(graph, cause, effect, observed, flipped))
            if beside:
                found.append(_direct(graph, cause, effect, observed, flipped))
    return [_possible(_by_control(graph, one, held or {}), fixed) for one in found]


def implications(read: Readings, graph: Graph) -> list[Implication]:
    """For every component of the graph and every variable that it does not reach, whether an effect was found all the same."""
    measured = [node for node in nodes_of(graph) if node in read.variables]
    asked = [
        (name, variable)
        for factor in read.factors
        if factor.name in nodes_of(graph)
        for name in names_of(factor)
        for variable in measured
        if variable not in descendants(graph, factor.name) and read.effect(name) is not None
    ]
    values = together([read.flips(name, variable) for name, variable in asked])
    found = []
    for (name, variable), value in zip(asked, values, strict=True):
        there = excludes_nothing(value)
        said = f"The graph has no way from {name} to {variable}"
        if there:
            words = f"{said}, and yet flipping it changes {variable} by {in_words(value)}: an arrow is missing."
            found.append(Implication(component=name, metric=variable, value=value, verdict="contradicted", words=words))
        elif value.exact:
            words = f"{said}, and flipping it changes nothing: they agree."
            found.append(Implication(component=name, metric=variable, value=value, verdict="agrees", words=words))
        else:
            words = f"{said}; what was found, {in_words(value)}, does not contradict it."
            found.append(Implication(component=name, metric=variable, value=value, verdict="cannot tell", words=words))
    return found


def instruments(graph: Graph, variable: str, effect: str, flipped: Sequence[str]) -> list[str]:
    """Components that reach the effect through the variable alone."""
    cut = without_edges(graph, leaving=[variable])
    return [one for one in flipped if variable in descendants(graph, one) and effect not in descendants(cut, one)]


def _by_control(graph: Graph, one: Identified, held: Held) -> Identified:
    """By intervention, where a matched control holds all that lies between, or sets the variable; else as it is."""
    if one.how == "intervention":
        return one
    between = _between(graph, one.cause, one.effect)
    for (component, variable, metric), control in held.items():
        direct = one.part == "direct" and one.cause == component and between == [variable]
        if one.effect == metric and (direct or (one.part == "total" and one.cause == variable)):
            words = f"{one.cause} -> {one.effect} ({one.part}): identified by intervention, {control!r} flips {component} and holds {variable}."
            return Identified(cause=one.cause, effect=one.effect, part=one.part, how="intervention", by=(control,), words=words)
    return one


def _between(graph: Graph, cause: str, effect: str) -> list[str]:
    """What the cause acts on at once, and the effect comes of."""
    return [child for child in graph.get(cause, ()) if child != effect and effect in descendants(graph, child)]


def _possible(one: Identified, fixed: Collection[str]) -> Identified:
    """As it is; where it rests on adjustment that the trials leave no room for, not identified."""
    stuck = [name for name in (one.cause, *one.by) if name in fixed]
    if one.how != "adjustment" or not stuck:
        return one
    words = (
        f"{one.cause} -> {one.effect} ({one.part}): not identified. Adjustment would do, but the configuration alone decides {stuck[0]}, so nothing "
        f"tells the two apart. A matched control, or a component that moves {stuck[0]} alone, would identify it."
    )
    return Identified(cause=one.cause, effect=one.effect, part=one.part, how="not identified", words=words)


def _set_by_design(cause: str, effect: str, flipped: bool) -> Identified:
    if flipped:
        words = f"{cause} -> {effect} (total): identified by intervention, the design flips {cause}."
        return Identified(cause=cause, effect=effect, part="total", how="intervention", by=(cause,), words=words)
    words = f"{cause} -> {effect} (total): not identified, this design gives no effect of {cause}."
    return Identified(cause=cause, effect=effect, part="total", how="not identified", words=words)


def _of_variable(graph: Graph, cause: str, effect: str, observed: Sequence[str], flipped: Sequence[str]) -> Identified:
    """The total effect of a measured variable, which the design does not set itself."""
    movers = instruments(graph, cause, effect, flipped)
    if movers:
        words = f"{cause} -> {effect} (total): identified by intervention, {movers[0]} acts on {effect} through {cause} alone (along a line)."
        return Identified(cause=cause, effect=effect, part="total", how="intervention", by=(movers[0],), words=words)
    behind = back_door(graph, cause, effect, observed)
    if behind is not None:
        words = f"{cause} -> {effect} (total): identified by adjustment{_for(behind)}, if the graph is right."
        return Identified(cause=cause, effect=effect, part="total", how="adjustment", by=behind, words=words)
    front = front_door(graph, cause, effect, observed)
    if front is not None:
        words = f"{cause} -> {effect} (total): identified by adjustment through the front door ({', '.join(front)}), if the graph is right."
        return Identified(cause=cause, effect=effect, part="total", how="adjustment", by=front, words=words)
    words = f"{cause} -> {effect} (total): not identified, an unmeasured cause acts on both. A component that moves {cause} alone would identify it."
    return Identified(cause=cause, effect=effect, part="total", how="not identified", words=words)


def _direct(graph: Graph, cause: str, effect: str, observed: Sequence[str], flipped: Sequence[str]) -> Identified:
    """The part that goes along the arrow itself."""
    between = _between(graph, cause, effect)
    movers = [instruments(graph, child, effect, flipped) for child in between]
    known = cause in flipped or bool(instruments(graph, cause, effect, flipped))
    if known and movers and all(movers):
        by = tuple(dict.fromkeys(one[0] for one in movers))
        words = f"{cause} -> {effect} (direct): identified by intervention, {', '.join(by)} moves what lies between (along a line)."
        return Identified(cause=cause, effect=effect, part="direct", how="intervention", by=by, words=words)
    door = _single_door(graph, cause, effect, observed)
    if door is not None:
        words = f"{cause} -> {effect} (direct): identified by adjustment{_for(door)}, if the graph is right (along a line)."
        return Identified(cause=cause, effect=effect, part="direct", how="adjustment", by=door, words=words)
    words = (
        f"{cause} -> {effect} (direct): not identified, what lies between ({', '.join(between) or 'unmeasured'}) has a cause in common with "
        f"{effect} that nobody measures. A matched control, or a component that moves it alone, would identify it."
    )
    return Identified(cause=cause, effect=effect, part="direct", how="not identified", words=words)


def _single_door(graph: Graph, cause: str, effect: str, observed: Sequence[str]) -> tuple[str, ...] | None:
    """Observed variables that leave nothing between the two but the arrow (Pearl 2009, theorem 5.3.1); None without them."""
    below = descendants(graph, effect)
    usable = [node for node in observed if node not in below and node not in (cause, effect)]
    return separator(without_edges(graph, edge=(cause, effect)), cause, effect, usable)


def _for(names: Sequence[str]) -> str:
    return f" for {', '.join(names)}" if names else " for nothing (nothing acts on both)"
