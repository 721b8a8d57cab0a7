"""Files that are reached through the links of a code tree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from posixpath import dirname, join, normpath

from assay.comparison.diff import show_path
from assay.store.objects import Objects
from assay.store.tree import FileKind

_MOST = 40
"""Links that are followed for one path, as the kernel has it; more of them are a ring."""


class Links:
    """The links of one tree.

    Args:
        objects: has their targets.
        tree: path to kind and content id.
    """

    def __init__(self, objects: Objects, tree: Mapping[bytes, tuple[FileKind, str]]) -> None:
        self._targets = {show_path(path): os.fsdecode(objects.get(found)) for path, (kind, found) in tree.items() if kind == "link"}

    def resolved(self, path: str) -> str:
        """Where a path of the tree ends, links followed; a path that leaves the tree, or never ends, is returned as it is."""
        at = path
        for _ in range(_MOST if self._targets else 1):
            link = next((above for above in _ways(at) if above in self._targets), None)
            if link is None:
                return at
            at = normpath(join(dirname(link), self._targets[link], at[len(link) + 1 :]))
            if at.startswith(("/", "..")):
                return path
        return path


def _ways(path: str) -> list[str]:
    """The folders that a path leads through, from above, and itself."""
    parts = path.split("/")
    return ["/".join(parts[:number]) for number in range(1, len(parts) + 1)]
