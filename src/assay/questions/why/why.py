"""Why a metric differs between two runs: their differences as factors, flipped until it is clear which moved it, and by how much."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from assay.ablation.search.records import Point
from assay.ablation.search.search import Search
from assay.errors import InvalidValue, TrialsFailed, UnknownMetric, UsageError
from assay.execution.again import Original, check_runnable, read_original
from assay.questions.why.answering import Ends, answered, only_seed, seed_alone, unanswered
from assay.questions.why.code import CodePart
from assay.questions.why.configuration import ConfigurationPart
from assay.questions.why.flips import Flip, Part
from assay.questions.why.history import history_between
from assay.questions.why.inputs import DataPart
from assay.questions.why.outside import OutsidePart
from assay.questions.why.seeds import SeedHandle, seed_handle
from assay.questions.why.settings import SettingsPart
from assay.questions.why.surroundings import SurroundingsPart
from assay.questions.why.trying import Question, Trials, metric_of
from assay.questions.why.unflippable import unflippable
from assay.questions.why.words import CommandPart
from assay.records.attribution import Attribution, Tried
from assay.records.finding import Finding
from assay.records.run import Run
from assay.store.store import Store
from assay.tracking.series import choose

_SEEDS = 5
"""Seeds over which the noise of a recipe is measured where nothing else differs."""
Split = Literal["auto", "files", "commits", "hunks"]


class Limits(NamedTuple):
    """How far the search may go.

    Attributes:
        runs: evaluations in all, those that earlier runs stand for included; None: until it is decided.
        seconds: wall time after which nothing more is started; None: no limit.
        timeout: seconds for each run.
        workers: runs at once.
    """

    runs: int | None = None
    seconds: float | None = None
    timeout: float | None = None
    workers: int = 1


def why(
    store: Store,
    root: Path,
    good: Run,
    bad: Run,
    metric: str,
    *,
    margin: float | None = None,
    split: Split = "auto",
    limits: Limits | None = None,
    report: Callable[[Finding], None] = lambda _: None,
    progress: Callable[[Tried], None] = lambda _: None,
) -> Attribution:
    """Which differences between two runs moved a metric, and by how much.

    Each variant is carried out in a folder of its own and is a run in the store, whose parent is the good run; runs that are there already
    stand for variants of the same recipe. The user's project is not written.

    Args:
        store: where both runs are, and where variants go.
        root: the project's root now.
        good, bad: runs that have finished.
        metric: a metric of both; "NAME@min", "@max" and "@mean" choose another value than the last.
        margin: effects below it are no causes, in the metric's unit; None: what noise and gap suggest.
        split: how code is divided: changed files, commits, or groups of changed lines; "auto" takes commits where at least two of them lie
            between the runs, else files.
        limits: budget and workers.
        report: told, before the first run and as environments are built, of what a reader must know.
        progress: told of every run as it ends.

    Raises:
        UnknownMetric: one of the runs does not have the metric; the message names what both have.
        UsageError: a run has not finished, cannot be carried out again, or the two are of different kinds.
        InvalidValue: the margin is negative or no number, or commits were asked for and the runs' code does not consist of them.
        MissingContent: a record of either run is not in this store.
        TrialsFailed: one of the two runs does not finish here.
        KeyboardInterrupt: the user stopped it; runs that have ended are kept, and a second call goes on from them.
    """
    limits = limits or Limits()
    sides = _Sides.read(store, good, bad)
    ends = Ends(metric, good.id, bad.id, _value(good, bad, metric), _value(bad, good, metric))
    if margin is not None and not (math.isfinite(margin) and margin >= 0):
        raise InvalidValue("this margin cannot be used", value=margin, expected="a number of at least 0, in the metric's unit")
    said: set[Finding] = set()

    def say(finding: Finding) -> None:
        # Every environment that is built has the same to say of its packages.
        if finding not in said:
            said.add(finding)
            report(finding)

    handle = seed_handle(sides.good, sides.bad)
    parts = _parts(store, root, sides, split, handle.argument if handle else None, say)
    flips = [flip for part in parts for flip in part.flips] + unflippable(store, good, bad)
    factors = {flip.key: flip for flip in flips if flip.is_open}
    for finding in _before(flips):
        say(finding)
    question = Question(store, root, sides.good, sides.bad, parts, metric, handle, limits.workers, limits.timeout)
    trials = Trials(question, progress)
    if not factors and (handle is None or handle.good == handle.bad):
        return unanswered(ends, flips)
    if not factors and handle is not None:
        return _seed_alone(ends, flips, trials, handle, limits)
    search = Search(
        list(factors),
        weights={key: flip.weight for key, flip in factors.items()},
        reseedable=handle is not None,
        budget=limits.runs,
        margin=margin,
    )
    _carry_out(search, trials, ends, limits)
    answer = search.answer()
    if handle is not None and only_seed(answer, handle):
        return _seed_alone(ends, flips, trials, handle, limits)
    return answered(ends, flips, answer, trials, handle)


def _seed_alone(ends: Ends, flips: Sequence[Flip], trials: Trials, handle: SeedHandle, limits: Limits) -> Attribution:
    """Measure how far seeds lie apart, in what the budget leaves."""
    points = [point for block in range(_SEEDS) if (point := Point(frozenset(), block)) not in trials.tried]
    room = len(points) if limits.runs is None else max(0, limits.runs - len(trials.tried))
    for _ in trials.carry_out(points[:room]):
        pass
    return seed_alone(ends, flips, trials, handle)


class _Sides(NamedTuple):
    good: Original
    bad: Original

    @classmethod
    def read(cls, store: Store, good: Run, bad: Run) -> _Sides:
        if good.id == bad.id:
            raise UsageError("a run does not differ from itself", value=good.id, expected="two runs")
        for run in (good, bad):
            if run.state != "finished":
                raise UsageError(
                    f"this run {'is' if run.state in ('running', 'queued') else 'has'} {run.state}, so its metric is not its result",
                    value=run.id,
                    expected="two runs that have finished",
                    next_step="`assay diff` says in what they differ.",
                )
        sides = cls(read_original(store, good), read_original(store, bad))
        for side in sides:
            check_runnable(side)
        return sides


def _value(run: Run, other: Run, metric: str) -> float:
    value = metric_of(run, metric)
    if value is not None:
        return value
    mine, theirs = (side.result.metrics if side.result else {} for side in (run, other))
    if metric_of(other, metric) is None:
        choose(theirs, metric)  # raises, and says why
    raise UnknownMetric(
        f"only one of the two runs has this metric ({other.id} has it, {run.id} has not)",
        value=metric,
        expected=", ".join(sorted(mine.keys() & theirs.keys())) or "runs that have a metric in common; these have none",
        next_step="`assay diff` shows what both reported.",
    )


def _parts(
    store: Store, root: Path, sides: _Sides, split: Split, seed: str | None, report: Callable[[Finding], None]
) -> list[Part]:
    good, bad = sides
    history = history_between(store, root, good, bad) if split in ("auto", "commits") else None
    if split == "commits" and history is None:
        raise InvalidValue(
            "the code of these runs does not differ by commits of one history here",
            value="commits",
            expected="two runs of clean working trees with at least two commits between them",
            next_step="Leave --split out, or take --split files or hunks.",
        )
    skipped = frozenset(history.paths) if history else frozenset()
    code = CodePart(store, good, bad, hunks=split == "hunks", skipped=skipped)
    found: list[Part] = [code]
    if history is not None:
        found.append(history)
    return [
        *found,
        OutsidePart(store, good, bad),
        ConfigurationPart(store, good, bad),
        *([] if good.recipe.function else [CommandPart(good, bad, seed=seed)]),
        SettingsPart(good, bad),
        *([] if good.recipe.function else [DataPart(store, root, good, bad, code.paths)]),
        SurroundingsPart(store, good, bad, report),
    ]


def _before(flips: Sequence[Flip]) -> list[Finding]:
    return [
        Finding(kind="not tested", about=flip.name, text=f"{flip.name} ({flip.kind}) cannot be flipped here: {flip.barred}")
        for flip in flips
        if flip.barred
    ]


def _carry_out(search: Search, trials: Trials, ends: Ends, limits: Limits) -> None:
    """Ask and tell until the search is done or its time is over."""
    started = time.monotonic()
    # Where an end is no finite number, what is asked is whether a run gives one.
    finite = math.isfinite(ends.good) and math.isfinite(ends.bad)
    while not search.done and (limits.seconds is None or time.monotonic() - started < limits.seconds):
        points = search.ask(limit=limits.workers)
        if not points:
            return
        for point, value in trials.carry_out(points):
            told = value if finite or value is None else float(not math.isfinite(value))
            at_end = point.bad in (search.good, search.bad) and point.block == 0
            if at_end and (told is None or not math.isfinite(told)):
                raise _end_broke(trials.tried[point], "bad" if point.bad else "good")
            search.tell(point, told)


def _end_broke(tried: Tried, word: str) -> TrialsFailed:
    return TrialsFailed(
        f"the {word} run does not give its metric when it is carried out again",
        value=tried.run,
        expected="a run that finishes here as it did then",
        next_step=f"{tried.why[:1].upper()}{tried.why[1:].rstrip('.')}. `assay reproduce` says more.",
    )
