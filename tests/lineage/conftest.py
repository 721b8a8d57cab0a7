"""A store of its own for each test of lineage, and runs in it that read and wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.records.recipe import Recipe
from assay.records.run import Parent, Result, Start, State
from assay.records.trace import FileUse, Trace
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import write_tree

RecordRun = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    root = tmp_path / "project"
    root.mkdir()
    return Store.open(root)


@pytest.fixture
def record_run(store: Store) -> RecordRun:
    """A function that records a finished run, each begun after the one before."""
    clock = iter(range(1, 1000))

    def record(
        *,
        read: dict[str, bytes] | None = None,
        wrote: dict[str, bytes] | None = None,
        code: dict[bytes, bytes] | None = None,
        parents: tuple[Parent, ...] = (),
        state: State = "finished",
        command: tuple[str, ...] = (),
        began: float | None = None,
        lasted: float = 0.0,
        mtime: int = 0,
        root: str = "",
    ) -> str:
        tree = write_tree(store.objects, {path: ("file", store.objects.put(data)) for path, data in (code or {}).items()})
        begun = float(next(clock)) if began is None else began
        recipe = store.objects.put_record(Recipe(code=tree, command=command))
        writer = store.runs.create(
            Start(id=new_run_id(), recipe=recipe, root=root, started=begun, host=this_process(), parents=parents)
        )
        trace = Trace(read=uses(store, read or {}), written=uses(store, wrote or {}, mtime))
        writer.finish(Result(state=state, ended=begun + lasted, trace=store.objects.put_record(trace)))
        return writer.id

    return record


def uses(store: Store, files: dict[str, bytes], mtime: int = 0) -> tuple[FileUse, ...]:
    """Files as a trace has them."""
    return tuple(FileUse(path=path, id=store.objects.put(data), size=len(data), mtime=mtime) for path, data in files.items())
