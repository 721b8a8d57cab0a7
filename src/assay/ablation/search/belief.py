"""What the evaluations so far say about a set of units: which of them move the metric, and in which structure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.ablation.search.records import Observation
from assay.ablation.search.units import Unit, bits
from assay.stats.simultaneous import Array
from assay.stats.sparse import Bits, Model, Models, first_models, neighbours, weighted
from assay.stats.sparse_posterior import Posterior, Responses, columns, posterior

_EXPANDED = 4
_ROUNDS = 4
_WORTH = 1e-4
# Log likelihood of two numbers that differ although a model says they are the same recipe in effect; and of two that are equal although
# it says they differ: coarse metrics (accuracy over a hundred samples) do so now and then.
_DIFFER, _COINCIDE = -25.0, -3.0


class Setting(NamedTuple):
    """What a belief is about.

    Attributes:
        units: at most 12 or so, each flipped as a whole.
        weights: prior weight of each.
        ordered: the states lie along a chain, so that only single effects can be told.
        exact: equal numbers under one seed mean the same recipe in effect, and others do not.
        dense: every unit is known to do something.
        scale: how large effects are.
        noise: standard deviation of an evaluation, > 0.
    """

    units: tuple[Unit, ...]
    weights: tuple[float, ...]
    ordered: bool
    exact: bool
    dense: bool
    scale: float
    noise: float


class Belief:
    """The posterior over sparse models of the units, and the models near the best ones.

    Args:
        setting: what it is about.
        observations: at least two; those that differ in no unit are the same state.
        known: models to begin with beside the usual ones (found earlier for the same units).
    """

    def __init__(self, setting: Setting, observations: Sequence[Observation], known: Sequence[Model] = ()) -> None:
        self.setting = setting
        self.states = bits(setting.units, [each.point.bad for each in observations])
        self.values = np.array([each.value for each in observations])
        self.blocks = np.array([each.point.block for each in observations], dtype=np.int64)
        self.models = first_models(setting.weights, products=not setting.ordered, dense=setting.dense)
        self.fitted, self.clashes = self._fit(self.models)
        self._usual = len(self.models.terms)
        self._take(known)
        self._grow()
        self._probability = self.fitted.probability

    @property
    def grown(self) -> list[Model]:
        """Models beyond the usual ones that are worth remembering."""
        rows = np.flatnonzero(self._probability > _WORTH)
        return [_model(self.models.terms[row]) for row in rows if row >= self._usual]

    def _grow(self) -> None:
        """Take the neighbours of the best models in, and theirs, as long as a better one is found."""
        seen = {_model(row) for row in self.models.terms}
        expanded: set[Model] = set()
        for _ in range(_ROUNDS):
            best = [_model(self.models.terms[row]) for row in np.argsort(-self.fitted.log_weight, kind="stable")[:_EXPANDED]]
            fresh = [model for model in best if model not in expanded]
            near = (neighbours(model, len(self.setting.units), products=not self.setting.ordered) for model in fresh)
            new = {each for group in near for each in group} - seen
            self._take(sorted(new))
            seen |= new
            expanded.update(fresh)
            if not new or _model(self.models.terms[int(np.argmax(self.fitted.log_weight))]) == best[0]:
                return

    def _take(self, new: Sequence[Model]) -> None:
        if not new:
            return
        models = weighted(new, self.setting.weights, dense=self.setting.dense)
        fitted, clashes = self._fit(models)
        self.models = Models(*(np.concatenate(parts) for parts in zip(self.models, models, strict=True)))
        self.fitted, self.clashes = self.fitted.joined(fitted), np.concatenate([self.clashes, clashes])

    def _fit(self, models: Models) -> tuple[Posterior, Array]:
        """Posterior of these models, and how often each says of unequal numbers that they should be equal."""
        scale, noise = self.setting.scale, self.setting.noise
        if not self.setting.exact:
            responses = Responses(self.states, self.values, self.blocks)
            return posterior(responses, models, scale=scale, noise=noise), np.zeros(len(models.terms))
        keep = self._distinct
        responses = Responses(self.states[keep], self.values[keep], self.blocks[keep])
        same, equal = self._same(models), self._pairs[2]
        clashes = np.asarray((same & ~equal).sum(axis=1), dtype=np.float64)
        penalty = _DIFFER * clashes + _COINCIDE * (~same & equal).sum(axis=1)
        return posterior(responses, models, scale=scale, noise=noise, moments=False, penalty=penalty), clashes

    @cached_property
    def _distinct(self) -> Bits:
        """Rows of the first observation of every number within its block: the others repeat it, and tell nothing of the noise."""
        first: dict[tuple[int, float], int] = {}
        for row, key in enumerate(zip(self.blocks.tolist(), self.values.tolist(), strict=True)):
            first.setdefault(key, row)
        return np.array(sorted(first.values()), dtype=np.int64)

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Pairs of rows of one block in different states, and whether their numbers are equal."""
        one, other = np.triu_indices(len(self.values), 1)
        keep = (self.blocks[one] == self.blocks[other]) & (self.states[one] != self.states[other])
        one, other = one[keep], other[keep]
        return one, other, np.asarray(self.values[one] == self.values[other])

    def _same(self, models: Models) -> NDArray[np.bool_]:
        """Whether a model says that a pair is the same recipe in effect, shape (models, pairs)."""
        one, other, _ = self._pairs
        classes = columns(self.states, models.terms) @ (1 << np.arange(models.terms.shape[1]))
        return np.asarray(classes[one].T == classes[other].T)

    @cached_property
    def supports(self) -> Bits:
        """The units that have a part in each model, as bits."""
        return np.asarray(np.bitwise_or.reduce(self.models.terms, axis=1), dtype=np.int64)

    def best_support(self) -> tuple[int, float]:
        """The likeliest set of units that matter, as bits, and its probability."""
        found, index = np.unique(self.supports, return_inverse=True)
        mass = np.bincount(index, weights=self._probability)
        at = int(np.argmax(mass))
        return int(found[at]), float(mass[at])

    def best_model(self, within: int | None = None) -> Model:
        """The likeliest model, of those with exactly these units where given."""
        among = self._probability if within is None else np.where(self.supports == within, self._probability, -1.0)
        return _model(self.models.terms[int(np.argmax(among))])

    def shape_chance(self, within: int) -> float:
        """The probability of the likeliest model, among those with exactly these units."""
        among = self._probability[self.supports == within]
        return float(among.max() / among.sum())

    def matters(self) -> Array:
        """Probability that each unit has a part, shape (units,)."""
        held = self.supports[:, None] >> np.arange(len(self.setting.units)) & 1
        return np.asarray(self._probability @ held, dtype=np.float64)

    @property
    def torn(self) -> bool:
        """Whether even the best model says of unequal numbers that they should be equal: small changes then make fresh noise."""
        return bool(self.clashes[int(np.argmax(self._probability))] > 0)


def _model(row: Bits) -> Model:
    return tuple(int(term) for term in row if term)
