"""What the processes of a run reported, read back and merged into one account."""

# Paths are text here: observed names need not be valid Unicode, and there can be hundreds of thousands of them.
# ruff: noqa: PTH116, PTH118, PTH208

from __future__ import annotations

import ast
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from assay.records.environment import Determinism

END = b"\0\n"
_READ = b"\0q"
_NOTHING: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
_FILE_KINDS = frozenset("rwauxdlm")


class Stat(NamedTuple):
    """The stat record of a file: mode bits, size in bytes, times in nanoseconds, inode and device."""

    mode: int
    size: int
    mtime: int
    ctime: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: str) -> Stat | None:
        """The record as it is now; None where there is no such file."""
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return None
        return cls(found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev)


class Use(NamedTuple):
    """The first use of a file in one way.

    Attributes:
        time: seconds since 1970.
        stat: as it stood just before; None where it did not exist, or was not asked.
        asked: whether the stat record was asked for: the tracer does not where a process reads many files fast.
        process: position of the process among the reports.
    """

    time: float
    stat: Stat | None
    asked: bool
    process: int


class Source(NamedTuple):
    """A source file as it was loaded: size in bytes, modification time in nanoseconds, content."""

    size: int
    mtime: int
    data: bytes


class Aside(NamedTuple):
    """What a file held before the run wrote over it: its size in bytes and modification time in nanoseconds then, and where it is kept."""

    size: int
    mtime: int
    place: str


class Rank(NamedTuple):
    """One process of a program that several share: what it printed (time, stream, text), CPU seconds and peak resident bytes by name."""

    words: tuple[tuple[float, str, str], ...]
    used: Mapping[str, float]


@dataclass(frozen=True)
class Observed:
    """Merged reports of all processes of a run. Paths are absolute text, undecodable bytes as surrogates.

    Attributes:
        interpreters: start facts of each process that reported, by start; forked children have `forked`.
        loaded: source files and extension modules that were executed.
        sources: contents of source files that had been changed shortly before they were loaded, with size and modification time then.
        asides: contents of files that a process had read and then wrote over; whoever settles takes them away.
        reads: files opened for reading; those that never existed have no stat.
        writes: files opened for writing or put into place by a rename or link.
        moved: old name to new name, in order.
        removed: names that were removed.
        listed: folders whose entries were listed.
        children: argument lists of started processes, each once.
        apart: those of them that were started with an environment in which no interpreter reports.
        native: libraries that read files unseen, to their versions where known.
        covered: those of them whose reads were seen all the same, wherever they were imported.
        hosts: "host:port" of each network address that was contacted.
        ranks: the processes that share the program, by rank; empty where none does.
        began: when the process started whose modules were listed at the end, in seconds since 1970; infinity where none were.
        lost: what processes could not report, in words.
        determinism: settings at the end: of the process that knew most.
        blas: linear-algebra libraries: file name to version text.
        compiled: packages with compiled code that were in the process, where that is known: any of them might write unseen.
    """

    interpreters: tuple[dict[str, Any], ...] = ()
    loaded: Mapping[str, Use] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    asides: Mapping[str, Aside] = field(default_factory=dict)
    reads: Mapping[str, Use] = field(default_factory=dict)
    writes: Mapping[str, Use] = field(default_factory=dict)
    moved: tuple[tuple[str, str], ...] = ()
    removed: frozenset[str] = frozenset()
    listed: Mapping[str, Use] = field(default_factory=dict)
    children: tuple[tuple[str, ...], ...] = ()
    apart: frozenset[tuple[str, ...]] = frozenset()
    native: Mapping[str, str] = field(default_factory=dict)
    covered: frozenset[str] = frozenset()
    hosts: tuple[str, ...] = ()
    ranks: Mapping[int, Rank] = field(default_factory=dict)
    began: float = math.inf
    lost: tuple[str, ...] = ()
    determinism: Determinism = field(default_factory=Determinism)
    blas: Mapping[str, str] = field(default_factory=dict)
    compiled: frozenset[str] | None = None


class _Record(NamedTuple):
    time: float
    kind: str
    use: Use
    path: str
    target: str = ""


def read_folder(folder: Path) -> list[bytes]:
    """The records of each process that reported into `folder`, each as one piece of bytes; unreadable files are left out."""
    segments: dict[str, list[bytes]] = {}
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    for name in names:
        process, _, number = name.rpartition(".")
        if not number.isdigit() or process.count(".") != 1:
            continue
        try:
            data = (folder / name).read_bytes()
        except OSError:
            continue
        # A record is whole once its end is there: what a kill tore, and the reserved zeros after it, have none.
        segments.setdefault(process, []).append(data[: data.rfind(END) + len(END)] if END in data else b"")
    return [b"".join(parts) for parts in segments.values()]


def merge(reports: Iterable[bytes], own: Mapping[str, Mapping[str, Any]] = _NOTHING) -> Observed:
    """One account of all reports, in the order of time. `own`: start and end facts of the first process, where they are at hand."""
    facts: dict[str, list[tuple[int, Any]]] = {kind: [(0, dict(fact))] for kind, fact in own.items()}
    records: list[_Record] = []
    for process, report in enumerate(reports):
        skip = tuple(own["s"]["skip"]) if own and process == 0 else ()
        _Parser(process, records, facts, skip).parse(report)
    records.sort(key=lambda record: record.time)
    return _observed(records, facts)


class _Parser:
    """Reads the records of one process."""

    def __init__(
        self, process: int, records: list[_Record], facts: dict[str, list[tuple[int, Any]]], skip: tuple[str, ...]
    ) -> None:
        self._process = process
        self._records = records
        self._facts = facts
        self._time = 0.0
        self._base = ""
        self._skip = skip

    def parse(self, report: bytes) -> None:
        for item in report.split(END):
            try:
                self._record(chr(item[0]) if item else "", item)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                continue  # a damaged record; the others stand

    def _record(self, kind: str, item: bytes) -> None:
        if item.endswith(_READ):
            self._one_of_many(item[: -len(_READ)])
        elif kind == "t":
            self._time = float(item[1:])
        elif kind == "f":
            self._base = os.fsdecode(item[1:])
        elif kind in _FILE_KINDS:
            self._file(kind, item)
        elif kind == "!":
            self._fact(kind, item[1:].decode(errors="replace"))
        elif kind.isalpha():
            self._fact(kind, ast.literal_eval(item[1:].decode("ascii")))

    def _fact(self, kind: str, fact: Any) -> None:
        if not _has_shape(kind, fact):
            return  # a damaged record, or that of a program which writes to the same place
        self._facts.setdefault(kind, []).append((self._process, fact))
        if kind == "s":
            self._skip = tuple(map(str, fact.get("skip", ())))

    def _one_of_many(self, name: bytes) -> None:
        """A file that was read: its process said the time and its folder before it, and left it to us to tell the program's from Python's."""
        path = os.fsdecode(name)
        if not path.startswith("/"):
            path = f"{self._base}/{path}" if self._base else ""
        if path and "\0" not in path and not path.startswith(self._skip):
            self._records.append(_Record(self._time, "r", Use(self._time, None, False, self._process), _normal(path)))

    def _file(self, kind: str, item: bytes) -> None:
        head, _, rest = os.fsdecode(item).partition(" ")
        stat, _, path = rest.partition(" ")
        known = Stat(*map(int, stat.split(","))) if "," in stat else None
        old, _, new = path.partition("\0")
        use = Use(float(head[1:]), known, stat != "?", self._process)
        self._records.append(_Record(use.time, kind, use, _normal(old), _normal(new) if new else ""))


_SHAPES: Mapping[str, type | tuple[type, ...]] = {"s": dict, "e": dict, "c": (list, tuple), "k": (list, tuple)}
_INNER: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("time", "began"), (int, float)),
    "rank": (int, type(None)),
    **dict.fromkeys(("skip", "seeded", "compiled"), (list, tuple, set, frozenset)),
    **dict.fromkeys(("native", "blas", "frameworks", "threads", "used"), dict),
}


def _has_shape(kind: str, fact: Any) -> bool:
    """Whether a fact is made as its kind is, down to what is taken from it."""
    if kind == "o":
        return isinstance(fact, tuple) and len(fact) == 3 and isinstance(fact[0], int | float)
    if not isinstance(fact, _SHAPES.get(kind, object)):
        return False
    if not isinstance(fact, dict):
        return True
    sound = all(isinstance(value, _INNER.get(name, object)) for name, value in fact.items())
    return sound and all(isinstance(value, int | float) for value in fact.get("used", {}).values())


def _normal(path: str) -> str:
    """`path` without "." and ".."; the folders before a ".." are followed where they are links, as the kernel did."""
    if "/.." in path:
        folder, _, name = path.rpartition("/")
        return os.path.realpath(path) if name == ".." else os.path.join(os.path.realpath(folder), name)
    return os.path.normpath(path) if "/." in path or "//" in path else path


def _sources(facts: dict[str, list[tuple[int, Any]]]) -> dict[str, Source]:
    """What was read of notebooks as they were opened; the first reading counts."""
    found = [fact for _, fact in facts.get("v", ()) if isinstance(fact, tuple) and tuple(map(type, fact)) == (str, int, int, bytes)]
    return {_normal(path): Source(size, mtime, data) for path, size, mtime, data in reversed(found)}


def _asides(facts: dict[str, list[tuple[int, Any]]]) -> dict[str, Aside]:
    """What was kept of files before they were written over; the first time counts, since later ones are the run's own work."""
    found = [fact for _, fact in facts.get("b", ()) if isinstance(fact, tuple) and tuple(map(type, fact)) == (str, int, int, str)]
    return {_normal(path): Aside(size, mtime, place) for path, size, mtime, place in reversed(found)}


def _observed(records: list[_Record], facts: dict[str, list[tuple[int, Any]]]) -> Observed:
    uses: dict[str, dict[str, Use]] = {kind: {} for kind in "rwxl"}
    moved: dict[tuple[str, str], None] = {}
    removed: set[str] = set()
    for record in records:
        if record.kind == "m":
            moved[record.path, record.target] = None
            _move(uses["w"], record)
        elif record.kind == "d":
            removed.add(record.path)
        else:
            for kind in _ROLES[record.kind]:
                uses[kind].setdefault(record.path, record.use)
    ends = [fact for _, fact in facts.get("e", ()) if isinstance(fact, dict)]
    return Observed(
        interpreters=_interpreters(facts),
        loaded=uses["x"],
        sources=_sources(facts),
        asides=_asides(facts),
        reads=uses["r"],
        writes=uses["w"],
        moved=tuple(moved),
        removed=frozenset(removed),
        listed=uses["l"],
        children=tuple(dict.fromkeys(_words(facts, "c") + _words(facts, "k"))),
        apart=frozenset(_words(facts, "k")),
        native=_native(facts, ends),
        covered=_covered(facts),
        hosts=tuple(dict.fromkeys(str(place) for _, place in facts.get("h", ()))),
        ranks=_ranks(facts),
        began=min((float(fact.get("began", math.inf)) for fact in _interpreters(facts)), default=math.inf),
        lost=tuple(dict.fromkeys(str(text) for _, text in facts.get("!", ()))),
        determinism=_determinism(facts, ends),
        blas={name: text for end in ends for name, text in end.get("blas", {}).items()},
        compiled=frozenset(name for end in ends for name in end["compiled"])
        if ends and all("compiled" in end for end in ends)
        else None,
    )


_ROLES: dict[str, tuple[Literal["r", "w", "x", "l"], ...]] = {
    "r": ("r",),
    "w": ("w",),
    "a": ("w",),
    "u": ("r", "w"),
    "x": ("x",),
    "l": ("l",),
}


def _move(writes: dict[str, Use], record: _Record) -> None:
    """The target was put into place; what was written below a moved folder is below its new name now."""
    below = record.path + "/"
    for path in [path for path in writes if path.startswith(below)]:
        writes.setdefault(record.target + path[len(record.path) :], writes[path])
    writes.setdefault(record.target, record.use)


def _words(facts: dict[str, list[tuple[int, Any]]], kind: str) -> list[tuple[str, ...]]:
    return [tuple(map(str, words)) for _, words in facts.get(kind, ())]


def _interpreters(facts: dict[str, list[tuple[int, Any]]]) -> tuple[dict[str, Any], ...]:
    found = [fact for _, fact in facts.get("s", ()) if isinstance(fact, dict)]
    return tuple(sorted(found, key=lambda fact: float(fact.get("time", 0.0))))


def _ranks(facts: dict[str, list[tuple[int, Any]]]) -> dict[int, Rank]:
    ranks = {
        process: fact["rank"] for process, fact in facts.get("s", ()) if isinstance(fact, dict) and fact.get("rank") is not None
    }
    words: dict[int, list[tuple[float, str, str]]] = {rank: [] for rank in sorted(set(ranks.values()))}
    for process, (time, stream, text) in facts.get("o", ()):
        if process in ranks:
            words[ranks[process]].append((float(time), str(stream), str(text)))
    used: dict[int, dict[str, float]] = {}
    for process, fact in facts.get("e", ()):
        if process in ranks:
            # A rank's own children inherit its number: times add up, and the largest process counts.
            mine = used.setdefault(ranks[process], {})
            for name, value in fact.get("used", {}).items():
                mine[name] = max(mine.get(name, 0.0), value) if name == "peak_memory" else mine.get(name, 0.0) + value
    return {rank: Rank(tuple(sorted(said)), used.get(rank, {})) for rank, said in words.items()}


def _native(facts: dict[str, list[tuple[int, Any]]], ends: list[dict[str, Any]]) -> dict[str, str]:
    """Of a process that ended as it should, the libraries that it had; of one that was killed, those that it tried to import."""
    ended = {process for process, _ in facts.get("e", ())}
    found = {str(name): "" for process, name in facts.get("n", ()) if process not in ended}
    for end in ends:
        found.update(end.get("native", {}))
    return found


def _covered(facts: dict[str, list[tuple[int, Any]]]) -> frozenset[str]:
    covered = {(process, str(name)) for process, name in facts.get("g", ())}
    uncovered = {str(name) for process, name in facts.get("n", ()) if (process, str(name)) not in covered}
    return frozenset(name for _, name in covered) - uncovered


def _determinism(facts: dict[str, list[tuple[int, Any]]], ends: list[dict[str, Any]]) -> Determinism:
    starts = _interpreters(facts)
    seeds = {str(start.get("hash_seed", "random")) for start in starts}
    seed = next((end["seed"] for end in ends if end.get("seed") is not None), None)
    frameworks: dict[str, dict[str, str]] = {}
    threads: dict[str, str] = {}
    for end in ends:
        frameworks.update(end.get("frameworks", {}))
        threads.update(end.get("threads", {}))
    seeded = dict.fromkeys(name for end in ends for name in end.get("seeded", ()))
    hash_seed = seeds.pop() if len(seeds) == 1 else "random"
    return Determinism(hash_seed=hash_seed, seed=seed, seeded=tuple(seeded), frameworks=frameworks, threads=threads)
