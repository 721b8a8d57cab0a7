"""Measuring whole processes: CPU seconds of a command and of everything it started, whoever waited for it.

A measurement becomes the reaper of orphans (PR_SET_CHILD_SUBREAPER), so that work hidden in processes left behind is counted too.
Two commands are always measured in turn, A B A B, and compared by their medians: these machines are shared and drift.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def become_reaper() -> None:
    """Orphaned descendants become children of this process, so that their CPU time can be read."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def cpu_and_wall(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> tuple[float, float]:
    """CPU seconds (user and system, all descendants) and wall seconds until the command itself ended."""
    started = time.perf_counter()
    before = children_cpu()
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        error = process.stderr.read() if process.stderr else b""
        code = process.wait()
    wall = time.perf_counter() - started
    if code != 0:
        raise SystemExit(f"{command} ended with {code}: {error.decode(errors='replace')[-2000:]}")
    reap_orphans()
    return children_cpu() - before, wall


def children_cpu() -> float:
    """CPU seconds of all children that have been waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)  # microseconds; os.times counts hundredths
    return usage.ru_utime + usage.ru_stime


def reap_orphans(patience: float = 5.0) -> None:
    """Wait for what the command left behind; after `patience` seconds end it, its CPU time counted."""
    deadline = time.monotonic() + patience
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            if time.monotonic() > deadline:
                for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
            time.sleep(0.01)


def medians(candidates: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Median of each candidate's figure over `rounds`, measured in turn after one uncounted round."""
    figures: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        for name, measure in candidates.items():
            figure = measure()
            if number:
                figures[name].append(figure)
    return {name: statistics.median(values) for name, values in figures.items()}


def report(title: str, unit: str, figures: Mapping[str, float], *, ours: str, peer: str, bar: float) -> bool:
    """Print every figure and the ratio of ours to the peer's beside its bar; True where the bar is met."""
    ratio = figures[ours] / figures[peer]
    print(title)
    for name, figure in figures.items():
        print(f"  {name:44} {figure:10.3f} {unit}")
    print(f"  {'ratio ' + ours + ' / ' + peer:44} {ratio:10.3f}   bar {bar:g}: {'met' if ratio <= bar else 'MISSED'}")
    return ratio <= bar


def python() -> str:
    """The interpreter that runs the benchmark."""
    return sys.executable
