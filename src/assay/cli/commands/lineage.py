"""`assay lineage`: what a run or a file builds on, and what builds on it."""

from __future__ import annotations

from typing import Literal

import click

from assay.cli.boundary import NO, YES
from assay.cli.output import emit, hint, json_option, say, width
from assay.cli.streams import write_answer
from assay.project import documents
from assay.project.ancestry import Traced
from assay.project.project import Project
from assay.report.layout import safe
from assay.report.lineage import dot, lineage_text, mermaid

_WIDEST = 100


@click.command(name="lineage", epilog="Returns 1 where FILE is known to no run.")
@click.argument("what", metavar="RUN|FILE")
@click.option("--down", is_flag=True, help="What builds on it, instead of what it builds on.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "mermaid", "dot"]), default="text", show_default=True,
    help="How the graph is written; dot is the language of Graphviz.",
)  # fmt: skip
@json_option
def command(what: str, down: bool, form: Literal["text", "json", "mermaid", "dot"], as_json: bool) -> int:
    """Draw the graph of the runs that a RUN or the content of a FILE builds on, to any depth, and the files that lead from one to the next.

    Who resumes another run stands below it as "resume"; who reads a file that it wrote, as "read". A FILE is known by its content, or by the
    first digits of its id.
    """
    project = Project.open()
    found = project.trace(what, down=down)
    form = "json" if as_json else form
    runs = [project.resolve(run) for run in found.graph.runs]
    if form == "json":
        emit(documents.origin(project.store, runs, found.graph.edges, found.files))
    elif form != "text":
        write_answer((mermaid if form == "mermaid" else dot)(runs, found.graph.edges))
    elif found.heads:
        say(drawn(project, found, "down" if down else "up"))
    else:
        hint(f"assay: no run in this store {'read' if down else 'wrote'} the content of {safe(what)}.")
    return YES if found.heads else NO


def drawn(project: Project, found: Traced, direction: Literal["up", "down"]) -> str:
    """The graph as text for this terminal; heads that another one's tree holds are not drawn a second time."""
    runs = [project.resolve(run) for run in found.graph.runs]
    within = {edge.source if direction == "up" else edge.target for edge in found.graph.edges}
    heads = [run for run in found.heads if run not in within] or list(found.heads[:1])
    return lineage_text(heads, runs, found.graph.edges, direction=direction, width=min(width(), _WIDEST))
