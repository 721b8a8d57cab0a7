"""What the trials so far say of one metric: which components matter, and what is confirmed whenever one stops. Pure."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.ablation.adaptive.order import Coins, first_look
from assay.records.plan import Until
from assay.stats.factorial_models import Space
from assay.stats.factorial_search import Belief, believe
from assay.stats.sequential import Signs
from assay.stats.simultaneous import Array

LEVEL = 0.05
"""Chance of any false statement of one metric, shared evenly by components and by their interactions."""
WRONG = 0.0056
"""Terms that may be expected to be wrongly chosen or left out when the search ends, by the square of how many it has chosen: a search that has
found little is the one that overlooks most."""
FEWEST, MOST = 3, 5
"""Chosen terms that are reckoned with where there are fewer, and where there are more."""
CLEAR = 2.4
"""How many times as many where coefficients stand clear of the noise."""
_SIZES = (0.17, 0.24)
"""Sizes (see `Belief`) at which coefficients are as large as the noise, and by a fifth larger."""
_BLOCKS, UNSURE = 1.0, 0.5
"""Where blocks vary as much as trials do, and how many times as many then: how much they do rests on a handful of them, and all else on that."""


def settled(belief: Belief) -> bool:
    """Whether the search is over: hardly a wrong term is expected."""
    return belief.wrong < allowed(belief)


def allowed(belief: Belief) -> float:
    """How many wrong terms may be expected when the search ends.

    More where coefficients stand clear of the noise: few trials tell them then, and leave small terms beside them open, which is most of what is
    expected to be wrong. Fewer where blocks vary much.
    """
    clear = UNSURE if belief.ratio >= _BLOCKS else np.interp(np.log(belief.size), np.log(_SIZES), (1, CLEAR))
    return float(WRONG * clear * min(max(FEWEST, int(belief.chosen.sum())), MOST) ** 2)


class Decision(NamedTuple):
    """A term's evidence reached its bound: after so many trials, and by which estimate and interval."""

    term: int
    trials: int


class Course:
    """The trials of one metric in their order, with looks between them.

    Two things are kept apart. A *search* says which terms explain the values; it shares strength between them and is not bound by an error
    rate. A *test* of each term sums, with the sign of the term, what the terms and blocks known before do not predict. Its sign is a coin that
    chose the combination (see `coins`), so under no effect each sum is as likely as its negative, whatever the noise and however the search
    went: the error rate holds at any stop.

    Args:
        of: the terms.
        margin: effects within it are none that matter; None: nothing is called so.
        informed: the terms with what is believed of them from elsewhere: a second search, which then says when to stop. Tests never see it.
        until: whether it is decided once what the search found is confirmed, or once the search is over.

    Attributes:
        belief: after the last look; None before the first.
        informed: the belief of the second search; None where there is none.
        tests: of the effect of each term (twice its coefficient).
        low, high: shape (terms,), intervals that all hold together at every look.
        decisions: terms that were found to matter, in the order in which it was seen.
    """

    def __init__(self, of: Space, margin: float | None = None, informed: Space | None = None, until: Until = "confirmed") -> None:
        self.space, self.margin, self.until = of, margin, until
        self.belief: Belief | None = None
        self.informed: Belief | None = None
        self._informed = informed
        self.tests = Signs(of.terms)
        self.low, self.high = np.full(of.terms, -inf), np.full(of.terms, inf)
        self.decisions: list[Decision] = []
        self._columns = np.zeros((0, of.terms))
        self._values: list[float] = []
        self._blocks: list[int] = []
        products = of.terms - of.factors
        shares = 2 if products else 1
        self._family = np.repeat([shares * of.factors, shares * products], [of.factors, products])

    @property
    def trials(self) -> int:
        """How many gave a value."""
        return len(self._values)

    @property
    def family(self) -> NDArray[np.intp]:
        """With how many comparisons each term's is corrected, shape (terms,): all of its kind, of which there are two."""
        return self._family

    @property
    def matters(self) -> Coins:
        """Terms whose evidence reached its bound at any look, shape (terms,)."""
        found = np.zeros(self.space.terms, dtype=bool)
        found[[one.term for one in self.decisions]] = True
        return found

    @property
    def negligible(self) -> Coins:
        """Terms whose interval lies within the margin, shape (terms,)."""
        if self.margin is None:
            return np.zeros(self.space.terms, dtype=bool)
        return np.asarray((self.low > -self.margin) & (self.high < self.margin))

    @property
    def deciding(self) -> Belief | None:
        """The belief that says when to stop."""
        return self.belief if self._informed is None else self.informed

    @property
    def open(self) -> Coins:
        """Terms that more trials are for: chosen and not confirmed; of factors that were not chosen, those not within the margin."""
        if self.deciding is None:
            return np.ones(self.space.terms, dtype=bool)
        undecided = ~self.matters & ~self.negligible
        wanted = self.deciding.chosen.copy()
        if self.margin is not None:
            wanted[: self.space.factors] = True
        return np.asarray(undecided & wanted)

    @property
    def decided(self) -> bool:
        """The search expects hardly a wrong term, and nothing is open, where that is asked for."""
        if self.flat:
            return True
        return self.deciding is not None and settled(self.deciding) and (self.until == "found" or not self.open.any())

    @property
    def unconfirmed(self) -> Coins:
        """Terms that the search found, and whose evidence has not reached its bound: what is explored, and not claimed."""
        if self.belief is None:
            return np.zeros(self.space.terms, dtype=bool)
        return self.belief.chosen & ~self.matters

    @property
    def flat(self) -> bool:
        """All values are equal, after as many trials as a first look needs."""
        return self.trials >= first_look(self.space.factors) and float(np.ptp(self._values)) == 0

    def tell(self, columns: Array, values: Array, blocks: NDArray[np.intp], coins: Coins, signs: Array | None = None) -> None:
        """The trials of a batch, in their order; then a look. Trials without a finite value are left out.

        Args:
            columns: values of the terms, shape (n, terms).
            values: shape (n,).
            blocks: shape (n,).
            coins: shape (n, terms), see `coins`.
            signs: shape (n, terms), on which side of its coin a term fell, read only where there was one; None: the columns are the signs, as of
                factors of two levels.
        """
        kept = np.isfinite(values)
        # Of values alone, which no coin has a part in where a component does nothing.
        spread = float(np.std([*self._values, *values[kept]])) if kept.any() else 0.0
        sides = columns if signs is None else signs
        for row, value, block, free, side in zip(columns[kept], values[kept], blocks[kept], coins[kept], sides[kept], strict=True):
            self._weigh(row, float(value), int(block), free, side, spread)
            self._columns = np.vstack([self._columns, row])
            self._values.append(float(value))
            self._blocks.append(int(block))
        if self.trials >= first_look(self.space.factors):
            self._look()

    def _weigh(self, row: Array, value: float, block: int, free: Coins, side: Array, spread: float) -> None:
        if not self._values:
            return  # nothing to expect of it, so nothing to be surprised by
        belief = self.belief
        known = np.zeros(self.space.terms) if belief is None else belief.coefficients
        level, deviation = self._level(known, block, spread)
        left = value - level - float(row @ known)
        # Without the term itself: what is expected half-way between the two sides of its coin.
        self.tests.add(2 * side * (left + side * known), 2 * deviation, free)

    def _level(self, known: Array, block: int, spread: float) -> tuple[float, float]:
        """What a trial of this block is expected to give with all terms at 0, and how far off that is."""
        left = np.array(self._values) - self._columns @ known
        if self.belief is None:
            return float(left.mean()), spread or 1.0
        own = left[np.array(self._blocks) == block]
        ratio = self.belief.ratio
        share = ratio * len(own) / (1 + ratio * len(own))
        level = float(left.mean()) + share * float(own.mean() - left.mean() if len(own) else 0.0)
        return level, self.belief.deviation * (1 + ratio / (1 + ratio * len(own))) ** 0.5

    def _look(self) -> None:
        if self.flat:
            return
        self.belief = believe(self.space, self._columns, np.array(self._values), np.array(self._blocks), self.belief)
        if self._informed is not None:
            self.informed = believe(self._informed, self._columns, np.array(self._values), np.array(self._blocks), self.informed)
        below, above = self.tests.interval(LEVEL / self._family)
        self.low, self.high = np.maximum(self.low, below), np.minimum(self.high, above)
        reached = (self.tests.highest >= np.log(self._family / LEVEL)) & ~self.matters
        self.decisions += [Decision(term, self.trials) for term in np.flatnonzero(reached).tolist()]
