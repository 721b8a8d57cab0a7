"""What a run printed, stream by stream, and what each rank of a distributed program did."""

from __future__ import annotations

from assay.errors import InvalidValue
from assay.records.run import Run
from assay.store.store import Store
from assay.tracking.printed import STREAMS


def printed(store: Store, run: Run) -> dict[str, bytes]:
    """Stream ("stdout", "stderr", "terminal" where both were one, "rank0" …) to what was printed there, without secrets.

    Of a run that has not ended: until now. A run that lives inside a program has none.

    Raises:
        MissingContent: the store lacks one.
    """
    if run.result is not None:
        return {name: store.objects.get(content) for name, content in sorted(run.result.output.items())}
    files = {name: store.runs.folder(run.id) / name for name in STREAMS}
    return {name: path.read_bytes() for name, path in files.items() if path.exists()}


def of_rank(streams: dict[str, bytes], number: int) -> bytes:
    """What one rank printed.

    Raises:
        InvalidValue: the run had no such rank.
    """
    found = streams.get(f"rank{number}")
    if found is None:
        known = ", ".join(name.removeprefix("rank") for name in streams if name.startswith("rank"))
        raise InvalidValue(
            "this run has no such rank", value=number, expected=f"one of {known}" if known else "a run of several ranks",
            next_step="Without --rank, `assay show RUN --output` prints what all of it printed.",
        )  # fmt: skip
    return found
