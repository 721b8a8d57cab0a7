"""`assay ls`: runs as a table of what distinguishes them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import click

from assay.cli.output import age, emit, hint, json_option, say, state_text, width
from assay.comparison.diff import flatten
from assay.project import documents
from assay.project.project import Project
from assay.records.run import Run
from assay.report.document import plain
from assay.report.layout import Column, safe, text_table, width_of
from assay.store.store import Store
from assay.tracking.so_far import metrics_so_far

_NAME_WIDTH = 24
_GAP = 2


@click.command(
    name="ls",
    epilog="An EXPR compares fields with values: metrics.loss < .3 and params.lr == .1 and state == 'finished' and 'paper' in tags.",
)
@click.option("--where", metavar="EXPR", help="Only runs that fulfil an expression.")
@click.option(
    "--sort", default="-started", show_default=True, metavar="KEY", help="A field such as metrics.loss; with - the largest first."
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most N runs.  [default: 20, with --json all]")
@click.option("--all", "variants", is_flag=True, help="Also the runs that why, matrix, doctor and sensitivity made of others.")
@json_option
def command(where: str | None, sort: str, limit: int | None, variants: bool, as_json: bool) -> int:
    """List runs, the newest first."""
    project = Project.open()
    found, total = project.page(where, sort, limit if limit is not None or as_json else 20, variants=variants)
    for run, problem in project.store.catalogue.problems.items():
        hint(f"assay: run {run[:8]} cannot be read, and is left out: {safe(str(problem))}")
    if as_json:
        emit(documents.listing(project.store, found, total))
        return 0
    if not variants and (apart := project.count(where) - total):
        hint(f"assay: {apart} {'run that was' if apart == 1 else 'runs that were'} made of others left out (--all shows them)")
    if not found:
        hint("assay: no run fulfils this." if where else "assay: no runs yet; `assay run CMD` records one.")
        return 0
    columns, rows, left_out = _columns_of(project.store, found, width())
    state = next(index for index, column in enumerate(columns) if column.header == "state")
    say(text_table(columns, rows, width(), lambda index, text: state_text(text) if index == state else text))
    if left_out:
        hint(f"assay: not shown for want of space: {', '.join(left_out)} (`assay show RUN`, or --json)")
    if total > len(found):
        hint(f"assay: {len(found)} of {total} runs (--limit {total} shows all)")
    return 0


def _columns_of(store: Store, runs: Sequence[Run], room: int) -> tuple[list[Column], list[tuple[str, ...]], list[str]]:
    """The table's columns, its rows, and the names of what did not fit into `room` characters.

    Id, name, state and age always; then metrics (results before measurements) and the parameters in which the runs differ, in turn.
    """
    longest = _NAME_WIDTH if room < 2 * _NAME_WIDTH + 80 else 2 * _NAME_WIDTH
    fixed = [("id", [run.id[:8] for run in runs]), ("name", [_shortened(_name(run), longest) for run in runs])]
    fixed += [("state", [run.state for run in runs]), ("age", [age(run.start.started) for run in runs])]
    chosen = [(header, cells, "left") for header, cells in fixed if any(cells)]
    left = room - sum(_width(header, cells) + _GAP for header, cells, _ in chosen)
    left_out = []
    for header, cells in _in_turn(_metrics(store, runs), _params(store, runs)):
        needed = _width(header, cells) + _GAP
        if needed <= left:
            chosen.append((header, cells, "right"))
            left -= needed
        else:
            left_out.append(header)
    columns = [Column(header, "right" if side == "right" else "left") for header, _, side in chosen]
    return columns, list(zip(*(cells for _, cells, _ in chosen), strict=True)), left_out


_Cells = tuple[str, list[str]]


def _in_turn(first: list[_Cells], second: list[_Cells]) -> list[_Cells]:
    turns = [pair for both in zip(first, second, strict=False) for pair in both]
    both = min(len(first), len(second))
    return [*turns, *first[both:], *second[both:]]


def _width(header: str, cells: Sequence[str]) -> int:
    return max(width_of(safe(text)) for text in (header, *cells))


def _name(run: Run) -> str:
    trial = run.start.trial
    return run.start.name or (f"{trial.configuration} #{trial.block}" if trial else "")


def _metrics(store: Store, runs: Sequence[Run]) -> list[_Cells]:
    """Every metric of these runs: results before measurements, and in each what tells the runs apart before what is the same in all."""
    summaries = [metrics_so_far(store, run) for run in runs]
    names = dict.fromkeys(name for metrics in summaries for name in metrics)
    measured = {name for metrics in summaries for name, metric in metrics.items() if metric.measured}
    cells = {name: [value_text(metrics[name].last) if name in metrics else "" for metrics in summaries] for name in names}
    return sorted(cells.items(), key=lambda column: (column[0] in measured, len(set(column[1])) == 1))


def _params(store: Store, runs: Sequence[Run]) -> list[_Cells]:
    """The parameters in which these runs differ; all of a single run's."""
    flat = [dict(flatten(plain(documents.params(store, run)))) for run in runs]
    names = dict.fromkeys(name for params in flat for name in params)
    columns = [(name, [value_text(params[name]) if name in params else "" for params in flat]) for name in names]
    return [column for column in columns if len(runs) == 1 or len(set(column[1])) > 1]


def value_text(value: object) -> str:
    """A value of a parameter or a metric in a table's cell: numbers to six digits, texts as they are.

    >>> value_text(0.123456789), value_text(float("nan")), value_text([1, 2]), value_text("adam")
    ('0.123457', 'NaN', '[1, 2]', 'adam')
    """
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else plain(value).replace("Infinity", "inf")
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    return _shortened(text, _NAME_WIDTH)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
