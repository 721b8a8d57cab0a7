"""When two numbers are the same, and when they are close: the scale on which everything else here is read."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from assay.errors import InvalidValue
from assay.records.verdict import RANKS, Sameness

RTOL = 1e-6
ATOL = 1e-9


class Tolerance(NamedTuple):
    """How far two numbers may lie apart and still be numerically the same: ``|a - b| <= atol + rtol * max(|a|, |b|)``.

    The larger magnitude is taken, so that the answer does not depend on which run is named first.
    """

    rtol: float = RTOL
    atol: float = ATOL


class Yardstick(NamedTuple):
    """What a comparison of contents is made with: the tolerance, and each run's root, since a result may name its own folder."""

    tolerance: Tolerance = Tolerance()
    root_a: str = ""
    root_b: str = ""


def tolerance_for(tolerances: Mapping[str, tuple[float, float]], name: str) -> Tolerance:
    """The tolerance that holds for `name`: its own, or the default (rtol 1e-6, atol 1e-9). "loss [output]" has that of "loss".

    Raises:
        InvalidValue: a bound is negative or NaN.
    """
    given = tolerances.get(name) or tolerances.get(name.rpartition(" [")[0])
    tolerance = Tolerance(*given) if given else Tolerance()
    for bound in tolerance:
        if not bound >= 0:
            raise InvalidValue(
                f"this is no tolerance for {name}",
                value=bound,
                expected="a number from 0 upwards",
                next_step=f"Write --tol {name}=1e-6 or --tol {name}=1e-6,1e-9 (relative, absolute).",
            )
    return tolerance


def is_given(tolerances: Mapping[str, tuple[float, float]], name: str) -> bool:
    """Whether `name` has a tolerance of its own among these, as `tolerance_for` looks for it."""
    return name in tolerances or name.rpartition(" [")[0] in tolerances


def number_sameness(a: float, b: float, tolerance: Tolerance) -> Sameness:
    """Identical: the same bits, any NaN being any other. Integers are counts and labels: they agree exactly or not at all.

    >>> number_sameness(float("nan"), float("nan"), Tolerance()), number_sameness(0.1 + 0.2, 0.3, Tolerance())
    ('identical', 'numerical')
    """
    if isinstance(a, int) and isinstance(b, int):
        return "identical" if a == b else "not reproduced"
    try:
        return _float_sameness(float(a), float(b), tolerance)
    except OverflowError:  # an integer beyond the range of floats
        return "identical" if a == b else "not reproduced"


def _float_sameness(a: float, b: float, tolerance: Tolerance) -> Sameness:
    if math.isnan(a) or math.isnan(b):
        return "identical" if math.isnan(a) and math.isnan(b) else "not reproduced"
    if struct.pack("<d", a) == struct.pack("<d", b):
        return "identical"
    if math.isinf(a) or math.isinf(b):
        return "not reproduced"
    near = abs(a - b) <= tolerance.atol + tolerance.rtol * max(abs(a), abs(b))
    return "numerical" if near else "not reproduced"


def worst(samenesses: Iterable[Sameness]) -> Sameness:
    """The least of them; identical where there is none."""
    return min(samenesses, key=RANKS.__getitem__, default="identical")
