"""What a run's capture lacks, said for who wants to repeat it: what each missing thing means, and what to do about it."""

from __future__ import annotations

import re
from typing import NamedTuple

from assay.records.finding import Gap
from assay.records.run import Run

GRADES = {
    "full": "everything that Assay looks for was captured",
    "partial": "the run can be repeated as far as the things below allow",
    "blind": "no Python interpreter reported: what the program read, loaded and wrote was not observed",
    "none": "the run has no result yet, or it crashed before one was written",
}


class Shortcoming(NamedTuple):
    """One thing that was not captured, why, what that means for who repeats the run, and what to do next time or now."""

    what: str
    why: str
    means: str
    do: str


class Judgement(NamedTuple):
    """How complete a run's capture is: its grade with what that says, what was captured, and what was not."""

    grade: str
    says: str
    captured: tuple[str, ...]
    missing: tuple[Shortcoming, ...]


class _Rule(NamedTuple):
    about: str  # "what" or "why"
    pattern: re.Pattern[str]
    means: str
    do: str


def _rule(about: str, pattern: str, means: str, do: str) -> _Rule:
    return _Rule(about, re.compile(pattern), means, do)


# In this order; the first that fits is taken.
_RULES = (
    _rule(
        "why", r"^too large to keep",
        "its content is known by its id and can be compared, but not put back from this store",
        "keep the file yourself, or record it with `assay data add`; a copy that turns up later is recognised by its content",
    ),
    _rule(
        "why", r"^kept without its secrets",
        "a repetition takes the secret from the project's own file while that is the same otherwise; elsewhere a marker stands in its place",
        "read secrets from variables or from a file of their own, such as .env, which no run needs to keep",
    ),
    _rule(
        "why", r"^(not kept: )?kept out by ",
        "the project's rules forbid to keep it: its content is at most known by its id alone",
        "whoever repeats the run needs the file from you; take its rule out of .assayignore where it may be kept",
    ),
    _rule(
        "why", r"^not kept: ",
        "the file holds a secret: its content is known by its id alone",
        "whoever repeats the run needs a secret of their own; pass it by a variable rather than by a file",
    ),
    _rule(
        "why", r"the run changed it after reading it",
        "what the run began from is known only where another run's record of the same file has it (`assay lineage`)",
        "let checkpoints have names of their own, or save them with `run.save` as well",
    ),
    _rule(
        "why", r"changed while the run read it|keeps changing|changed while it was kept",
        "nobody can say which content the run saw; a repetition may see another",
        "do not write inputs while a run reads them: write aside and rename",
    ),
    _rule(
        "why", r"changed after the run loaded it",
        "the code that ran is not the one on the disk",
        "`assay diff` and the findings say in what it changed",
    ),
    _rule(
        "why", r"^vanished|is gone",
        "what the run used is not there any more and was not kept",
        "declare it with `--data`, which keeps it, or do not remove it before the end",
    ),
    _rule(
        "what", r"^reads by ",
        "files that this library opened itself are unknown: a repetition cannot check that they are the same",
        "declare them with `--data PATH`, or record them with `assay data add PATH`",
    ),
    _rule("what", r"^network$", "what was received may be another the next time", "download once, and let the run read the file"),
    _rule(
        "what", r"^child process",
        "what this process read and wrote is known only where its interpreter reported, or from what changed on the disk",
        "declare its inputs with `--data PATH`",
    ),
    _rule(
        "what", r"^output$",
        "what the program printed cannot be compared, and holds no metrics",
        "start the script by `assay run`, which keeps its output",
    ),
    _rule(
        "what", r"^cells$",
        "a repetition runs the recorded cells in their order in a fresh process, and meets nothing that was done beside them",
        "restart the kernel and run all cells before a result counts, or run the notebook by `assay run notebook.ipynb`",
    ),
    _rule("what", r"^metrics ", "metrics in it are missing from the run", "log them with `run.log`, or write smaller files"),
    _rule("what", r"^writes$", "files that were written unseen may be missing from its artifacts", "name them with `run.save`"),
    _rule("what", r"^reads", "some inputs may be unknown", "declare them with `--data PATH`"),
    _rule("what", r"more files$", "as for the other files with the same reason", "as for these"),
    _rule(
        "what", r"^(journal|result|trace|lineage|environment|everything after)",
        "this part of the record is incomplete",
        "look at the disk and the store (`assay fsck`), and run it again",
    ),
)  # fmt: skip
_OTHERWISE = ("a repetition cannot rely on it being the same", "look at the reason; `assay fsck` checks the store itself")


def judged(run: Run) -> Judgement:
    """How complete the capture of a run is."""
    if run.result is None:
        return Judgement("none", GRADES["none"], ("code", "packages", "hardware"), (_without_result(run),))
    fidelity = run.result.fidelity
    missing = [explained(gap) for gap in fidelity.missing]
    if fidelity.grade == "blind":
        missing.insert(0, _BLIND)
    return Judgement(fidelity.grade, GRADES[fidelity.grade], fidelity.captured, tuple(missing))


def explained(gap: Gap) -> Shortcoming:
    """What one missing thing means.

    >>> explained(Gap(what="out/model.pt", why="too large to keep (over 100 MiB)")).means
    'its content is known by its id and can be compared, but not put back from this store'
    """
    for rule in _RULES:
        if rule.pattern.search(gap.what if rule.about == "what" else gap.why):
            return Shortcoming(gap.what, gap.why, rule.means, rule.do)
    return Shortcoming(gap.what, gap.why, *_OTHERWISE)


_BLIND = Shortcoming(
    "reads and writes",
    "no Python interpreter reported",
    "only files that changed below the project are known; inputs are not",
    "declare inputs with `--data PATH`; for Python, do not start it with -I, -E or -S",
)


def _without_result(run: Run) -> Shortcoming:
    if run.state == "crashed":
        return Shortcoming(
            "result",
            "the run was killed with what watched it",
            "metrics are those that were logged until then; files are those that the next run on this machine found as it had left them",
            "start the script again on its checkpoint: it becomes the child of this run",
        )
    return Shortcoming("result", f"the run is {run.state}", "it will be complete at its end", "wait for its end")
