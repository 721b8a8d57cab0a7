"""The machine: processor, memory and accelerators, read from the kernel's own files, without starting a program or loading a driver."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from assay.records.environment import Gpu, Hardware

# Classes of instructions between which BLAS, oneDNN and compilers choose, and that so change the last bits of a sum.
_FEATURES: Final = (
    *("sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"),
    *("avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8"),
    *("asimd", "asimddp", "asimdhp", "sve", "sve2", "bf16", "i8mm"),
)
_FIRST_PROCESSOR: Final = 8192  # bytes; asking for all of them takes the kernel milliseconds on large machines


def hardware() -> Hardware:
    """The machine, and how many of its processors this process may use now."""
    return msgspec.structs.replace(_machine(), cpus=len(os.sched_getaffinity(0)))


@cache
def _machine() -> Hardware:
    return read_hardware(Path("/"))


def read_hardware(root: Path) -> Hardware:
    """The machine whose `/proc` and `/sys` lie below `root`."""
    fields = _first_processor(root / "proc/cpuinfo")
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    gpus, driver = _nvidia(root / "proc/driver/nvidia")
    if not gpus and driver is None:
        gpus, driver = _amd(root / "sys/class/kfd/kfd/topology/nodes", root / "sys/module/amdgpu/version")
    return Hardware(
        machine=os.uname().machine,
        cpu=_model(fields),
        cores=os.cpu_count() or 0,
        memory=_memory(root / "proc/meminfo"),
        features=tuple(name for name in _FEATURES if name in flags),
        gpus=gpus,
        gpu_driver=driver,
        cuda=_cuda(root),
    )


def _first_processor(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            block = file.read(_FIRST_PROCESSOR).partition("\n\n")[0]
    except OSError:
        return {}
    return _fields(block)


def _fields(text: str) -> dict[str, str]:
    """The lines "name : value" of a file of the kernel."""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _model(fields: dict[str, str]) -> str:
    name = fields.get("model name") or fields.get("cpu model") or fields.get("Processor")
    if name:
        # Steppings of one model name differ in microcode and sometimes in what they compute.
        family = [fields.get(key) for key in ("cpu family", "model", "stepping")]
        return f"{name} (family {family[0]}, model {family[1]}, stepping {family[2]})" if all(family) else name
    if "CPU part" in fields:
        return f"ARM implementer {fields.get('CPU implementer')} part {fields['CPU part']} revision {fields.get('CPU revision')}"
    return ""


def _memory(path: Path) -> int:
    kilobytes = _fields(_text(path)).get("MemTotal", "0 kB").split()[0]
    return int(kilobytes) * 1024 if kilobytes.isdigit() else 0


def _nvidia(folder: Path) -> tuple[tuple[Gpu, ...], str | None]:
    """What NVIDIA's kernel module says. It does not tell the size of the memory."""
    found = re.search(r"Kernel Module.*?\s(\d+\.\d[\d.]*)\s", _text(folder / "version"))
    gpus = []
    for path in sorted(folder.glob("gpus/*/information")):
        fields = _fields(_text(path))
        uuid = fields.get("GPU UUID", "")
        gpus.append(Gpu(name=fields.get("Model", "NVIDIA"), uuid=uuid if uuid and "?" not in uuid else None))
    return tuple(gpus), found[1] if found else None


def _amd(nodes: Path, version: Path) -> tuple[tuple[Gpu, ...], str | None]:
    """What AMD's kernel module says; processors are among its nodes, without SIMD units."""
    gpus = []
    for node in sorted(nodes.glob("*")):
        properties = dict(line.split(" ", 1) for line in _text(node / "properties").splitlines() if " " in line)
        if properties.get("simd_count", "0").strip() == "0":
            continue
        banks = (_text(path) for path in sorted(node.glob("mem_banks/*/properties")))
        sizes = [int(match[1]) for text in banks if (match := re.search(r"^size_in_bytes (\d+)", text, re.MULTILINE))]
        unique = properties.get("unique_id", "0").strip()
        name = _text(node / "name").strip() or f"gfx target {properties.get('gfx_target_version', 'unknown').strip()}"
        gpus.append(Gpu(name=name, memory=max(sizes, default=None), uuid=unique if unique != "0" else None))
    return tuple(gpus), _text(version).strip() or None


class _Named(msgspec.Struct):
    version: str


class _CudaVersions(msgspec.Struct):
    cuda: _Named


def _cuda(root: Path) -> str | None:
    """Version of the CUDA toolkit of the system; those that packages bring along stand among the packages."""
    folder = root / os.environ.get("CUDA_HOME", "/usr/local/cuda").lstrip("/")
    try:
        return msgspec.json.decode(_text(folder / "version.json"), type=_CudaVersions).cuda.version
    except msgspec.MsgspecError:
        found = re.search(r"CUDA Version (\S+)", _text(folder / "version.txt"))
        return found[1] if found else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
