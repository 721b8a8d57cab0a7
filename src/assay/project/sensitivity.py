"""`assay sensitivity`: whether what a study concluded survives, by whatever names the study."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.errors import AssayError, InvalidStudy, UnknownRun
from assay.project.command_study import CommandStudy
from assay.project.project import Project
from assay.project.sensitivity_answer import SensitivityResult, answer
from assay.project.sensitivity_asked import Wanted
from assay.project.sensitivity_studies import AnyStudy, Design, Subject
from assay.project.study import Study, folder_of
from assay.project.study_again import study_again
from assay.project.study_file import load_study_file
from assay.project.study_result import StudyResult
from assay.questions.study.archive import kept_evidence
from assay.records.evidence import StudyEvidence
from assay.records.recipe import Recipe
from assay.records.sensitivity import SensitiveTo
from assay.store.root import find_root
from assay.store.store import Store

SUFFIXES = (".yaml", ".yml", ".toml")


def sensitivity(
    study: Study | CommandStudy | StudyResult | str | Path,
    to: SensitiveTo,
    wanted: Wanted | None = None,
    *,
    design: str | None = None,
    say: Callable[[str], None] = lambda _: None,
    **options: Any,
) -> SensitivityResult:
    """Whether what a study concluded survives other seeds, parameters, splits, metrics or data.

    Args:
        study: a study, its result, its file, or what names it in the store.
        to: what is varied: "seeds", "params", "splits", "metrics" or "data".
        wanted: how; or its fields as keywords: `vary={"lr": [0.01, 0.1]}`, `more=5`, `test_share=0.25`.
        design: of a study or file, which design; by default leave-one-out, or the file's own.
        say: is told what it will cost, before anything runs.

    Raises:
        InvalidStudy: the study cannot be asked so; the message says what is missing.
        InvalidValue: an option has a value that cannot be used.
        UnknownParameter: the baseline has no such parameter.
        UnknownMetric: no trial reports a metric.
        AssayError: as running a study raises it.
    """
    return answer(subject_of(study, design), to, wanted or Wanted(**options), say)


def subject_of(study: Study | CommandStudy | StudyResult | str | Path, design: str | None) -> Subject:
    """The study that is meant.

    Args:
        study: the study, its result, its file, or what names it in the store.
        design: of a study or a file; by default its own, or leave-one-out.

    Raises:
        InvalidStudy: no study answers to the name, or the file cannot be read.
    """
    if isinstance(study, StudyResult):
        return study.subject()
    if not isinstance(study, str | Path):
        return Subject(None, study.resolved() if isinstance(study, Study) else study, _own_design(study, design), _root(study))
    if str(study).endswith(SUFFIXES):
        source = load_study_file(study)
        return Subject(None, source, _own_design(source, design), source.root)
    project = Project.open()
    evidence = kept_evidence(project.store, str(study))
    return Subject(evidence, _file_of(project, evidence) or _made_again(project, evidence), Design.of(evidence.plan), project.root)


def _root(source: Study | CommandStudy) -> Path:
    if isinstance(source, CommandStudy) or source.root is not None:
        return Path(source.root).resolve() if source.root is not None else Path.cwd()
    return find_root(folder_of(source.train))


def _own_design(source: Study | CommandStudy, design: str | None) -> Design:
    own = source.design if isinstance(source, CommandStudy) else "leave-one-out"
    return Design(design or own, None, None)


def _file_of(project: Project, evidence: StudyEvidence) -> AnyStudy | None:
    """The study of a file that still says the same, beside the code of its trials; None where there is none."""
    folder = _folder_of_trials(project.store, evidence)
    if folder is None:
        return None
    design = Design.of(evidence.plan)
    for file in sorted(path for path in (project.root / folder).glob("*") if path.suffix in SUFFIXES):
        try:
            source = load_study_file(file, project.root)
            if design.plan(source).study == evidence.study:
                return source
        except AssayError:  # a file of something else
            continue
    return None


def _folder_of_trials(store: Store, evidence: StudyEvidence) -> str | None:
    for row in evidence.rows:
        if row.run is not None:
            try:
                return store.objects.record(store.runs.read(row.run).start.recipe, Recipe).directory
            except UnknownRun:  # removed since
                continue
    return None


def _made_again(project: Project, evidence: StudyEvidence) -> AnyStudy | None:
    """The study from its sealed definition; None for one of a function, of which only the name is sealed."""
    try:
        return study_again(project.store, evidence.study, project.root)[0]
    except InvalidStudy:
        return None
