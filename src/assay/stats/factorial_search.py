"""Which few factors, alone or two together, move a response: the models that explain it, found by exchanges from several beginnings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.stats.factorial_models import Evidence, Space, Terms
from assay.stats.simultaneous import Array

WIDTH = 14
"""Most terms of a model."""
_BEAM, _SCOUTS = 8, 2
"""Models of a search, and of one that begins from nothing beside an earlier one."""
_STEPS = 16
_CHOSEN = 0.6
_POOL = 200
_GROWN = 1.1
"""After so many times the responses a search begins from nothing again: in between, what it could have missed has hardly changed."""
# Numbers that tell models apart by their sum, whatever the order of their terms.
_MARKS = np.random.Generator(np.random.PCG64(5)).integers(1, 2**62, 4096, dtype=np.int64)


class Belief(NamedTuple):
    """What is believed of the terms.

    Attributes:
        chance: shape (terms,), that the term is there.
        coefficients: shape (terms,), posterior means over all models, 0 where a term is not there.
        deviation: of a response, without blocks.
        size: of coefficients, in standard deviations of the noise, squared; their own squares are about six times it.
        ratio: variance between blocks over variance within.
        models: the likeliest, from which the next search may begin.
        begun: responses when a search last began from nothing.
    """

    chance: Array
    coefficients: Array
    deviation: float
    size: float
    ratio: float
    models: Terms
    begun: int

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Terms that are there with a chance of more than 0.6: rather one left out than one too many."""
        return np.asarray(self.chance > _CHOSEN)

    @property
    def wrong(self) -> float:
        """How many terms are expected to be wrongly chosen or wrongly left out."""
        return float(np.where(self.chosen, 1 - self.chance, self.chance).sum())


def believe(of: Space, columns: Array, values: Array, blocks: NDArray[np.intp], before: Belief | None = None) -> Belief:
    """The posterior over models, as far as exchanges of one term find it.

    Args:
        of: the terms.
        columns: their values, shape (n, terms), at least 4 rows.
        values: responses, finite.
        blocks: whole numbers.
        before: of an earlier search over the same terms, to begin from beside nothing.
    """
    evidence = Evidence(of, columns, values, blocks)
    if before is not None:
        evidence.look(before.size, before.ratio)
    found, begun = _begun(evidence, before, len(values))
    evidence.tune(found)
    found, models = _climbed(evidence, found, _BEAM, _POOL)
    share, coefficients, deviation, size = evidence.averaged(models)
    chance, mean = np.zeros(of.terms + 1), np.zeros(of.terms + 1)
    np.add.at(chance, models.ravel(), np.repeat(share, models.shape[1]))
    np.add.at(mean, models.ravel(), coefficients.ravel())
    chance = np.minimum(chance[:-1], 1.0)
    return Belief(chance, mean[:-1], deviation, size, evidence.ratio, _padded(of, found), begun)


def _begun(evidence: Evidence, before: Belief | None, responses: int) -> tuple[Terms, int]:
    """Models to search from, and how many responses there were when a search last began from nothing."""
    of = evidence.space
    empty = np.full((1, WIDTH), of.terms, dtype=np.intp)
    if before is None:
        return _climbed(evidence, empty, _BEAM)[0], responses
    if responses < _GROWN * before.begun:
        return _packed(of, before.models), before.begun
    fresh = _padded(of, _climbed(evidence, empty, _SCOUTS)[0])
    return _packed(of, np.concatenate([fresh, before.models])), responses


def _climbed(evidence: Evidence, models: Terms, most: int, pool: int = 0) -> tuple[Terms, Terms]:
    """The best models that exchanges reach, by a beam that all exchanges of a step compete for; and the last step's so many."""
    beam = _packed(evidence.space, models)
    seen: set[frozenset[int]] = set()
    for _ in range(_STEPS):
        found = _best(evidence, beam, most, pool)
        beam = _packed(evidence.space, found[:most])
        marks = frozenset(_marks(beam).tolist())
        if marks in seen:  # reached, or back where it was: the last places of a beam may change in turns for ever
            break
        seen.add(marks)
    return beam, found


def _best(evidence: Evidence, models: Terms, most: int, pool: int) -> Terms:
    """The likeliest models among these and their neighbours, each once: so many of a beam, or more for a pool."""
    weight = evidence.exchanged(models).reshape(-1)
    number = min(len(weight), 8 * max(most, pool))
    top = np.argpartition(-weight, number - 1)[:number]
    top = top[np.argsort(-weight[top], kind="stable")]
    terms, width = evidence.space.terms, models.shape[1]
    row, place, term = top // (width * (terms + 1)), top // (terms + 1) % width, top % (terms + 1)
    found = models[row]
    found[np.arange(len(found)), place] = term
    _, first = np.unique(_marks(found), return_index=True)
    kept = np.sort(first)[: max(most, pool)]
    return _packed(evidence.space, found[kept[np.isfinite(weight[top][kept])]])


def _packed(of: Space, models: Terms) -> Terms:
    """The models with their terms in order, as wide as the largest and one place more, which exchanges need."""
    ordered = np.sort(models, axis=1)
    widest = int((ordered < of.terms).sum(axis=1).max(initial=0))
    return _padded(of, ordered)[:, : min(widest + 1, WIDTH)]


def _padded(of: Space, models: Terms) -> Terms:
    missing = WIDTH - models.shape[1]
    return np.pad(models, ((0, 0), (0, max(0, missing))), constant_values=of.terms) if missing > 0 else models


def _marks(models: Terms) -> NDArray[np.int64]:
    with np.errstate(over="ignore"):
        return np.asarray(np.where(models < len(_MARKS), _MARKS[np.minimum(models, len(_MARKS) - 1)], 0).sum(axis=1))
