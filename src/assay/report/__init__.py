"""What a study says, for people: tables (terminal, Markdown, LaTeX) and one self-contained page with a forest plot (floor 7)."""

from __future__ import annotations

from assay.report.tables import Format, table
from assay.report.write import Report, write_report

__all__ = ["Format", "Report", "table", "write_report"]
