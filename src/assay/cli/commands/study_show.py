"""`assay study show`: what a study found, as table and in words."""

from __future__ import annotations

import click

from assay.cli.boundary import NO, YES
from assay.cli.output import emit, json_option, say, styled, width
from assay.errors import InvalidValue
from assay.project import documents
from assay.project.causal import CausalResult, causal, graph_of
from assay.project.project import Project
from assay.questions.study.archive import kept_evidence
from assay.questions.study.definition import Definition
from assay.questions.study.indices import interaction_indices
from assay.questions.study.pareto import pareto
from assay.records.evidence import StudyEvidence
from assay.report.causal import causal_in_words
from assay.report.document import plain, study_document
from assay.report.layout import safe
from assay.report.pareto import pareto_text
from assay.report.sizes import sizes_text
from assay.report.tables import in_words, table


@click.command(name="show")
@click.argument("study")
@click.option("--pareto", "front", metavar="A,B", help="Hold the configurations against each other in these metrics at once.")
@click.option(
    "--interactions", "index", metavar="INDEX", help="Interaction indices of components: shapley, banzhaf or shapley-taylor."
)
@click.option("--order", type=int, default=2, show_default=True, help="Components in a set, for --interactions.")
@click.option("--metric", default="", metavar="M", help="For --interactions; by default the study's first.")
@click.option("--sizes", is_flag=True, help="Show standardised sizes, chances to win and p of all effects instead.")
@click.option("--causal", "causally", is_flag=True, help="Show what it says of causes instead.")
@click.option(
    "--mediator", "mediators", multiple=True, metavar="METRIC", help="Variable that effects may go through; may be repeated."
)
@click.option(
    "--through",
    multiple=True,
    metavar="METRIC=COMPONENT",
    help="Component that moves the metrics through this variable alone; may be repeated.",
)
@click.option("--placebo", "placebos", multiple=True, metavar="COMPONENT", help="Component that does nothing; may be repeated.")
@click.option(
    "--edge", "edges", multiple=True, metavar="'A -> B'", help="Arrow of a graph in place of the study's own; may be repeated."
)
@json_option
def command(
    study: str,
    front: str | None,
    index: str | None,
    order: int,
    metric: str,
    sizes: bool,
    causally: bool,
    mediators: tuple[str, ...],
    through: tuple[str, ...],
    placebos: tuple[str, ...],
    edges: tuple[str, ...],
    as_json: bool,
) -> int:
    """Show what STUDY (its id or a unique prefix, its name, or last) found: the table, effects, answers, findings.

    With --causal: conditional effects, mediation, the placebo, and the study's graph checked; returns 1 where placebo or graph is refuted.
    """
    store = Project.open().store
    evidence = kept_evidence(store, study)
    if causally:
        movers = dict(_mover(text) for text in through)
        graph = store.studies.get(evidence.study, Definition).graph
        asked = tuple(dict.fromkeys((*mediators, *movers)))
        found = causal(
            evidence, mediator=asked, through=movers or None, placebo=placebos, graph=graph_of(edges) or None, sealed=graph
        )
        _show_causes(found, evidence, as_json=as_json)
        return NO if found.refuted else YES
    given = [
        name
        for name, value in {"--mediator": mediators, "--through": through, "--placebo": placebos, "--edge": edges}.items()
        if value
    ]
    if given:
        raise InvalidValue("this option asks about causes", value=given[0], expected="--causal beside it")
    if index is not None:
        _show_indices(evidence, index, order, metric, as_json=as_json)
    elif front is not None:
        _show_front(evidence, front, as_json=as_json)
    elif as_json:
        emit(study_document(evidence))
    elif sizes:
        say(sizes_text(evidence, width()))
    else:
        print_evidence(evidence)
    return 0


def _mover(text: str) -> tuple[str, str]:
    variable, _, component = text.partition("=")
    if not (variable and component):
        raise InvalidValue("--through cannot be read", value=text, expected="METRIC=COMPONENT")
    return variable, component


def _show_causes(found: CausalResult, evidence: StudyEvidence, *, as_json: bool) -> None:
    if as_json:
        emit(documents.causal(found.reading))
        return
    say(styled(f"Study {safe(evidence.name or evidence.study[:8])}", bold=True) + f"  {evidence.study[:8]}  causal reading\n")
    say(causal_in_words(found.reading, width=width()))


def _show_indices(evidence: StudyEvidence, index: str, order: int, metric: str, *, as_json: bool) -> None:
    sets = interaction_indices(evidence, metric, index=index, order=order)
    if as_json:
        emit({"version": 1, "study": evidence.study, "interactions": plain(sets)})
        return
    for one in sets:
        say(one.words)


def _show_front(evidence: StudyEvidence, front: str, *, as_json: bool) -> None:
    found = pareto(evidence, [name.strip() for name in front.split(",") if name.strip()])
    if as_json:
        emit({"version": 1, "study": evidence.study, "pareto": plain(found)})
    else:
        say(pareto_text(found, width()))


def print_evidence(evidence: StudyEvidence) -> None:
    """Print the table of a study and what it says in words on standard output."""
    say(styled(f"Study {evidence.name or evidence.study[:8]}", bold=True) + f"  {evidence.study[:8]}  {evidence.plan.design}")
    say()
    for text in (table(evidence, width=width()), in_words(evidence, width=width())):
        say(text)
