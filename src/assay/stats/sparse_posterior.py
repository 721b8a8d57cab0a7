"""Posterior over sparse models, given responses in blocks; and how much a further response would tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from assay.stats.simultaneous import Array
from assay.stats.sparse import Bits, Models

# Variance between blocks over variance within: unknown, so averaged over, with equal prior mass.
_RATIOS = (0.0, 2.0)
# What is believed of the noise before any response, in responses: enough that a perfect fit of four numbers proves nothing.
_BELIEF = 4.0


class Responses(NamedTuple):
    """What was measured.

    Attributes:
        states: shape (n,), which units were at their second level, as bits.
        values: shape (n,), finite.
        blocks: shape (n,), whole numbers; one value throughout where there are no blocks.
    """

    states: Bits
    values: Array
    blocks: Bits


class Posterior(NamedTuple):
    """What the responses say of each model.

    Attributes:
        log_weight: shape (models,), log of prior times evidence, up to a constant of the responses.
        coefficients: shape (models, WIDTH), posterior means; 0 for padding.
        covariance: shape (models, WIDTH, WIDTH), of the coefficients, in units of `variance`.
        intercept, variance: shape (models,), of a response.
    """

    log_weight: Array
    coefficients: Array
    covariance: Array
    intercept: Array
    variance: Array

    @property
    def probability(self) -> Array:
        """Of each model, shape (models,); sums to 1 over them."""
        return np.asarray(np.exp(self.log_weight - logsumexp(self.log_weight)), dtype=np.float64)

    def joined(self, other: Posterior) -> Posterior:
        """The models of both, from the same responses."""
        return Posterior(*(np.concatenate(parts) for parts in zip(self, other, strict=True)))


def columns(states: Bits, terms: Bits) -> Array:
    """1.0 where a term holds in a state, shape (*states, *terms)."""
    held = np.bitwise_and.outer(states, terms)
    return np.asarray((held == terms) & (terms != 0), dtype=np.float64)


def posterior(
    responses: Responses, models: Models, *, scale: float, noise: float, moments: bool = True, penalty: Array | None = None
) -> Posterior:
    """Normal regression of the responses on each model's terms, with a flat intercept, normal block effects, and a conjugate prior.

    Coefficients have a product moment prior: a normal density of standard deviation `scale` (tied to the noise variance, as conjugacy
    wants), times the square of each coefficient over its variance. So a term whose effect is nil is not merely needless but unlikely, and
    its absence can be learned about as fast as its presence. The noise variance has an inverse gamma prior worth four responses at `noise`.
    The normal part integrates in closed form (a Student t); the moments are taken one coefficient at a time.

    Args:
        responses: at least two.
        models: with their prior.
        scale: how large effects are, in the unit of the response, > 0.
        noise: standard deviation of a response, > 0; what is believed, not a bound.
        moments: False for a normal prior, where a term may well have an effect near nil.
        penalty: shape (models,), added to the log evidence.

    Source: Johnson and Rossell 2012 (product moment priors); O'Hagan and Forster, Kendall's Advanced Theory of Statistics 2B (conjugate
    linear model).
    """
    # Padding is column 0 whether or not a model has any.
    unique, index = np.unique(np.append(models.terms.ravel(), 0), return_inverse=True)
    index = index[:-1].reshape(models.terms.shape)
    x, single = columns(responses.states, unique), len(np.unique(responses.blocks)) < 2
    fits = [
        _fit(x, responses, index, ratio, (scale / noise) ** 2, noise, moments) for ratio in (_RATIOS[:1] if single else _RATIOS)
    ]
    log_evidence = np.stack([evidence for evidence, _ in fits]) + models.log_prior + (0.0 if penalty is None else penalty)
    best = np.argmax(log_evidence, axis=0)
    joint = np.asarray(logsumexp(log_evidence, axis=0))
    chosen = [
        np.take_along_axis(np.stack(parts), _like(best, parts[0]), axis=0)[0]
        for parts in zip(*(fit for _, fit in fits), strict=True)
    ]
    return Posterior(joint, *chosen)


def expected(fitted: Posterior, models: Models, states: Bits) -> tuple[Array, Array]:
    """Mean and standard deviation of a response at each state under each model, shape (states, models) both; block effects left out."""
    x = columns(states, models.terms)
    mean = fitted.intercept + np.einsum("smp,mp->sm", x, fitted.coefficients)
    spread = np.einsum("smp,mpq,smq->sm", x, fitted.covariance, x)
    return mean, np.sqrt(fitted.variance * (1 + spread))


def overlap(mean: Array, sd: Array) -> Array:
    """How much two models expect the same (Bhattacharyya coefficient of their normal predictions), shape (states, models, models)."""
    square = sd**2
    total = square[:, :, None] + square[:, None, :]
    nearness = np.sqrt(2 * sd[:, :, None] * sd[:, None, :] / total)
    return np.asarray(nearness * np.exp(-0.25 * (mean[:, :, None] - mean[:, None, :]) ** 2 / total))


def _like(best: NDArray[np.intp], part: Array) -> NDArray[np.intp]:
    return best.reshape((1, -1) + (1,) * (part.ndim - 1))


def _fit(
    x: Array, responses: Responses, index: NDArray[np.intp], ratio: float, g: float, noise: float, moments: bool
) -> tuple[Array, tuple[Array, Array, Array, Array]]:
    """Log evidence of every model at one ratio of variances; coefficients, their covariance, intercepts, variances."""
    n = len(responses.values)
    same = responses.blocks[:, None] == responses.blocks[None, :]
    root = np.linalg.cholesky(np.eye(n) + ratio * same)
    # The centre keeps sums of squares from cancelling where the metric is large beside its changes.
    centre = float(np.mean(responses.values))
    whitened = solve_triangular(root, np.column_stack([np.ones(n), responses.values - centre, x]), lower=True)
    length = float(np.linalg.norm(whitened[:, 0]))
    along = whitened[:, 0] @ whitened[:, 1:] / length
    rest = whitened[:, 1:] - np.outer(whitened[:, 0] / length, along)
    gram, toward, total = rest[:, 1:].T @ rest[:, 1:], rest[:, 1:].T @ rest[:, 0], float(rest[:, 0] @ rest[:, 0])
    precision = gram[index[:, :, None], index[:, None, :]] + np.eye(index.shape[1]) / g
    covariance = np.linalg.inv(precision)
    coefficients = np.einsum("mpq,mq->mp", covariance, toward[index])
    left = np.maximum(total - np.einsum("mp,mp->m", coefficients, toward[index]), 0.0)
    degrees = _BELIEF + n - 1
    variance = (_BELIEF * noise**2 + left) / degrees
    log_evidence = -0.5 * (np.linalg.slogdet(precision)[1] + index.shape[1] * np.log(g)) - 0.5 * degrees * np.log(
        variance / noise**2
    )
    log_evidence = log_evidence - float(np.sum(np.log(np.diag(root)))) - np.log(length)
    if moments:
        # Over the scale itself: tied to a noise variance that shrinks as exact responses gather, more terms would be ever likelier. Where a
        # model fits badly its variance grows, and what it leaves undetermined with it: over the scale, idle terms would be ever likelier.
        squares = coefficients**2 + variance[:, None] * np.diagonal(covariance, axis1=1, axis2=2)
        over = g * np.maximum(variance, noise**2)[:, None]
        log_evidence = log_evidence + np.sum(np.where(index > 0, np.log(squares / over), 0.0), axis=1)
    intercept = centre + (along[0] - np.einsum("mp,mp->m", coefficients, along[1:][index])) / length
    return log_evidence, (coefficients, covariance, intercept, variance)
