"""`assay study show`: what a study found, as table and in words."""

from __future__ import annotations

import click

from assay.cli.output import emit, json_option, say, styled, width
from assay.project.project import Project
from assay.questions.study.archive import kept_evidence
from assay.questions.study.indices import interaction_indices
from assay.questions.study.pareto import pareto
from assay.records.evidence import StudyEvidence
from assay.report.document import plain, study_document
from assay.report.pareto import pareto_text
from assay.report.tables import in_words, table


@click.command(name="show")
@click.argument("study")
@click.option("--pareto", "front", metavar="A,B", help="Hold the configurations against each other in these metrics at once.")
@click.option(
    "--interactions", "index", metavar="INDEX", help="Interaction indices of components: shapley, banzhaf or shapley-taylor."
)
@click.option("--order", type=int, default=2, show_default=True, help="Components in a set, for --interactions.")
@click.option("--metric", default="", metavar="M", help="For --interactions; by default the study's first.")
@json_option
def command(study: str, front: str | None, index: str | None, order: int, metric: str, as_json: bool) -> int:
    """Show what STUDY (its id or a unique prefix, its name, or last) found: the table, effects, answers, findings."""
    evidence = kept_evidence(Project.open().store, study)
    if index is not None:
        sets = interaction_indices(evidence, metric, index=index, order=order)
        if as_json:
            emit({"version": 1, "study": evidence.study, "interactions": plain(sets)})
        else:
            for one in sets:
                say(one.words)
    elif front is not None:
        found = pareto(evidence, [name.strip() for name in front.split(",") if name.strip()])
        if as_json:
            emit({"version": 1, "study": evidence.study, "pareto": plain(found)})
        else:
            say(pareto_text(found, width()))
    elif as_json:
        emit(study_document(evidence))
    else:
        print_evidence(evidence)
    return 0


def print_evidence(evidence: StudyEvidence) -> None:
    """Print the table of a study and what it says in words on standard output."""
    say(styled(f"Study {evidence.name or evidence.study[:8]}", bold=True) + f"  {evidence.study[:8]}  {evidence.plan.design}")
    say()
    for text in (table(evidence, width=width()), in_words(evidence, width=width())):
        say(text)
