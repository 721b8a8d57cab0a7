"""The page of a matrix: one HTML file that needs nothing else; and what its table shares with the terminal's."""

from __future__ import annotations

from typing import Final

import jinja2

from assay.records.matrix import Break, Matrix, MatrixCell
from assay.report.layout import safe
from assay.report.numbers import number

_MOST_METRICS: Final = 3


def shown_metrics(found: Matrix) -> list[str]:
    """The results that a table has room for: those that differ anywhere first; no measurements."""
    names: dict[str, bool] = {}
    for cell in (found.control, *found.cells):
        for metric in cell.metrics:
            if not metric.measured:
                names[metric.name] = names.get(metric.name, False) or metric.sameness != "identical"
    return sorted(names, key=lambda name: (not names[name], name))[:_MOST_METRICS]


def cell_values(cell: MatrixCell, metrics: list[str]) -> list[str]:
    """The values of a cell's metrics; a dash where it has none."""
    values = {metric.name: metric.b for metric in cell.metrics}
    return ["—" if (value := values.get(name)) is None else number(value, 6) for name in metrics]


def cell_note(cell: MatrixCell) -> str:
    """What else is to be said of a cell: why it has no verdict, where it parts from the record, what was moved along."""
    said = ["between"] if cell.between else []
    if cell.why:
        said.append(cell.why)
    elif cell.divergence is not None:
        where = f" at step {cell.divergence.step}" if cell.divergence.step is not None else ""
        said.append(f"parts in {cell.divergence.kind} {cell.divergence.name}{where}")
    if cell.forced:
        said.append(f"with {', '.join(cell.forced)}")
    return "; ".join(said)


def break_words(found: Break) -> str:
    """Where a result is lost, as a sentence.

    >>> break_words(Break(axis="numpy", fixed={}, last_good="1.26.4", first_bad="2.0.0", verdict_before="identical",
    ...                   verdict_after="not reproduced", adjacent=True))
    'numpy 2.0.0 is the first with which it is not reproduced; with 1.26.4 it is identical.'
    """
    where = f" (with {', '.join(f'{name} {level}' for name, level in found.fixed.items())})" if found.fixed else ""
    tail = "" if found.adjacent else " Versions between the two were not looked at, or could not be."
    return (
        f"{found.axis} {found.first_bad}{where} is the first with which it is {found.verdict_after}; with {found.last_good} it is "
        f"{found.verdict_before}.{tail}"
    )


def matrix_page(found: Matrix) -> str:
    """The matrix as one HTML page; every name in it is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["safe_text"] = safe
    metrics = shown_metrics(found)
    rows = [
        {
            "levels": [cell.levels.get(name, "recorded") for name in found.axes],
            "verdict": cell.verdict or "no verdict",
            "kind": (cell.verdict or "none").replace(" ", "-"),
            "values": cell_values(cell, metrics),
            "note": cell_note(cell),
            "run": cell.run or "",
        }
        for cell in (found.control, *found.cells)
    ]
    template = environment.get_template("matrix.html")
    return template.render(found=found, metrics=metrics, rows=rows, breaks=[break_words(each) for each in found.breaks])
