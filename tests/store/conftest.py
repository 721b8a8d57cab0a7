"""A store of its own for each test, and runs in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from assay.records.recipe import Recipe
from assay.records.run import Metric, Parent, Result, Start, State, TrialOf
from assay.records.trace import FileUse, Trace
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store

RecordRun = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project's folder."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def store(root: Path) -> Store:
    """An empty store."""
    return Store.open(root)


@pytest.fixture
def record_run(store: Store) -> RecordRun:
    """A function that records one run and gives its id; `state` None leaves it unfinished."""
    clock = iter(range(1, 1_000_000))

    def record(
        *,
        state: State | None = "finished",
        name: str = "",
        tags: tuple[str, ...] = (),
        params: dict[str, Any] | None = None,
        metrics: dict[str, float] | None = None,
        wrote: dict[str, str] | None = None,
        read: dict[str, str] | None = None,
        study: str | None = None,
        started: float | None = None,
        parents: tuple[Parent, ...] = (),
    ) -> str:
        recipe = store.objects.put_record(Recipe(params=params or {}))
        begin = time.time() + next(clock) if started is None else started
        trial = TrialOf(study=study, configuration="c") if study else None
        run_id, host = new_run_id(), this_process()
        writer = store.runs.create(
            Start(id=run_id, recipe=recipe, name=name, tags=tags, started=begin, host=host, trial=trial, parents=parents)
        )
        if state is not None:
            trace = Trace(written=_uses(wrote or {}), read=_uses(read or {}))
            series = {
                key: Metric(last=value, minimum=value - 1, maximum=value + 1, mean=value) for key, value in (metrics or {}).items()
            }
            writer.finish(
                Result(state=state, ended=begin + 1, params=params or {}, metrics=series, trace=store.objects.put_record(trace))
            )
        return writer.id

    return record


def _uses(files: dict[str, str]) -> tuple[FileUse, ...]:
    return tuple(FileUse(path=path, id=content, size=3) for path, content in files.items())


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of an S3 server on this machine, which ends with the tests."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a new, empty bucket, which the variables of S3 tools lead to."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{new_run_id()}"
    boto3.client("s3", endpoint_url=s3_server).create_bucket(Bucket=name)
    return name
