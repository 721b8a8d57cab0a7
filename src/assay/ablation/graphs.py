"""Declared graphs: what causes what, read, checked for cycles, and asked which sets of variables separate which. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations

from assay.errors import InvalidStudy

Graph = Mapping[str, Sequence[str]]
"""Node to its children."""

UNMEASURED = "?"
"""Names of nodes that nobody measures begin with it."""

_FRONT = 3
"""Most variables of a front door: their subsets are tried, and there are too many of large ones."""


def nodes_of(graph: Graph) -> list[str]:
    """Every node, in the order in which it is named."""
    return list(dict.fromkeys(name for node, children in graph.items() for name in (node, *children)))


def edges_of(graph: Graph) -> list[tuple[str, str]]:
    """Every edge, from cause to effect."""
    return [(node, child) for node, children in graph.items() for child in children]


def check_graph(graph: Graph, components: Sequence[str], measured: Sequence[str] | None = None) -> None:
    """Passes where the graph is one of these nodes, without a cycle, and nothing acts on what the design sets.

    Args:
        graph: node to its children.
        components: what the design sets.
        measured: what the trials recorded; None before there are any, when every other name may be one.

    Raises:
        InvalidStudy: a node is neither a component nor a measured variable, something causes a component or itself, or there is a cycle.

    >>> check_graph({"a": ["b"], "b": ["a"]}, [], ["a", "b"])
    Traceback (most recent call last):
    assay.errors.InvalidStudy: the graph has a cycle: 'a -> b -> a'; expected no way from a variable back to itself.
    """
    known = [*components, *(measured or ())]
    for node in nodes_of(graph):
        if measured is not None and node not in known and not node.startswith(UNMEASURED):
            near = get_close_matches(node, known, n=1)
            raise InvalidStudy(
                "the graph has a node that is neither a component nor a measured variable",
                value=node,
                expected=f"one of {', '.join(known)}",
                next_step=f"Did you mean {near[0]!r}?"
                if near
                else f"What nobody measures is written with a {UNMEASURED}: ?{node}.",
            )
    for node, child in edges_of(graph):
        if child in components:
            raise InvalidStudy(
                "the graph lets something act on a component, which the design sets",
                value=f"{node} -> {child}",
                expected="arrows that leave components, and none that reach one",
            )
    cycle = _cycle(graph)
    if cycle:
        raise InvalidStudy("the graph has a cycle", value=" -> ".join(cycle), expected="no way from a variable back to itself")


def descendants(graph: Graph, node: str) -> set[str]:
    """What the node acts on, directly or not."""
    found: set[str] = set()
    waiting = list(graph.get(node, ()))
    while waiting:
        child = waiting.pop()
        if child not in found:
            found.add(child)
            waiting += graph.get(child, ())
    return found


def without_edges(graph: Graph, *, leaving: Iterable[str] = (), edge: tuple[str, str] | None = None) -> dict[str, list[str]]:
    """The graph without the arrows that leave these nodes, and without one edge."""
    cut = set(leaving)
    return {node: [] if node in cut else [child for child in children if (node, child) != edge] for node, children in graph.items()}


def separated(graph: Graph, first: str, second: str, given: Iterable[str]) -> bool:
    """Whether the graph makes two variables independent given others (d-separation, by the moral graph of their ancestors).

    Source: Lauritzen, Dawid, Larsen and Leimer 1990.

    >>> collider = {"a": ["c"], "b": ["c"]}
    >>> separated(collider, "a", "b", []), separated(collider, "a", "b", ["c"])
    (True, False)
    """
    known = set(given)
    kept = {first, second} | known
    kept |= {node for node in nodes_of(graph) if descendants(graph, node) & kept}
    near: dict[str, set[str]] = {node: set() for node in kept}
    for child in kept:
        parents = [node for node in kept if child in graph.get(node, ())]
        for one, other in [*((parent, child) for parent in parents), *combinations(parents, 2)]:
            near[one].add(other)
            near[other].add(one)
    reached, waiting = {first}, [first]
    while waiting:
        for node in near[waiting.pop()] - reached - known:
            reached.add(node)
            waiting.append(node)
    return second not in reached


def separator(graph: Graph, first: str, second: str, usable: Iterable[str]) -> tuple[str, ...] | None:
    """Variables of these that separate two others, none of which can be spared; None where no choice of them does.

    If any choice does, all those among the ancestors of the two do (Tian, Paz and Pearl 1998), so no subset need be tried.

    >>> separator({"z": ["x", "y"], "x": ["w"], "w": ["y"]}, "x", "y", ["z", "w"])
    ('z', 'w')
    """
    above = {first, second}
    chosen = [node for node in usable if descendants(graph, node) & above]
    if not separated(graph, first, second, chosen):
        return None
    for node in list(chosen):
        fewer = [one for one in chosen if one != node]
        if separated(graph, first, second, fewer):
            chosen = fewer
    return tuple(chosen)


def back_door(graph: Graph, cause: str, effect: str, observed: Sequence[str]) -> tuple[str, ...] | None:
    """Observed variables that block every way into the cause, none of which can be spared; None where none do.

    Source: Pearl 2009, Causality, definition 3.3.1.

    >>> back_door({"z": ["x", "y"], "x": ["y"]}, "x", "y", ["z"])
    ('z',)
    """
    below = descendants(graph, cause)
    usable = [node for node in observed if node not in below and node not in (cause, effect)]
    return separator(without_edges(graph, leaving=[cause]), cause, effect, usable)


def front_door(graph: Graph, cause: str, effect: str, observed: Sequence[str]) -> tuple[str, ...] | None:
    """At most three observed variables that carry all of an effect, and can be adjusted for; None without them.

    Source: Pearl 2009, Causality, definition 3.3.3.

    >>> front_door({"?u": ["x", "y"], "x": ["z"], "z": ["y"]}, "x", "y", ["z"])
    ('z',)
    """
    between = [node for node in observed if node in descendants(graph, cause) and effect in descendants(graph, node)]
    for chosen in _subsets(between):
        carried = effect not in descendants(without_edges(graph, leaving=chosen), cause)
        into = without_edges(graph, leaving=[cause])
        unconfounded = all(separated(into, cause, node, ()) for node in chosen)
        onward = without_edges(graph, leaving=chosen)
        # What is given besides the cause are the other mediators; each must have no open way into it but through the cause.
        if chosen and carried and unconfounded and all(separated(onward, node, effect, (cause,)) for node in chosen):
            return chosen
    return None


def _subsets(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(min(len(names), _FRONT) + 1):
        yield from combinations(names, size)


def _cycle(graph: Graph) -> list[str]:
    """A way from a node back to itself; empty where there is none."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for child in graph.get(node, ()):
            found = walk(child, [*path, node])
            if found:
                return found
        done.add(node)
        return []

    return next((found for node in graph if (found := walk(node, []))), [])
