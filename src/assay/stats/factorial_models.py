"""Sparse linear models of a response over two-level factors: their prior, and how likely each is after some responses.

A factor is -1 at the baseline's level and +1 where it is flipped; a term is a factor or the product of two; an effect is twice the
coefficient of its term, so the change from one level to the other, averaged over the other factors. A model is a row of term numbers in any
order, padded with the number of terms.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.stats.simultaneous import Array

Terms = NDArray[np.intp]

# What is believed before: 2.5 of the factors matter, at most one in five; a product does where none, one or both of its factors do.
_FACTORS, _LARGEST = 2.5, 0.2
_PRODUCTS = (0.004, 0.05, 0.12)
_PRODUCTS_AT = 12
"""Factors at which the beliefs in products hold; with more there are more products, and each is believed in less."""

# Sizes of coefficients in standard deviations of the noise, squared, and variance between blocks over variance within: unknown both. A search
# takes the likeliest; chances are means over all sizes.
_SIZES = (0.03, 0.06, 0.12, 0.24, 0.48, 0.96, 1.9, 3.8)
# Sizes of which the first models make less than e⁻⁹ of the likeliest one are passed over in means.
_FIRST, _HOPELESS = 20, 9.0
_RATIOS = (0.0, 0.3, 1.0, 4.0, 25.0)
# What is believed of the noise before any response: worth two responses at a tenth of their spread, so that a perfect fit of few proves little.
_BELIEF, _SHARE = 2.0, 0.1
_BOUNDED = (1e-20, 1e20)


class Space(NamedTuple):
    """The terms of some factors, with their prior.

    Attributes:
        factors: how many; of several levels, each alternative to the baseline's counts as one (`factorial_levels`).
        first, second: shape (terms,): a term's factors; the same one twice for a factor alone. Factors come first.
        main: shape (factors,), log odds that it matters.
        product: shape (3, terms), log odds of a product where none, one or both of its factors matter; factors' own are not read.
        absent: shape (factors + 1,): log probability that no other product matters, by how many factors do.
    """

    factors: int
    first: Terms
    second: Terms
    main: Array
    product: Array
    absent: Array

    @property
    def terms(self) -> int:
        """How many; also the number that pads models."""
        return len(self.first)

    def columns(self, rows: Array) -> Array:
        """Values of the terms in rows of the factors' own, shape (rows, terms)."""
        found = rows[:, self.first] * rows[:, self.second]
        found[:, : self.factors] = rows
        return np.asarray(found, dtype=np.float64)


def space(factors: int, belief: Array | None = None) -> Space:
    """The terms of so many factors.

    Args:
        factors: at least 1.
        belief: shape (terms,), added to the log odds of each term: what is known from elsewhere; None: nothing.
    """
    one, two = np.triu_indices(factors, 1)
    alone = np.arange(factors)
    thin = min(1.0, (_PRODUCTS_AT - 1) / max(1, factors - 1))
    shares = np.array([_PRODUCTS[0] * thin**2, _PRODUCTS[1] * thin, _PRODUCTS[2]])
    chance = min(_LARGEST, _FACTORS / factors)
    added = np.zeros(factors + len(one)) if belief is None else np.asarray(belief, dtype=np.float64)
    m = np.arange(factors + 1)
    pairs = np.stack([(factors - m) * (factors - m - 1) / 2, m * (factors - m), m * (m - 1) / 2])
    return Space(
        factors,
        np.concatenate([alone, one]),
        np.concatenate([alone, two]),
        log(chance / (1 - chance)) + added[:factors],
        np.log(shares / (1 - shares))[:, None] + added,
        np.log1p(-shares) @ pairs,
    )


def log_prior(of: Space, models: Terms) -> Array:
    """Of each model, shape (models,), not normalised."""
    alone = _alone(of, models)
    products = (models >= of.factors) & (models < of.terms)
    safe = np.where(products, models, 0)
    parents = np.take_along_axis(alone, of.first[safe], 1) + np.take_along_axis(alone, of.second[safe], 1)
    of_products = np.sum(np.where(products, of.product[parents, safe], 0.0), axis=1)
    return np.asarray(alone @ of.main + of_products + of.absent[alone.sum(axis=1)])


class Evidence:
    """What responses say of models, at a size of the coefficients and a ratio of variances, or over all sizes.

    Coefficients have a product moment prior of order 3: a normal density whose standard deviation is tied to the noise, times the sixth power
    of each. So a term whose effect is nil is unlikely and not merely needless, and its absence is learned about as fast as its presence.
    Intercept and block effects are integrated out, the latter as random effects.

    Args:
        of: the terms.
        columns: their values, shape (n, terms), at least 4 rows.
        values: responses, shape (n,), finite.
        blocks: shape (n,), whole numbers.

    Source: Johnson and Rossell 2012 (product moment priors); O'Hagan and Forster, Kendall's Advanced Theory of Statistics 2B (conjugate
    linear model); Chipman 1996 (priors of products that depend on their factors).
    """

    def __init__(self, of: Space, columns: Array, values: Array, blocks: NDArray[np.intp]) -> None:
        self.space = of
        centred = values - values.mean()
        self._n = len(values)
        self._floor = self._n * max((1e-12 * float(np.abs(values).max())) ** 2, 1e-300)
        self._believed = _BELIEF * (_SHARE**2 * float(centred @ centred) / self._n)
        design = np.column_stack([np.ones(self._n), columns, centred])
        member = blocks[None, :] == np.unique(blocks)[:, None]
        self._whole, self._sums, self._sizes = design.T @ design, member @ design, member.sum(axis=1)
        self.look(_SIZES[1], _RATIOS[0])

    def tune(self, models: Terms) -> None:
        """Takes the size and the ratio that are likeliest under these models, one after the other from where they stand."""
        prior = log_prior(self.space, models)
        self._tune_size(prior, models)
        if len(self._sizes) < 2:
            return
        before, likely = self.ratio, []
        for ratio in _RATIOS:
            self.look(self.size, ratio)
            likely.append(float(np.logaddexp.reduce(prior + self.fit(models)[0])))
        self.look(self.size, _RATIOS[int(np.argmax(likely))])
        if self.ratio != before:
            self._tune_size(prior, models)

    def _tune_size(self, prior: Array, models: Terms) -> None:
        self.size = _SIZES[int(np.argmax(self._of_sizes(prior, models)))]

    def _of_sizes(self, prior: Array, models: Terms) -> Array:
        """Log weight of these models together at each size."""
        likely = []
        for self.size in _SIZES:
            likely.append(np.logaddexp.reduce(prior + self.fit(models)[0]))
        return np.array(likely)

    def fit(self, models: Terms) -> tuple[Array, Array, Array, Array]:
        """Log evidence, shape (models,); coefficients, shape (models, width); their covariance over the noise; variance of the noise."""
        gram, toward = self._gram[models[:, :, None], models[:, None, :]], self._toward[models]
        precision = gram + np.eye(models.shape[1]) / self.size
        covariance = np.linalg.inv(precision)
        coefficients = np.einsum("mpq,mq->mp", covariance, toward)
        left = self._total - np.einsum("mp,mp->m", coefficients, toward)
        logdet = np.linalg.slogdet(precision)[1]
        evidence, variance = self._evidence(left, logdet + models.shape[1] * log(self.size))
        spread = np.diagonal(covariance, axis1=1, axis2=2)
        moment = self._moment(coefficients, spread, variance[:, None])
        return np.asarray(evidence + np.log(moment).sum(axis=1)), np.asarray(coefficients), np.asarray(covariance), variance

    def averaged(self, models: Terms) -> tuple[Array, Array, float, float]:
        """Posterior weight of each model, summing to 1, its weighted coefficients, the noise, and the size: means over all sizes of coefficients.

        The likeliest size alone makes a model too sure of itself where few terms, or none, tell what sizes there are. Sizes that the first
        models, which should be the likeliest ones, make hopeless are passed over.
        """
        best, prior = self.size, log_prior(self.space, models)
        likely = self._of_sizes(prior[:_FIRST], models[:_FIRST])
        sizes = np.array(_SIZES)[likely > likely.max() - _HOPELESS]
        weights, coefficients, deviations = [], [], []
        for self.size in sizes.tolist():
            evidence, found, _, variance = self.fit(models)
            weights.append(prior + evidence)
            coefficients.append(found)
            deviations.append(variance)
        self.size = best
        share = np.array(weights)
        share = np.exp(share - np.logaddexp.reduce(share, axis=None))
        mean = np.einsum("sm,smp->mp", share, np.array(coefficients))
        size = float(np.exp(share.sum(axis=1) @ np.log(sizes)))
        return np.asarray(share.sum(axis=0)), np.asarray(mean), float(np.sqrt(np.sum(share * np.array(deviations)))), size

    def exchanged(self, models: Terms) -> Array:
        """Log posterior weight of each model with one of its places given to each term, shape (models, width, terms + 1).

        A term that is given its own place, or a padded one, is an addition; padding in its place drops it. Models that would have a term twice
        have weight 0. All of them come from the models' own inverses, by bordering and its undoing.
        """
        of, count = self.space, self.space.terms
        gram, toward = self._gram[models[:, :, None], models[:, None, :]], self._toward[models]
        precision = gram + np.eye(models.shape[1]) / self.size
        inverse = np.linalg.inv(precision)
        logdet = np.linalg.slogdet(precision)[1] + models.shape[1] * log(self.size)
        old = np.einsum("mpq,mq->mp", inverse, toward)
        left = self._total - np.einsum("mp,mp->m", old, toward)
        cross = self._gram[models]
        along = np.einsum("mpq,mqj->mpj", inverse, cross)
        own = np.maximum(np.diagonal(self._gram) + 1 / self.size - np.einsum("mpj,mpj->mj", cross, along), 1e-9)
        rest = self._toward - np.einsum("mpj,mp->mj", cross, old)
        new = rest / own
        # With the new term, then without the place's old one: b is coefficients, s their covariance over the noise.
        b = old[:, :, None] - along * new[:, None, :]
        s = np.diagonal(inverse, axis1=1, axis2=2)[:, :, None] + along**2 / own[:, None, :]
        left_after = (left[:, None] - rest * new)[:, None, :] + b**2 / s
        logdet_after = (logdet[:, None] + np.log(own))[:, None, :] + np.log(s)
        evidence, variance = self._evidence(left_after, logdet_after)
        mixed = inverse[:, :, :, None] + along[:, :, None, :] * along[:, None, :, :] / own[:, None, None, :]
        share = mixed / s[:, :, None, :]
        others = b[:, None, :, :] - share * b[:, :, None, :]
        spread = s[:, None, :, :] - share * mixed
        places = np.arange(models.shape[1])
        spread[:, places, places] = self.size  # of the place itself, which counts as padding
        moment = self._moment(others, spread, variance[:, :, None, :]).prod(axis=2)
        entering = new[:, None, :] + along / own[:, None, :] * b / s
        own_spread = 1 / own[:, None, :] - (along / own[:, None, :]) ** 2 / s
        moment *= self._moment(entering, own_spread, variance)
        weight = evidence + np.log(moment) + _prior_exchanged(of, models)
        twice = (models[:, None, :, None] == np.arange(count)) & ~np.eye(models.shape[1], dtype=bool)[None, :, :, None]
        weight[:, :, :count][twice.any(axis=2)] = -np.inf
        return np.asarray(weight)

    def _evidence(self, left: Array, logdet: Array) -> tuple[Array, Array]:
        degrees = self._n - 1 + _BELIEF
        variance = (np.maximum(left, self._floor) + self._believed) / degrees
        return self._constant - 0.5 * logdet - 0.5 * degrees * np.log(variance), variance

    def _moment(self, coefficients: Array, spread: Array, variance: Array) -> Array:
        """Factors by which the sixth powers change the evidence; 1 for padding. Bounded, so that many of them have a product."""
        square, uncertain = coefficients * coefficients, spread / self.size
        square /= self.size * variance
        # (s³ + 15 s²u + 45 su² + 15 u³) / 15, the sixth moment of a normal value, as nested products.
        sixth = square / 15 + uncertain
        sixth *= square
        twice = uncertain * uncertain
        sixth += 3 * twice
        sixth *= square
        twice *= uncertain
        sixth += twice
        return np.asarray(np.clip(sixth, *_BOUNDED, out=sixth))

    def look(self, size: float, ratio: float) -> None:
        """Takes this size and ratio: sums of products with intercept and blocks taken out."""
        self.size, self.ratio = size, ratio
        taken = ratio / (1 + ratio * self._sizes)
        inner = self._whole - self._sums.T @ (taken[:, None] * self._sums)
        inner = inner - np.outer(inner[:, 0], inner[0]) / inner[0, 0]
        count = self.space.terms
        self._gram = np.zeros((count + 1, count + 1))
        self._gram[:count, :count] = inner[1:-1, 1:-1]
        self._toward = np.append(inner[1:-1, -1], 0.0)
        self._total = float(inner[-1, -1])
        between = float(np.sum(np.log1p(ratio * self._sizes)))
        self._constant = -0.5 * between - 0.5 * float(np.log(np.sum(self._sizes / (1 + ratio * self._sizes))))


def _alone(of: Space, models: Terms) -> NDArray[np.intp]:
    """1 where a factor is a term by itself, shape (models, factors)."""
    return np.asarray((models[:, :, None] == np.arange(of.factors)).any(axis=1), dtype=np.intp)


def _prior_exchanged(of: Space, models: Terms) -> Array:
    """Log prior of each model with each place given to each term, shape (models, width, terms + 1)."""
    count, width = len(models), models.shape[1]
    reduced = np.repeat(models[:, None, :], width, axis=1)
    reduced[:, np.arange(width), np.arange(width)] = of.terms
    flat = reduced.reshape(count * width, width)
    base, alone = log_prior(of, flat), _alone(of, flat)
    found = np.empty((count * width, of.terms + 1))
    found[:, -1] = base
    parents = alone[:, of.first[of.factors :]] + alone[:, of.second[of.factors :]]
    found[:, of.factors : -1] = base[:, None] + of.product[parents, np.arange(of.factors, of.terms)]
    # A factor that comes in makes the products that it is in likelier, and leaves more that could have been there.
    products = (flat >= of.factors) & (flat < of.terms)
    safe = np.where(products, flat, 0)
    number = np.take_along_axis(alone, of.first[safe], 1) + np.take_along_axis(alone, of.second[safe], 1)
    gain = np.where(products, of.product[np.minimum(number + 1, 2), safe] - of.product[number, safe], 0.0)
    lines = np.repeat(np.arange(count * width), width)
    likelier = np.zeros((count * width, of.factors))
    np.add.at(likelier, (lines, of.first[safe].ravel()), gain.ravel())
    np.add.at(likelier, (lines, of.second[safe].ravel()), gain.ravel())
    size = alone.sum(axis=1)
    more = of.absent[np.minimum(size + 1, of.factors)] - of.absent[size]
    found[:, : of.factors] = (base + more)[:, None] + of.main + likelier
    return found.reshape(count, width, of.terms + 1)
