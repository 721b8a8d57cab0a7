"""What two components are to each other, by what flipping each does alone and beside the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from assay.records.factor import Factor

Pairing = Literal["redundant", "together", "depends"]


def pairing(nothing: Literal["alone", "given"], added: int) -> Pairing:
    """Whether either of two does the work of both, neither does anything without the other, or one needs the other gone.

    Where two that are there are taken away, nothing alone means that the other still does the work. Where two that are not there are put in, it
    means that each lacks the other.

    Args:
        nothing: when flipping one of the two does nothing: alone, with the other as in the baseline, or given that the other is flipped.
        added: how many of the two the baseline does not have, so that flipping them puts them in.

    >>> pairing("alone", 0), pairing("alone", 2), pairing("given", 2), pairing("given", 1)
    ('redundant', 'together', 'redundant', 'depends')
    """
    if added == 1:
        return "depends"
    return "redundant" if (nothing == "alone") == (added == 0) else "together"


def added_of(components: Iterable[str], factors: Sequence[Factor]) -> int:
    """How many of these components are such as the study puts in."""
    puts_in = {factor.name for factor in factors if factor.kind == "add"}
    return sum(name in puts_in for name in components)
