"""How large effects are in other terms than the metric's unit: a table with standardised sizes and chances to win."""

from __future__ import annotations

from math import isfinite

from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.report.layout import Column, text_table, wrap
from assay.report.numbers import number, p_value
from assay.report.tables import DEFAULT_WIDTH

_COLUMNS = (
    Column("effect", wraps=True),
    Column("metric", wraps=True),
    Column("pairs", "right"),
    Column("d_z", "right"),
    Column("chance to win [95 %]", "right"),
    Column("p", "right"),
    Column("method", wraps=True),
)
_NOTE = (
    "d_z: mean of the paired differences in their standard deviations, corrected for few seeds. Chance to win: share of pairs in which the variant "
    "beats the baseline, with an interval by signs alone. p: corrected for the comparisons of its metric."
)


def sizes_text(evidence: StudyEvidence, width: int = DEFAULT_WIDTH) -> str:
    """Every effect with its pairs, standardised size, chance to win, corrected p and method, for a terminal."""
    if not evidence.effects:
        return "No effect has been estimated.\n"
    rows = [_row(effect) for effect in evidence.effects]
    return "\n".join([text_table(_COLUMNS, rows, width), "", *wrap(_NOTE, width)]) + "\n"


def chance_words(effect: Effect) -> str:
    """The chance to beat the baseline with its interval; empty where no pair says anything.

    >>> chance_words(Effect(component="a", metric="m", estimand="", estimate=1, low=0, high=2, n=2, verdict="matters", words="", superiority=1))
    '1.00'
    """
    if not isfinite(effect.superiority):
        return ""
    interval = f" [{effect.superiority_low:.2f}, {effect.superiority_high:.2f}]" if isfinite(effect.superiority_low) else ""
    return f"{effect.superiority:.2f}{interval}"


def _row(effect: Effect) -> tuple[str, ...]:
    size = number(effect.d_z, 2) if isfinite(effect.d_z) else ""
    return effect.component, effect.metric, str(effect.n), size, chance_words(effect), p_value(effect.p), effect.method
