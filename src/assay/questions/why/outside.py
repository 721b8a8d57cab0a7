"""Differences of code from beyond the project: editable installations, sibling folders, PYTHONPATH."""

from __future__ import annotations

import msgspec

from assay.capture.outside import interpreter_folders, loaded_outside
from assay.execution.again import Original
from assay.questions.why.flips import Flip, Variant
from assay.records.trace import FileUse
from assay.store.store import Store


class OutsidePart:
    """Files that both runs loaded from the same place outside the project, with other contents. They are laid beside the variant's code."""

    def __init__(self, store: Store, good: Original, bad: Original) -> None:
        self._a, self._b = (
            {use.path: use for use in loaded_outside(side.trace.loaded, interpreter_folders(side.environment))}
            for side in (good, bad)
        )
        differing = sorted(path for path in self._a.keys() & self._b.keys() if self._a[path].id != self._b[path].id)
        self.flips = [self._flip(store, path) for path in differing]

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """The variant with the code of the combination among what it loads from outside."""
        uses = {**self._b, **self._a}
        for flip in self.flips:
            if flip.key in bad:
                uses[flip.name] = self._b[flip.name]
        original = variant.original
        rest = tuple(use for use in original.trace.loaded if use.path not in uses)
        trace = msgspec.structs.replace(original.trace, loaded=(*rest, *uses.values()))
        return variant._replace(original=original._replace(trace=trace))

    def _flip(self, store: Store, path: str) -> Flip:
        sides = (self._a[path], self._b[path])
        lost = next((use for use in sides if not use.id or use.id not in store.objects), None)
        barred = f"the store does not have what {path} was" if lost is not None else ""
        return Flip("code", path, _shown(sides[0]), _shown(sides[1]), barred=barred)


def _shown(use: FileUse) -> str:
    return use.id or "unknown content"
