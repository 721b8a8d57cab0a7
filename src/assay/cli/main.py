"""The command `assay`: which commands there are."""

from __future__ import annotations

import os
import sys

import click

from assay import __version__
from assay.cli.boundary import guarded
from assay.cli.lazy import Entry, LazyGroup

COMMANDS = {
    "run": Entry("run", "Run a command and record what produced its result."),
    "snapshot": Entry("snapshot", "Keep the code as it is now, for a job that runs later."),
    "ls": Entry("ls", "List runs."),
    "show": Entry("show", "Show everything known of a run."),
    "log": Entry("log", "Show the series of a run's metrics."),
    "diff": Entry("diff", "Say in what two runs differ."),
    "origin": Entry("origin", "Find the runs that made a file."),
    "lineage": Entry("lineage", "Draw what a run or a file builds on, or what builds on it."),
    "restore": Entry("restore", "Put a run's code or artifacts back, so that nothing is lost."),
    "data": Entry("data", "Keep versions of data sets: add, compare and put them back."),
    "tag": Entry("tag", "Give a run words to be found by, or take them away."),
    "note": Entry("note", "Put a text beside a run."),
    "rm": Entry("rm", "Remove runs, until they are collected."),
    "reproduce": Entry("reproduce", "Run a run again and say whether its result came back."),
    "recheck": Entry("recheck", "Run every baseline again, and name those that no longer come back."),
    "why": Entry("why", "Find out which differences between two runs moved a metric."),
    "matrix": Entry("matrix", "Run a run again under many versions of packages and Python."),
    "doctor": Entry("doctor", "Find what keeps a script from giving the same result twice."),
    "study": Entry("study", "Plan, run and show ablation studies."),
    "sensitivity": Entry(
        "sensitivity", "Say whether a study's conclusions survive other seeds, parameters, splits, metrics, data."
    ),
    "report": Entry("report", "Write the report of a study."),
    "publish": Entry("publish", "Write a run or a study as one file that anyone can verify and run again."),
    "verify": Entry("verify", "Say whether a published file is whole."),
    "push": Entry("push", "Give a remote the runs that it lacks."),
    "pull": Entry("pull", "Get the runs of a remote that are not here."),
    "clone": Entry("clone", "Make a new folder with the runs of a remote."),
    "remote": Entry("remote", "Save names of remotes."),
    "fsck": Entry("fsck", "Find what is damaged or missing, and the runs that it touches."),
    "gc": Entry("gc", "Find what nothing needs any more, and remove it."),
    "du": Entry("du", "Say what takes space, by kind and by run."),
    "reindex": Entry("reindex", "Make the index over the runs anew."),
}


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="A RUN is an id or a unique prefix of it, a name, last, last~2, min:METRIC or max:METRIC.",
)
@click.version_option(__version__, "--version", message="assay %(version)s")
def assay() -> None:
    """Version control for experiments.

    Records what produced a result, gives it back, says whether it really came back, and measures what every part contributes.
    """


def entry() -> None:
    """Run the command line of this process and end with its exit code."""
    # A stream that was closed before the start (`assay ls >&-`) is None; what would be written there goes nowhere, as it would have.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - it stays open as long as the process lives
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    sys.exit(guarded(assay, sys.argv[1:]))
