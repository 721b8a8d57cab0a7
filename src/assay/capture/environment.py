"""The environment of the interpreter that runs a script: Python, packages, system, hardware, and the variables that matter."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from assay.capture.hardware import hardware
from assay.capture.interpreter import Interpreter
from assay.capture.packages import Installed, installed_in, packages_of
from assay.capture.secrets import redact_value
from assay.records.canonical import identify
from assay.records.environment import Environment, Hardware, Package, Packages
from assay.store.store import Store

__all__ = ["VARIABLES", "describe", "hardware", "packages_in", "packages_of", "settings", "with_sources"]

THREADS: Final = (
    *(
        "OMP_NUM_THREADS",
        "OMP_DYNAMIC",
        "OMP_THREAD_LIMIT",
        "MKL_NUM_THREADS",
        "MKL_DYNAMIC",
        "OPENBLAS_NUM_THREADS",
        "GOTO_NUM_THREADS",
    ),
    *("BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NUMBA_NUM_THREADS"),
    *("RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
)
"""Variables that set a number of threads: part of a recipe, since sums depend on how they are split."""

FLAGS: Final = (
    *(
        "PYTHONHASHSEED",
        "PYTHONOPTIMIZE",
        "PYTHONUTF8",
        "CUBLAS_WORKSPACE_CONFIG",
        "NVIDIA_TF32_OVERRIDE",
        "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    ),
    *("TF_DETERMINISTIC_OPS", "TF_CUDNN_DETERMINISTIC", "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS", "JAX_PLATFORMS"),
    *("JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION", "JAX_DEFAULT_PRNG_IMPL", "JAX_THREEFRY_PARTITIONABLE", "JAX_DISABLE_JIT"),
    *(
        "MKL_CBWR",
        "MKL_ENABLE_INSTRUCTIONS",
        "KMP_DETERMINISTIC_REDUCTION",
        "OPENBLAS_CORETYPE",
        "ONEDNN_MAX_CPU_ISA",
        "DNNL_MAX_CPU_ISA",
    ),
    *(
        "ATEN_CPU_CAPABILITY",
        "NPY_DISABLE_CPU_FEATURES",
        "NPY_ENABLE_CPU_FEATURES",
        "NUMBA_DISABLE_JIT",
        "PYTORCH_ENABLE_MPS_FALLBACK",
    ),
)
"""Other variables that can change a result: part of a recipe."""

VARIABLES: Final = (
    *THREADS,
    *FLAGS,
    *(
        "PYTHON*",
        "OMP_*",
        "MKL_*",
        "KMP_*",
        "GOMP_*",
        "OPENBLAS_*",
        "BLIS_*",
        "VECLIB_*",
        "NUMEXPR_*",
        "NUMBA_*",
        "DNNL_*",
        "ONEDNN_*",
    ),
    *(
        "CUDA_*",
        "CUBLAS_*",
        "CUDNN_*",
        "NCCL_*",
        "NVIDIA_*",
        "HIP_*",
        "ROCR_*",
        "HSA_*",
        "MIOPEN_*",
        "TORCH_*",
        "PYTORCH_*",
        "TORCHINDUCTOR_*",
    ),
    *(
        "TF_CPP_*",
        "TF_ENABLE_*",
        "TF_FORCE_*",
        "TF_GPU_*",
        "TF_NUM_*",
        "TF_USE_*",
        "XLA_*",
        "JAX_*",
        "LIBTPU_INIT_ARGS",
        "TOKENIZERS_PARALLELISM",
        "HF_HOME",
        "HF_HUB_OFFLINE",
        "HF_DATASETS_OFFLINE",
    ),
    *(
        "TRANSFORMERS_OFFLINE",
        "TRANSFORMERS_CACHE",
        "ACCELERATE_*",
        "WANDB_MODE",
        "RAY_ADDRESS",
        "RANK",
        "WORLD_SIZE",
        "LOCAL_RANK",
    ),
    *(
        "LOCAL_WORLD_SIZE",
        "MASTER_PORT",
        "SLURM_JOB_ID",
        "SLURM_JOB_NAME",
        "SLURM_JOB_PARTITION",
        "SLURM_JOB_NUM_NODES",
        "SLURM_NTASKS",
    ),
    *(
        "SLURM_PROCID",
        "SLURM_LOCALID",
        "SLURM_CPUS_PER_TASK",
        "SLURM_ARRAY_JOB_ID",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_GPUS",
        "SLURM_GPUS_ON_NODE",
    ),
    *("PBS_JOBID", "LSB_JOBID", "LANG", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_COLLATE", "TZ", "VIRTUAL_ENV", "CONDA_DEFAULT_ENV"),
    *(
        "CONDA_PREFIX",
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "MALLOC_ARENA_MAX",
        "GLIBC_TUNABLES",
        "MPLBACKEND",
        "SOURCE_DATE_EPOCH",
        "ASSAY_SEED",
    ),
)
"""Environment variables that are recorded; "*" stands for any ending. No others are, whatever they hold."""

_NAMES: Final = frozenset(name for name in VARIABLES if not name.endswith("*"))
_BEGINNINGS: Final = tuple(name[:-1] for name in VARIABLES if name.endswith("*"))


def describe(
    store: Store, interpreter: Interpreter | None, env: Mapping[str, str], blas: Mapping[str, str] | None = None
) -> tuple[str, Environment]:
    """The environment of `interpreter`, and its id; its record and that of its packages are in the store afterwards.

    Args:
        store: where to.
        interpreter: the one that runs the script; None where none was seen: Python and packages are then unknown.
        env: environment variables of the script.
        blas: BLAS and LAPACK libraries that it had loaded, as it told.

    Raises:
        StoreUnusable: the store cannot take the records.
    """
    installed = installed_in(interpreter) if interpreter is not None else None
    raw = tuple((name, value) for name, value in env.items() if name in _NAMES or name.startswith(_BEGINNINGS))
    machine = hardware()
    key = (interpreter, raw, tuple((blas or {}).items()), machine.cpus)
    known = _described.get(key)
    if known is None or known[2] is not installed:
        environment = _environment(interpreter, installed, raw, blas or {}, machine)
        known = _described[key] = (identify(environment), environment, installed)
    environment_id, environment, _ = known
    here = store.objects.renew(environment_id)
    if not here or (environment.packages is not None and not store.objects.renew(environment.packages)):
        if installed is not None:
            store.objects.put_record(installed.packages)
        store.objects.put_record(environment)
    return environment_id, environment


_Key = tuple[Interpreter | None, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], int]
_described: dict[_Key, tuple[str, Environment, Installed | None]] = {}


def packages_in(store: Store, environment: Environment) -> tuple[Package, ...]:
    """The packages of an environment; the `url` of those that were installed from a folder or archive of its machine is the path.

    Raises:
        MissingContent: the store does not have them.
    """
    if environment.packages is None:
        return ()
    return with_sources(Installed(store.objects.record(environment.packages, Packages), environment.sources))


def with_sources(installed: Installed) -> tuple[Package, ...]:
    """The packages of an interpreter; the `url` of those that were installed from a folder or archive of this machine is the path."""
    sources = installed.sources
    return tuple(
        msgspec.structs.replace(package, url=sources[package.name]) if package.name in sources else package
        for package in installed.packages.packages
    )


def settings(env: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The settings of a recipe that stand in variables: those of threads, and others that can change a result.

    Which accelerator is visible belongs to the run; that none is, to the recipe.
    """
    threads = {name: env[name] for name in THREADS if name in env}
    flags = {name: redact_value(name, env[name])[0] for name in FLAGS if name in env}
    if env.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        flags["CUDA_VISIBLE_DEVICES"] = ""
    return threads, flags


def _environment(
    interpreter: Interpreter | None,
    installed: Installed | None,
    raw: tuple[tuple[str, str], ...],
    blas: Mapping[str, str],
    machine: Hardware,
) -> Environment:
    system = Environment(
        os=_system(),
        libc=_libc(),
        hardware=machine,
        blas=dict(blas),
        variables={name: redact_value(name, _valid(value))[0] for name, value in sorted(raw)},
    )
    if interpreter is None or installed is None:
        return system
    return msgspec.structs.replace(
        system,
        python=f"{interpreter.implementation} {interpreter.version}",
        executable=interpreter.executable,
        prefix=interpreter.prefix,
        packages=identify(installed.packages),
        installed_by=_installed_by(interpreter, installed.packages),
        sources={name: _valid(path) for name, path in installed.sources.items()},
    )


def _valid(text: str) -> str:
    """Text for a record: bytes of a variable that are not UTF-8 stand as `\\xNN`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@cache
def _system() -> str:
    system = os.uname()
    match = re.search(r"^PRETTY_NAME=[\"']?([^\"'\n]*)", _text("/etc/os-release"), re.MULTILINE)
    return f"{system.sysname} {system.release}" + (f" ({match[1]})" if match else "")


@cache
def _libc() -> str:
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError):
        version = None
    if version:
        return version
    return "musl" if any(Path("/lib").glob("ld-musl-*")) else ""


def _installed_by(interpreter: Interpreter, packages: Packages) -> dict[str, str]:
    """Versions of the tools that made the environment, where their traces tell."""
    found = {package.name: package.version for package in packages.packages if package.name in ("pip", "uv", "conda")}
    made = re.search(r"^uv\s*=\s*(\S+)", _text(f"{interpreter.prefix}/pyvenv.cfg"), re.MULTILINE)
    if made:
        found["uv"] = made[1]
    used = re.findall(r"^# conda version: (\S+)", _text(f"{interpreter.prefix}/conda-meta/history"), re.MULTILINE)
    if used:
        found["conda"] = used[-1]
    return found


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
