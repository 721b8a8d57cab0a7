"""Factors of several levels among the terms of a sparse model: each alternative to the baseline's level is a term, beside its products.

An alternative's column is 2 (w - p), with w 1 where it is and 0 elsewhere, and p = 1 / levels, the share of trials that have it. So twice its
coefficient is the change from the baseline's level to it, averaged over the other factors; four times a product's is what two alternatives of
two factors do together beyond what each does alone; and with one alternative the column is -1 and +1. Alternatives of one factor never stand in
one product, and each is believed in by itself: that two of them matter counts for no model and against none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assay.stats.factorial_models import Space, space
from assay.stats.simultaneous import Array

Codes = NDArray[np.intp]
"""Shape (trials, factors): 0 the baseline's level, then the alternatives from 1."""


def levelled(alternatives: Sequence[int], belief: Array | None = None) -> Space:
    """The terms of factors with so many alternatives each, those of the first factor first.

    Args:
        alternatives: at least 1 of each factor.
        belief: shape (terms,), added to the log odds of each term: what is known from elsewhere; None: nothing.

    >>> levelled([2, 1]).terms  # a1, a2, b, a1 b, a2 b
    5
    """
    owners = np.repeat(np.arange(len(alternatives)), alternatives)
    of = space(len(owners))
    kept = (np.arange(of.terms) < of.factors) | (owners[of.first] != owners[of.second])
    # Absent products are counted as if those that cannot be were spread evenly over all pairs.
    share = (kept.sum() - of.factors) / max(1, of.terms - of.factors)
    added = np.zeros(int(kept.sum())) if belief is None else np.asarray(belief, dtype=np.float64)
    return of._replace(
        first=of.first[kept],
        second=of.second[kept],
        main=of.main + added[: of.factors],
        product=of.product[:, kept] + added,
        absent=of.absent * share,
    )


def signs(codes: Codes, alternatives: Sequence[int]) -> Array:
    """Of each alternative +1 where it is, -1 at the baseline's level and 0 at another one, shape (trials, alternatives of all)."""
    return np.asarray(_here(codes, alternatives) - (codes == 0)[:, np.repeat(np.arange(len(alternatives)), alternatives)])


def centred(codes: Codes, alternatives: Sequence[int]) -> Array:
    """Columns of the alternatives, shape (trials, alternatives of all)."""
    share = 1 / (1 + np.repeat(alternatives, alternatives))
    return np.asarray(2 * (_here(codes, alternatives) - share))


def _here(codes: Codes, alternatives: Sequence[int]) -> Array:
    return np.column_stack(
        [codes[:, factor] == level for factor, most in enumerate(alternatives) for level in range(1, most + 1)]
    ).astype(np.float64)
