"""What is found to move a result: sources varied alone, or together and then in halves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from assay.questions.doctor.diagnosis import Mover
from assay.questions.doctor.levels import Levels
from assay.questions.doctor.sources import ADDRESSES, BY_NAME, CPU, FOLDER, GPU, HASH_SEED, THREADS
from assay.questions.doctor.trials import Trials
from assay.records.run import Run
from assay.records.verdict import Verdict

MACHINE: Final = (THREADS, CPU)
"""Numerics of the machine: that they move a sum is no surprise."""


class Findings:
    """The sources that were varied so far, and what came of it.

    Attributes:
        movers: sources that moved the result alone.
        cleared: sources that were varied and moved nothing.
        together: sources that moved it only when they were varied together.
    """

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        self._varied: dict[str, tuple[Run, Levels]] = {}
        self.movers: dict[str, Mover] = {}
        self.cleared: dict[str, None] = {}
        self.together: tuple[str, ...] = ()

    def clear(self, *names: str) -> None:
        """These were varied, and moved nothing; what has moved something stays a mover."""
        self.cleared |= dict.fromkeys(name for name in names if name not in self.movers)

    def forget(self) -> None:
        """Nothing is known any more."""
        self.movers.clear()
        self.cleared.clear()
        self.together = ()
        self._varied.clear()

    def doubt(self, reference: Run, levels: Levels) -> Verdict | None:
        """The first verdict by which what was found may be chance: on the reference, or a varied run, once more; None where all stands.

        Numerics of the machine are not asked again.
        """
        again = [(reference, levels)] if self.movers or self.together else []
        again += [varied for name, varied in self._varied.items() if name not in MACHINE]
        for run, its_levels in again:
            verdict = self._trials.compare(run, self._trials.run(its_levels))
            if verdict.verdict != "identical":
                return verdict
        return None

    def narrow(self, names: Sequence[str], reference: Run, levels: Levels) -> bool:
        """Vary all of these at once, and halves of them for as long as that moves the result; whether it did."""
        if not names:
            return False
        varied = dict(levels)
        for name in names:
            varied = self._trials.varied(name, varied)
        run = self._trials.run(varied)
        verdict = self._trials.compare(reference, run)
        if verdict.verdict == "identical":
            self.clear(*names)
            return False
        if len(names) == 1:
            self.blame(names[0], verdict, reference, run, varied)
            return True
        middle = len(names) // 2
        moved = [self.narrow(half, reference, levels) for half in (names[:middle], names[middle:])]
        if not any(moved):
            self.together = tuple(dict.fromkeys((*self.together, *names)))
        return True

    def one_by_one(self, names: Iterable[str], reference: Run, levels: Levels, tries: int = 1) -> None:
        """Vary each of these alone; `tries`: how many other levels are tried until one moves the result."""
        for name in names:
            verdict, run, varied = self._vary(name, reference, levels, tries)
            if verdict.verdict == "identical":
                self.clear(name)
            else:
                self.blame(name, verdict, reference, run, varied)

    def _vary(self, name: str, reference: Run, levels: Levels, tries: int) -> tuple[Verdict, Run, Levels]:
        varied: Levels = levels
        for _ in range(1 if name in (FOLDER, GPU) else tries):
            # Addresses are scattered by chance at their one other level, anew each time.
            varied = self._trials.varied(name, levels if name == ADDRESSES else varied)
            run = self._trials.run(varied)
            verdict = self._trials.compare(reference, run)
            if verdict.verdict != "identical":
                break
        return verdict, run, varied

    def blame(self, name: str, verdict: Verdict, reference: Run, run: Run, varied: Levels) -> None:
        """Take a source for what moved the result of `run`, which has the levels `varied`, away from that of the reference."""
        self.cleared.pop(name, None)
        self._varied[name] = (run, varied)
        failure = run.result.failure if run.result and run.state != "finished" else None
        self.movers[name] = Mover(
            source=name,
            sameness=verdict.verdict,
            by_itself=self._varies_by_itself(name),
            metrics=tuple(metric for metric in verdict.metrics if metric.sameness != "identical" and not metric.measured),
            files=tuple(file for file in verdict.files if file.sameness != "identical" and file.counts),
            divergence=verdict.divergence,
            places=self._trials.seen_at(name),
            failure=f"{failure.kind}: {failure.text}" if failure else "",
            run=run.id,
            reference=reference.id,
        )

    def _varies_by_itself(self, name: str) -> bool:
        if name == HASH_SEED:
            return not self._trials.fixes_hash_seed
        return BY_NAME[name].by_itself
