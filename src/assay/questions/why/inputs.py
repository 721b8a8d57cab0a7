"""Differences of data: files that both runs read with other contents, in groups where there are many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import msgspec

from assay.execution.again import Original
from assay.execution.again.inputs import content_of
from assay.questions.why.flips import Flip, Variant
from assay.records.trace import FileUse
from assay.store.store import Store

_MOST = 8
"""Files of one folder that are flipped one by one; more of them are flipped together."""


class DataPart:
    """Files that were read and are no code.

    A file below the root can be given either content, where the store or the project has it. One that lies elsewhere is used in place,
    and cannot be flipped.

    Args:
        store: may have contents.
        root: the project's root now.
        good, bad: the runs.
        code: paths of both code trees, which are code.
    """

    def __init__(self, store: Store, root: Path, good: Original, bad: Original, code: Iterable[str]) -> None:
        self._store = store
        self._roots = tuple(dict.fromkeys((root, Path(good.run.start.root), Path(bad.run.start.root))))
        skipped = set(code)
        self._a, self._b = ({path: use for path, use in _inputs(side).items() if path not in skipped} for side in (good, bad))
        listed = {folder for side in (good, bad) for folder in side.trace.listed}
        differing = [
            path
            for path in sorted(self._a.keys() | self._b.keys())
            if (path in self._a and path in self._b and self._a[path].id != self._b[path].id)
            # What only one run read is there in either case, unless its mere presence could be seen.
            or ((path in self._a) != (path in self._b) and str(PurePosixPath(path).parent) in listed)
        ]
        self._groups = _grouped(differing)
        self.flips = [self._flip(name, paths) for name, paths in self._groups.items()]

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """The variant with the inputs of the combination."""
        uses = {**self._b, **self._a}
        for flip in self.flips:
            on = flip.key in bad
            for path in self._groups[flip.name]:
                chosen = self._as_it_is(uses[path]) if flip.barred else (self._b if on else self._a).get(path)
                if chosen is None:
                    uses.pop(path, None)
                else:
                    uses[path] = chosen
        folders = {str(PurePosixPath(path).parent) for paths in self._groups.values() for path in paths}
        original = variant.original
        trace = msgspec.structs.replace(
            original.trace,
            read=tuple(uses.values()),
            listed={folder: names for folder, names in original.trace.listed.items() if folder not in folders},
        )
        declared = {path: use.id for path, use in uses.items() if path in original.recipe.data and use.id}
        recipe = msgspec.structs.replace(original.recipe, data={**original.recipe.data, **declared})
        return variant._replace(original=original._replace(trace=trace, recipe=recipe))

    def _as_it_is(self, use: FileUse) -> FileUse | None:
        """What cannot be flipped has one content in every variant: the one that is there."""
        contents = (content_of(root / use.path) for root in self._roots)
        found = next((content for content in contents if content is not None), None)
        return None if found is None else msgspec.structs.replace(use, id=found)

    def _flip(self, name: str, paths: list[str]) -> Flip:
        barred = next((why for path in paths if (why := self._barred(path))), "")
        if len(paths) == 1:
            a, b = self._a.get(paths[0]), self._b.get(paths[0])
            return Flip("data", name, _shown(a), _shown(b), barred=barred)
        return Flip("data", name, f"{len(paths)} files", f"{len(paths)} other files", barred=barred)

    def _barred(self, path: str) -> str:
        sides = [use for use in (self._a.get(path), self._b.get(path)) if use is not None]
        if PurePosixPath(path).is_absolute():
            return "it lies outside the project, where files are used in place"
        if any(use.id is None for use in sides):
            return "what one run read there is not known"
        lost = [use for use in sides if not self._is_had(use)]
        return f"the content {(lost[0].id or '')[:12]} is neither in the store nor in the project any more" if lost else ""

    def _is_had(self, use: FileUse) -> bool:
        return (use.id or "") in self._store.objects or any(content_of(root / use.path) == use.id for root in self._roots)


def _inputs(side: Original) -> dict[str, FileUse]:
    declared = {} if side.recipe.function else side.recipe.data
    uses = {path: FileUse(path=path, id=content, by="declared") for path, content in declared.items()}
    return uses | {use.path: use for use in side.trace.read}


def _grouped(paths: list[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        folders[str(PurePosixPath(path).parent)].append(path)
    groups: dict[str, list[str]] = {}
    for folder, files in folders.items():
        groups |= {f"{folder}/": files} if len(files) > _MOST else {path: [path] for path in files}
    return groups


def _shown(use: FileUse | None) -> str | None:
    return None if use is None else use.id or "unknown content"
