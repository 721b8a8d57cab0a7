"""What the trials of a block of commands share: made once by a run of its own, put into the folder of each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from assay.records.trace import Trace

PREPARED = "assay-prepared"
"""File or folder, in the working directory, that a preparation writes and trials read: a relative name, so that recipes are alike."""


class Prepared(NamedTuple):
    """What a block was prepared with.

    Attributes:
        run: id of the run that prepared it; None where nothing was to be prepared.
        files: path relative to the root, to content id.
    """

    run: str | None = None
    files: Mapping[str, str] = MappingProxyType({})


def prepared_path(directory: str) -> str:
    """Where it lies, relative to the root.

    >>> prepared_path("."), prepared_path("models/small")
    ('assay-prepared', 'models/small/assay-prepared')
    """
    return os.path.normpath(os.path.join(directory, PREPARED))  # noqa: PTH118 - text


def files_prepared(trace: Trace, directory: str) -> dict[str, str]:
    """The files that a preparation left for its trials; none where one of them could not be kept."""
    place = prepared_path(directory)
    own = [use for use in trace.written if use.path == place or use.path.startswith(f"{place}/")]
    return {use.path: use.id for use in own if use.id is not None} if all(use.id and use.kept for use in own) else {}
