"""Making one run or one study public as a file, and using such a file: the Python door of `assay publish` and `assay verify`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import AmbiguousRun, InvalidStudy, InvalidValue, StoreUnusable, UnknownRun, UsageError
from assay.lineage.graph import ancestors
from assay.project.project import Project
from assay.project.study_result import StudyResult
from assay.publishing.check import Verified, check
from assay.publishing.contents import Asked
from assay.publishing.pack import Packed, pack, prepare
from assay.questions.study.archive import find_study, kept_evidence
from assay.records.bundle import Bundle
from assay.records.run import Run
from assay.store.bundles.opening import is_bundle, open_bundle
from assay.store.bundles.reading import BundleFile
from assay.store.references import Kind
from assay.store.remotes.folder import FolderPlace
from assay.store.remotes.transfer import transfer
from assay.store.root import find_root
from assay.store.store import Store

if TYPE_CHECKING:
    from assay.project.live import Run as LiveRun


def publish(
    what: str | Run | LiveRun | StudyResult,
    *,
    to: str | Path,
    outputs: bool = True,
    data: bool = True,
    parents: bool = False,
    accept_findings: bool = False,
    dry_run: bool = False,
    force: bool = False,
    path: str | Path | None = None,
    report: Callable[[Packed], None] | None = None,
) -> Packed:
    """Write a run or a study as a bundle: one file that anyone can verify and run again.

    Args:
        what: a run, text that names one, what came of a study, or the id, a prefix of it or the name of one.
        to: the file; one with other bytes is replaced only with `force`.
        outputs, data: whether what was written and read goes in; else it is named by its content.
        parents: whether the runs that it builds on go in too, whole.
        accept_findings: publish though something looks like a secret.
        dry_run: only say what would go in.
        force: replace a file.
        path: in which project; the working directory's where it is None.
        report: called with what will go in, before it is written.

    Returns:
        Where it is, what it holds, and its sizes in bytes.

    Raises:
        UnknownRun, AmbiguousRun: neither a run nor a study answers to `what`, or several do.
        UsageError: the run has not ended.
        InvalidStudy: the study was not run to its end.
        InvalidValue: something looks like a secret; or another file stands there.
        AssayError: as for `assay.publishing.pack.prepare` and `pack`.

    >>> publish("last", to="paper.zip")  # doctest: +SKIP
    """
    project = Project.open(path)
    without: tuple[Kind, ...] = (*(() if outputs else ("artifacts",)), *(() if data else ("data",)))
    if isinstance(what, StudyResult):
        what = what.study
    elif not isinstance(what, str | Run):
        what = project.resolve(what.id)
    asked = _asked(project, what, parents)._replace(without=without)
    target = Path(os.path.abspath(to))  # noqa: PTH100 - without "..", since it is shown
    prepared = prepare(project.store, project.root, asked, target, accept_findings=accept_findings)
    if report is not None:
        report(prepared.packed)
    return prepared.packed if dry_run else pack(project.store, prepared, force=force)


def verify(path: str | Path) -> Verified:
    """Whether a bundle is whole, and what is wrong with it.

    Raises:
        InvalidValue: there is no such file.
        StoreTooNew: a newer Assay wrote it.

    >>> verify("paper.zip").whole  # doctest: +SKIP
    True
    """
    return check(Path(path))


def opened(path: str | Path, configuration: str | None = None) -> tuple[Project, Run, Bundle]:
    """A bundle as a project with a store of its own in the cache folder, and the run that is meant.

    Args:
        path: the bundle.
        configuration: of a study, the one whose first trial is meant; the baseline where it is None.

    Raises:
        InvalidValue: there is no such file, or no such configuration.
        UsageError: a configuration of what is no study is asked for.
        StoreDamaged, StoreTooNew, StoreUnusable: it cannot be read, or not be unpacked.
    """
    with BundleFile(Path(path)) as bundle:
        manifest = bundle.manifest
    root = _around()
    project = Project(open_bundle(Path(path), root), root)
    return project, project.store.runs.read(_meant(project.store, manifest, configuration)), manifest


def together(a: str, b: str) -> tuple[Project, Run, Run]:
    """Two runs of which one at least is in a bundle, in the project of that bundle, whose own store takes the other too.

    Raises:
        UnknownRun, AmbiguousRun: a text that names no bundle names no run of the project, or several.
        InvalidValue, StoreDamaged, StoreTooNew, StoreUnusable: a bundle cannot be opened, or there is no project.
    """
    (source, first), (other, second) = _in_either(a), _in_either(b)
    project, away, coming = (source, other, second) if is_bundle(a) else (other, source, first)
    here, there = FolderPlace(project.store), FolderPlace(away.store)
    if here.store.path != there.store.path:
        transfer(there, here, there, runs=[coming.id], progress=lambda _: None)
    return project, first, second


def _in_either(text: str) -> tuple[Project, Run]:
    if is_bundle(text):
        return opened(text)[:2]
    project = Project.open()
    return project, project.resolve(text)


def _asked(project: Project, what: str | Run, parents: bool) -> Asked:
    run, study = (what, None) if isinstance(what, Run) else _named(project, what)
    if study is not None:
        evidence = kept_evidence(project.store, study)
        rows = sorted(evidence.rows, key=lambda row: (row.configuration != "baseline", row.index))
        runs = [project.store.runs.read(run_id) for run_id in dict.fromkeys(row.run for row in rows) if run_id is not None]
        name = evidence.name
    else:
        assert run is not None
        runs, name = [run], run.start.name
    if parents:
        present = set(project.store.runs.ids())
        above = dict.fromkeys(run_id for run in runs for run_id in ancestors(project.store, run.id).runs if run_id in present)
        runs += [project.store.runs.read(run_id) for run_id in above if run_id not in {run.id for run in runs}]
    _check_ended(runs)
    return Asked(runs, study, name)


def _named(project: Project, text: str) -> tuple[Run | None, str | None]:
    """The run or the study that a text names."""
    try:
        study = None if text == "last" else find_study(project.store, text)
    except InvalidStudy:
        study = None
    try:
        run = project.resolve(text)
    except UnknownRun as error:
        if study is not None:
            return None, study
        raise UnknownRun(
            "neither a run nor a study answers to this", value=text, expected=error.expected,
            next_step="`assay ls` lists the runs, `assay study ls` the studies.",
        ) from error  # fmt: skip
    if study is not None:
        raise AmbiguousRun(
            "both a run and a study answer to this", value=text, expected=f"the run {run.id} or the study {study[:12]}",
            next_step="Give the id.",
        )  # fmt: skip
    return run, None


def _check_ended(runs: list[Run]) -> None:
    if not runs:
        raise InvalidStudy("no trial of this study has become a run", expected="a study with runs", next_step="Run it again.")
    going = [run.id for run in runs if run.state in ("running", "queued")]
    if going:
        raise UsageError(
            "what still goes on is not published", value=going[0], expected="a run that has ended", next_step="Wait for its end."
        )


def _meant(store: Store, manifest: Bundle, configuration: str | None) -> str:
    if manifest.kind != "study":
        if configuration is not None:
            raise UsageError(
                "this bundle holds a run, which has no configurations", value=configuration, next_step="Leave --configuration out."
            )
        return manifest.runs[0]
    if configuration is None:
        return manifest.runs[0]
    rows = [row for row in kept_evidence(store, manifest.subject).rows if row.run is not None]
    found = [row.run for row in rows if row.configuration == configuration and row.run is not None]
    if not found:
        known = ", ".join(dict.fromkeys(repr(row.configuration) for row in rows))
        raise InvalidValue("the study has no such configuration", value=configuration, expected=f"one of {known}")
    return found[0]


def _around() -> Path:
    """Where inputs that a bundle lacks are looked for: the project around the working directory, or that folder itself."""
    try:
        return find_root(Path.cwd())
    except (InvalidValue, StoreUnusable):
        return Path.cwd()


__all__ = ["Packed", "Verified", "is_bundle", "opened", "publish", "together", "verify"]
