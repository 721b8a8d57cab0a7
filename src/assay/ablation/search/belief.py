"""What the evaluations so far say about a set of units: which of them move the metric, and in which structure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from assay.ablation.search.records import Observation
from assay.ablation.search.units import Unit, bits
from assay.stats.simultaneous import Array
from assay.stats.sparse import Bits, Model, Models, first_models, neighbours, weighted
from assay.stats.sparse_posterior import Posterior, Responses, columns, posterior

_EXPANDED = 4
_ROUNDS = 4
# Log likelihood of two numbers that differ although a model says they are the same recipe in effect; and of two that are equal although
# it says they differ: coarse metrics (accuracy over a hundred samples) do so now and then.
_DIFFER, _COINCIDE = -12.0, -3.0


class Setting(NamedTuple):
    """What a belief is about.

    Attributes:
        units: at most 12 or so, each flipped as a whole.
        weights: prior weight of each.
        ordered: the states lie along a chain, so that only single effects can be told.
        exact: equal numbers under one seed mean the same recipe in effect, and others do not.
        scale: how large effects are.
        noise: standard deviation of an evaluation, > 0.
    """

    units: tuple[Unit, ...]
    weights: tuple[float, ...]
    ordered: bool
    exact: bool
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
        products = not setting.ordered
        usual = first_models(setting.weights, products=products)
        more = weighted(list(known), setting.weights) if known else None
        self.models = usual if more is None else _joined(usual, more)
        self.grown: list[Model] = list(known)
        self._seen = {_model(row) for row in self.models.terms}
        self.fitted = self._fit()
        self._grow(products)

    def _grow(self, products: bool) -> None:
        expanded: set[Model] = set()
        for _ in range(_ROUNDS):
            best = [_model(self.models.terms[row]) for row in np.argsort(-self.fitted.probability)[:_EXPANDED]]
            fresh = [model for model in best if model not in expanded]
            new = {each for model in fresh for each in neighbours(model, len(self.setting.units), products=products)} - self._seen
            expanded.update(fresh)
            if not new:
                return
            self._seen |= new
            self.grown += sorted(new)
            self.models = _joined(self.models, weighted(sorted(new), self.setting.weights))
            before = best[0]
            self.fitted = self._fit()
            if _model(self.models.terms[int(np.argmax(self.fitted.probability))]) == before:
                return

    def _fit(self) -> Posterior:
        keep = self._distinct if self.setting.exact else np.arange(len(self.values))
        responses = Responses(self.states[keep], self.values[keep], self.blocks[keep])
        self.clashes = self._clashes() if self.setting.exact else np.zeros(len(self.models.terms))
        penalty = _DIFFER * self.clashes + self._coincidences() if self.setting.exact else None
        return posterior(responses, self.models, scale=self.setting.scale, noise=self.setting.noise, penalty=penalty)

    @cached_property
    def _distinct(self) -> Bits:
        """Rows of the first observation of every number within its block: the others repeat it, and tell nothing of the noise."""
        first: dict[tuple[int, float], int] = {}
        for row, key in enumerate(zip(self.blocks.tolist(), self.values.tolist(), strict=True)):
            first.setdefault(key, row)
        return np.array(sorted(first.values()), dtype=np.int64)

    @cached_property
    def _pairs(self) -> tuple[Bits, Bits, Array]:
        """Pairs of rows of one block in different states, and whether their numbers are equal."""
        one, other = np.triu_indices(len(self.values), 1)
        keep = (self.blocks[one] == self.blocks[other]) & (self.states[one] != self.states[other])
        one, other = one[keep], other[keep]
        return one, other, self.values[one] == self.values[other]

    def _same(self) -> Array:
        """Whether a model says that a pair is the same recipe in effect, shape (models, pairs)."""
        one, other, _ = self._pairs
        classes = columns(self.states, self.models.terms) @ (1 << np.arange(self.models.terms.shape[1]))
        return classes[one].T == classes[other].T

    def _clashes(self) -> Array:
        return np.asarray((self._same() & ~self._pairs[2]).sum(axis=1), dtype=np.float64)

    def _coincidences(self) -> Array:
        return np.asarray(_COINCIDE * (~self._same() & self._pairs[2]).sum(axis=1), dtype=np.float64)

    @cached_property
    def supports(self) -> Bits:
        """The units that have a part in each model, as bits."""
        return np.bitwise_or.reduce(self.models.terms, axis=1)

    def best_support(self) -> tuple[int, float]:
        """The likeliest set of units that matter, as bits, and its probability."""
        found, index = np.unique(self.supports, return_inverse=True)
        mass = np.bincount(index, weights=self.fitted.probability)
        at = int(np.argmax(mass))
        return int(found[at]), float(mass[at])

    def best_model(self, within: int | None = None) -> Model:
        """The likeliest model, of those with exactly these units where given."""
        among = self.fitted.probability if within is None else np.where(self.supports == within, self.fitted.probability, -1.0)
        return _model(self.models.terms[int(np.argmax(among))])

    def matters(self) -> Array:
        """Probability that each unit has a part, shape (units,)."""
        held = self.supports[:, None] >> np.arange(len(self.setting.units)) & 1
        return np.asarray(self.fitted.probability @ held, dtype=np.float64)

    @property
    def torn(self) -> bool:
        """Whether even the best model says of unequal numbers that they should be equal: small changes then make fresh noise."""
        return bool(self.clashes[int(np.argmax(self.fitted.probability))] > 0)


def _model(row: Bits) -> Model:
    return tuple(int(term) for term in row if term)


def _joined(one: Models, other: Models) -> Models:
    return Models(np.concatenate([one.terms, other.terms]), np.concatenate([one.log_prior, other.log_prior]))


