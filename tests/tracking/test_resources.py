"""GPU figures come through NVML, called as nvml.h declares it: tried on a small library of the same interface."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assay.tracking.resources import GpuWatch, Usage, family, load_nvml, peak_of

# Two GPUs: the process FAKE_PID holds 3 GiB on the second, which is busy for 40 percent of the time; a stranger holds 1 GiB on the first.
LIBRARY = r"""
#include <stdlib.h>
#include <string.h>
typedef struct { unsigned pid; unsigned long long used; unsigned gpu, compute; } process;
typedef struct { unsigned gpu, memory; } rates;
typedef struct { unsigned long long total, free, used; } memory;
int nvmlInit_v2(void) { return getenv("FAKE_BROKEN") ? 9 : 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) { *handle = (void *)(size_t)(index + 1); return 0; }
int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, process *found) {
    if (*count < 1) return 7;
    *count = 1;
    memset(found, 0, sizeof *found);
    found->pid = (size_t)device == 2 ? (unsigned)atoi(getenv("FAKE_PID")) : 1u << 30;
    found->used = (size_t)device == 2 ? 3ull << 30 : 1ull << 30;
    return 0;
}
int nvmlDeviceGetUtilizationRates(void *device, rates *found) { found->gpu = (size_t)device == 2 ? 40 : 99; found->memory = 1; return 0; }
int nvmlDeviceGetMemoryInfo(void *device, memory *found) { found->total = 80ull << 30; found->used = 1ull << 30; found->free = 0; return 0; }
"""

LOOK = """
import os
os.environ["FAKE_PID"] = str(os.getpid())
from assay.tracking.resources import GpuWatch
watch = GpuWatch(os.getpid())
watch.look()
watch.look()
watch.stop()
print(watch.peak_memory, watch.utilisation)
"""


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("nvml")
    (folder / "fake.c").write_text(LIBRARY)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(folder / "libnvidia-ml.so.1"), str(folder / "fake.c")], check=True)
    return folder


def look(folder: Path, **variables: str) -> str:
    env = {**os.environ, "LD_LIBRARY_PATH": str(folder), "FAKE_PID": "0", **variables}
    return subprocess.run([sys.executable, "-c", LOOK], env=env, capture_output=True, text=True, check=True).stdout.strip()


def test_memory_and_use_of_the_runs_own_gpu(fake: Path) -> None:
    """Only what the run's processes hold is counted, and only the GPU that they use."""
    assert look(fake) == f"{3 << 30} 40.0"


def test_a_library_without_driver_is_as_none(fake: Path) -> None:
    """Nothing is claimed where NVML cannot start."""
    assert look(fake, FAKE_BROKEN="1") == "None None"


def test_without_the_library_nothing_is_claimed() -> None:
    """On a machine without NVIDIA's driver there is no figure, and no error."""
    if load_nvml() is not None:
        pytest.skip("this machine has an NVIDIA driver")
    watch = GpuWatch(os.getpid())
    watch.look()
    assert (watch.peak_memory, watch.utilisation) == (None, None)


def test_children_are_counted() -> None:
    """CPU time of processes that were waited for is part of the run's."""
    usage = Usage()
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    used = usage.since()
    assert used.cpu_user + used.cpu_system > 0.02
    assert used.wall > 0.02


def test_a_process_and_its_descendants_are_one_family() -> None:
    """Workers of workers belong to the run."""
    with subprocess.Popen(
        ["sh", "-c", "sh -c 'echo $$; read x; true'; true"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        grandchild = int(program.stdout.readline())
        found = family(program.pid)
        peak = peak_of(grandchild)
        program.communicate(b"\n")
    assert {program.pid, grandchild} <= found
    assert peak > 1 << 16
