"""Interaction indices of a game: what a set of players does together beyond what its parts do, averaged over the others."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, factorial
from typing import Literal

import numpy as np

from assay.errors import InvalidValue
from assay.stats.simultaneous import Array

Index = Literal["shapley", "banzhaf", "shapley-taylor"]
INDICES: tuple[Index, ...] = ("shapley", "banzhaf", "shapley-taylor")


def index_weights(players: int, chosen: int, index: Index = "shapley") -> Array:
    """Weight of every coalition's value in the index of a set of players, shape (2 ** players,), by the coalition's bits.

    Args:
        players: how many there are.
        chosen: the set, as bits; of one player it is the Shapley (or Banzhaf) value.
        index: "shapley", "banzhaf", or "shapley-taylor" of the order that the set has.

    Raises:
        InvalidValue: the set is empty or has others than the players.

    Source: Grabisch and Roubens 1999 (Shapley and Banzhaf interaction indices); Sundararajan, Dhamdhere and Agarwal 2020 (Shapley-Taylor).

    >>> index_weights(2, 0b11).tolist()
    [1.0, -1.0, -1.0, 1.0]
    """
    size = chosen.bit_count()
    if not 0 < chosen < 1 << players:
        raise InvalidValue("no set of players is this", value=chosen, expected=f"bits of 1 to {players} players")
    found = np.zeros(1 << players)
    for others in _subsets(~chosen & ((1 << players) - 1)):
        share = _share(players, size, others.bit_count(), index)
        for part in _subsets(chosen):
            found[others | part] += share * (-1) ** (size - part.bit_count())
    return found


def _share(players: int, size: int, others: int, index: Index) -> float:
    """How much one coalition of the others counts; over all of them the shares add up to 1."""
    if index == "banzhaf":
        return 0.5 ** (players - size)
    if index == "shapley-taylor":
        return size / players / comb(players - 1, others)
    return factorial(players - others - size) * factorial(others) / factorial(players - size + 1)


def _subsets(whole: int) -> Iterator[int]:
    """All subsets of a set, as bits."""
    part = whole
    while True:
        yield part
        if part == 0:
            return
        part = (part - 1) & whole
