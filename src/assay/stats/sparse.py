"""Sparse models of a response over two-level units: which few of many units, alone or together, move it.

A unit is a bit; a state of all units is an integer, bit u set where unit u is at its second level. A term is an integer too: it is 1 where
all its bits are set (one bit: a main effect, two: a product), so a response is intercept + sum of coefficients of the terms that hold.
A model is a few terms. Term 0 is padding and holds nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations
from math import comb, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.stats.simultaneous import Array

Bits = NDArray[np.int64]
Model = tuple[int, ...]

WIDTH = 6
"""Most terms of a model."""

UNITS = 12
"""Most units at a time: with structures of up to three units there are then about 2,100 models."""

# Prior mass of one, two, three … units that matter: a changed metric mostly has one cause, seldom more than two.
_SPARSE = (0.0, 0.62, 0.28, 0.08, 0.015, 0.004, 0.001)
# The same where it is known of every unit that it does something.
_DENSE = (0.0, 0.45, 0.33, 0.14, 0.05, 0.02, 0.01)
# Shares of the structures within a number of units: apart, only all together, and what lies between.
_APART, _TOGETHER, _BETWEEN, _RARE = 0.4, 0.3, 0.28, 0.02


class Models(NamedTuple):
    """Models with their prior.

    Attributes:
        terms: shape (models, WIDTH), padded with 0.
        log_prior: shape (models,), not normalised.
    """

    terms: Bits
    log_prior: Array


def support(model: Iterable[int]) -> int:
    """Every unit that has a part in the model, as bits."""
    bits = 0
    for term in model:
        bits |= term
    return bits


def bits_of(state: int) -> list[int]:
    """The numbers of the bits that are set, ascending."""
    return [bit for bit in range(state.bit_length()) if state >> bit & 1]


@lru_cache(maxsize=64)
def first_models(weights: tuple[float, ...], *, products: bool = True, dense: bool = False) -> Models:
    """Every model of up to three units in one of the usual structures, in which all of them have a part.

    For two units: apart, only together, one that the other modifies, all of these at once. For three: apart, one beside a pair that acts
    together or interacts, only all together. What lies beyond is reached by `neighbours`.

    Args:
        weights: one for each unit, relative prior odds that it matters, > 0.
        products: False where only single effects can be told (states along a chain).
        dense: every unit is known to do something, so that several are likelier to matter.
    """
    found = [
        model
        for number in (1, 2, 3)
        for units in combinations(range(len(weights)), number)
        for model in _structures(units, products)
    ]
    return weighted(found, weights, dense=dense)


def weighted(models: Sequence[Model], weights: Sequence[float], *, dense: bool = False) -> Models:
    """The models with their prior: by number of units, then by structure, then by the weights of the units."""
    terms = np.zeros((len(models), WIDTH), dtype=np.int64)
    for row, model in enumerate(models):
        terms[row, : len(model)] = model
    return Models(terms, np.array([_log_prior(model, weights, _DENSE if dense else _SPARSE) for model in models]))


def neighbours(model: Model, units: int, *, products: bool = True) -> Iterator[Model]:
    """Models that have one term more, one less, or one exchanged: main effects of all units, and products that touch the model."""
    mine = bits_of(support(model))
    mains = [1 << unit for unit in range(units)]
    pairs = {1 << a | 1 << b for a in mine for b in range(units) if a != b} if products else set()
    whole = {support(model)} if products and len(mine) > 1 else set()
    new = [term for term in sorted({*mains, *pairs, *whole}) if term not in model]
    less = [tuple(term for term in model if term != gone) for gone in model if len(model) > 1]
    yield from less
    for term in new:
        if len(model) < WIDTH:
            yield tuple(sorted((*model, term)))
        for rest in less:
            yield tuple(sorted((*rest, term)))


def _structures(units: tuple[int, ...], products: bool) -> Iterator[Model]:
    mains = [1 << unit for unit in units]
    yield tuple(mains)
    if len(units) == 1 or not products:
        return
    together = sum(mains)
    yield (together,)
    if len(units) == 2:
        yield from ((main, together) for main in mains)
        yield (*mains, together)
        return
    for alone in mains:
        pair = together - alone
        yield tuple(sorted((alone, pair)))
        yield tuple(sorted((*mains, pair)))


def _log_prior(model: Model, weights: Sequence[float], by_number: Sequence[float]) -> float:
    units = bits_of(support(model))
    number = min(len(units), len(by_number) - 1)
    odds = sum(log(weights[unit]) for unit in units)
    return log(by_number[number] / comb(len(weights), len(units))) + odds + log(_share(model, len(units)))


def _share(model: Model, units: int) -> float:
    single = [term for term in model if term.bit_count() == 1]
    if units == 1:
        return 1.0
    if len(single) == len(model):
        return _APART
    if len(model) == 1:
        return _TOGETHER
    if len(model) <= units + 1 and len(model) - len(single) == 1:
        return _BETWEEN / (3 if units == 2 else 2 * units)
    return _RARE
