"""A report as files: the page, the tables to paste, and the numbers for programs."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from assay.errors import BrokenError
from assay.records.evidence import StudyEvidence
from assay.report.document import study_document, to_json
from assay.report.tables import table


@dataclass(frozen=True)
class Report:
    """Where the files of a report lie: the page, the table in Markdown and in LaTeX, and the whole evidence as JSON."""

    index: Path
    markdown: Path
    latex: Path
    effects: Path


def write_report(evidence: StudyEvidence, folder: str | Path) -> Report:
    """The report of a study in `folder`, which is made where it is missing; earlier files of the same names are replaced.

    The same evidence gives the same bytes. Each file appears whole, the page last.

    Raises:
        BrokenError: the folder or a file in it cannot be written.
    """
    # Late: the page's template engine is heavy, and whoever only prints a table (`Study.run`) should not wait for it.
    from assay.report.page import page

    target = Path(folder)
    report = Report(target / "index.html", target / "table.md", target / "table.tex", target / "effects.json")
    contents = {
        report.effects: to_json(study_document(evidence)),
        report.markdown: table(evidence, "markdown"),
        report.latex: table(evidence, "latex"),
        report.index: page(evidence),
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path, text in contents.items():
            _replace(path, text)
    except OSError as error:
        raise BrokenError(
            "the report cannot be written",
            value=str(error.filename or target),
            expected="a folder that can be made and written",
            next_step=f"{error.strerror or error}; choose another folder.",
        ) from error
    return report


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            # Names may hold bytes that are no text (paths); they are shown as \xNN rather than losing the report.
            file.write(text.encode("utf-8", "backslashreplace"))
        aside.chmod(0o666 & ~_umask())
        aside.replace(path)
    except BaseException:
        aside.unlink()
        raise


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
