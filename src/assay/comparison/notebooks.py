"""Notebooks compared by what they run: the sources of their code cells, in order."""

from __future__ import annotations

import difflib

from assay.capture.notebooks import SUFFIX, as_text, cells_of
from assay.comparison.diff import Facts
from assay.errors import MissingContent
from assay.records.run import Run
from assay.store.objects import Objects
from assay.store.store import Store


def notebook_patches(store: Store, a: Run, b: Run) -> dict[str, str]:
    """For each notebook that both runs have with different code, a unified diff of its cells, for people to read.

    A line "# %%" stands before each cell. Notebooks that are not in this store are left out.

    Raises:
        MissingContent: a record of either run is not in this store.
    """
    one, other = Facts(store, a).code, Facts(store, b).code
    paths = sorted(path for path in one.keys() & other.keys() if path.endswith(SUFFIX) and one[path] != other[path])
    patches = {path: cells_patch(store.objects, path, _id(one[path]), _id(other[path])) for path in paths}
    return {path: text for path, text in patches.items() if text}


def cells_patch(objects: Objects, path: str, a: str, b: str) -> str:
    """The cells of two contents as a unified diff; empty where they are the same, or where either is no notebook that is here."""
    texts = [_lines(objects, content) for content in (a, b)]
    if texts[0] is None or texts[1] is None:
        return ""
    return "".join(difflib.unified_diff(texts[0], texts[1], f"a/{path}", f"b/{path}"))


def _lines(objects: Objects, content: str) -> list[str] | None:
    try:
        cells = cells_of(objects.get(content))
    except MissingContent:
        return None
    return as_text(cells).splitlines(keepends=True) if cells is not None else None


def _id(entry: str) -> str:
    """The content of an entry of `Facts.code`, which has the kind of file before it where that is not the usual one."""
    return entry.rpartition(" ")[2]
