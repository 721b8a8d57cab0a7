"""A study of a command made again from its sealed definition, without the file that it was written in."""

from __future__ import annotations

import shlex
from pathlib import Path

from assay.errors import InvalidStudy
from assay.project.command_line import in_order
from assay.project.command_study import CommandStudy
from assay.questions.study.archive import find_study, kept_evidence, studies
from assay.questions.study.definition import Definition
from assay.store.store import Store


def study_again(store: Store, study: str, root: Path) -> tuple[CommandStudy, Definition]:
    """The study that an id, prefix, name or "last" stands for, and its definition.

    Raises:
        InvalidStudy: there is none, or it is of a Python function, of which a definition has only the name.
        StoreTooNew, StoreDamaged, StoreUnusable: it cannot be read.
    """
    definition = store.studies.get(find_study(store, study), Definition)
    if not _is_command(definition):
        raise InvalidStudy(
            "this study is of a Python function, which is only there in the program that defines it",
            value=definition.subject,
            expected="a study of a command",
            next_step="Call study.extend(…) or study.next() where the study is made.",
        )
    terms, options = definition.terms, definition.options
    made = CommandStudy(
        command=shlex.split(definition.subject),
        baseline=in_order(definition.baseline, terms.order),
        components=definition.factors,
        metrics=definition.goals,
        seeds=definition.seeds,
        splits=definition.splits,
        design=definition.design,
        resolution=options.resolution,
        budget=options.budget,
        priors=options.priors,
        until=options.until,
        constraints=options.constraints,
        groups=options.groups,
        configurations=definition.configurations,
        hypotheses=definition.hypotheses,
        prepare=None if definition.evaluation is None else shlex.split(definition.evaluation),
        data=terms.data,
        override_style=terms.override_style,
        gate=definition.gate,
        graph=definition.graph,
        spreads=options.spreads,
        name=definition.name,
        origin=definition.origin,
        root=root,
        directory=terms.directory,
    )
    return made, definition


def former_of(store: Store, study: CommandStudy) -> Definition:
    """The newest study that was run to its end with the same name and command.

    Raises:
        InvalidStudy: there is none.
    """
    subject = shlex.join(study.command)
    for found, definition in studies(store):
        if definition.name == study.name and definition.subject == subject and _finished(store, found):
            return definition
    raise InvalidStudy(
        "no study of this name and command has been run to its end",
        value=study.name,
        expected="a finished study",
        next_step="Run it first: `assay study run FILE`.",
    )


def _finished(store: Store, study: str) -> bool:
    try:
        return not kept_evidence(store, study).stopped
    except InvalidStudy:
        return False


def _is_command(definition: Definition) -> bool:
    """Commands hold arguments; functions are called "module:name"."""
    return "{" in definition.subject or definition.terms.directory != "." or " " in definition.subject
