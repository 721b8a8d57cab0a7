"""Which few factors, alone or two together, move a response: the models that explain it, found by exchanges from several beginnings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.stats.factorial_models import Evidence, Space, Terms
from assay.stats.simultaneous import Array

WIDTH = 14
"""Most terms of a model."""
_BEAM = 8
_STEPS = 16
_POOL = 600
# Numbers that tell models apart by their sum, whatever the order of their terms.
_MARKS = np.random.Generator(np.random.PCG64(5)).integers(1, 2**62, 4096, dtype=np.int64)


class Belief(NamedTuple):
    """What is believed of the terms.

    Attributes:
        chance: shape (terms,), that the term is there.
        coefficients: shape (terms,), posterior means over all models, 0 where a term is not there.
        deviation: of a response, without blocks.
        size: of coefficients, in standard deviations of the noise, squared.
        ratio: variance between blocks over variance within.
        models: the likeliest, from which the next search may begin.
    """

    chance: Array
    coefficients: Array
    deviation: float
    size: float
    ratio: float
    models: Terms

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """Terms that are likelier there than not."""
        return np.asarray(self.chance > 0.5)

    @property
    def wrong(self) -> float:
        """How many terms are expected to be wrongly chosen or wrongly left out."""
        return float(np.minimum(self.chance, 1 - self.chance).sum())


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
    empty = np.full((1, WIDTH), of.terms, dtype=np.intp)
    if before is not None:
        evidence.look(before.size, before.ratio)
    fresh = _padded(of, _climbed(evidence, empty))
    found = _packed(of, fresh if before is None else np.concatenate([fresh, before.models]))
    evidence.tune(found)
    found = _climbed(evidence, found)
    models, weight = _pool(evidence, found)
    _, coefficients, _, variance = evidence.fit(models)
    share = np.exp(weight - np.logaddexp.reduce(weight))
    chance, mean = np.zeros(of.terms + 1), np.zeros(of.terms + 1)
    np.add.at(chance, models.ravel(), np.repeat(share, models.shape[1]))
    np.add.at(mean, models.ravel(), (share[:, None] * coefficients).ravel())
    deviation = float(np.sqrt(share @ variance))
    chance = np.minimum(chance[:-1], 1.0)
    return Belief(chance, mean[:-1], deviation, evidence.size, evidence.ratio, _padded(of, found))


def _climbed(evidence: Evidence, models: Terms) -> Terms:
    """The best models that exchanges reach: a beam, which all of a step's exchanges compete for."""
    beam = _packed(evidence.space, models)
    marks: set[int] = set()
    for _ in range(_STEPS):
        beam = _best(evidence, beam, _BEAM)[0]
        found = set(_marks(beam).tolist())
        if found == marks:
            break
        marks = found
    return beam


def _pool(evidence: Evidence, models: Terms) -> tuple[Terms, Array]:
    return _best(evidence, _packed(evidence.space, models), _POOL)


def _best(evidence: Evidence, models: Terms, most: int) -> tuple[Terms, Array]:
    """The likeliest models among these and their neighbours, each once, with log weights."""
    weight = evidence.exchanged(models).reshape(-1)
    number = min(len(weight), 8 * most)
    top = np.argpartition(-weight, number - 1)[:number]
    top = top[np.argsort(-weight[top], kind="stable")]
    terms, width = evidence.space.terms, models.shape[1]
    row, place, term = top // (width * (terms + 1)), top // (terms + 1) % width, top % (terms + 1)
    found = models[row]
    found[np.arange(len(found)), place] = term
    _, first = np.unique(_marks(found), return_index=True)
    kept = np.sort(first)[:most]
    kept = kept[np.isfinite(weight[top][kept])]
    return _packed(evidence.space, found[kept]), weight[top][kept]


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
