"""A recipe: what determines a result and is known before the start."""

from __future__ import annotations

from typing import Any

from assay.records.canonical import Record, identify


class Recipe(Record, frozen=True, kw_only=True, tag_field="assay", tag="recipe/1"):
    """Code, command, parameters, seed, settings and environment of one computation.

    Never holds a result, a time, a host or hardware: two machines that would do the same thing have the same recipe.

    Attributes:
        code: id of the code tree; None where no project folder was found.
        command: arguments, with paths below the root written relative to it; empty for a function called in a live process.
        directory: working directory relative to the root, "." for the root itself.
        function: "module:qualified name" of the called function, with "#digest" of what it closes over; None for a command.
        params: parameters as nested plain values.
        seed: the seed the run was started with; None where nobody set one.
        threads: thread-count variables that were set (OMP_NUM_THREADS …).
        flags: other settings that can change a result (PYTHONHASHSEED, CUBLAS_WORKSPACE_CONFIG …).
        python: implementation and version, "CPython 3.11.7"; None where no interpreter could be asked before the start.
        packages: id of the `Packages` record; None as above.
        data: declared inputs: path (relative to the root where below it) to content id.
    """

    code: str | None = None
    command: tuple[str, ...] = ()
    directory: str = "."
    function: str | None = None
    params: dict[str, Any] = {}
    seed: int | None = None
    threads: dict[str, str] = {}
    flags: dict[str, str] = {}
    python: str | None = None
    packages: str | None = None
    data: dict[str, str] = {}

    @property
    def id(self) -> str:
        """BLAKE3 of the canonical bytes."""
        return identify(self)
