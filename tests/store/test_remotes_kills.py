"""Transfers in real processes that are killed at any instant, or that write to one remote at once."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.project.sharing import clone, push
from assay.records.recipe import Recipe
from assay.records.run import Result, Start
from assay.records.trace import FileUse, Trace
from assay.store.fsck import fsck
from assay.store.remotes.opening import open_place
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import write_tree

RUNS = 12
KILLS = int(os.environ.get("ASSAY_KILLS", "5"))  # for each of push and pull, to and from a folder and a bucket: 20 in all


@pytest.fixture(params=["folder", "bucket"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address with nothing at it yet."""
    return str(tmp_path / "shared") if request.param == "folder" else f"s3://{request.getfixturevalue('bucket')}/team"


def fill(store: Store, count: int) -> list[str]:
    """Finished runs with a few files of their own each, one of them in parts."""
    made = []
    for number in range(count):
        objects = store.objects
        files = {f"{name}.py".encode(): ("file", objects.put(os.urandom(4000))) for name in range(4)}
        recipe = objects.put_record(Recipe(code=write_tree(objects, files), seed=number))  # type: ignore[arg-type]
        artifact = objects.put(os.urandom((6 << 20) if number == 0 else 50_000))
        writer = store.runs.create(Start(id=new_run_id(), recipe=recipe, started=1.0, host=this_process()))
        trace = Trace(written=(FileUse(path="model.bin", id=artifact, kept=True),))
        writer.finish(Result(state="finished", ended=2.0, trace=objects.put_record(trace)))
        made.append(writer.id)
    return sorted(made)


def command(*arguments: str, root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "assay", *arguments], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    )


def killed_within(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Let the process work for so long, then kill it, unless it has ended."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def whole(store: Store) -> None:
    """Nothing that can be seen is damaged, or lacks anything."""
    assert fsck(store).problems == []


def seen(remote: str, folder: Path) -> Store:
    """What a reader finds at an address now, in a store of its own."""
    return Store.open(clone(remote, folder)[0])


def test_a_push_that_is_killed_leaves_nothing_half_and_goes_on(store: Store, remote: str, tmp_path: Path) -> None:
    made = fill(store, RUNS)
    began = time.monotonic()
    command("push", f"{remote}-whole", root=store.root).communicate()
    lasts = time.monotonic() - began
    for kill in range(KILLS):
        target = f"{remote}-{kill}"
        killed_within(command("push", target, root=store.root), lasts * random.uniform(0.3, 1.0))
        open_place(target, create=True)  # it may have been killed before it made the remote
        whole(seen(target, tmp_path / f"partly-{kill}"))
        again = command("push", target, "--json", root=store.root)
        out, err = again.communicate()
        assert again.returncode == 0, err
        assert json.loads(out)["refused"] == {}
        copy = seen(target, tmp_path / f"whole-{kill}")
        whole(copy)
        assert copy.runs.ids() == made


def test_a_pull_that_is_killed_leaves_nothing_half_and_goes_on(store: Store, remote: str, tmp_path: Path) -> None:
    made = fill(store, RUNS)
    push(store, remote)
    began = time.monotonic()
    command("clone", remote, str(tmp_path / "measured"), root=tmp_path).communicate()
    lasts = time.monotonic() - began
    for kill in range(KILLS):
        folder = tmp_path / f"copy-{kill}"
        killed_within(command("clone", remote, str(folder), root=tmp_path), lasts * random.uniform(0.3, 1.0))
        whole(Store.at(folder, folder / ".assay"))
        again = command("clone", remote, str(folder), root=tmp_path)
        _, err = again.communicate()
        assert again.returncode == 0, err
        copy = Store.at(folder, folder / ".assay")
        whole(copy)
        assert copy.runs.ids() == made
        assert list((copy.path / "tmp").iterdir()) == []


def test_many_who_push_at_once_all_succeed(store: Store, remote: str, tmp_path: Path) -> None:
    made = fill(store, RUNS)
    other = Store.open(clone_of(store, tmp_path / "other"))
    more = fill(other, 3)
    pushers = [command("push", remote, root=root) for root in (store.root, store.root, other.root, other.root)]
    ended = [(pusher.communicate()[1], pusher.returncode) for pusher in pushers]
    assert [code for _, code in ended] == [0] * len(pushers), ended
    copy = seen(remote, tmp_path / "copy")
    whole(copy)
    assert copy.runs.ids() == sorted(made + more)


def clone_of(store: Store, folder: Path) -> Path:
    return clone(str(store.root), folder)[0]
