"""The examination: twice the same, then one source at a time, until it is known what moves the result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from assay.comparison.closeness import worst
from assay.errors import TrialsFailed, UsageError
from assay.questions.doctor.blame import MACHINE, Findings
from assay.questions.doctor.diagnosis import Diagnosis, Untested
from assay.questions.doctor.grade import grade_of
from assay.questions.doctor.levels import Levels, is_testable
from assay.questions.doctor.sources import ADDRESSES, FOLDER, GPU, HASH_SEED, LEFT_OVER, SOURCES
from assay.questions.doctor.trials import Say, Trials
from assay.records.run import Run
from assay.records.verdict import Divergence, Sameness
from assay.store.store import Store
from assay.tracking.supervise import supervise

_TRIES = 3  # other levels that are tried where something must move the result: a small set has the same order under half of all hash seeds
_NUMERIC = ("numpy", "torch", "tensorflow", "jax")
_UNSEEN = (HASH_SEED, ADDRESSES, FOLDER, GPU)  # there without the script's doing


def diagnose(
    store: Store,
    root: Path,
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    runs: int = 2,
    timeout: float | None = None,
    say: Say = lambda _: None,
) -> Diagnosis:
    """Run a command again and again, and say which sources of nondeterminism move its result.

    The first run takes place in the user's folder, as with `assay run`; the others in folders of their own, with what the first was seen to
    read. All are recorded, under recipes that name what was held and varied.

    Args:
        store: where runs are recorded.
        root: the project.
        command: program and arguments.
        cwd: working directory.
        env: environment of the command; this process' own where it is None.
        runs: how often the same recipe is carried out before anything is held or varied, at least 2.
        timeout: seconds after which a run is ended.
        say: is told of each run before it starts.

    Raises:
        TrialsFailed: the command fails by itself, or in a folder of its own.
        UsageError: it leaves nothing that could be compared.
        CommandNotFound, InputChanged, MissingContent, StoreUnusable: as `supervise` and `assay.execution.again.carry_out`.
        KeyboardInterrupt: the user stopped it.
    """
    say("run 1: in the project's folder")
    first = supervise(
        store, root, command, cwd=cwd, env=env, name="doctor: first run", tags=("doctor",), relay=False, timeout=timeout
    ).run
    _finished(first, "the command fails by itself, so there is nothing to diagnose")
    return _Examination(Trials(store, root, first, timeout, say), first, runs).carry_out()


def _finished(run: Run, problem: str) -> None:
    if run.state == "finished":
        return
    failure = run.result.failure if run.result else None
    value = f"{failure.kind}: {failure.text}" if failure else run.state
    raise TrialsFailed(
        problem, value=value, expected="a command that finishes", next_step=f"`assay show {run.id[:8]}` tells what it said."
    )


class _Examination:
    """One diagnosis from its second run on."""

    def __init__(self, trials: Trials, first: Run, runs: int) -> None:
        self._trials = trials
        self._first = first
        self._runs = runs
        self._found = Findings(trials)
        self._unknown = False
        self._enough = False
        self._parting: Divergence | None = None

    def carry_out(self) -> Diagnosis:
        apart, reference = self._same_again()
        if apart == "identical":
            # The first run had another folder and other addresses and, unless the user fixed it, another hash seed.
            self._found.clear(ADDRESSES, FOLDER)
            self._vary_what_stands_still([*self._suspects(), HASH_SEED], reference, self._base())
            apart = self._doubted(reference)
            self._enough = apart == "identical"
        if apart != "identical":
            self._find_what_varies(reference)
        return self._diagnosis(apart)

    def _diagnosis(self, apart: Sameness) -> Diagnosis:
        found = self._found
        movers = tuple(found.movers[source.name] for source in SOURCES if source.name in found.movers)
        cleared = tuple(source.name for source in SOURCES if source.name in found.cleared)
        return Diagnosis(
            grade=grade_of(apart, movers, found.together, self._unknown),
            equal=apart == "identical",
            apart=apart,
            movers=movers,
            together=found.together,
            enough=self._enough,
            unknown=self._unknown,
            cleared=cleared,
            untested=tuple(self._untested(cleared)),
            parting=self._parting,
            runs=self._trials.runs,
            alike=self._trials.alike,
            first=self._first.id,
        )

    def _same_again(self) -> tuple[Sameness, Run]:
        """How far runs of the same recipe are apart, and one of them; the second is watched."""
        second = self._watched()
        verdicts = [self._trials.compare(self._first, second)]
        if any(finding.kind == "nothing compared" for finding in verdicts[0].findings):
            raise UsageError(
                "the command left no metric and no file, so its runs cannot be compared",
                value=self._first.id,
                expected="printed metrics such as loss=0.5, or an output file",
                next_step="Print or write the result that is to be the same.",
            )
        verdicts += [self._trials.compare(second, self._trials.run({})) for _ in range(self._runs - 2)]
        self._parting = next((verdict.divergence for verdict in verdicts if verdict.divergence), None)
        return worst(verdict.verdict for verdict in verdicts), second

    def _doubted(self, reference: Run) -> Sameness:
        """How far runs are apart that must be the same where what was found is no chance; what was found is forgotten where they are."""
        doubt = self._found.doubt(reference, self._base())
        if doubt is None:
            return "identical"
        self._found.forget()
        self._parting = doubt.divergence
        return doubt.verdict

    def _base(self) -> dict[str, int]:
        """What is there without being seen is held from the second run on, so that what is varied later is varied alone."""
        hash_seed = {} if self._trials.fixes_hash_seed else {HASH_SEED: 1}
        return {ADDRESSES: 1} | hash_seed

    def _watched(self) -> Run:
        """The second run; not watched where the script does not bear it."""
        run = self._trials.run(self._base(), watch=True)
        if run.state != "finished":
            run = self._trials.run(self._base())
        _finished(run, "the command runs in the project's folder, and fails in a folder of its own")
        return run

    # What differs already: everything is held, then let go one by one.

    def _find_what_varies(self, second: Run) -> None:
        by_itself = {source.name for source in SOURCES if source.by_itself} | {FOLDER}
        levels = self._trials.held(by_itself - {HASH_SEED} - self._absent()) | self._base()
        reference = self._trials.run(levels)
        _finished(reference, "the command runs by itself, and fails when what varies is held")
        self._let_go(reference, levels)
        if not self._enough and self._trials.moves(reference, self._trials.run(levels)):
            self._found.forget()  # what was taken for their doing may be that of what could not be held
            self._unknown = True
            return
        if not self._enough:
            self._let_go_what_was_missed(reference, levels)
        if not self._enough:
            self._unknown = not self._is_left_over(second)
        if ADDRESSES in self._found.movers:
            return
        standing = [name for name in self._suspects() if name not in by_itself]
        standing += [HASH_SEED] if self._trials.fixes_hash_seed else []
        self._vary_what_stands_still(standing, reference, levels)

    def _let_go(self, reference: Run, levels: Levels) -> None:
        """Vary what the script was seen to use, then what is there unseen, until what moves the result is enough to explain it."""
        for names in (self._suspects(by_itself=True), _UNSEEN):
            if not self._enough:
                self._found.one_by_one([name for name in names if name in levels], reference, levels)
                self._enough = self._is_enough(reference, levels)

    def _let_go_what_was_missed(self, reference: Run, levels: Levels) -> None:
        """Vary what the script was not seen to use, since a library may use it for it; then try more levels of what it was seen to use."""
        seen = [*self._suspects(by_itself=True), *_UNSEEN]
        if self._found.narrow([name for name in levels if name not in seen], reference, levels):
            self._enough = self._is_enough(reference, levels)
        if not self._enough:
            rest = [name for name in seen if name in levels and name not in self._found.movers]
            self._found.one_by_one(rest, reference, levels, tries=max(_TRIES, self._runs))
            self._enough = self._is_enough(reference, levels)

    def _is_left_over(self, second: Run) -> bool:
        """Whether nothing but the project's folder made the first run another: it wrote to files that were there, and runs in fresh
        folders are the same."""
        if self._found.movers or not self._trials.wrote_to_old_files(self._first):
            return False
        again = self._trials.run(self._base())
        if self._trials.moves(second, again):
            return False
        verdict = self._trials.compare(self._first, again)
        if verdict.verdict == "identical":
            return False
        self._found.blame(LEFT_OVER, verdict, self._first, again, {})
        self._enough = True
        return True

    def _is_enough(self, reference: Run, levels: Levels) -> bool:
        """Whether the result is the same with the movers alone held, and a hash seed and a folder that were not had before."""
        if not self._found.movers:
            return False
        # What is set takes memory itself: where addresses matter, only what leaves the rest of it alone can be let go.
        kept = levels if ADDRESSES in self._found.movers else self._found.movers
        alone = {name: level for name, level in levels.items() if name in kept}
        for again in range(1, self._runs):
            others = {FOLDER: 2} if self._trials.fixes_hash_seed else {FOLDER: 2, HASH_SEED: 4 + again}
            others = {name: level for name, level in others.items() if name not in self._found.movers}
            if self._trials.moves(reference, self._trials.run(alone | others)):
                return False
        self._found.clear(*(name for name in _UNSEEN if name in levels or name in others))
        return True

    # What is the same: everything that another machine or day would have differently is varied.

    def _vary_what_stands_still(self, names: Sequence[str], reference: Run, levels: Levels) -> None:
        self._found.narrow(names, reference, levels)
        if self._is_numeric():
            machine = [name for name in MACHINE if not is_testable(name, self._trials.environment.hardware)]
            self._found.one_by_one(machine, reference, levels)

    def _suspects(self, *, by_itself: bool = False) -> list[str]:
        """Sources that the program was seen to use; all of them where it could not be watched, none where it is no Python."""
        seen = {} if self._is_blind() else self._trials.places
        return [
            source.name
            for source in SOURCES
            if source.witnessed and (seen is None or source.name in seen) and (source.by_itself or not by_itself)
        ]

    def _absent(self) -> set[str]:
        """What cannot be varied here."""
        return {source.name for source in SOURCES if is_testable(source.name, self._trials.environment.hardware)}

    def _is_blind(self) -> bool:
        """Whether no interpreter reported: what the program uses cannot be seen, nor set but by variables."""
        return self._first.result is None or self._first.result.fidelity.grade == "blind"

    def _is_numeric(self) -> bool:
        result = self._first.result
        loaded = result.determinism.frameworks if result else {}
        return any(name in loaded for name in _NUMERIC) or self._is_blind()

    def _untested(self, cleared: Sequence[str]) -> Iterable[Untested]:
        for source in SOURCES:
            if source.name in self._found.movers or source.name in cleared or source.name in self._found.together:
                continue
            if source.name == LEFT_OVER:  # the first run, in the project's folder, had the same result as the others
                continue
            why = is_testable(source.name, self._trials.environment.hardware)
            if self._unknown and not why:
                why = "the result differs by itself, so nothing can be told of it"
            elif not why and ADDRESSES in self._found.movers and (not source.witnessed or source.name in self._suspects()):
                why = "addresses move the result, and whatever is set moves addresses"
            elif not why and source.witnessed and self._is_blind():
                why = "no Python interpreter of the command was seen"
            elif not why:
                why = "the script was not seen to use it" if source.witnessed else "no numerical library was loaded"
            yield Untested(source.name, why)
