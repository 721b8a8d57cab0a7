"""`assay study`: ablation studies of a command line, described by a file."""

from __future__ import annotations

import click

from assay.cli.lazy import Entry, LazyGroup

STUDY_COMMANDS = {
    "plan": Entry("study_plan", "Show what a study would run, and what it can and cannot tell."),
    "gate": Entry("study_gate", "Check a study's baseline before its ablations are believed."),
    "run": Entry("study_run", "Run a study, or what is left of it."),
    "stop": Entry("study_stop", "Stop a study that is running; it can be run on later."),
    "show": Entry("study_show", "Show what a study found."),
    "extend": Entry("study_extend", "Run a finished study with more seeds or components."),
    "next": Entry("study_next", "Start a study from a former one's winner."),
    "ls": Entry("study_ls", "List studies, with what they grew out of."),
}


@click.group(name="study", cls=LazyGroup, entries=STUDY_COMMANDS)
def command() -> None:
    """Plan, run and show ablation studies.

    An ablation removes, replaces or changes parts of a system, one at a time, and runs it again under the same seeds: what gets worse
    shows what the part was worth. `assay report` writes the page, and `assay sensitivity` asks whether the conclusions survive.
    """
