"""A diagnosis: which sources move which result, what the script can promise, and how sure that is."""

from __future__ import annotations

from typing import Literal, NamedTuple

from assay.questions.doctor.places import Place
from assay.records.verdict import Divergence, FileComparison, MetricComparison, Sameness

Grade = Literal["identical", "identical under named settings", "numerical", "statistical"]


class Mover(NamedTuple):
    """A source that moves the result when it alone is varied.

    Attributes:
        source: its key among `assay.questions.doctor.sources.SOURCES`.
        sameness: how far the result moves.
        by_itself: it also varies when nobody varies it.
        metrics, files: those that moved.
        divergence: where the two runs part first.
        places: lines of the program that use it, as far as they were seen.
        failure: what the varied run failed with; empty where it finished.
        run: the varied run's id.
        reference: id of the run that it was compared with.
    """

    source: str
    sameness: Sameness
    by_itself: bool
    metrics: tuple[MetricComparison, ...]
    files: tuple[FileComparison, ...]
    divergence: Divergence | None
    places: tuple[Place, ...]
    failure: str
    run: str
    reference: str


class Untested(NamedTuple):
    """A source that was not varied, and why."""

    source: str
    why: str


class Diagnosis(NamedTuple):
    """What came of it.

    Attributes:
        grade: what sameness the script can promise as it is.
        equal: whether runs of the same recipe, with nothing held or varied, had the same result.
        apart: how far such runs were apart.
        movers: the sources that move the result, each on its own.
        together: sources that moved it only when varied all at once; which of them could not be told.
        enough: with the movers held, and everything else as it comes, the result was the same each time.
        unknown: something moves the result that could not be held.
        cleared: sources that were varied and moved nothing.
        untested: those that were not.
        parting: where runs of the same recipe part first; None where they do not.
        runs: how many there were.
        alike: how many comparisons found the same result where nothing that moves it was varied.
        first: id of the first run.
    """

    grade: Grade
    equal: bool
    apart: Sameness
    movers: tuple[Mover, ...]
    together: tuple[str, ...]
    enough: bool
    unknown: bool
    cleared: tuple[str, ...]
    untested: tuple[Untested, ...]
    parting: Divergence | None
    runs: int
    alike: int
    first: str

    @property
    def rarest(self) -> float:
        """The share of runs in which a difference must show to have been seen by now with 95 % probability.

        With n comparisons without a difference the upper 95 % bound of a binomial share is 1 − 0.05^(1/n) (Clopper and Pearson 1934).
        """
        return 1 - 0.05 ** (1 / self.alike) if self.alike else 1.0
