"""Carrying a recorded run out once more."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from assay.capture.code_secrets import MARKER, fill_in
from assay.capture.environment import describe, packages_in, with_sources
from assay.capture.interpreter import Interpreter, interpreter_of, this_interpreter
from assay.capture.outside import interpreter_folders
from assay.capture.packages import installed_in
from assay.capture.stat_cache import cache_folder
from assay.comparison.diff import environment_differences
from assay.errors import UsageError
from assay.execution.again.command import command_again, recipe_environment
from assay.execution.again.function import FunctionAgain, carry_out_again, check_library, recorded_call
from assay.execution.again.inputs import Places, lay_inputs, lay_output_folders
from assay.execution.again.original import Original
from assay.execution.again.outside import OutsideCode, lay_outside_code, used_in_place
from assay.execution.again.standing import standing_for
from assay.execution.interpreter_change import with_interpreter
from assay.records.environment import Environment, Package
from assay.records.finding import Finding
from assay.records.run import Parent, Run
from assay.records.trace import Trace
from assay.records.verdict import Difference
from assay.store.failures import using
from assay.store.process import owned_name, surely_dead
from assay.store.store import Store
from assay.store.tree import restore_tree
from assay.tracking.supervise import supervise

Report = Callable[[Finding], None]
_SURROUNDINGS = ("package", "python", "hardware", "system")


class Terms(NamedTuple):
    """How a run is carried out again, beside what it is.

    Attributes:
        name: of the new run; never the original's own, which goes on to name the original.
        by: what the new run is to its original: "reproduction", or "variant" where something was changed.
        interpreter: Python to run it with; None for the one that ran then where it still exists, else the current one.
        timeout: seconds after which a command is ended; its run has then failed.
        keep: leave the folder; it is the new run's `start.root`.
        relay: pass terminal and signals through, and show on standard error what a command prints; else it has no input and is quiet.
        tags: of the new run.
        reuse: a finished run of the same recipe whose observed inputs have the content that they have here stands for the new one.
        used: runs that must not stand for it: to measure noise, a recipe is carried out more than once.
        place: name of its folder among those of such runs, as `owned_name` gives it: runs of one name have the same paths, one after the
            other; None for a name that no other run has.
    """

    name: str
    by: str = "reproduction"
    interpreter: Path | None = None
    timeout: float | None = None
    keep: bool = False
    relay: bool = True
    tags: tuple[str, ...] = ()
    reuse: bool = False
    used: frozenset[str] = frozenset()
    place: str | None = None

    def parent(self, run: Run) -> Parent:
        """The link from the new run to what it repeats."""
        return Parent(run=run.id, by=self.by)


def carry_out(store: Store, root: Path, original: Original, terms: Terms, report: Report | None = None) -> Run:
    """Carry a run out again; afterwards the store has the new run, whose parent is the old one, or one that stands for it.

    Code tree, project modules and project data go into a fresh folder, as copies whose content was checked; inputs elsewhere are checked
    and used in place. The user's project is not written.

    Args:
        store: where the run is, and where the new one goes.
        root: the project's root now.
        original: what is carried out: of a command, of a script that records itself, or a trial of a function.
        terms: how.
        report: called before the start with each finding that is known by then.

    Raises:
        UsageError: the run is of a kind that cannot be carried out again from its record; the message says why.
        MissingContent: part of what it needs is not in this store.
        InputChanged: something that it read is missing or has another content.
        CommandNotFound: the program does not exist here.
        StoreUnusable: the disk or the store refuses.
        KeyboardInterrupt: the user stopped it; the new run is recorded as interrupted.
    """
    check_runnable(original)
    say = report or _unsaid
    with _workspace(terms.place or owned_name(), terms.keep) as workspace:
        with using(workspace):
            restore_tree(store.objects, original.code, workspace)
            for name in fill_in(store.objects, original.code, workspace, (root, Path(original.run.start.root))):
                say(_without_secret(name))
            places = _places(store, root, original, workspace)
            # Of a function, what is declared are values; of a command, files.
            declared = {} if original.recipe.function else original.recipe.data
            outside, rest = _outside(store, places, original)
            for finding in (*outside.findings, *lay_inputs(places, rest, declared)):
                say(finding)
            lay_output_folders(places, original.trace)
        if original.recipe.function is not None:
            return _call_again(store, root, original, workspace, terms, say)
        return _run_again(store, root, original, workspace, outside, terms, say)


def check_runnable(original: Original) -> None:
    """Nothing, where the run has something that can be carried out.

    Raises:
        UsageError: it has neither a command nor a function, nor cells.
    """
    if original.recipe.function is None and not original.recipe.command:
        raise UsageError(
            "this run has neither a command nor a function nor cells to carry out again",
            value=original.run.id,
            expected="a run of a script, a command, a notebook or a function of a module",
            next_step="Put the code of the terminal into a script or a notebook, and run that with `assay run`.",
        )


def _without_secret(name: str) -> Finding:
    text = f"{name} held a secret, which is not stored, and no file here is the same but for that: it runs with {MARKER.decode()} in its place"
    return Finding(kind="secret missing", about=name, text=text)


def _unsaid(_: Finding) -> None:
    """For callers that take no findings."""


def _places(store: Store, root: Path, original: Original, workspace: Path) -> Places:
    roots = dict.fromkeys((Path(os.path.realpath(root)), Path(original.run.start.root)))
    folders = interpreter_folders(original.environment)
    return Places(store, tuple(roots), workspace, folders, original.run.start.started)


@contextmanager
def _workspace(name: str, keep: bool) -> Iterator[Path]:
    """A fresh folder in the user's cache: outside every repository, so that nothing the run does reaches one."""
    above = Path(cache_folder()) / "reproductions"
    workspace = above / name / "project"
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


def _outside(store: Store, places: Places, original: Original) -> tuple[OutsideCode, Trace]:
    # A trial of a function has its whole module path recorded; what it loaded from beyond the project is checked in place.
    if original.recipe.function is not None:
        return OutsideCode(), original.trace
    return lay_outside_code(places, original.run, original.trace, original.environment, packages_in(store, original.environment))


def _run_again(
    store: Store, root: Path, original: Original, workspace: Path, outside: OutsideCode, terms: Terms, say: Report
) -> Run:
    recipe = original.recipe
    packages = _packages(store, original, terms.interpreter)
    again = command_again(original.run, recipe, original.environment, packages, root, workspace, os.environ)
    again = again.with_folders(outside.first, outside.last)
    again = again._replace(env=original.surroundings(again.env))
    if terms.interpreter is not None:
        again = again._replace(words=with_interpreter(again.words, again.env, terms.interpreter), findings=())
    for finding in again.findings:
        say(finding)
    seen = interpreter_of(again.words, again.env, again.cwd)
    if terms.interpreter is not None and seen is not None and seen.prefix != str(terms.interpreter.parent.parent):
        text = f"{again.words[0]} runs in {seen.prefix}, and not in the environment that was made for it, which has no such program"
        say(Finding(kind="environment", about=again.words[0], text=text))
    _, now = _compare_environments(store, original, seen, again.env, say)
    # All of it holds again but for what it runs in.
    recipe = msgspec.structs.replace(recipe, python=now.python, packages=now.packages)
    if terms.reuse and (standing := standing_for(store, recipe.id, original.variables, workspace, terms.used)) is not None:
        return standing
    with _standard_output_spared(original.run, terms.relay):
        run = supervise(
            store,
            workspace,
            again.words,
            cwd=again.cwd,
            env=again.env,
            name=terms.name,
            tags=terms.tags,
            seed=recipe.seed,
            recipe=recipe,
            data=[workspace / path for path in recipe.data],
            parents=(terms.parent(original.run),),
            snapshot=original.snapshot(store),
            relay=terms.relay,
            timeout=terms.timeout,
        ).run
    for finding in used_in_place(store, run, outside):
        say(finding)
    if run.state == "interrupted" and original.run.state != "interrupted":
        raise KeyboardInterrupt
    return run


def _packages(store: Store, original: Original, interpreter: Path | None) -> tuple[Package, ...]:
    """Packages of the environment that a command runs in: an environment that was built may import other ones from the code tree."""
    found = None if interpreter is None else interpreter_of([str(interpreter)], os.environ, interpreter.parent)
    return packages_in(store, original.environment) if found is None else with_sources(installed_in(found))


@contextmanager
def _standard_output_spared(run: Run, relay: bool) -> Iterator[None]:
    """Keep a command's words from standard output, where the answer goes; nothing else of how it is relayed changes.

    Where both streams were one when the run was recorded, as in a terminal, they are one again, since metrics are read from the lines
    as they stand in the record.
    """
    if not relay:
        yield
        return
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


def _call_again(store: Store, root: Path, original: Original, workspace: Path, terms: Terms, say: Report) -> Run:
    call = recorded_call(store, original.run, original.recipe)
    env = original.surroundings(recipe_environment(original.recipe, os.environ))
    interpreter = None if terms.interpreter is None else interpreter_of([str(terms.interpreter)], env, workspace)
    if interpreter is not None:
        check_library(interpreter)
    environment = _compare_environments(store, original, interpreter or this_interpreter(), env, say)
    recipe = msgspec.structs.replace(original.recipe, python=environment[1].python, packages=environment[1].packages)
    if terms.reuse and (standing := standing_for(store, recipe.id, original.variables, workspace, terms.used)) is not None:
        return standing
    roots = tuple(filter(None, (os.path.realpath(root), original.run.start.root, call.root)))
    return carry_out_again(
        store,
        FunctionAgain(
            original.run,
            recipe,
            call,
            roots,
            workspace,
            original.snapshot(store),
            env,
            environment,
            terms.name,
            terms.parent(original.run),
            terms.timeout,
            interpreter,
            interpreter_folders(original.environment),
        ),
    )


def _compare_environments(
    store: Store, original: Original, interpreter: Interpreter | None, env: Mapping[str, str], say: Report
) -> tuple[str, Environment]:
    """The environment of now; in what it differs from that of then is said before anything is run."""
    now = describe(store, interpreter, env)
    for difference in environment_differences(store, original.run, now[1]):
        say(as_finding(difference))
    return now


def as_finding(difference: Difference) -> Finding:
    """A difference between then and now, in words."""
    text = f"{difference.name}: {_shown(difference.a)} then, {_shown(difference.b)} now"
    return Finding(kind="environment" if difference.kind in _SURROUNDINGS else difference.kind, about=difference.name, text=text)


def _shown(value: str | None) -> str:
    return "absent" if value is None else value or "empty"
