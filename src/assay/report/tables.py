"""The table of a study (configurations × metrics) as terminal text, Markdown or LaTeX, and the study in words."""

from __future__ import annotations

from typing import Literal

from assay.errors import InvalidValue
from assay.records.evidence import StudyEvidence
from assay.report.gate import gate_words
from assay.report.grid import Grid, grid_of, metric_groups, notes_of
from assay.report.latex import latex_table
from assay.report.layout import fits, safe, section, text_table, wrap
from assay.report.markdown import markdown_table
from assay.report.rows import metric_names
from assay.report.seal import seal_words
from assay.report.sensitivity import survival_words

Format = Literal["terminal", "markdown", "latex"]
DEFAULT_WIDTH = 80


def table(evidence: StudyEvidence, format: Format = "terminal", *, width: int = DEFAULT_WIDTH) -> str:  # noqa: A002 - the word users know
    """Configurations × metrics as mean ± sample standard deviation, differences to the baseline with intervals, and remarks.

    Args:
        evidence: what the study found.
        format: "terminal" (plain text), "markdown" (GitHub's tables) or "latex" (needs the package booktabs).
        width: characters of a line, for "terminal" alone.

    Raises:
        InvalidValue: `format` is none of the three.
    """
    if format == "terminal":
        return _terminal(evidence, width)
    if format == "markdown":
        return markdown_table(grid_of(evidence, metric_names(evidence)), notes_of(evidence))
    if format == "latex":
        return latex_table(evidence)
    raise InvalidValue(
        "no table has this format",
        value=format,
        expected="terminal, markdown or latex",
        next_step="Choose one of them.",
    )


def _terminal(evidence: StudyEvidence, width: int) -> str:
    parts = [text_table(grid.columns, grid.rows, width) for grid in _grids(evidence, width)]
    return "\n\n".join([*parts, "\n".join(line for note in notes_of(evidence) for line in wrap(safe(note), width))]) + "\n"


def _grids(evidence: StudyEvidence, width: int) -> list[Grid]:
    """One table where all metrics fit beside each other, else one for each metric."""
    whole = grid_of(evidence, metric_names(evidence))
    if fits(whole.columns, whole.rows, width):
        return [whole]
    return [grid_of(evidence, group) for group in metric_groups(evidence, 1)]


def in_words(evidence: StudyEvidence, *, width: int = DEFAULT_WIDTH) -> str:
    """Effects, interactions, answers to the hypotheses, findings as sentences of plain text."""
    sections = [
        ("Baseline", gate_words(evidence)),
        ("Effects", [effect.words for effect in evidence.effects]),
        ("Interactions", [interaction.words for interaction in evidence.interactions]),
        (
            "Hypotheses",
            [
                *(f"{answer.hypothesis.words}: {answer.answer}. {answer.evidence}" for answer in evidence.answers),
                *([seal_words(evidence)] if evidence.answers and evidence.seal else []),
            ],
        ),
        ("Findings", [f"{finding.about}: {finding.text}" for finding in evidence.findings]),
        ("Does it survive?", survival_notes(evidence)),
        ("What this design cannot see", list(evidence.plan.cannot_see)),
    ]
    return "\n".join(f"{section(title, sentences, width)}\n" for title, sentences in sections if sentences)


def survival_notes(evidence: StudyEvidence) -> list[str]:
    """What the last answers to `assay sensitivity` were, and how to see all of each; nothing where nobody asked."""
    if not evidence.sensitivity:
        return []
    where = f"The page (`assay report {evidence.study[:8]} --to DIR`) has all of it."
    return [*map(survival_words, evidence.sensitivity), where]
