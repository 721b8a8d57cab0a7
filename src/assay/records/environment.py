"""What a run ran in: the interpreter and its packages, and the machine under them."""

from __future__ import annotations

from assay.records.canonical import Record


class Package(Record, frozen=True, kw_only=True):
    """One installed distribution.

    Attributes:
        name: normalised name (PEP 503).
        version: version as its metadata has it.
        origin: "index", "editable", "vcs", "archive", "local" or "conda".
        url: where it came from, without credentials; None for an index, and for a path of this machine, which `Environment.sources` has.
        commit: the commit of a VCS origin.
        record: digest of its RECORD file, which lists the hash of each installed file; None where it has none.
    """

    name: str
    version: str
    origin: str = "index"
    url: str | None = None
    commit: str | None = None
    record: str | None = None


class Packages(Record, frozen=True, kw_only=True, tag_field="assay", tag="packages/1"):
    """All distributions that an interpreter can import, sorted by name."""

    packages: tuple[Package, ...] = ()


class Gpu(Record, frozen=True, kw_only=True):
    """One accelerator: model as its driver names it, memory in bytes (None where unknown), and its universal id."""

    name: str
    memory: int | None = None
    uuid: str | None = None


class Hardware(Record, frozen=True, kw_only=True):
    """The machine. `memory` in bytes; `cpus` usable by the process, `cores` in all; `features` are SIMD classes that change bits."""

    machine: str = ""
    cpu: str = ""
    cores: int = 0
    cpus: int = 0
    memory: int = 0
    features: tuple[str, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    gpu_driver: str | None = None
    cuda: str | None = None


class Environment(Record, frozen=True, kw_only=True, tag_field="assay", tag="environment/1"):
    """The environment of the interpreter that ran the script (not Assay's own, where the two differ).

    Attributes:
        python: "CPython 3.11.7"; None where no interpreter was seen.
        executable: absolute path of the interpreter.
        prefix: its `sys.prefix`.
        packages: id of the `Packages` record.
        os: system, release and distribution, "Linux 6.1 (Debian GNU/Linux 12)".
        libc: C library with version.
        hardware: the machine.
        blas: BLAS and LAPACK libraries that were loaded: library file name to version or configuration text.
        variables: environment variables of the allow-list (`assay.capture.environment.VARIABLES`), values redacted where secret.
        sources: package name to the folder or archive of this machine that it was installed from.
        installed_by: versions of tools that were found: "pip", "uv", "conda".
    """

    python: str | None = None
    executable: str | None = None
    prefix: str | None = None
    packages: str | None = None
    os: str = ""
    libc: str = ""
    hardware: Hardware = Hardware()
    blas: dict[str, str] = {}
    variables: dict[str, str] = {}
    installed_by: dict[str, str] = {}
    sources: dict[str, str] = {}


class Determinism(Record, frozen=True, kw_only=True):
    """Settings that decide whether two runs can be the same, as they stood at the end of the run.

    Attributes:
        hash_seed: PYTHONHASHSEED of the process: "0", "random" …
        seed: the seed that Assay or the user's one line set; None where nobody did.
        seeded: libraries that were seeded by Assay: "random", "numpy", "torch" …
        frameworks: framework to its flags, {"torch": {"deterministic_algorithms": "True", "threads": "2", …}}.
        threads: thread-count variables and the effective count where it could be asked.
    """

    hash_seed: str = "random"
    seed: int | None = None
    seeded: tuple[str, ...] = ()
    frameworks: dict[str, dict[str, str]] = {}
    threads: dict[str, str] = {}
