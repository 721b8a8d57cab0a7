"""The machine is read from the kernel's files; GPUs of both makers are seen without their tools."""

from __future__ import annotations

import os
from pathlib import Path

from assay.capture.hardware import hardware, read_hardware
from assay.records.environment import Gpu


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_this_machine_has_what_the_system_says() -> None:
    """Cores, usable processors and memory agree with the operating system."""
    found = hardware()
    assert found.machine == os.uname().machine
    assert found.cores == os.cpu_count()
    assert found.cpus == len(os.sched_getaffinity(0))
    assert abs(found.memory - os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) < 1 << 20
    assert found.cpu


def test_usable_processors_follow_the_affinity() -> None:
    """A process that is bound to one processor has one."""
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(usable)})
    try:
        assert hardware().cpus == 1
    finally:
        os.sched_setaffinity(0, usable)


def test_an_x86_processor_has_its_simd_classes(tmp_path: Path) -> None:
    """Only what changes bits is kept, of the first processor."""
    block = "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 106\nmodel name\t: Xeon\nstepping\t: 6\nflags\t\t: fpu sse4_2 fma avx2 avx512f\n"
    write(tmp_path, "proc/cpuinfo", block + "\n" + block.replace("Xeon", "Other"))
    write(tmp_path, "proc/meminfo", "MemTotal:       1024 kB\nMemFree: 1 kB\n")
    found = read_hardware(tmp_path)
    assert found.cpu == "Xeon (family 6, model 106, stepping 6)"
    assert found.features == ("sse4_2", "fma", "avx2", "avx512f")
    assert found.memory == 1 << 20
    assert found.gpus == ()


def test_an_arm_processor_is_named_by_its_parts(tmp_path: Path) -> None:
    """ARM kernels give no model name."""
    write(
        tmp_path,
        "proc/cpuinfo",
        "processor\t: 0\nFeatures\t: fp asimd sve bf16\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\nCPU revision\t: 1\n",
    )
    found = read_hardware(tmp_path)
    assert found.cpu == "ARM implementer 0x41 part 0xd40 revision 1"
    assert found.features == ("asimd", "sve", "bf16")


def test_nvidia_gpus_and_driver(tmp_path: Path) -> None:
    """The kernel module names its GPUs and its version; a GPU that was not asked yet has no id."""
    nvidia = "proc/driver/nvidia/"
    write(
        tmp_path,
        nvidia + "version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023\nGCC version: 12\n",
    )
    write(tmp_path, nvidia + "gpus/0000:01:00.0/information", "Model: \t\t NVIDIA H200\nIRQ:   \t 1\nGPU UUID: \t GPU-1234\n")
    write(tmp_path, nvidia + "gpus/0000:02:00.0/information", "Model: \t\t NVIDIA T4\nGPU UUID: \t GPU-????????-????\n")
    write(
        tmp_path, "usr/local/cuda/version.json", '{"cuda": {"name": "CUDA SDK", "version": "12.4.1"}, "nvcc": {"version": "12.4"}}'
    )
    found = read_hardware(tmp_path)
    assert found.gpus == (Gpu(name="NVIDIA H200", uuid="GPU-1234"), Gpu(name="NVIDIA T4"))
    assert found.gpu_driver == "535.104.05"
    assert found.cuda == "12.4.1"


def test_the_open_kernel_module_has_a_version_too(tmp_path: Path) -> None:
    """Its first line is worded otherwise."""
    write(
        tmp_path,
        "proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.14  Release Build  (user@host)  Thu Feb 22 01:25:25 UTC 2024\n",
    )
    assert read_hardware(tmp_path).gpu_driver == "550.54.14"


def test_amd_gpus_and_driver(tmp_path: Path) -> None:
    """Nodes without SIMD units are processors."""
    nodes = "sys/class/kfd/kfd/topology/nodes/"
    write(tmp_path, nodes + "0/properties", "cpu_cores_count 8\nsimd_count 0\n")
    write(tmp_path, nodes + "1/properties", "simd_count 416\nunique_id 987\ngfx_target_version 90402\n")
    write(tmp_path, nodes + "1/mem_banks/0/properties", "heap_type 1\nsize_in_bytes 206141652992\n")
    write(tmp_path, "sys/module/amdgpu/version", "6.7.0\n")
    found = read_hardware(tmp_path)
    assert found.gpus == (Gpu(name="gfx target 90402", memory=206141652992, uuid="987"),)
    assert found.gpu_driver == "6.7.0"


def test_a_machine_without_these_files_is_described_as_far_as_it_goes(tmp_path: Path) -> None:
    """Nothing is invented."""
    found = read_hardware(tmp_path)
    assert (found.cpu, found.memory, found.features, found.gpus, found.gpu_driver, found.cuda) == ("", 0, (), (), None, None)
