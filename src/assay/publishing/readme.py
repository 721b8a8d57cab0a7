"""What stands first in a bundle: what it is, what came of it, how to check it and how to do it again."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence

from assay.publishing.crate import Described
from assay.publishing.recipes import settings_of
from assay.records.environment import Environment
from assay.records.evidence import StudyEvidence
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.report.document import plain
from assay.report.layout import safe
from assay.report.tables import table

_LISTED = 200


def readme(described: Described, environment: Environment, evidence: StudyEvidence | None) -> str:
    """The text of `README.md`, in Markdown.

    Args:
        described: the bundle.
        environment: of its first run.
        evidence: of the study, where it is one.
    """
    first = described.runs[described.manifest.runs[0]]
    recipe = described.contents.recipes[first.id]
    lines = [f"# {_text(described.credits.title or described.title)}", "", _text(described.title) + ".", ""]
    lines += _checking(evidence is not None)
    lines += _what_ran(first, recipe, environment)
    if evidence is None:
        lines += [*_values("Metrics", plain(first.metrics)), *_values("Parameters", plain(first.params or recipe.params))]
    else:
        lines += ["## What the study found", "", table(evidence, "markdown").rstrip(), ""]
    lines += [*_where(described), *_absent(described), *_credits(described)]
    return "\n".join(lines).rstrip() + "\n"


def _checking(study: bool) -> Iterator[str]:
    what = "the study's baseline" if study else "the run"
    yield from (
        "## Check it, and do it again", "",
        "With Assay installed, in any folder, FILE being this bundle as it was published, a zip:", "",
        "```", "assay verify FILE", "assay reproduce FILE", "```", "",
        f"The first says whether every byte is as it was published. The second carries {what} out again in a folder of its own, and compares",
        "every metric and every file. `--env rebuild` builds the recorded environment first.",
        *(["`--configuration NAME` takes another configuration than the baseline."] if study else []),
        "Without Assay: the code is in `code/`, and `environment/` has pins for pip, a Dockerfile and an Apptainer definition.", "",
    )  # fmt: skip


def _what_ran(run: Run, recipe: Recipe, environment: Environment) -> Iterator[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(run.start.started))
    facts = {
        "run": f"{run.id} ({run.start.name})" if run.start.name else run.id,
        "state": run.state,
        "command": shlex.join(recipe.command) or recipe.function or "cells of a session",
        "in": recipe.directory if recipe.directory != "." else "",
        "seed": "" if recipe.seed is None else str(recipe.seed),
        "settings": " ".join(f"{name}={value}" for name, value in settings_of(recipe).items()),
        "started": when,
        "Python": environment.python or "",
        "system": environment.os,
        "processor": environment.hardware.cpu,
        "accelerators": ", ".join(gpu.name for gpu in environment.hardware.gpus),
        "commit": f"{run.start.git.commit}{' with changes' if run.start.git.dirty else ''}"
        if run.start.git and run.start.git.commit
        else "",
        "recipe": f"`{run.start.recipe}`",
    }
    yield from ("## What ran", "")
    yield from _table(("", ""), [(name, value) for name, value in facts.items() if value])


def _values(title: str, values: Mapping[str, object]) -> Iterator[str]:
    if values:
        yield from (f"## {title}", "")
        yield from _table(("name", "value"), [(name, str(value)) for name, value in sorted(values.items())])


def _where(described: Described) -> Iterator[str]:
    names = sorted({*described.names.objects.values(), *described.names.copies})
    shown = [name for name in names if not name.startswith("store/")]
    yield from ("## What is in it", "")
    yield from (f"- `{_text(name)}`" for name in shown[:_LISTED])
    if len(shown) > _LISTED:
        yield f"- and {len(shown) - _LISTED} more files"
    yield from (
        "- `store/`, `bundle.json`: the record itself, for Assay",
        "- `ro-crate-metadata.json`: the same for machines, as an RO-Crate",
        "",
    )


def _absent(described: Described) -> Iterator[str]:
    absent = described.manifest.absent
    if not absent:
        return
    yield from ("## What is not in it", "", "Known by its content (BLAKE3), and used where it stands at the same path.", "")
    rows = [(each.path or "—", f"`{each.id}`", f"{each.kind}: {each.why}", each.access) for each in absent[:_LISTED]]
    yield from _table(("path", "content", "why", "access"), rows)
    if len(absent) > _LISTED:
        yield from (f"And {len(absent) - _LISTED} more, in `bundle.json`.", "")


def _credits(described: Described) -> Iterator[str]:
    authors = ", ".join(author.name for author in described.credits.authors)
    licence = described.credits.licence or (
        f"see `code/{described.credits.licence_file}`" if described.credits.licence_file else ""
    )
    yield from ("## Who and under which terms", "")
    yield f"{_text(authors) or 'The project names no authors.'} Licence: {_text(licence) or 'none is stated; ask the authors'}."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(_text(cell) for cell in row) + " |" for row in rows)
    yield ""


def _text(text: str) -> str:
    """Text of strangers, which must not end a cell or begin a tag."""
    return safe(text).replace("|", "\\|").replace("<", "&lt;")
