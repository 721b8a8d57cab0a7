"""The table that scikit-learn's `classification_report` prints: its rows over all classes hold the metrics of a classifier."""

from __future__ import annotations

import re

_HEAD = re.compile(rb"^\s*precision\s+recall\s+f1-score\s+support\s*$")
_ROW = re.compile(r"^\s*(?P<name>\S.*?)(?P<values>(?:\s+(?:\d+\.?\d*|nan)){2,4})\s*$")
_WHOLE = re.compile(r"accuracy|(?:micro|macro|weighted|samples) avg")
_COLUMNS = ("precision", "recall", "f1-score")


class Report:
    """Whether the lines stand in such a table; it ends with the first line that is no row of it.

    Rows of single classes are passed over: a hundred classes would hide the few numbers that a model is judged by.
    """

    def __init__(self) -> None:
        self.open = False

    def begins(self, raw: bytes) -> bool:
        """Whether this line is the head of a table, whose rows follow."""
        self.open = self.open or _HEAD.match(raw) is not None
        return self.open

    def row(self, text: str) -> dict[str, float] | None:
        """The metrics of one line below the head; None where the table has ended.

        >>> report = Report()
        >>> report.begins(b"   precision  recall  f1-score  support")
        True
        >>> report.row("    accuracy                      0.97       899")
        {'accuracy': 0.97}
        >>> report.row("   macro avg   0.98   0.96   0.97      899")
        {'macro avg precision': 0.98, 'macro avg recall': 0.96, 'macro avg f1-score': 0.97}
        """
        if not text.strip() or _HEAD.match(text.encode()):
            return {}
        found = _ROW.match(text)
        self.open = found is not None
        if found is None:
            return None
        name, values = found["name"], [float(value) for value in found["values"].split()[:-1]]  # the last one counts samples
        if not _WHOLE.fullmatch(name):
            return {}
        if name == "accuracy":
            return {name: values[-1]}
        return {f"{name} {column}": value for column, value in zip(_COLUMNS, values, strict=False)}
