"""What can be flipped between two runs, and what a run is with some of it flipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from assay.execution.again import Original
from assay.records.verdict import DifferenceKind


class Flip(NamedTuple):
    """One difference between a good and a bad run, as a factor with two levels.

    Attributes:
        kind: of what it is a difference.
        name: path, parameter, package …; unique among the flips of its kind.
        a, b: what it is in the good and in the bad run; None where it is absent.
        weight: how likely it is to act, before anything was run: 1 for what the runs were seen to use.
        barred: why it cannot be flipped here; empty where it can.
        idle: why it cannot have acted, known without a run; empty where it may have.
    """

    kind: DifferenceKind
    name: str
    a: str | None
    b: str | None
    weight: float = 1.0
    barred: str = ""
    idle: str = ""

    @property
    def key(self) -> str:
        """What it is known by, unique among all flips of two runs."""
        return f"{self.kind} {self.name}"

    @property
    def is_open(self) -> bool:
        """Whether runs have to decide it."""
        return not self.barred and not self.idle


class Variant(NamedTuple):
    """What a combination of flips is carried out from, and with which Python (None: the one of the good run, or the current one)."""

    original: Original
    interpreter: Path | None = None


class Part(Protocol):
    """The differences of one kind. `apply` takes the keys of all flips that stand as in the bad run, and knows its own."""

    @property
    def flips(self) -> Sequence[Flip]:
        """The differences, barred and idle ones too."""
        ...

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """`variant`, which is the good run but for what other parts have changed, with the flips of this part in `bad` made.

        Raises:
            AssayError: this combination cannot be made; which one, the message says.
        """
        ...


def compose(good: Original, bad: Original, parts: Iterable[Part], on: frozenset[str]) -> Variant:
    """The variant in which the flips in `on` stand as in the bad run and all others as in the good one.

    With none and with all of them it is the one and the other run as they were recorded, down to the recipe, so that the runs that are
    there already stand for it; where a flip is barred, it has its level of today in every variant, these two included.

    Raises:
        AssayError: the combination cannot be made.
    """
    parts = list(parts)
    flips = [flip for part in parts for flip in part.flips]
    variant = Variant(good)
    for part in parts:
        variant = part.apply(variant, on)
    if any(flip.barred for flip in flips) or (on and on != {flip.key for flip in flips if flip.is_open}):
        return variant
    # What no recipe names by a path, or at all, is that of the combination.
    whole = bad if on else good
    return variant._replace(original=whole._replace(variables=variant.original.variables))
