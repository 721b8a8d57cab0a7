"""The table in LaTeX: `\\usepackage{booktabs}` is all it needs, with pdfLaTeX too where names are Latin."""

from __future__ import annotations

from assay.records.evidence import StudyEvidence
from assay.report.grid import Grid, grid_of, metric_groups, notes_of
from assay.report.layout import Column, safe

# As many metrics as the text of a page is wide for; more go into a table each below it.
_METRICS_ABREAST = 1
_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "−": r"$-$",
    "±": r"$\pm$",
    "∞": r"$\infty$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "Δ": r"$\Delta$",
    "δ": r"$\delta$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "≈": r"$\approx$",
    "σ": r"$\sigma$",
    "μ": r"$\mu$",
    "—": "---",
    "–": "--",
    "…": r"\ldots{}",
    "’": "'",
    "“": "``",
    "”": "''",
    "\u202f": r"\,",
    "\u00a0": "~",
}
# What pdfLaTeX's default UTF-8 input knows.
_LATIN = frozenset(map(chr, range(0x17F)))
_BEYOND_LATIN = "% holds names beyond Latin letters: compile with XeLaTeX or LuaLaTeX and a font that has them\n"
_TABLE = str.maketrans(_ESCAPES)


def latex_table(evidence: StudyEvidence) -> str:
    """Every metric as a booktabs table of its own, in the width of a text column, with a caption, a label and the notes below."""
    groups = metric_groups(evidence, _METRICS_ABREAST)
    parts = [_table(evidence, grid_of(evidence, group), group, last=group is groups[-1]) for group in groups]
    text = "\n".join(parts)
    return "% needs \\usepackage{booktabs}\n" + ("" if _LATIN.issuperset(text) else _BEYOND_LATIN) + text


def _table(evidence: StudyEvidence, grid: Grid, metrics: list[str], *, last: bool) -> str:
    name = f" {evidence.name}" if evidence.name else ""
    caption = f"Ablation{name}: {', '.join(metrics)}." if metrics else f"Ablation{name}."
    label = "-".join(["tab:ablation", *(_label(metric) for metric in metrics)])
    body = "\n".join(f"    {_row(row, grid.columns)}" for row in grid.rows)
    notes = "".join(f"\n  \\par\\smallskip\\noindent {escape(note)}" for note in notes_of(evidence)) if last else ""
    if notes:
        notes = f"\n  \\begin{{minipage}}{{\\linewidth}}\\footnotesize{notes}\n  \\end{{minipage}}"
    return (
        "\\begin{table}[htbp]\n  \\centering\\footnotesize\\setlength{\\tabcolsep}{4pt}\n"
        f"  \\caption{{{escape(caption)}}}\n  \\label{{{label}}}\n"
        f"  \\begin{{tabular}}{{@{{}}{''.join(_specification(column) for column in grid.columns)}@{{}}}}\n"
        f"    \\toprule\n    {_row(tuple(column.header for column in grid.columns), grid.columns)}\n    \\midrule\n"
        f"{body}\n    \\bottomrule\n  \\end{{tabular}}{notes}\n\\end{{table}}\n"
    )


def _specification(column: Column) -> str:
    # What wraps may be long: a paragraph column.
    width = "0.20" if column.header == "configuration" else "0.24"
    if column.align == "left":
        return f"p{{{width}\\linewidth}}"
    return "r"


def _row(cells: tuple[str, ...], columns: tuple[Column, ...]) -> str:
    return " & ".join(_cell(cell, column) for cell, column in zip(cells, columns, strict=True)) + r" \tabularnewline"


def _cell(text: str, column: Column) -> str:
    if column.align == "left":
        # Ragged, so that narrow text is not torn apart; which is why rows end with \tabularnewline.
        return f"\\raggedright {escape(text)}"
    lines = escape(text).split(" ")
    stacked = r" \\{} ".join(lines)  # without {} LaTeX would take a bracket in the next line for its own
    return stacked if len(lines) == 1 else rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{stacked}\end{{tabular}}"


def _label(metric: str) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in metric)


def escape(text: str) -> str:
    r"""`text` so that LaTeX prints it as it is.

    >>> escape("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return safe(text).translate(_TABLE)
