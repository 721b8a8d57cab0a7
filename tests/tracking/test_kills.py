"""What `log` returned for is there after SIGKILL at any instant."""

from __future__ import annotations

import mmap
import os
import random
import signal
import struct
from pathlib import Path

from assay.store.store import Store
from assay.tracking.recorder import Recorder
from assay.tracking.series import series


def test_every_acknowledged_point_survives_twenty_kills(project: Path) -> None:
    """A process that logs as fast as it can is killed at a random moment; the points it had told of are all there, and the run crashed."""
    store = Store.open(project)
    moments = random.Random(0)
    for _ in range(20):
        told = mmap.mmap(-1, 8)
        child = os.fork()
        if child == 0:
            recorder = Recorder.begin(store, project, trace=False)
            for step in range(1 << 30):
                recorder.log({"x": float(step), "y": 1.0}, step)
                told[:] = struct.pack("<q", step + 1)
        wanted = moments.randrange(1, 3000)
        while struct.unpack("<q", told[:])[0] < wanted:
            os.sched_yield()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        (count,) = struct.unpack("<q", told[:])
        (run_id,) = [one for one in store.runs.ids() if store.runs.read(one).start.host.pid == child]
        assert store.runs.read(run_id).state == "crashed"
        steps = series(store, run_id)["x"].steps
        assert steps[:count] == tuple(range(count)) and len(steps) <= count + 1
