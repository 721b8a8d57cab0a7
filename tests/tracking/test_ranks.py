"""Distributed programs: many ranks are one run, with what each printed and used under its name, and the metrics of rank 0."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from assay.capture.trace_reports import Rank
from assay.records.run import Run
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.ranks import printed
from assay.tracking.series import series
from assay.tracking.supervise import supervise

TRAIN = """\
import os, sys
import torch, torch.distributed as dist
dist.init_process_group("gloo")
rank = dist.get_rank()
value = torch.tensor([float(open(f"part{rank}.txt").read())])
for step in range(3):
    print(f"step={step} loss={rank + 1 / (step + 1)}", flush=True)
dist.all_reduce(value)
print(f"rank {rank} has sum {value.item()}", file=sys.stderr)
if rank == 0:
    open("model.txt", "w").write(str(value.item()))
dist.destroy_process_group()
"""


def torchrun(folder: Path, script: str) -> tuple[Store, Run]:
    """The run of two processes under the real launcher."""
    pytest.importorskip("torch")
    (folder / "train.py").write_text(script)
    for rank in range(2):
        (folder / f"part{rank}.txt").write_text(str(rank + 1))
    store = Store.open(folder)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train.py"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = supervise(store, folder, command, cwd=folder, env=env, relay=False).run
    assert run.result is not None
    assert run.state == "finished", run.result.failure
    return store, run


def test_two_ranks_under_torchrun_are_one_run(project: Path) -> None:
    """Both read their part, rank 0's metrics are the run's, and output and resources of each are there by name."""
    store, run = torchrun(project, TRAIN)
    assert run.result is not None
    trace = store.objects.record(run.result.trace or "", Trace)
    assert {"part0.txt", "part1.txt"} <= {use.path for use in trace.read}
    assert {use.path for use in trace.written} == {"model.txt"}
    assert [use.path for use in trace.loaded] == ["train.py"]
    assert run.result.metrics["loss"].last == 1 / 3
    assert run.result.metrics["loss"].n == 3
    texts = {name: store.objects.get(run.result.output[name]).decode() for name in ("rank0", "rank1")}
    for rank in range(2):
        assert f"rank {rank} has sum 3.0\n" in texts[f"rank{rank}"]
        assert f"rank {1 - rank} has" not in texts[f"rank{rank}"]
        used = run.result.metrics[f"rank{rank}/cpu_user"]
        assert used.measured
        assert used.last > 0
        assert run.result.metrics[f"rank{rank}/peak_memory"].last > 10 << 20
    assert store.runs.ids() == [run.id]


def test_ranks_that_log_into_the_run(project: Path) -> None:
    """`assay.run()` in every rank joins the one run; its series is that of rank 0, and those of the others are kept apart."""
    store, run = torchrun(
        project,
        "import os, assay\nrank = int(os.environ['RANK'])\nwith assay.run() as run:\n"
        "    for step in range(2): run.log(loss=10.0 * rank + step, step=step)\n",
    )
    assert run.result is not None
    assert run.result.metrics["loss"].last == 1.0
    assert series(store, run.id)["loss"].values == (0.0, 1.0)
    assert series(store, run.id, source="rank1")["loss"].values == (10.0, 11.0)
    assert store.runs.ids() == [run.id]


def test_a_secret_that_a_rank_prints_is_not_kept() -> None:
    """What a rank printed is redacted as a whole, though it came in pieces; without a secret, each piece keeps its time."""
    token = "ghp_" + "Zq8Kd3mXv7Lw2Rt9Yb4Nc6Hs1Jf5Pg0TaEuW"
    rank = Rank(((1.0, "stdout", f"token {token[:20]}"), (2.0, "stdout", token[20:]), (3.0, "stdout", "\n")), {})
    assert token[20:].encode() not in printed(rank).data
    plain = printed(Rank(((1.0, "stdout", "é=1\n"), (2.0, "stderr", "b=2\n")), {}))
    assert plain.data.decode() == "é=1\nb=2\n"
    assert list(plain.marks) == [(5, 1.0), (9, 2.0)]
