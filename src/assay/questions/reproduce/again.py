"""A run carried out once more, in a folder of its own, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from assay.comparison.curves import curves
from assay.comparison.diff import differences
from assay.comparison.outputs import written
from assay.comparison.verdict import check_tolerances, compare
from assay.errors import InvalidValue
from assay.execution.again import Original, Terms, carry_out, check_runnable, read_original, reseeded
from assay.execution.again.carry_out import Report, as_finding
from assay.execution.again.function import name_again
from assay.execution.again.outside import is_copy
from assay.execution.again.rebuilt import rebuild
from assay.records.finding import Finding
from assay.records.run import Run
from assay.records.verdict import Difference, Verdict
from assay.store.store import Store

ENVIRONMENTS: Final = ("current", "rebuild")


def reproduce(
    store: Store,
    root: Path,
    run: Run,
    *,
    tolerances: Mapping[str, tuple[float, float]] = {},
    env: str = "current",
    interpreter: Path | None = None,
    timeout: float | None = None,
    keep: bool = False,
    seed: int | None = None,
    report: Report | None = None,
) -> tuple[Run, Verdict]:
    """Carry a run out again and say whether its result came back.

    What a command prints on standard error is shown there; standard output is left to the caller.

    Args:
        store: where the run is, and where the new one goes.
        root: the project's root now.
        run: what is repeated: of a command, of a script that records itself, or a trial of a function.
        tolerances: as for `assay.comparison.verdict.compare`.
        env: "current", or "rebuild" for an environment that is built again from the recorded packages.
        interpreter: Python to run it with, instead of that of `env`.
        timeout: seconds after which a command is ended; its run has then failed.
        keep: leave the folder; it is the new run's `start.root`.
        seed: in place of the recorded one; nothing is then expected to come back, and the verdict says how far the results lie apart.
        report: called before the start with each finding that is known by then.

    Raises:
        UsageError: the run still goes on, or is of a kind that cannot be carried out again from its record; the message says why.
        MissingContent: it has no code tree, or part of what it needs is not in this store.
        InputChanged: something that it read is missing or has another content.
        UnknownMetric, InvalidValue: a tolerance or `env` cannot be used.
        EnvironmentUnavailable: the environment cannot be built again; the message names what is missing.
        CommandNotFound: the program does not exist here.
        StoreUnusable: the disk or the store refuses.
        KeyboardInterrupt: the user stopped it; the new run is recorded as interrupted.
    """
    original = read_original(store, run) if seed is None else reseeded(read_original(store, run), seed)
    check_tolerances(tolerances, {*curves(store, run), *written(store, run)})
    check_runnable(original)
    if env not in ENVIRONMENTS:
        raise InvalidValue(
            "this is no environment to run in", value=env, expected=" or ".join(ENVIRONMENTS), next_step='Say env="rebuild".'
        )
    known: list[Finding] = []

    def say(finding: Finding) -> None:
        known.append(finding)
        if report is not None:
            report(finding)

    for finding in _unseen(original):
        say(finding)
    if env == "rebuild" and interpreter is None:
        interpreter = rebuild(store, root, original, say).python
    terms = Terms(name_again(run), interpreter=interpreter, timeout=timeout, keep=keep)
    again = carry_out(store, root, original, terms, say)
    verdict = compare(store, run, again, tolerances=tolerances)
    later = _what_else_differed(store, run, again, interpreter, known)
    return again, msgspec.structs.replace(verdict, findings=(*known, *later, *_how_it_ended(again), *verdict.findings))


def _how_it_ended(again: Run) -> Iterator[Finding]:
    """What stands behind an end that the recorded run need not have had."""
    failure = again.result.failure if again.result else None
    if failure is None:
        return
    if failure.kind == "timeout":
        text = f"{failure.text}, as asked for; give it longer with --timeout, or find out what it waits for"
        yield Finding(kind="timeout", about=again.id, text=text)
    if failure.text.startswith("EOFError"):
        text = "the command asked for input, and there was none: what is typed in is not recorded. Pipe the answers in, or make them arguments"
        yield Finding(kind="input", about=again.id, text=text)


def _unseen(original: Original) -> Iterator[Finding]:
    result = original.run.result
    if result is None or result.trace is None or result.fidelity.grade == "blind":
        known = "; those of another run of its recipe are put in place" if original.trace.read else ""
        text = f"nothing was seen of what this run read ({original.run.state}), so inputs may be missing or another{known}"
        yield Finding(kind="input not checked", about=original.run.id, text=text)


def _what_else_differed(store: Store, run: Run, again: Run, interpreter: Path | None, known: list[Finding]) -> list[Finding]:
    """What differs between the two runs beside what was said before the start: it should be nothing."""
    said = {finding.about for finding in known}
    return [
        as_finding(each)
        for each in differences(store, run, again)
        if each.name not in said and not _comes_with_the_folder(each, again, interpreter)
    ]


def _comes_with_the_folder(difference: Difference, again: Run, interpreter: Path | None) -> bool:
    """Whether a difference says no more than that the run had a folder, or an environment, of its own."""
    if (difference.kind, difference.name) == ("flag", "VIRTUAL_ENV"):
        return interpreter is not None and difference.b == str(interpreter.parent.parent)
    if difference.kind == "flag" and difference.name == "PYTHONPATH":
        return again.start.root in (difference.b or "")
    if difference.kind == "code":
        # Code from beyond the project stands under the names of its copies, where these were used.
        return is_copy(difference.name) or (difference.name.startswith("/") and difference.b is None)
    return (difference.kind, difference.name) in (("param", "command"), ("param", "directory"))
