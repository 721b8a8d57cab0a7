"""Arguments that name a run of the project, or a bundle that holds one."""

from __future__ import annotations

from assay.cli.output import hint
from assay.errors import UsageError
from assay.project.documents import Document
from assay.project.project import Project
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.report.layout import safe
from assay.store.bundles.opening import is_bundle


def one(text: str) -> tuple[Project, Run]:
    """The run that a text names, with its project; raises as `assay.project.publishing.opened` and `Project.resolve`."""
    if not is_bundle(text):
        project = Project.open()
        return project, project.resolve(text)
    # Late, as below: only bundles need it.
    from assay.project.publishing import opened

    return opened(text)[:2]


def both(a: str, b: str) -> tuple[Project, Run, Run]:
    """Two runs, each of the project or of a bundle, in one project; raises as `assay.project.publishing.together`."""
    if not is_bundle(a) and not is_bundle(b):
        project = Project.open()
        return project, project.resolve(a), project.resolve(b)
    from assay.project.publishing import together

    return together(a, b)


def chosen(run: str, configuration: str | None = None) -> tuple[Project, Run, Document | None]:
    """The run that is meant, its project, and, where a bundle was named, what that is: said on standard error before anything is run.

    Raises:
        UsageError: a configuration of what is no bundle is asked for.
        AssayError: there is no such run, or the bundle cannot be opened.
    """
    if not is_bundle(run):
        if configuration is not None:
            raise UsageError("--configuration is of use to a study's bundle alone", value=configuration, next_step="Leave it out.")
        project = Project.open()
        return project, project.resolve(run), None
    from assay.project.documents_bundle import bundle
    from assay.project.publishing import opened
    from assay.publishing.pack import absent_words

    project, original, manifest = opened(run, configuration)
    trial, seed = original.start.trial, project.store.objects.record(original.start.recipe, Recipe).seed
    of_study = trial is not None and manifest.kind == "study"
    which = f"; of its trials, {trial.configuration!r} with seed {seed} is run again" if trial and of_study else ""
    hint(f"assay: {safe(run)} holds the {manifest.kind} {safe(manifest.name) or manifest.subject[:16]}{safe(which)}")
    for words in absent_words(manifest.absent):
        hint(f"assay: not in it, {safe(words)}")
    hint(f"assay: opened in {project.store.path}, where the new run goes; ASSAY_HOME={project.store.path} assay ls shows it")
    return project, original, bundle(run, manifest, project.store.path)
