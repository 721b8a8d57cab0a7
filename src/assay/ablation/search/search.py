"""The search: told results, it says which evaluation to make next, and what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np

from assay.ablation.search.belief import Belief, Setting
from assay.ablation.search.choice import best_states, clearest_state
from assay.ablation.search.conflicts import Conflicts
from assay.ablation.search.noise import MOST_BLOCKS, Ends, judge_ends
from assay.ablation.search.records import Answer, Observation, Point, Verdict
from assay.ablation.search.reply import Known, reply
from assay.ablation.search.units import Unit, bits, divide, gather, members, weights
from assay.errors import InvalidValue
from assay.stats.sparse import UNITS, Model, bits_of

# Sureness at which units are divided, and at which causes are named: what is divided is judged again among its parts.
# Where nothing is left that would tell more, a lesser sureness is named too.
_DIVIDE, _SURE, _LIKELY = 0.9, 0.95, 0.7
# Below this share of the gap, deterministic differences are taken for noise: nearly every change moves a metric by a little.
_FLOOR = 0.015
# Prior standard deviation of an effect over the gap; with the prior's moments, effects of 0.85 of the gap are the likeliest.
_TYPICAL = 0.6
MARGIN = 0.05
"""Share of the gap below which an effect is no cause, where no margin is given."""


class Step(NamedTuple):
    """Where a search stands: the points that are wanted (none: it has ended, with this verdict), and what is believed."""

    wanted: tuple[Point, ...]
    verdict: Verdict | None
    belief: Belief | None = None


class Search:
    """Which of the differences between GOOD and BAD moved a metric, with as few evaluations as it takes.

    First the noise: both ends are evaluated under several seeds, and a gap within the noise ends the search. Then a posterior over sparse
    models (one to three factors, alone, together, or one modifying another; more where the evaluations call for it) says which factors
    matter, and each evaluation is the one about which the likely models disagree most. Without noise that is halving; factors beyond
    twelve are flipped in groups, which are divided where they matter. It ends where one set of causes is sure, and an evaluation of these
    changes alone, and one of all others alone, were made.

    Args:
        factors: names of the differences, at least one; in the order of the history where `ordered`, else neighbours are grouped together.
        weights: relative prior odds that a factor matters, > 0; 1 where it is not named.
        ordered: only states along the chain exist: the first so many factors at BAD's level (commits of one history).
        reseedable: whether the recipe can be run under another seed; if not, all points are in block 0, and noise is known from repeats.
        margin: effects smaller than this are no causes, in the unit of the metric, > 0; by default 5 % of the gap.
        budget: most points that are asked for; None for no bound.
        confidence: of each interval.
        seed: of the sample of states that are weighed where they are too many; the same seed and results give the same questions.

    Raises:
        InvalidValue: no factors, one named twice, or an argument out of its range.

    Source: the statement of the problem, and halving, are Zeller and Hildebrandt 2002 (delta debugging) and Junker 2004 (QuickXplain); choice
    of the next evaluation by expected disagreement follows Box and Hill 1967 and Meyer, Steinberg and Box 1996; shares are Shapley's (1953).

    >>> search = Search(["lr", "train.py", "numpy", "data"], reseedable=False)
    >>> while not search.done:
    ...     for point in search.ask():
    ...         search.tell(point, 0.91 - 0.08 * ("numpy" in point.bad))
    >>> [(cause.factors, round(cause.effect.estimate, 3)) for cause in search.answer().causes]
    [(('numpy',), -0.08)]
    """

    def __init__(
        self,
        factors: Sequence[str],
        *,
        weights: Mapping[str, float] | None = None,
        ordered: bool = False,
        reseedable: bool = True,
        margin: float | None = None,
        budget: int | None = None,
        confidence: float = 0.95,
        seed: int = 0,
    ) -> None:
        _check(factors, weights or {}, margin, budget, confidence)
        self.factors = tuple(factors)
        self._weights = dict.fromkeys(factors, 1.0) | dict(weights or {})
        self._ordered, self._reseedable = ordered, reseedable
        self._margin, self._budget, self._confidence, self._seed = margin, budget, confidence, seed
        self._values: dict[Point, float] = {}
        self._broken: dict[Point, None] = {}
        self._failed: dict[Point, None] = {}  # evaluations of an end under a further seed, or again, that gave no number
        self._pending: dict[Point, None] = {}
        self._asked = 0
        self._units = gather(self.factors)
        self._aside: list[Unit] = []
        self._restored = 0
        self._touching = False  # the units are exactly those that change the numbers of an exact script
        self._chaos = False  # every change makes fresh noise, so equal numbers cannot be waited for
        self._grown: list[Model] = []
        self._step: Step | None = None

    @property
    def good(self) -> frozenset[str]:
        """The factors that GOOD has at BAD's level: none."""
        return frozenset()

    @property
    def bad(self) -> frozenset[str]:
        """The factors that BAD has at BAD's level: all."""
        return frozenset(self.factors)

    @property
    def done(self) -> bool:
        """Whether nothing more will be asked: decided, within the noise, stuck, or at the end of the budget."""
        if self._pending:
            return False
        return not self._now().wanted or self._spent()

    def ask(self, limit: int = 1) -> list[Point]:
        """Up to `limit` points to evaluate next, none of which is pending; empty while answers to pending points are waited for.

        Points of one batch may be evaluated at once, in any order.
        """
        if self._spent():
            return []
        room = limit if self._budget is None else min(limit, self._budget - self._asked)
        points = [point for point in self._now(limit).wanted if point not in self._pending][:room]
        self._asked += len(points)
        self._pending.update(dict.fromkeys(points))
        self._step = None
        return points

    def tell(self, point: Point, value: float | None) -> None:
        """Take the outcome of a point in, asked for or not.

        Args:
            point: what was evaluated.
            value: the metric; None where this combination cannot run; NaN or infinite where it ran and gave no number, which tells as much.

        Raises:
            InvalidValue: the point names an unknown factor, or is not on the chain; or a recorded end (block 0) gave no number.
        """
        if not point.bad <= self.bad or (self._ordered and point.bad != frozenset(self.factors[: len(point.bad)])):
            chain = "the first so many of the factors" if self._ordered else "a set of the factors"
            raise InvalidValue("no such state is searched", value=sorted(point.bad), expected=chain)
        self._pending.pop(point, None)
        self._step = None
        if value is not None and isfinite(value):
            self._values[point] = float(value)
            return
        if point.bad not in (self.good, self.bad):
            self._broken[point] = None
        elif point.block or point.repeat:
            self._failed[point] = None
        else:
            raise InvalidValue(
                "an end of the search gave no number",
                value=value,
                expected="a finite value of the metric at GOOD and at BAD",
                next_step="Ask instead what decides whether there is a number: 1 where there is, 0 where not.",
            )

    def answer(self) -> Answer:
        """What is known now; see `Answer`. Its verdict is "cannot tell" as long as the search is not done.

        Raises:
            InvalidValue: GOOD or BAD was not told yet.
        """
        ends = self._ends()
        if Point(self.good) not in self._values or Point(self.bad) not in self._values:
            raise InvalidValue(
                "nothing is known of the gap yet", value=len(self._values), expected="values of GOOD and BAD in block 0"
            )
        step = self._now()
        known = Known(
            factors=self.factors,
            values=self._observations() if step.belief is not None else self._usable(),
            broken=tuple(dict.fromkeys(point.bad for point in self._broken)),
            runs=len(self._values) + len(self._broken) + len(self._failed),
            margin=self._margin_for(ends),
            confidence=self._confidence,
        )
        return reply(known, ends.gap, ends.noise, step.verdict or "cannot tell", step.belief)

    # What to do next

    def _now(self, limit: int = 1) -> Step:
        if self._step is None or (limit > 1 and self._step.belief is not None):
            self._step = self._next(limit)
        return self._step

    def _spent(self) -> bool:
        return self._budget is not None and self._asked >= self._budget

    def _ends(self) -> Ends:
        return judge_ends(self._values, self._failed, self.good, self.bad, reseedable=self._reseedable, confidence=self._confidence)

    def _margin_for(self, ends: Ends) -> float:
        return self._margin if self._margin is not None else MARGIN * abs(ends.gap.estimate)

    def _next(self, limit: int) -> Step:
        ends = self._ends()
        if not ends.real:
            return Step(ends.wanted, None if ends.real is None else "within noise")
        while True:
            belief = Belief(self._setting(ends), self._observations(), self._grown)
            self._grown = belief.grown
            if belief.torn:
                self._chaos, self._grown = True, []
                continue
            causes, sure = belief.best_support()
            if sure < (_DIVIDE if self._divisible(causes) else _SURE):
                wanted = self._telling(belief, ends, limit)
                stuck: Verdict = "decided" if sure >= _LIKELY and not self._divisible(causes) else "cannot tell"
                return Step(wanted, None if wanted else stuck, belief)
            if belief.setting.exact and not self._divisible(causes) and (checks := self._unchecked(causes, ends)):
                return Step(checks, None, belief)
            if not self._narrow(causes, belief):
                dim = self._dim(belief, causes, ends)
                return Step(dim, None, belief) if dim else self._confirmed(belief, causes, ends)

    def _setting(self, ends: Ends) -> Setting:
        gap, noise = abs(ends.gap.estimate), ends.noise
        floor = max(noise.sd, _FLOOR * gap)
        exact = noise.exact and noise.sd > 2 * _FLOOR * gap and not self._touching and not self._chaos
        return Setting(
            tuple(self._units),
            tuple(weights(self._units, self._weights)),
            self._ordered,
            exact,
            self._touching,
            _TYPICAL * gap,
            floor,
        )

    def _divisible(self, causes: int) -> bool:
        return any(len(self._units[at]) > 1 for at in bits_of(causes))

    def _narrow(self, causes: int, belief: Belief) -> bool:
        """Look closer at the units that matter, where there is a closer look: their parts, or how their effects stand against the noise."""
        matter = [self._units[at] for at in bits_of(causes)]
        others = [unit for unit in self._units if unit not in matter]
        if self._divisible(causes):
            self._units, self._aside, self._grown = divide(matter), self._aside + others, []
            return True
        if belief.setting.exact:
            self._units, self._aside, self._grown, self._touching = matter, self._aside + others, [], True
            return True
        return False

    def _dim(self, belief: Belief, causes: int, ends: Ends) -> tuple[Point, ...]:
        """The evaluation that is missing before an effect of twice the noise would have shown in every unit that is held to be no cause.

        Units that are known to do something are all held to it, causes too: a few lucky pairs make any noise look small.
        """
        if ends.noise.sd < _FLOOR * abs(ends.gap.estimate):
            return ()
        others = [at for at in range(len(self._units)) if self._touching or not causes >> at & 1]
        state = clearest_state(belief, others, allowed=self._allowed(ends), rng=self._rng())
        return () if state is None else tuple(self._with_ends(self._whole(state), ends))

    def _confirmed(self, belief: Belief, causes: int, ends: Ends) -> Step:
        """Decided where the causes alone, and all others alone, were evaluated and did what was expected of them."""
        if missing := self._unchecked(causes, ends):
            return Step(missing, None, belief)
        alone = members(self._units, causes)
        if self._aside and not self._touching and self._restored < 2 and self._surprised(alone, ends):
            self._restore(causes)
            return self._next(1)
        open_ = self._telling(belief, ends, 1) if self._shapeless(belief, causes, ends) else ()
        return Step(open_, None if open_ else "decided", belief)

    def _shapeless(self, belief: Belief, causes: int, ends: Ends) -> bool:
        """Whether it is open how the causes act together, where the numbers are exact enough for one more to say it."""
        if ends.noise.sd > _FLOOR * abs(ends.gap.estimate):
            return False
        return belief.shape_chance(causes) < _DIVIDE

    def _unchecked(self, causes: int, ends: Ends) -> tuple[Point, ...]:
        """The causes alone, and all others alone, where they were not evaluated and can be."""
        alone = members(self._units, causes)
        checks = self._around(alone) if self._ordered else [alone, self.bad - alone]
        ran = {point.bad for point in self._values} | {point.bad for point in self._pending}
        conflicts = self._conflicts()
        return tuple(self._placed(each, ends) for each in checks if each not in ran and conflicts.chance(each) > 0)

    def _around(self, causes: frozenset[str]) -> list[frozenset[str]]:
        """The states along the chain just before and just after each cause."""
        at = [index for index, factor in enumerate(self.factors) if factor in causes]
        return [frozenset(self.factors[:number]) for number in sorted({*at, *(index + 1 for index in at)})]

    def _surprised(self, alone: frozenset[str], ends: Ends) -> bool:
        """Whether the causes alone do not do what BAD does, or all others alone do not do what GOOD does."""
        if self._ordered:
            return False
        tolerance = max(2 * self._margin_for(ends), 4 * ends.noise.sd)
        return any(
            abs(self._mean(state) - self._mean(end)) > tolerance
            for state, end in ((alone, self.bad), (self.bad - alone, self.good))
            if any(point.bad == state for point in self._values)
        )

    def _mean(self, state: frozenset[str]) -> float:
        return float(np.mean([value for point, value in self._values.items() if point.bad == state]))

    def _restore(self, causes: int) -> None:
        """Look again at everything that was set aside, beside the causes."""
        matter = [self._units[at] for at in bits_of(causes)]
        rest = [unit for unit in self._aside if unit not in matter]
        if len(matter) + len(rest) > UNITS:
            rest = gather([factor for unit in rest for factor in unit], UNITS - len(matter))
        self._units, self._aside, self._grown = matter + rest, [], []
        self._restored += 1

    def _telling(self, belief: Belief, ends: Ends, limit: int) -> tuple[Point, ...]:
        """The points that tell most."""
        waiting = [int(state) for state in bits(self._units, [point.bad for point in self._pending])]
        found = best_states(belief, waiting, limit=limit, block=0, allowed=self._allowed(ends), rng=self._rng())
        return tuple(dict.fromkeys(point for state, _ in found for point in self._with_ends(self._whole(state), ends)))

    def _allowed(self, ends: Ends) -> Callable[[int], float]:
        """The chance that a state of the units can be evaluated; 0 too where it would tell nothing new."""
        conflicts = self._conflicts()

        def chance(state: int) -> float:
            whole = self._whole(state)
            free = whole not in (self.good, self.bad) and self._free(whole, ends)
            return conflicts.chance(whole) if free else 0.0

        return chance

    def _rng(self) -> np.random.Generator:
        return np.random.default_rng([self._seed, len(self._values)])

    def _conflicts(self) -> Conflicts:
        return Conflicts(
            self.factors if self._broken else (), (p.bad for p in self._values if self._broken), (p.bad for p in self._broken)
        )

    def _whole(self, state: int) -> frozenset[str]:
        """The factors at BAD's level in a state of the units: those of its units, or along a chain everything up to the last of them."""
        chosen = members(self._units, state)
        if not self._ordered:
            return chosen
        last = max((index for index, factor in enumerate(self.factors) if factor in chosen), default=-1)
        return frozenset(self.factors[: last + 1])

    # Blocks

    def _fresh_noise(self, ends: Ends) -> bool:
        """Whether the same recipe under the same seed gives another number, so that repeating it tells something."""
        return not ends.noise.exact

    def _taken(self, state: frozenset[str]) -> set[int]:
        """Blocks in which a state, or one that is the same in effect, has its number already or is waited for."""
        points = [*self._values, *self._pending]
        if not self._touching:
            return {point.block for point in points if point.bad == state}
        own = bits(self._units, [state, *(point.bad for point in points)])
        return {point.block for point, each in zip(points, own[1:], strict=True) if each == own[0]}

    def _free(self, state: frozenset[str], ends: Ends) -> bool:
        if self._fresh_noise(ends):
            return True
        most = MOST_BLOCKS if ends.noise.seeds_matter else 1
        return len(self._taken(state)) < most if self._touching or self._chaos else 0 not in self._taken(state)

    def _with_ends(self, state: frozenset[str], ends: Ends) -> list[Point]:
        """The state in its block; in a block that is new, the ends go with it."""
        point = self._placed(state, ends)
        companions = [Point(end, point.block) for end in (self.good, self.bad)]
        return [*(each for each in companions if each not in self._values), point]

    def _placed(self, state: frozenset[str], ends: Ends) -> Point:
        """The state in the block where it is wanted most: the one with the fewest evaluations so far, or a new one where it has them all."""
        points = [*self._values, *self._pending]
        if not ends.noise.seeds_matter or not (self._touching or self._chaos or self._fresh_noise(ends)):
            block = 0
        else:
            used = Counter(point.block for point in [*points, *self._failed])
            lost = {point.block for point in self._failed if point.block}
            taken = lost if self._fresh_noise(ends) else lost | self._taken(state)
            free = [each for each in used if each not in taken]
            block = min(free, key=lambda each: (used[each], each)) if free else max(used) + 1
        repeats = sum(point.bad == state and point.block == block for point in points)
        return Point(state, block, repeats if self._fresh_noise(ends) else 0)

    # Observations

    def _usable(self) -> list[Observation]:
        return [Observation(point, value) for point, value in self._values.items()]

    def _observations(self) -> list[Observation]:
        """What the belief is made of: no repeats of an exact script, no state that splits a unit, and each state in effect once a block."""
        exact = self._ends().noise.exact
        found = [each for each in self._usable() if not (exact and each.point.repeat)]
        found = [each for each in found if all(_whole_or_none(unit, each.point.bad) for unit in self._units if len(unit) > 1)]
        if not self._touching:
            return found
        states = bits(self._units, [each.point.bad for each in found])
        first: dict[tuple[int, int], Observation] = {}
        for each, state in zip(found, states.tolist(), strict=True):
            first.setdefault((each.point.block, state), each)
        return list(first.values())


def _whole_or_none(unit: Unit, bad: frozenset[str]) -> bool:
    return len(bad.intersection(unit)) in (0, len(unit))


def _check(factors: Sequence[str], given: Mapping[str, float], margin: float | None, budget: int | None, confidence: float) -> None:
    if not factors or len(set(factors)) < len(factors):
        raise InvalidValue("there is nothing to search", value=list(factors), expected="at least one factor, each named once")
    if unknown := sorted(set(given) - set(factors)):
        raise InvalidValue("weights name factors that are not searched", value=unknown, expected=f"some of {list(factors)}")
    if bad := {name: weight for name, weight in given.items() if not (isfinite(weight) and weight > 0)}:
        raise InvalidValue("a weight cannot be used", value=bad, expected="finite numbers above 0")
    if margin is not None and not (isfinite(margin) and margin > 0):
        raise InvalidValue("the margin cannot be used", value=margin, expected="a finite number above 0")
    if budget is not None and budget < 0:
        raise InvalidValue("the budget cannot be used", value=budget, expected="a number of evaluations, 0 or more")
    if not 0 < confidence < 1:
        raise InvalidValue("the confidence cannot be used", value=confidence, expected="a number between 0 and 1")
