"""Which combinations are likely not to run, learned from those that did not.

GOOD and BAD both run, so a combination that does not run separates at least two changes that need each other: one at BAD's level while
another stays at GOOD's. Which two is unknown at first; every combination that ran clears all the pairs that it separates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Pair = tuple[str, str]
"""(needs, needed): a combination with the first at BAD's level and the second at GOOD's does not run."""


class Conflicts:
    """Suspicion, by pairs of factors.

    Args:
        factors: all of them.
        ran: combinations (factors at BAD's level) that gave a number.
        broken: combinations that could not run.
    """

    def __init__(self, factors: Sequence[str], ran: Iterable[frozenset[str]], broken: Iterable[frozenset[str]]) -> None:
        self._all = frozenset(factors)
        self._broken = set(broken)
        cleared = [*map(self._separated, set(ran))]
        self._suspects = [self._separated(each).difference(*cleared) for each in sorted(self._broken, key=sorted)]

    def chance(self, bad: frozenset[str]) -> float:
        """A rough probability that this combination runs: for each broken one, the share of its suspects that this one does not separate.

        A broken combination none of whose pairs is suspect any more needs three or more factors to explain; it speaks only for itself.
        """
        if bad in self._broken:
            return 0.0
        chance, separated = 1.0, self._separated(bad) if self._suspects else set()
        for suspects in self._suspects:
            if suspects:
                chance = min(chance, 1 - len(suspects & separated) / len(suspects))
        return chance

    def _separated(self, bad: frozenset[str]) -> set[Pair]:
        return {(one, other) for one in bad for other in self._all - bad}
