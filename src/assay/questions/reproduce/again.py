"""A run carried out once more, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from assay.capture.code import Snapshot
from assay.capture.environment import describe, packages_in
from assay.capture.interpreter import Interpreter, interpreter_of, this_interpreter
from assay.capture.outside import interpreter_folders
from assay.capture.stat_cache import cache_folder
from assay.comparison.curves import curves
from assay.comparison.diff import differences, environment_differences, show_path
from assay.comparison.outputs import written
from assay.comparison.verdict import check_tolerances, compare
from assay.errors import MissingContent, UsageError
from assay.questions.reproduce.command import command_again, recipe_environment
from assay.questions.reproduce.function import FunctionAgain, carry_out_again, name_again, recorded_call
from assay.questions.reproduce.inputs import Places, lay_inputs, lay_output_folders
from assay.questions.reproduce.outside import OutsideCode, is_copy, lay_outside_code
from assay.records.environment import Environment
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.run import Parent, Run
from assay.records.trace import Trace
from assay.records.verdict import Difference, Verdict
from assay.store.failures import using
from assay.store.process import owned_name, surely_dead
from assay.store.store import Store
from assay.store.tree import read_tree, restore_tree
from assay.tracking.supervise import supervise

Report = Callable[[Finding], None]
_SURROUNDINGS = ("package", "python", "hardware", "system")


class _Original(NamedTuple):
    """What is repeated, with its records."""

    run: Run
    recipe: Recipe
    code: str
    trace: Trace
    environment: Environment


def reproduce(
    store: Store,
    root: Path,
    run: Run,
    *,
    tolerances: Mapping[str, tuple[float, float]] = {},
    keep: bool = False,
    report: Report | None = None,
) -> tuple[Run, Verdict]:
    """Carry a run out again and say whether its result came back.

    Code tree, project modules and project data go into a fresh folder, as copies whose content was checked; inputs elsewhere are checked
    and used in place. The user's project is not written. Afterwards the store has the new run, whose parent is the old one. What a
    command prints on standard error is shown there; standard output is left to the caller.

    Args:
        store: where the run is, and where the new one goes.
        root: the project's root now.
        run: what is repeated: of a command, of a script that records itself, or a trial of a function.
        tolerances: as for `assay.comparison.verdict.compare`.
        keep: leave the folder; it is the new run's `start.root`.
        report: called before the start with each finding that is known by then.

    Raises:
        UsageError: the run still goes on, or is of a kind that cannot be carried out again from its record; the message says why.
        MissingContent: it has no code tree, or part of what it needs is not in this store.
        InputChanged: something that it read is missing or has another content.
        UnknownMetric, InvalidValue: a tolerance cannot be used.
        CommandNotFound: the program does not exist here.
        StoreUnusable: the disk or the store refuses.
        KeyboardInterrupt: the user stopped it; the new run is recorded as interrupted.
    """
    original = _read(store, run)
    check_tolerances(tolerances, {*curves(store, run), *written(store, run)})
    known: list[Finding] = []

    def say(finding: Finding) -> None:
        known.append(finding)
        if report is not None:
            report(finding)

    for finding in _unseen(original):
        say(finding)
    with _workspace(keep) as workspace:
        with using(workspace):
            restore_tree(store.objects, original.code, workspace)
            places = _places(store, root, original, workspace)
            # Of a function, what is declared are values; of a command, files.
            declared = {} if original.recipe.function else original.recipe.data
            outside, rest = _outside(store, places, original)
            for finding in (*outside.findings, *lay_inputs(places, rest, declared)):
                say(finding)
            lay_output_folders(places, original.trace)
        again = _carry_out(store, root, original, workspace, outside, say)
    verdict = compare(store, run, again, tolerances=tolerances)
    later = _what_else_differed(store, run, again, known)
    return again, msgspec.structs.replace(verdict, findings=(*known, *later, *verdict.findings))


def _read(store: Store, run: Run) -> _Original:
    if run.state in ("running", "queued"):
        raise UsageError(
            f"this run is still {run.state}",
            value=run.id,
            expected="a run that has ended",
            next_step="Wait for its end; `assay show` tells its state.",
        )
    recipe = store.objects.record(run.start.recipe, Recipe)
    if recipe.code is None:
        raise MissingContent(
            "this run was recorded without its code, so it cannot be carried out again",
            value=run.id,
            expected="a run with a code tree",
            next_step="`assay show` says under fidelity why the code is missing.",
        )
    result = run.result
    seen = (result.environment if result else None) or run.start.environment
    return _Original(
        run, recipe, recipe.code, _trace_of(store, run), store.objects.record(seen, Environment) if seen else Environment()
    )


def _trace_of(store: Store, run: Run) -> Trace:
    """What the run was seen to read; of a run that crashed, what a finished one of the same recipe did."""
    for each in (run, *(store.runs.read(run_id) for run_id in store.catalogue.with_recipe(run.start.recipe))):
        if each.result and each.result.trace:
            return store.objects.record(each.result.trace, Trace)
    return Trace()


def _unseen(original: _Original) -> Iterator[Finding]:
    result = original.run.result
    if result is None or result.trace is None or result.fidelity.grade == "blind":
        known = "; those of another run of its recipe are put in place" if original.trace.read else ""
        text = f"nothing was seen of what this run read ({original.run.state}), so inputs may be missing or another{known}"
        yield Finding(kind="input not checked", about=original.run.id, text=text)


def _places(store: Store, root: Path, original: _Original, workspace: Path) -> Places:
    roots = dict.fromkeys((Path(os.path.realpath(root)), Path(original.run.start.root)))
    folders = interpreter_folders(original.environment)
    return Places(store, tuple(roots), workspace, folders, original.run.start.started)


@contextmanager
def _workspace(keep: bool) -> Iterator[Path]:
    """A fresh folder in the user's cache: outside every repository, so that nothing the run does reaches one."""
    above = Path(cache_folder()) / "reproductions"
    workspace = above / owned_name() / "project"
    with using(above):
        workspace.mkdir(parents=True)
        for left in above.iterdir():
            if surely_dead(left.name) and not (left / "keep").exists():
                shutil.rmtree(left, ignore_errors=True)
        if keep:
            (workspace.parent / "keep").touch()
    try:
        yield workspace
    finally:
        if not keep:
            shutil.rmtree(workspace.parent, ignore_errors=True)


def _outside(store: Store, places: Places, original: _Original) -> tuple[OutsideCode, Trace]:
    # A trial of a function has its whole module path recorded; what it loaded from beyond the project is checked in place.
    if original.recipe.function is not None:
        return OutsideCode(), original.trace
    return lay_outside_code(places, original.run, original.trace, original.environment, packages_in(store, original.environment))


def _carry_out(store: Store, root: Path, original: _Original, workspace: Path, outside: OutsideCode, say: Report) -> Run:
    if original.recipe.function is not None:
        return _call_again(store, root, original, workspace, say)
    if not original.recipe.command:
        raise UsageError(
            "this run has neither a command nor a function to carry out again",
            value=original.run.id,
            expected="a run of a script, a command or a function of a module",
            next_step="Put the code of the notebook or terminal into a script, and run that with `assay run`.",
        )
    return _run_again(store, root, original, workspace, outside, say)


def _run_again(store: Store, root: Path, original: _Original, workspace: Path, outside: OutsideCode, say: Report) -> Run:
    recipe = original.recipe
    packages = packages_in(store, original.environment)
    again = command_again(original.run, recipe, original.environment, packages, root, workspace, os.environ)
    again = again.with_folders(outside.first, outside.last)
    for finding in again.findings:
        say(finding)
    _, now = _compare_environments(store, original, interpreter_of(again.words, again.env, again.cwd), again.env, say)
    with _standard_output_spared(original.run):
        run = supervise(
            store,
            workspace,
            again.words,
            cwd=again.cwd,
            env=again.env,
            name=name_again(original.run),
            seed=recipe.seed,
            # All of it holds again but for what it runs in.
            recipe=msgspec.structs.replace(recipe, python=now.python, packages=now.packages),
            data=[workspace / path for path in recipe.data],
            parents=(Parent(run=original.run.id, by="reproduction"),),
            snapshot=_snapshot(store, original),
        ).run
    if run.state == "interrupted" and original.run.state != "interrupted":
        raise KeyboardInterrupt
    return run


@contextmanager
def _standard_output_spared(run: Run) -> Iterator[None]:
    """Keep a command's words from standard output, where the answer goes; nothing else of how it is relayed changes.

    Where both streams were one when the run was recorded, as in a terminal, they are one again, since metrics are read from the lines
    as they stand in the record.
    """
    as_one = run.result is not None and "terminal" in run.result.output
    sys.stdout.flush()
    kept = os.dup(1)
    elsewhere = os.dup(2) if as_one else os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(elsewhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(elsewhere)


def _call_again(store: Store, root: Path, original: _Original, workspace: Path, say: Report) -> Run:
    call = recorded_call(store, original.run, original.recipe)
    env = recipe_environment(original.recipe, os.environ)
    environment = _compare_environments(store, original, this_interpreter(), env, say)
    roots = (os.path.realpath(root), original.run.start.root)
    return carry_out_again(
        store,
        FunctionAgain(original.run, original.recipe, call, roots, workspace, _snapshot(store, original), env, environment),
    )


def _compare_environments(
    store: Store, original: _Original, interpreter: Interpreter | None, env: Mapping[str, str], say: Report
) -> tuple[str, Environment]:
    """The environment of now; in what it differs from that of then is said before anything is run."""
    now = describe(store, interpreter, env)
    for difference in environment_differences(store, original.run, now[1]):
        say(_as_finding(difference))
    return now


def _snapshot(store: Store, original: _Original) -> Snapshot:
    """The code tree as it was recorded; looked for anew, it would lack what only git knew of."""
    files = {show_path(path): content for path, (_, content) in read_tree(store.objects, original.code).items()}
    return Snapshot(original.code, files, dict(original.run.start.left_out), None, {})


def _as_finding(difference: Difference) -> Finding:
    text = f"{difference.name}: {_shown(difference.a)} then, {_shown(difference.b)} now"
    return Finding(kind="environment" if difference.kind in _SURROUNDINGS else difference.kind, about=difference.name, text=text)


def _shown(value: str | None) -> str:
    return "absent" if value is None else value or "empty"


def _what_else_differed(store: Store, run: Run, again: Run, known: list[Finding]) -> list[Finding]:
    """What differs between the two runs beside what was said before the start: it should be nothing."""
    said = {finding.about for finding in known}
    return [
        _as_finding(each)
        for each in differences(store, run, again)
        if each.name not in said and not _comes_with_the_folder(each, again)
    ]


def _comes_with_the_folder(difference: Difference, again: Run) -> bool:
    """Whether a difference says no more than that the run had a folder of its own."""
    if difference.kind == "flag" and difference.name == "PYTHONPATH":
        return again.start.root in (difference.b or "")
    if difference.kind == "code":
        # Code from beyond the project stands under the names of its copies, where these were used.
        return is_copy(difference.name) or (difference.name.startswith("/") and difference.b is None)
    return (difference.kind, difference.name) in (("param", "command"), ("param", "directory"))
