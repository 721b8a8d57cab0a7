"""Whether a study's conclusions survive, as its page shows it."""

from __future__ import annotations

from typing import NamedTuple

from assay.records.sensitivity import Conclusion, Sensitivity
from assay.report.layout import Column
from assay.report.sensitivity import (
    VARIANCE_COLUMNS,
    conclusion_columns,
    conclusion_rows,
    survival_words,
    variance_rows,
    variance_title,
)


class Table(NamedTuple):
    """A table with what stands above it."""

    title: str
    columns: tuple[Column, ...]
    rows: list[tuple[str, ...]]


class Asked(NamedTuple):
    """One question about the conclusions, with its answer.

    Attributes:
        summary: the answer in a sentence.
        lost: conclusions that do not survive.
        others: those that do, and those of which nothing can be said.
        tables: conclusions under every condition, then where the variance comes from.
        notes: findings, and how it was judged.
    """

    summary: str
    lost: list[Conclusion]
    others: list[Conclusion]
    tables: list[Table]
    notes: list[str]


def asked(found: Sensitivity) -> Asked:
    """The parts of one answer."""
    under = Table("Every conclusion under every condition", tuple(conclusion_columns(found)), conclusion_rows(found))
    variance = [Table(variance_title(one), VARIANCE_COLUMNS, variance_rows(one)) for one in found.variance]
    notes = [f"{finding.about}: {finding.text}" for finding in found.findings]
    lost = [one for one in found.conclusions if one.survival == "does not survive"]
    others = [one for one in found.conclusions if one not in lost]
    return Asked(survival_words(found), lost, others, [under, *variance], [*notes, *found.notes])
