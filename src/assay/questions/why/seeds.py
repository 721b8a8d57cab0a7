"""The seed of two runs as a handle: what a block of a comparison is made of."""

from __future__ import annotations

from typing import NamedTuple

from assay.execution.again import Original, reseeded
from assay.execution.again.reseed import seed_of


class SeedHandle(NamedTuple):
    """Where both runs take their seed from, and what it was.

    Attributes:
        argument: name of the argument that is the seed; None where the runs were started with `assay run --seed`, or are trials.
        good, bad: the seeds of the two runs.
    """

    argument: str | None
    good: int
    bad: int

    def seeds(self, count: int) -> list[int]:
        """The first `count` seeds of the blocks: the good run's, the bad one's where it is another, then the next free integers."""
        found = list(dict.fromkeys([self.good, self.bad]))
        candidate = 0
        while len(found) < count:
            if candidate not in found:
                found.append(candidate)
            candidate += 1
        return found[:count]

    def set(self, original: Original, seed: int) -> Original:
        """The same run under another seed."""
        return reseeded(original, seed)


def seed_handle(good: Original, bad: Original) -> SeedHandle | None:
    """The seed that both runs can be given; None where they have none in common."""
    one, other = seed_of(good.recipe), seed_of(bad.recipe)
    if one is None or other is None or one.name != other.name:
        return None
    return SeedHandle(one.name, one.value, other.value)
