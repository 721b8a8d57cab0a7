"""The graph of runs for people and for programs that draw: text for a terminal, Mermaid, Graphviz. The same graph gives the same text."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from assay.lineage.graph import Edge
from assay.records.run import Run
from assay.report.layout import safe, width_of

Direction = Literal["up", "down"]
_SHORT = 8
_PATHS = 2  # that are named on one edge


class _Step(NamedTuple):
    """Where an edge leads, and what stands beside it."""

    label: str
    run: str


class _Line(NamedTuple):
    """A line to be drawn: text that stands beside an edge, or else a run."""

    indent: str
    label: str
    run: str


def lineage_text(
    heads: Sequence[str], runs: Iterable[Run], edges: Iterable[Edge], *, direction: Direction = "up", width: int = 80
) -> str:
    """A tree from each head to what it builds on ("up") or to what builds on it ("down"); a run is opened once.

    A line of runs without branches is not indented. Lines are cut at `width` columns.
    """
    drawing = _Drawing({run.id: run for run in runs}, edges, direction)
    for head in heads:
        drawing.add(head)
    return "\n".join(_cut(line, width) for line in drawing.lines)


def mermaid(runs: Iterable[Run], edges: Iterable[Edge]) -> str:
    """The graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html), from what came first to what builds on it."""
    known, kept = _ordered(runs, edges)
    lines = ["flowchart TD"]
    lines += [f'    {run_id}["{_entities(_title(known, run_id))}"]' for run_id in _nodes(known, kept)]
    lines += [f'    {source} -->|"{_entities(label)}"| {target}' for source, target, label in _labelled(kept)]
    return "\n".join(lines) + "\n"


def dot(runs: Iterable[Run], edges: Iterable[Edge]) -> str:
    """The graph in the language of Graphviz (https://graphviz.org/doc/info/lang.html)."""
    known, kept = _ordered(runs, edges)
    lines = ["digraph lineage {", "    node [shape=box];"]
    lines += [f'    "{run_id}" [label="{_escaped(_title(known, run_id))}"];' for run_id in _nodes(known, kept)]
    lines += [f'    "{source}" -> "{target}" [label="{_escaped(label)}"];' for source, target, label in _labelled(kept)]
    return "\n".join([*lines, "}"]) + "\n"


class _Drawing:
    """The lines of a tree as they grow; without recursion, since a chain of resumes may be as long as one likes."""

    def __init__(self, runs: Mapping[str, Run], edges: Iterable[Edge], direction: Direction) -> None:
        self.lines: list[str] = []
        self._runs = runs
        self._steps = _steps(edges, direction)
        self._opened: set[str] = set()

    def add(self, head: str) -> None:
        """Draw one head with all below it."""
        pending = [_Line("", "", head)]
        while pending:
            indent, label, run_id = pending.pop()
            if label:
                self.lines.append(indent + label)
                continue
            again = run_id in self._opened
            steps = [] if again else self._steps.get(run_id, [])
            self._opened.add(run_id)
            self.lines.append(indent + self._line(run_id) + (" (as above)" if again and self._steps.get(run_id) else ""))
            pending.extend(reversed(self._below(indent, steps)))

    def _below(self, indent: str, steps: Sequence[_Step]) -> list[_Line]:
        """What is drawn below a run, top down."""
        if len(steps) == 1:
            return [_Line(indent, f"│ {steps[0].label}", ""), _Line(indent, "", steps[0].run)]
        found = []
        for index, step in enumerate(steps):
            last = index == len(steps) - 1
            found.append(_Line(indent, f"{'└─' if last else '├─'} {step.label}", ""))
            found.append(_Line(indent + ("   " if last else "│  "), "", step.run))
        return found

    def _line(self, run_id: str) -> str:
        run = self._runs.get(run_id)
        if run is None:
            return f"{run_id[:_SHORT]}  (not in this store)"
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.start.started))
        parts = [run_id[:_SHORT], safe(run.start.name), run.state, started, safe(_command(run))]
        return "  ".join(part for part in parts if part)


def _steps(edges: Iterable[Edge], direction: Direction) -> dict[str, list[_Step]]:
    """From each run to the next ones; the files of one edge are one step."""
    found: dict[str, list[_Step]] = {}
    for source, target, label in _labelled(sorted(set(edges))):
        if direction == "up":
            found.setdefault(target, []).append(_Step(f"{label} from", source))
        else:
            found.setdefault(source, []).append(_Step(f"{label} by", target))
    return found


def _labelled(edges: Iterable[Edge]) -> list[tuple[str, str, str]]:
    """Source, target and text of each edge; edges that differ in the file alone are one."""
    found = []
    for (source, target, by), group in groupby(sorted(set(edges)), key=lambda edge: edge[:3]):
        paths = [edge.path for edge in group if edge.path]
        more = f" and {len(paths) - _PATHS} more" if len(paths) > _PATHS else ""
        found.append((source, target, safe(f"{by} {', '.join(paths[:_PATHS])}{more}".strip())))
    return found


def _ordered(runs: Iterable[Run], edges: Iterable[Edge]) -> tuple[dict[str, Run], list[Edge]]:
    ordered = sorted(runs, key=lambda run: (run.start.started, run.id))
    return {run.id: run for run in ordered}, sorted(set(edges))


def _nodes(known: Mapping[str, Run], edges: Iterable[Edge]) -> list[str]:
    """Every run, in the order of time; then those that edges name and nobody has."""
    absent = {run_id for edge in edges for run_id in edge[:2] if run_id not in known}
    return [*known, *sorted(absent)]


def _command(run: Run) -> str:
    """The command with its program's name alone: where an interpreter lies says little."""
    return " ".join((run.start.command[0].rpartition("/")[2], *run.start.command[1:])) if run.start.command else ""


def _title(known: Mapping[str, Run], run_id: str) -> str:
    run = known.get(run_id)
    if run is None:
        return f"{run_id[:_SHORT]} (not in this store)"
    return safe(f"{run.start.name or _command(run)} {run_id[:_SHORT]} {run.state}".strip())


def _entities(text: str) -> str:
    """Text inside quotes of a Mermaid chart: what has a meaning there stands as an entity."""
    return "".join(f"#{ord(char)};" if char in '"#<>&`[]{}|\\' else char for char in text)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _cut(line: str, width: int) -> str:
    if width_of(line) <= width:
        return line
    while width_of(line) > width - 1:
        line = line[:-1]
    return line.rstrip() + "…"
