"""What the runs of a study show that its metrics do not: parameters that no code names, files that two splits share, files that differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from assay.capture.data_rows import is_table, read_table
from assay.capture.data_split import row_id
from assay.errors import AssayError, MissingContent, UnknownRun
from assay.execution.reuse import content_now
from assay.records.evidence import StudyEvidence
from assay.records.factor import Level
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import FileUse, Trace
from assay.store.store import Store

_TRAIN = re.compile(r"(?<![a-z])(train|training|fit)(?![a-z])")
_TEST = re.compile(r"(?<![a-z])(test|testing|valid|validation|val|dev|eval|holdout)(?![a-z])")
_LARGEST_TABLE = 20_000_000
"""Bytes up to which tables are compared row by row after a study; `assay data leaks` has no limit."""


def unread(store: Store, evidence: StudyEvidence) -> Iterator[Finding]:
    """Components whose change moved no result, and whose parameters' names stand in no file of the project that the trials loaded.

    Nothing is said where the code is not known in full: other languages, functions that are shipped by value.
    """
    moved = {one.component for one in evidence.effects if one.verdict in ("matters", "exact") and one.estimate != 0}
    for factor in evidence.factors:
        for level in factor.levels if factor.kind != "placebo" else ():
            effect = factor.name if len(factor.levels) == 1 else f"{factor.name}: {level.name}"
            loaded = _code(store, evidence, factor.name, level) if effect not in moved else None
            if loaded is None:
                continue
            missing = [path for path in level.settings if not _named(path, loaded)]
            if missing:
                names, count = ", ".join(map(repr, missing)), len(loaded)
                files = f"none of the {count} files" if count > 1 else "the one file"
                text = (
                    f"Nothing read {names}, as far as can be seen: no result moved, and {files} of the project that its trials loaded "
                    f"{'has' if count > 1 else 'does not have'} the name in it. Check how it is spelled."
                )
                yield Finding(kind="toggle not read", about=effect, text=text)


def leaks(store: Store, evidence: StudyEvidence) -> Iterator[Finding]:
    """Contents, and rows of tables, that a run read both as training and as test data, as far as the files' names tell which is which."""
    run = _run_of(store, evidence, evidence.plan.configurations[0].name)
    trace = _trace(store, run) if run is not None else None
    if run is None or trace is None:
        return
    train = [use for use in trace.read if use.id and use.size and _TRAIN.search(use.path.lower())]
    test = [use for use in trace.read if use.id and use.size and _TEST.search(use.path.lower()) and use not in train]
    for one in train:
        for other in test:
            if one.id == other.id:
                text = f"It has the content of {other.path}, byte by byte: what is learned is what is tested."
                yield Finding(kind="leak", about=one.path, text=text)
                continue
            known, held = (set(_rows(store, run, use)) for use in (one, other))
            shared = len(known & held)
            if shared:
                text = (
                    f"{shared} of the {len(held)} different rows of {other.path} are rows of it too. `assay data leaks` names them."
                )
                yield Finding(kind="leak", about=one.path, text=text)


def other_files(store: Store, evidence: StudyEvidence, names: Sequence[str]) -> str:
    """In a sentence, whether the files that these configurations wrote differ as well."""
    written = []
    for name in names:
        run = _run_of(store, evidence, name)
        trace = _trace(store, run) if run is not None else None
        written.append({Path(use.path).name: use.id for use in trace.written} if trace else {})
    if not any(written):
        return "They wrote no files."
    differ = sorted({file for one in written for file in one if len({each.get(file) for each in written}) > 1})
    shown = ", ".join(differ[:3]) + (f" and {len(differ) - 3} more" if len(differ) > 3 else "")
    return (
        f"Of the files that they wrote, {shown} differ{'s' * (len(differ) == 1)}."
        if differ
        else "The files that they wrote are equal, too."
    )


def _code(store: Store, evidence: StudyEvidence, factor: str, level: Level) -> list[str] | None:
    """Texts of the project's files that a trial with this level loaded; None where they are not all known."""
    names = [one.name for one in evidence.plan.configurations if one.levels.get(factor) == level.name]
    run = next((run for name in names if (run := _run_of(store, evidence, name)) is not None), None)
    trace = _trace(store, run) if run is not None else None
    if run is None or trace is None or not trace.loaded:
        return None
    try:
        function = store.objects.record(run.start.recipe, Recipe).function
        texts = [store.objects.get(use.id).decode("utf-8", "replace") for use in trace.loaded if use.id]
    except AssayError:  # content that was only hashed, or is gone: then nothing is claimed
        return None
    if len(texts) < len(trace.loaded):
        return None
    if function is not None and (
        "#" in function or not any(_word(function.rpartition(":")[2].rpartition(".")[2], text) for text in texts)
    ):
        return None
    return texts


def _named(path: str, texts: Iterable[str]) -> bool:
    """Whether a parameter's own name (not those of what it lies in) is a word of one of the texts."""
    names = [part for part in path.split(".") if not part.isdigit() and not set(part) & set("*?")]
    if not names:
        return True
    spellings = {names[-1], names[-1].replace("-", "_"), names[-1].replace("_", "-")}
    return any(_word(name, text) for text in texts for name in spellings)


def _word(name: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", text) is not None


def _rows(store: Store, run: Run, use: FileUse) -> list[str]:
    if use.id is None or not is_table(use.path) or use.size > _LARGEST_TABLE:
        return []
    path = Path(run.start.root) / use.path
    try:
        data = store.objects.get(use.id) if use.id in store.objects else path.read_bytes() if content_now(path) == use.id else b""
    except (MissingContent, OSError):
        return []
    return [row_id(row) for row in read_table(data, use.path).rows]


def _run_of(store: Store, evidence: StudyEvidence, configuration: str) -> Run | None:
    """The first finished run of a configuration that the store still has."""
    for row in evidence.rows:
        if row.configuration == configuration and row.state == "finished" and row.run is not None:
            try:
                return store.runs.read(row.run)
            except UnknownRun:
                continue
    return None


def _trace(store: Store, run: Run) -> Trace | None:
    try:
        return store.objects.record(run.result.trace, Trace) if run.result is not None and run.result.trace is not None else None
    except MissingContent:
        return None
