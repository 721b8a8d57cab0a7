"""What differs between two runs, as one list: everything that could have changed the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from assay.capture.notebooks import SUFFIX, same_code
from assay.errors import MissingContent
from assay.records.environment import Environment, Hardware, Package, Packages
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import Trace
from assay.records.verdict import Difference, DifferenceKind
from assay.store.objects import Objects
from assay.store.store import Store
from assay.store.tree import read_tree


class Facts:
    """What is known of one run, read from the store once.

    Attributes:
        run, recipe, trace, environment: its records; empty ones where there are none.
        code: path to content of every file of the code tree, replaced by what was really loaded where that differs.
        loaded: paths that the run executed or imported.
        used: these, and paths that it read; files of the code tree may be read as data.
        read: data files that were read, by path; what belongs to the code tree is code.
        packages: installed distributions by name.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self.run = run
        self.recipe = store.objects.record(run.start.recipe, Recipe)
        result = run.result
        self.trace = store.objects.record(result.trace, Trace) if result and result.trace else Trace()
        seen = (result.environment if result else None) or run.start.environment
        self.environment = store.objects.record(seen, Environment) if seen else Environment()
        self.packages = _installed(store, self.environment.packages or self.recipe.packages)
        self.tree = read_tree(store.objects, self.recipe.code) if self.recipe.code else {}
        self.code = {show_path(path): _content(kind, content) for path, (kind, content) in self.tree.items()}
        for use in self.trace.loaded:
            if use.id and use.id not in self.code.get(use.path, ""):
                self.code[use.path] = use.id
        self.loaded = {use.path for use in self.trace.loaded}
        self.used = self.loaded | {use.path for use in self.trace.read}
        self.read = {use.path: use.id or "unknown content" for use in self.trace.read if use.path not in self.code}
        self.params: dict[str, Any] = {**self.recipe.params, **run.params}


def _installed(store: Store, packages: str | None) -> dict[str, Package]:
    return {each.name: each for each in store.objects.record(packages, Packages).packages} if packages else {}


def _content(kind: str, content_id: str) -> str:
    return content_id if kind == "file" else f"{kind} {content_id}"


def show_path(path: bytes) -> str:
    r"""A path as records for people have it: UTF-8, with what is not valid as ``\xNN``."""
    return path.decode("utf-8", "backslashreplace")


def differences(store: Store, a: Run, b: Run) -> list[Difference]:
    """Everything in which two runs differ and that could have changed a result.

    Sorted by how directly it acts: code that was executed or read, other code, parameters, data, seed, packages, flags, Python, hardware,
    system, lineage; within a kind by name. Notebooks differ where their code cells do: outputs, counts and texts are not run.

    Raises:
        MissingContent: a record of either run is not in this store.
    """
    one, other = Facts(store, a), Facts(store, b)
    differing = [difference for kind, view in _VIEWS for difference in _differing(kind, view(one), view(other))]
    found = [each for each in differing if each.kind != "code" or not runs_the_same(store.objects, each.name, each.a, each.b)]
    used = one.used | other.used
    # Stable, so that files which no run used come last among the code and everything else keeps its place.
    return sorted(found, key=lambda each: _RANK[each.kind] + (each.kind == "code" and bool(used) and each.name not in used) / 2)


def runs_the_same(objects: Objects, path: str, a: str | None, b: str | None) -> bool:
    """Whether two contents are of one notebook that differs in nothing that is run."""
    if not path.endswith(SUFFIX) or a is None or b is None:
        return False
    try:
        return same_code(objects.get(a), objects.get(b))
    except MissingContent:  # or it is no plain file: then its kind stands before its id
        return False


def environment_differences(store: Store, run: Run, now: Environment) -> list[Difference]:
    """In which packages, Python, hardware and system an environment differs from the one that a run ran in.

    Linear algebra libraries are left out where `now` names none: they show only in a process that has loaded them.
    """
    then, other = Facts(store, run), Facts(store, run)
    other.environment = now if now.blas else msgspec.structs.replace(now, blas=then.environment.blas)
    other.packages = _installed(store, now.packages)
    return [difference for kind, view in _SURROUNDINGS for difference in _differing(kind, view(then), view(other))]


def _differing(kind: DifferenceKind, a: Mapping[str, object], b: Mapping[str, object]) -> Iterator[Difference]:
    for name in sorted(a.keys() | b.keys()):
        if name not in a or name not in b or not _same(a[name], b[name]):
            yield Difference(kind=kind, name=name, **_sides(a.get(name), b.get(name)))


def _same(a: object, b: object) -> bool:
    return type(a) is type(b) and (a == b or _spelled(a) == _spelled(b))


def _sides(a: object, b: object) -> dict[str, str | None]:
    one, other = (None if side is None else _text(side) for side in (a, b))
    if one == other:
        one, other = (_spelled(side) for side in (a, b))
    return {"a": one, "b": other}


def _text(value: object) -> str:
    return value if isinstance(value, str) else _spelled(value)


def _spelled(value: object) -> str:
    """`value` as JSON, in which 1 and "1" look different and NaN is NaN."""
    return json.dumps(value, sort_keys=True, default=str, ensure_ascii=False)


def _params(facts: Facts) -> dict[str, object]:
    found = dict(flatten(facts.params))
    # What the command line says beyond parameters (another script, another order) has no name of its own.
    found |= {"command": " ".join(facts.recipe.command), "directory": facts.recipe.directory}
    if facts.recipe.function is not None:
        found["function"] = facts.recipe.function
    return found


def flatten(params: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """Nested parameters as dotted paths. An empty mapping is a value.

    >>> dict(flatten({"model": {"depth": 3}, "lr": 0.1}))
    {'model.depth': 3, 'lr': 0.1}
    """
    for key, value in params.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _data(facts: Facts) -> dict[str, object]:
    return {**facts.recipe.data, **facts.read}


def _packages(facts: Facts) -> dict[str, object]:
    return {name: _package(package) for name, package in facts.packages.items()}


def _package(package: Package) -> str:
    text = package.version
    if package.origin != "index":
        text += f" ({package.origin}{f' {package.url}' if package.url else ''}{f' at {package.commit}' if package.commit else ''})"
    return text


def _python(facts: Facts) -> dict[str, object]:
    return _known({"python": facts.environment.python or facts.recipe.python})


def _system(facts: Facts) -> dict[str, object]:
    return _known({"os": facts.environment.os, "libc": facts.environment.libc}) | dict(facts.environment.blas)


def _hardware(facts: Facts) -> dict[str, object]:
    hardware: Hardware = facts.environment.hardware
    gpus = {f"gpu {index}": f"{gpu.name}, {gpu.memory or 'unknown'} bytes" for index, gpu in enumerate(hardware.gpus)}
    return _known(
        {
            "machine": hardware.machine,
            "cpu": hardware.cpu,
            "cores": hardware.cores,
            "usable cpus": hardware.cpus,
            "memory": hardware.memory,
            "cpu features": " ".join(hardware.features),
            "gpu driver": hardware.gpu_driver,
            "cuda": hardware.cuda,
            **gpus,
        }
    )


def _flags(facts: Facts) -> dict[str, object]:
    determinism = facts.run.result.determinism if facts.run.result else None
    found: dict[str, object] = {**facts.environment.variables}
    if determinism:
        found |= {
            f"{framework}.{name}": value for framework, flags in determinism.frameworks.items() for name, value in flags.items()
        }
        found |= {"hash seed": determinism.hash_seed, "seeded": " ".join(sorted(determinism.seeded))}
        found |= determinism.threads
    return found | {**facts.recipe.flags, **facts.recipe.threads}


def _seed(facts: Facts) -> dict[str, object]:
    determinism = facts.run.result.determinism if facts.run.result else None
    seed = facts.recipe.seed if facts.recipe.seed is not None or determinism is None else determinism.seed
    return _known({"seed": seed})


def _lineage(facts: Facts) -> dict[str, object]:
    # A run does not build on the run that it repeats.
    parents = [parent for parent in facts.run.parents if parent.by != "reproduction"]
    return {f"{parent.by} {parent.path}".strip(): parent.run for parent in parents}


def _known(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value not in (None, "", 0) or (name == "seed" and value is not None)}


def _code(facts: Facts) -> dict[str, object]:
    return dict(facts.code)


_VIEWS: tuple[tuple[DifferenceKind, Callable[[Facts], dict[str, object]]], ...] = (
    ("code", _code), ("param", _params), ("data", _data), ("seed", _seed), ("package", _packages), ("flag", _flags),
    ("python", _python), ("hardware", _hardware), ("system", _system), ("lineage", _lineage),
)  # fmt: skip
_SURROUNDINGS = tuple(pair for pair in _VIEWS if pair[0] in ("package", "python", "hardware", "system"))
_RANK: dict[DifferenceKind, int] = {kind: rank for rank, (kind, _) in enumerate(_VIEWS)}
