"""NVIDIA's management library, called through ctypes: memory and use of the GPUs by a set of processes.

Names and structures are those of nvml.h (NVIDIA Management Library, API version 12).
"""

from __future__ import annotations

import ctypes
from collections.abc import Collection
from typing import Any, NamedTuple

LIBRARY = "libnvidia-ml.so.1"
_SUCCESS, _TOO_SMALL = 0, 7
_UNKNOWN_MEMORY = (1 << 64) - 1  # NVML_VALUE_NOT_AVAILABLE


class _Process(ctypes.Structure):
    _fields_ = (
        ("pid", ctypes.c_uint),
        ("used", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


class _Utilisation(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Sample(NamedTuple):
    """GPU memory in bytes that the processes hold, and percent of the last second in which a GPU they use was busy (mean over GPUs)."""

    memory: int
    utilisation: float


class Nvml:
    """The library, loaded and initialised.

    Raises:
        OSError: it is not installed, or finds no driver.
    """

    def __init__(self) -> None:
        self._library: Any = ctypes.CDLL(LIBRARY)
        try:
            if self._library.nvmlInit_v2() != _SUCCESS:
                raise OSError("NVML finds no driver")
            self._devices = self._handles()
            self._processes = self._library.nvmlDeviceGetComputeRunningProcesses_v3
        except AttributeError as error:
            raise OSError(f"this NVML is too old: {error}") from error
        self._before = [self._used(device) for device in self._devices]

    def sample(self, pids: Collection[int]) -> Sample | None:
        """What the processes `pids` use now; None where they use no GPU.

        In a container the driver names processes by ids of the host, so that none of them is found. Memory that the GPUs gained since this
        object was made, where exactly one process appeared, stands in for it.
        """
        memory, busy = 0, []
        for device, before in zip(self._devices, self._before, strict=True):
            running = self._running(device)
            mine = [used for pid, used in running if pid in pids]
            gained = self._used(device) - before
            if mine:
                memory += sum(used for used in mine if used != _UNKNOWN_MEMORY)
            elif gained > 0 and len(running) == 1 and not _exists(running[0][0]):
                memory += gained
            else:
                continue
            busy.append(self._busy(device))
        return Sample(memory, sum(busy) / len(busy)) if busy else None

    def _handles(self) -> list[ctypes.c_void_p]:
        count = ctypes.c_uint()
        if self._library.nvmlDeviceGetCount_v2(ctypes.byref(count)) != _SUCCESS:
            raise OSError("NVML cannot count the GPUs")
        handles = []
        for index in range(count.value):
            handle = ctypes.c_void_p()
            if self._library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)) == _SUCCESS:
                handles.append(handle)
        return handles

    def _running(self, device: ctypes.c_void_p) -> list[tuple[int, int]]:
        room = 64
        while True:
            count, found = ctypes.c_uint(room), (_Process * room)()
            answer = self._processes(device, ctypes.byref(count), found)
            if answer != _TOO_SMALL or room > 1 << 16:
                break
            room = max(2 * room, count.value)
        return [(found[index].pid, found[index].used) for index in range(count.value)] if answer == _SUCCESS else []

    def _busy(self, device: ctypes.c_void_p) -> float:
        rates = _Utilisation()
        return float(rates.gpu) if self._library.nvmlDeviceGetUtilizationRates(device, ctypes.byref(rates)) == _SUCCESS else 0.0

    def _used(self, device: ctypes.c_void_p) -> int:
        memory = _Memory()
        return int(memory.used) if self._library.nvmlDeviceGetMemoryInfo(device, ctypes.byref(memory)) == _SUCCESS else 0


def _exists(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb"):
            return True
    except OSError:
        return False
