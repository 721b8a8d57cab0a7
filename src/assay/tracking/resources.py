"""What a run used: time, memory, GPU. Nothing is started for it; a thread looks at what can only be seen while the run lasts."""

from __future__ import annotations

import resource
import time
from functools import cache
from typing import TYPE_CHECKING

from assay.records.run import Resources
from assay.tracking.pulse import Pulse

if TYPE_CHECKING:
    from assay.tracking.nvml import Nvml

_KIB = 1024
# A run that ends before the first look is too short for a GPU to be set up in.
_FIRST_LOOK = 0.5
_EVERY = 1.0


class Usage:
    """What this process and its children have used so far, to be told by difference."""

    def __init__(self) -> None:
        self._clock = time.monotonic()
        self._own = resource.getrusage(resource.RUSAGE_SELF)
        self._children = resource.getrusage(resource.RUSAGE_CHILDREN)

    def since(self, gpu: GpuWatch | None = None) -> Resources:
        """Times since this object was made; peak memory is of the whole process, as the kernel keeps no other."""
        own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        peak = own.ru_maxrss
        if children.ru_maxrss > self._children.ru_maxrss:
            peak = max(peak, children.ru_maxrss)
        return Resources(
            wall=time.monotonic() - self._clock,
            cpu_user=own.ru_utime - self._own.ru_utime + children.ru_utime - self._children.ru_utime,
            cpu_system=own.ru_stime - self._own.ru_stime + children.ru_stime - self._children.ru_stime,
            peak_memory=peak * _KIB,
            gpu_peak_memory=gpu.peak_memory if gpu else None,
            gpu_utilisation=gpu.utilisation if gpu else None,
        )


def of_child(used: resource.struct_rusage, wall: float, floor: int, seen: int, gpu: GpuWatch | None = None) -> Resources:
    """What a child used that was waited for, with all it waited for itself.

    Args:
        used: as `os.wait4` gave it.
        wall: seconds it ran.
        floor: peak resident bytes of this process when it started the child. The kernel counts them as the child's until it loads its
            program, so that a smaller child cannot be told by `used` alone (setmax_mm_hiwater_rss in Linux' fs/exec.c).
        seen: the largest peak that was read in /proc while the child ran, 0 where none was.
        gpu: what watched the GPUs.
    """
    peak = used.ru_maxrss * _KIB
    return Resources(
        wall=wall,
        cpu_user=used.ru_utime,
        cpu_system=used.ru_stime,
        peak_memory=seen if seen and peak <= floor else peak,
        gpu_peak_memory=gpu.peak_memory if gpu else None,
        gpu_utilisation=gpu.utilisation if gpu else None,
    )


def peak_here() -> int:
    """Peak resident bytes of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


def peak_of(pid: int) -> int:
    """Peak resident bytes of a running process; 0 where it cannot be asked any more."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * _KIB
    except (OSError, ValueError, IndexError):
        return 0
    return 0


def family(pid: int) -> set[int]:
    """A process and all its descendants that live now (empty children lists where the kernel keeps none)."""
    found, todo = set(), [pid]
    while todo:
        one = todo.pop()
        if one in found:
            continue
        found.add(one)
        try:
            with open(f"/proc/{one}/task/{one}/children", encoding="ascii") as file:
                todo += [int(word) for word in file.read().split()]
        except (OSError, ValueError):
            continue
    return found


class GpuWatch:
    """Looks at the GPUs once a second while a run lasts, where NVIDIA's library loads; else no more after the first look.

    Args:
        pid: the process whose family is looked at.

    Attributes:
        peak_memory: most bytes that the family held at one look; None where it used no GPU.
        utilisation: mean percent of time in which its GPUs were busy; None as above.
    """

    def __init__(self, pid: int) -> None:
        self.peak_memory: int | None = None
        self.utilisation: float | None = None
        self._busy = 0.0
        self._looks = 0
        self._pid = pid
        self._nvml: Nvml | None = None
        self._pulse = None if _is_known_absent() else Pulse(self.look, _EVERY, _FIRST_LOOK)

    def stop(self) -> None:
        """Take the last look's figures as final."""
        if self._pulse is not None:
            self._pulse.stop()

    def look(self) -> None:
        """Look once."""
        if self._nvml is None:
            self._nvml = load_nvml()
        if self._nvml is None:
            self.stop()
            return
        sample = self._nvml.sample(family(self._pid))
        if sample is None:
            return
        self._looks += 1
        self._busy += sample.utilisation
        self.peak_memory = max(self.peak_memory or 0, sample.memory)
        self.utilisation = self._busy / self._looks


def look_for_gpus() -> None:
    """Learn, before processes are forked, where NVIDIA's library is absent: none of them then starts a thread to look at GPUs.

    Where it is there it is not initialised, which a forked process would have to do again.
    """
    # Late: as in `load_nvml`.
    import ctypes

    from assay.tracking.nvml import LIBRARY

    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        load_nvml()


def _is_known_absent() -> bool:
    return load_nvml.cache_info().currsize > 0 and load_nvml() is None


@cache
def load_nvml() -> Nvml | None:
    """NVIDIA's library, loaded once for the whole process; None where there is none."""
    # Late: most machines have no such library, and ctypes would cost every run some milliseconds.
    from assay.tracking.nvml import Nvml

    try:
        return Nvml()
    except OSError:
        return None
