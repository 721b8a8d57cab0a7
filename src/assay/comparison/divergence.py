"""Where two runs part first: a layer or a series at a step, else a file."""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence

from assay.comparison.closeness import Tolerance, number_sameness
from assay.comparison.curves import Curve
from assay.records.verdict import Divergence, FileComparison

_ABSENT = Curve((), ())


def first_parting(name: str, a: Curve | None, b: Curve | None) -> Divergence | None:
    """The first point at which two series are not the same, bit for bit; None where they are the same throughout."""
    a, b = a or _ABSENT, b or _ABSENT
    if a.steps == b.steps and array("d", a.values).tobytes() == array("d", b.values).tobytes():
        return None
    for position, (one, other) in enumerate(itertools.zip_longest(_points(a), _points(b))):
        same = one and other and one[0] == other[0] and number_sameness(one[1], other[1], Tolerance(0, 0)) == "identical"
        if not same:
            return _at(name, position, one, other)
    return None


def _points(curve: Curve) -> Iterator[tuple[int | None, float]]:
    return zip(curve.steps, curve.values, strict=True)


def _at(name: str, position: int, a: tuple[int | None, float] | None, b: tuple[int | None, float] | None) -> Divergence:
    present = a or b or (None, math.nan)
    return Divergence(kind="metric", name=name, position=position, step=present[0], a=a[1] if a else None, b=b[1] if b else None)


def first_divergence(
    a: Mapping[str, Curve], b: Mapping[str, Curve], files: Iterable[FileComparison], layer: Divergence | None = None
) -> Divergence | None:
    """The earliest parting of any result: the smallest step (its position where no step was counted), then the order of logging.

    `layer`, where one parts, stands before all metrics but those that part at a smaller step: they follow from it. Measurements never part
    runs. A file is named only where nothing else parts, since nothing says when it was written.
    """
    names = [*a, *(name for name in b if name not in a)]
    partings = [first_parting(name, a.get(name), b.get(name)) for name in names if not is_measured(name, a, b)]
    found = [parting for parting in partings if parting is not None]
    if layer is not None:
        before = [parting for parting in found if None not in (parting.step, layer.step) and _when(parting) < _when(layer)]
        return min(before, key=_when, default=layer)
    if found:
        return min(found, key=_when)
    return next(_file_partings(files), None)


def is_measured(name: str, a: Mapping[str, Curve], b: Mapping[str, Curve]) -> bool:
    """Whether either run says that this metric is a measurement."""
    return any(curve.measured for curve in (a.get(name), b.get(name)) if curve is not None)


def _when(parting: Divergence) -> int:
    return parting.step if parting.step is not None else parting.position or 0


def _file_partings(files: Iterable[FileComparison]) -> Iterator[Divergence]:
    for severity in ("not reproduced", "numerical"):
        for file in _severe(files, severity):
            yield Divergence(kind="file", name=file.path, a=file.a, b=file.b)


def _severe(files: Iterable[FileComparison], severity: str) -> Sequence[FileComparison]:
    return [file for file in files if file.counts and file.sameness == severity]
