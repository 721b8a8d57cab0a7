"""Which evaluation tells most: the one about which the likely models disagree most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.ablation.search.belief import Belief
from assay.stats.simultaneous import Array
from assay.stats.sparse import Bits, Models
from assay.stats.sparse_posterior import Posterior, columns, expected, overlap

_MOST_MODELS = 56
_MASS = 0.995
_ALL_STATES = 7
_SAMPLE = 40
# Telling structures of the same causes apart is worth less than telling causes apart.
_STRUCTURE = 0.15
_SHOWN, _GLIMPSED = 0.46, 1.2
_RIDGE = 1e-3  # what was never told apart has a standard error of about 30, and can be compared


class Contenders:
    """The models that hold most of the posterior, and what they expect of states.

    Args:
        belief: what is believed.
        pending: states that have been asked for and not answered; what they will tell is counted as known.
        block: the block that the next evaluation belongs to, for exact scripts: there, a state that is the same in effect as one evaluated
            has its number for certain.
    """

    def __init__(self, belief: Belief, pending: Iterable[int], block: int) -> None:
        top, weight = _representatives(belief.fitted.probability)
        self._belief, self._block = belief, block
        self._models = Models(belief.models.terms[top], belief.models.log_prior[top])
        self._fitted = Posterior(*(part[top] for part in belief.fitted))
        apart = belief.supports[top][:, None] != belief.supports[top][None, :]
        self._weight = np.outer(weight, weight) * np.where(apart, 1.0, _STRUCTURE)
        np.fill_diagonal(self._weight, 0.0)
        for state in pending:
            self.assume(state)

    def assume(self, state: int) -> None:
        """Count what this state will tell as known."""
        self._weight = self._weight * self._overlap(np.array([state]))[0]

    def worth(self, states: Bits) -> Array:
        """How much of the disagreement an evaluation of each state settles, shape (states,); at most 1."""
        return np.asarray(np.einsum("ij,sij->s", self._weight, 1 - self._overlap(states)), dtype=np.float64)

    def _overlap(self, states: Bits) -> Array:
        mean, sd = expected(self._fitted, self._models, states)
        if self._belief.setting.exact:
            mean, sd = self._certain(states, mean, sd)
        return overlap(mean, sd)

    def _certain(self, states: Bits, mean: Array, sd: Array) -> tuple[Array, Array]:
        rows = np.flatnonzero(self._belief.blocks == self._block)
        seen = columns(self._belief.states[rows], self._models.terms)
        asked = columns(states, self._models.terms)
        same = np.all(asked[:, None] == seen[None], axis=3)
        known, first = same.any(axis=1), np.argmax(same, axis=1)
        certain = self._belief.values[rows][first] if len(rows) else mean
        return np.where(known, certain, mean), np.where(known, 1e-3 * self._belief.setting.noise, sd)


def best_states(
    belief: Belief,
    pending: Sequence[int],
    *,
    limit: int,
    block: int,
    allowed: Callable[[int], float],
    rng: np.random.Generator,
) -> list[tuple[int, float]]:
    """Up to `limit` states that together tell most, each with its worth, the best first.

    Args:
        belief: what is believed.
        pending: states asked for and not answered.
        block: which block they are for.
        allowed: chance that a state can be evaluated; 0 for those that must not be asked.
        rng: for the sample of states where they are too many to weigh all.
    """
    contenders = Contenders(belief, pending, block)
    states = _candidates(belief, rng)
    chance = np.array([allowed(int(state)) for state in states])
    states, chance = states[chance > 0], chance[chance > 0]
    found: list[tuple[int, float]] = []
    while len(found) < limit and len(states):
        worth = contenders.worth(states) * chance
        at = int(np.argmax(np.round(worth, 9)))
        if worth[at] <= 1e-4:
            break
        found.append((int(states[at]), float(worth[at])))
        contenders.assume(int(states[at]))
        states, chance = np.delete(states, at), np.delete(chance, at)
    return found


def clearest_state(
    belief: Belief, units: Sequence[int], *, allowed: Callable[[int], float], rng: np.random.Generator
) -> int | None:
    """The state that makes the main effects of these units best known; None once each would have shown, or nothing makes them clearer.

    An effect would have shown where its standard error, beside the effects of all other units, is at most 0.46 standard deviations of one
    response (an effect of twice the noise is then 4.3 standard errors) for units that are known to do something, and 1.2 for others.
    """
    main = np.array([1 << at for at in range(len(belief.setting.units))], dtype=np.int64)
    own = np.equal.outer(belief.blocks, np.unique(belief.blocks)).astype(np.float64)
    x = np.column_stack([columns(belief.states, main), own])
    spread = np.linalg.inv(x.T @ x + _RIDGE * np.eye(x.shape[1]))
    dim = [at for at in units if spread[at, at] > (_SHOWN if belief.setting.dense else _GLIMPSED) ** 2]
    states = np.array([state for state in _candidates(belief, rng) if allowed(int(state)) > 0], dtype=np.int64)
    if not dim or not len(states):
        return None
    share = np.bincount(np.searchsorted(np.unique(belief.blocks), belief.blocks)) / len(belief.blocks)
    new = np.column_stack([columns(states, main), np.tile(share, (len(states), 1))])
    moved = new @ spread
    gain = np.sum(moved[:, dim] ** 2, axis=1) / (1 + np.einsum("si,si->s", moved, new))
    return int(states[int(np.argmax(np.round(gain, 9)))])


def _representatives(probability: Array) -> tuple[NDArray[np.intp], Array]:
    """Models that stand for all of them, and their weights: the likeliest where few hold nearly everything, else evenly spaced quantiles."""
    order = np.argsort(-probability, kind="stable")
    mass = np.cumsum(probability[order])
    number = int(np.searchsorted(mass, _MASS)) + 1
    if number <= _MOST_MODELS:
        top = order[:number]
        return top, probability[top] / probability[top].sum()
    at = np.searchsorted(mass, (np.arange(_MOST_MODELS) + 0.5) / _MOST_MODELS * mass[-1])
    rows, counts = np.unique(at, return_counts=True)
    return order[rows], counts / _MOST_MODELS


def _candidates(belief: Belief, rng: np.random.Generator) -> Bits:
    """All states of few units; else single units, what is likely to matter, their complements, prefixes, and a random sample of halves."""
    number = len(belief.setting.units)
    everything = (1 << number) - 1
    if belief.setting.ordered:
        return np.array([(1 << at) - 1 for at in range(1, number)], dtype=np.int64)
    if number <= _ALL_STATES:
        return np.arange(1, everything, dtype=np.int64)
    singles = [1 << at for at in range(number)]
    supports = [int(each) for each in np.unique(belief.supports[np.argsort(-belief.fitted.probability)[:24]])]
    sample = [int(each) for each in rng.integers(1, everything, size=_SAMPLE)] + [_half(belief, rng) for _ in range(_SAMPLE)]
    chosen = {*singles, *supports, *sample}
    return np.array(sorted((chosen | {everything - each for each in chosen}) - {0, everything}), dtype=np.int64)


def _half(belief: Belief, rng: np.random.Generator) -> int:
    """A random state that holds about half of what probably matters."""
    chance = belief.matters() + 1e-3
    order = rng.permutation(len(chance))
    share = np.cumsum(chance[order]) / chance.sum()
    return int(sum(1 << int(unit) for unit in order[: max(1, int(np.searchsorted(share, 0.5)) + 1)]))
