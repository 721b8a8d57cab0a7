"""The page of a study: one HTML file that needs nothing else, neither a server nor a network nor a script."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from assay.questions.study.exploratory import is_exploratory
from assay.questions.study.pareto import pareto
from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.records.factor import Level
from assay.records.plan import Plan
from assay.report.document import plain
from assay.report.forest import NARROW, WIDE, draw, kind_of, panels
from assay.report.gate import gate_words
from assay.report.grid import goal_of, grid_of, metric_groups, metric_header, notes_of
from assay.report.layout import Column, safe
from assay.report.numbers import duration, mean_and_deviation, number, p_value, thousands
from assay.report.page_sensitivity import asked
from assay.report.pareto import pareto_drawing, pareto_note, pareto_rows
from assay.report.rows import change_words, drawn_words, is_drawn, lines_of, metric_names, verdict_words
from assay.report.seal import seal_words
from assay.report.sizes import chance_words

# Names in a sentence of the headline, and metrics beside each other in a table.
_NAMED = 5
_METRICS_ABREAST = 2
# Configurations in a drawing of quality against cost; more would hide each other, and `assay study show --pareto` lists them.
_DRAWN = 40


class Fact(NamedTuple):
    """A name and what is said of it."""

    name: str
    text: str


class Said(NamedTuple):
    """An effect in words, with what its table of numbers shows."""

    kind: str
    component: str
    metric: str
    verdict: str
    words: str
    facts: tuple[Fact, ...]


class Cell(NamedTuple):
    """A cell of the page's table, with the header that stands beside it on a narrow screen."""

    header: str
    text: str
    right: bool


def page(evidence: StudyEvidence) -> str:
    """The study as one HTML page. The same evidence gives the same text; every name in it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["safe_text"] = safe
    return environment.get_template("page.html").render(_context(evidence))


def _context(evidence: StudyEvidence) -> dict[str, Any]:
    grids = [grid_of(evidence, group) for group in metric_groups(evidence, _METRICS_ABREAST)]
    return {
        "evidence": evidence,
        "plan": evidence.plan,
        "size": _size(evidence.plan),
        "title": evidence.name or f"Study {evidence.study[:8]}",
        "headline": headline(evidence),
        "summary": _summary(evidence),
        "gate": gate_words(evidence),
        "panels": _drawings(evidence),
        "tables": [(grid.columns, [_cells(grid.columns, row) for row in grid.rows]) for grid in grids],
        "notes": notes_of(evidence),
        "unit": _unit(evidence.plan),
        "seal": seal_words(evidence),
        "exploratory": [is_exploratory(evidence, effect) for effect in evidence.effects],
        "effects": [_said(effect, _unit(evidence.plan)) for effect in evidence.effects],
        "answers": [(answer.hypothesis.words, answer) for answer in evidence.answers],
        "resources": _resources(evidence),
        "pareto": _pareto(evidence),
        "survival": [asked(one) for one in evidence.sensitivity],
        "aliases": [Fact(name, ", ".join(others)) for name, others in evidence.plan.aliases.items()],
        "baseline": [Fact(path, _value(value)) for path, value in flatten(evidence.baseline)],
        "components": [_component(evidence, index) for index in range(len(evidence.factors))],
        "goals": [_goal(evidence, metric) for metric in metric_names(evidence)],
        "trials": _trials(evidence),
        "detectable": None if evidence.plan.detectable is None else number(evidence.plan.detectable, 1),
    }


def _pareto(evidence: StudyEvidence) -> dict[str, Any] | None:
    """The front in quality and cost; None where configurations are too many, or none has a value in both.

    Quality is the study's first metric; cost the first that is measured, else the first of which the other way is better, else the time
    that a trial took.
    """
    if len(evidence.plan.configurations) > _DRAWN or not evidence.goals:
        return None
    quality, *others = evidence.goals
    measured = [goal for goal in others if goal.measured] or [goal for goal in others if goal.goal != quality.goal]
    front = pareto(evidence, [quality.name, measured[0].name if measured else "seconds"])
    if all(point.standing == "no value" for point in front.points):
        return None
    header, rows = pareto_rows(front)
    # The drawing's texts are escaped where it is made.
    drawing = Markup(pareto_drawing(front))
    return {
        "header": header,
        "rows": rows,
        "drawing": drawing,
        "words": [p.words for p in front.points],
        "note": pareto_note(front),
    }


def headline(evidence: StudyEvidence) -> list[str]:
    """A sentence per metric: the changes that made it worse or better, those that did nothing, and those left undecided."""
    sentences = []
    for metric in dict.fromkeys(effect.metric for effect in evidence.effects):
        effects = [effect for effect in evidence.effects if effect.metric == metric]
        groups = [
            ("worse", [e for e in effects if kind_of(e) == "bad"]),
            ("better", [e for e in effects if kind_of(e) == "good"]),
            ("different", [e for e in effects if kind_of(e) == "differs"]),
            ("no effect larger than the margin", [e for e in effects if kind_of(e) == "none"]),
            ("nothing changed at all", [e for e in effects if kind_of(e) == "noop"]),
            ("undecided", [e for e in effects if kind_of(e) == "open"]),
        ]
        parts = [
            f"{what} {_some([change_words(evidence, effect.component) for effect in found])}" for what, found in groups if found
        ]
        sentences.append(f"{metric}: " + "; ".join(parts) + ".")
    return sentences


def _some(names: list[str]) -> str:
    listed = ", ".join(names[:_NAMED])
    return listed if len(names) <= _NAMED else f"{listed} and {len(names) - _NAMED} more"


def _summary(evidence: StudyEvidence) -> list[Fact]:
    done = sum(row.state == "finished" for row in evidence.rows)
    reused = sum(row.reused for row in evidence.rows)
    seconds = math.fsum(row.seconds for row in evidence.rows)
    facts = [
        Fact("design", evidence.plan.design),
        Fact("components", str(len(evidence.factors))),
        *_blocks(evidence.plan),
        Fact("trials finished", f"{done} of {len(evidence.plan.trials)}"),
        Fact("time in trials", duration(seconds)),
    ]
    return [*facts, Fact("taken from earlier runs", str(reused))] if reused else facts


def _blocks(plan: Plan) -> list[Fact]:
    seeds = Fact("seeds", str(len({block.seed for block in plan.blocks})))
    return [seeds] if plan.splits is None else [seeds, Fact(f"{plan.splits.parameter}s", str(len(plan.splits.names)))]


def _unit(plan: Plan) -> str:
    """What a paired difference is of: a seed, or a split, over whose seeds it is averaged."""
    return "seed" if plan.splits is None else plan.splits.parameter


def _size(plan: Plan) -> str:
    if is_drawn(plan):
        return drawn_words(plan)
    return f"{len(plan.configurations)} configurations × {len(plan.blocks)} {'seeds' if plan.splits is None else 'blocks'}"


def _drawings(evidence: StudyEvidence) -> list[tuple[str, Markup]]:
    sides = {goal.name: goal.goal == "maximize" for goal in evidence.goals}
    drawn = []
    for index, panel in enumerate(panels(evidence.effects, sides)):
        # Two layouts of one drawing: the style sheet shows the one that fits. Their texts are escaped where they are drawn.
        both = Markup(draw(panel, WIDE, index) + "\n" + draw(panel, NARROW, index))
        drawn.append((metric_header(evidence, panel.metric), both))
    return drawn


def _cells(columns: tuple[Column, ...], row: tuple[str, ...]) -> list[Cell]:
    return [Cell(column.header, text, column.align == "right") for column, text in zip(columns, row, strict=True)]


def _said(effect: Effect, unit: str) -> Said:
    size = Fact("standardised difference d_z", "" if math.isnan(effect.d_z) else number(effect.d_z, 2))
    facts = (
        Fact("pairs", str(effect.n)),
        Fact("corrected p", p_value(effect.p)),
        size,
        Fact(f"chance to beat the baseline under one {unit}", chance_words(effect)),
        Fact("seeds needed for 80 % power", "" if effect.seeds_needed is None else str(effect.seeds_needed)),
        Fact(f"differences, {unit} by {unit}", ", ".join(f"{value:+.4g}".replace("-", "−") for value in effect.differences)),
        Fact("method", effect.method),
        Fact("estimates", effect.estimand),
    )
    shown = tuple(fact for fact in facts if fact.text)
    return Said(kind_of(effect), effect.component, effect.metric, verdict_words(effect), effect.words, shown)


def _component(evidence: StudyEvidence, index: int) -> Fact:
    factor = evidence.factors[index]
    levels = "; ".join(_level(level) for level in factor.levels)
    return Fact(factor.name, f"{factor.kind}: {levels}")


def _level(level: Level) -> str:
    """The level with what it sets, the patches that make it, and its control."""
    made = [f"{key} = {_value(value)}" for key, value in level.settings.items()]
    made += [f"patch {patch.name}" for patch in level.patches]
    control = ", ".join(f"{key} = {_value(value)}" for key, value in level.matched.items())
    said = f"{level.name} ({', '.join(made)})" if made else level.name
    return f"{said}; matched control: {control}" if control else said


def _goal(evidence: StudyEvidence, metric: str) -> Fact:
    goal = goal_of(evidence, metric)
    if goal is None:
        return Fact(metric, "reported, no goal given")
    said: list[str] = [goal.goal]
    said.append(
        f"a difference below {goal.margin:g} would not matter (margin)"
        if goal.margin is not None
        else "no margin given: equality is never claimed"
    )
    if goal.measured:
        said.append("a measurement")
    if goal.range is not None:
        said.append(f"from {goal.range[0]:g} to {goal.range[1]:g}")
    if goal.source:
        said.append(f"read from {goal.source}")
    if goal.at != "last":
        said.append(f"value: {goal.at}")
    return Fact(metric, "; ".join(said))


def _resources(evidence: StudyEvidence) -> list[tuple[str, str, str, str]]:
    """Per configuration: mean wall time, mean CPU time and the largest peak of memory of its trials; empty where nothing was measured."""
    found = []
    for line in lines_of(evidence):
        used = [row.resources for row in line.trials if row.resources is not None]
        if not used:
            continue
        wall, _ = mean_and_deviation([one.wall for one in used])
        cpu, _ = mean_and_deviation([one.cpu_user + one.cpu_system for one in used])
        peak = max(one.peak_memory for one in used)
        found.append((line.name, duration(wall), duration(cpu), f"{thousands(round(peak / 2**20))} MiB"))
    return found


def _trials(evidence: StudyEvidence) -> list[dict[str, str]]:
    metrics = metric_names(evidence)
    return [
        {
            "configuration": row.configuration,
            "seed": str(row.seed) + ("" if row.split is None else f", {row.split}"),
            "state": row.state + (", reused" if row.reused else "") + (f": {row.failure}" if row.failure else ""),
            "run": (row.run or "")[:8],
            "metrics": ", ".join(f"{name} {_metric(row.metrics[name])}" for name in metrics if name in row.metrics),
            "time": duration(row.seconds),
        }
        for row in evidence.rows
    ]


def _metric(value: float) -> str:
    return f"{value:.6g}".replace("-", "−") if math.isfinite(value) else number(value)


def flatten(values: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    """Every leaf of a nested configuration with its dotted path, in the configuration's order.

    >>> flatten({"a": {"b": 1}, "c": []})
    [('a.b', 1), ('c', [])]
    """
    leaves: list[tuple[str, Any]] = []
    for key, value in values.items():
        where = f"{path}.{key}" if path else str(key)
        leaves += flatten(value, where) if isinstance(value, Mapping) and value else [(where, value)]
    return leaves


def _value(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False)
