"""The runs that a run builds on: those that wrote what it read, found by content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

import msgspec

from assay.errors import AssayError
from assay.records.finding import Finding, Gap
from assay.records.recipe import Recipe
from assay.records.run import Parent, Run, Start
from assay.records.trace import FileUse, Trace
from assay.store.store import Store
from assay.store.tree import read_tree

_PYTHON = re.compile(r"python[\d.]*|pypy[\d.]*")
_SCRIPTS = (".py", ".ipynb", ".sh")
_MOST = 64  # writers of one content that are looked at, the newest first
_NAMED = 5


class Links(NamedTuple):
    """What a run builds on.

    Attributes:
        parents: for each file that it read, the run that wrote it.
        trace: its trace; what it read and something changed since has the content that its writer gave it.
        findings: files that several runs wrote with the same content.
    """

    parents: tuple[Parent, ...]
    trace: Trace
    findings: tuple[Finding, ...] = ()


class _Writer(NamedTuple):
    run: Run
    path: str
    content: str


def links(store: Store, trace: Trace, start: Start, recipe: Recipe) -> Links:
    """Parents of a run by what it read: for each file, the run that wrote its content.

    Where several runs wrote the same content, one that wrote it to the same path is preferred, then one in the same root, then one that
    repeats no other, then one that had ended before this one began, then the one that ended last; a finding names the others. A file that
    was overwritten since it was read is known by its path, size and modification time. Empty files say nothing about where a result comes
    from; nor do files that are part of the code, if they were part of the writer's code too, which only copied them.

    A parent that did not finish and ran the same script in the same root is resumed ("resume"); every other is read from ("read").

    Args:
        store: where to look.
        trace: of the run that just ended.
        start, recipe: of the same run.

    Raises:
        StoreUnusable: the runs cannot be read.
    """
    reads = [file for file in trace.read if file.size > 0 and (file.id is not None or file.mtime > 0)]
    if not reads:
        return Links((), trace)
    known = store.catalogue.wrote_any(file.id for file in reads if file.id is not None)
    code = _contents(store, recipe.code) if known else frozenset[str]()
    search = _Search(store, start, recipe)
    for file in reads:
        if file.id is None:
            search.link(file, search.by_stat(file))
        elif file.id in known:
            written = [(run_id, path, file.id) for run_id, path in known[file.id]]
            search.link(file, search.not_copied(written) if file.id in code else written)
    return Links(tuple(search.parents), _with_contents(store, trace, search.contents), tuple(search.findings()))


def still_missing(gaps: Iterable[Gap], before: Trace, after: Trace) -> list[Gap]:
    """The gaps that remain once `links` has made `after` of a trace: a read whose content its writer told is missing no more."""
    unknown = {use.path for use in before.read if use.id is None}
    known = {use.path for use in after.read if use.id is not None and use.path in unknown}
    return [gap for gap in gaps if gap.what not in known]


class _Search:
    """Parents found so far, and each run that was looked at, read once."""

    def __init__(self, store: Store, start: Start, recipe: Recipe) -> None:
        self.parents: list[Parent] = []
        self.contents: dict[str, str] = {}
        self._others: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self._store = store
        self._start = start
        self._recipe = recipe
        self._runs: dict[str, Run | None] = {}
        self._codes: dict[str, frozenset[str]] = {}

    def link(self, file: FileUse, found: Iterable[tuple[str, str, str]]) -> None:
        """Add the parent that wrote the file, chosen among (run, path, content)."""
        writers = [writer for writer in self._writers(file, found) if self._is_earlier(writer.run)]
        if not writers:
            return
        chosen = min(writers, key=lambda writer: self._distance(writer, file))  # of equals the first, which is the newest
        by = "resume" if _resumes(self._store, self._start, self._recipe, chosen.run) else "read"
        self.parents.append(Parent(run=chosen.run.id, by=by, path=file.path))
        if file.id is None:
            self.contents[file.path] = chosen.content
        others = tuple(dict.fromkeys(writer.run.id for writer in writers if writer.run.id != chosen.run.id))
        if others:
            self._others.setdefault((chosen.run.id, others), []).append(file.path)

    def by_stat(self, file: FileUse) -> Iterator[tuple[str, str, str]]:
        """Runs that left the file as it was when it was read, of which only its stat record is left."""
        for run_id, _ in self._store.catalogue.wrote_at(file.path)[:_MOST]:
            run = self._run(run_id)
            for use in trace_of(self._store, run).written if run is not None else ():
                if use.path == file.path and use.id and (use.size, use.mtime) == (file.size, file.mtime):
                    yield run_id, use.path, use.id

    def not_copied(self, written: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
        """Of (run, path, content) those whose run did not have the content in its own code."""
        for run_id, path, content in written:
            run = self._run(run_id)
            if run is not None and content not in self._code_of(run):
                yield run_id, path, content

    def findings(self) -> Iterator[Finding]:
        """Which other runs could have been the parents."""
        for (chosen, others), paths in self._others.items():
            named = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if len(others) > _NAMED else "")
            about = paths[0] + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
            text = f"{named} wrote the same content; {chosen} is taken for its origin"
            yield Finding(kind="several writers", about=about, text=text)

    def _writers(self, file: FileUse, found: Iterable[tuple[str, str, str]]) -> Iterator[_Writer]:
        ordered = sorted((one for one in found if one[0] != self._start.id), key=lambda one: one[1] != file.path)
        for run_id, path, content in ordered[:_MOST]:
            run = self._run(run_id)
            if run is not None:
                yield _Writer(run, path, content)

    def _run(self, run_id: str) -> Run | None:
        if run_id not in self._runs:
            self._runs[run_id] = next(iter(readable(self._store, run_id)), None)
        return self._runs[run_id]

    def _code_of(self, run: Run) -> frozenset[str]:
        recipe = run.start.recipe
        if recipe not in self._codes:
            try:
                self._codes[recipe] = _contents(self._store, self._store.objects.record(recipe, Recipe).code)
            except AssayError:
                self._codes[recipe] = frozenset()
        return self._codes[recipe]

    def _distance(self, writer: _Writer, file: FileUse) -> tuple[bool, bool, bool, bool, float]:
        run = writer.run
        elsewhere = bool(self._start.root) and run.start.root != self._start.root
        return writer.path != file.path, elsewhere, _is_again(run), not self._had_ended(run), -_end(run)

    def _is_earlier(self, run: Run) -> bool:
        """Whether a run had begun before this one did; runs that overlap may still have handed a file over."""
        return run.start.started < self._start.started

    def _had_ended(self, run: Run) -> bool:
        return run.state == "crashed" or (run.result is not None and run.result.ended <= self._start.started)


def _is_again(run: Run) -> bool:
    """Whether a run repeats or varies another, so that it wrote in a folder of its own, which is gone."""
    return any(parent.by in ("reproduction", "variant") for parent in run.start.parents)


def _end(run: Run) -> float:
    return run.result.ended if run.result is not None else run.start.started


def _resumes(store: Store, start: Start, recipe: Recipe, parent: Run) -> bool:
    if parent.state not in ("failed", "interrupted", "crashed") or parent.start.root != start.root:
        return False
    try:
        before = store.objects.record(parent.start.recipe, Recipe)
    except AssayError:
        return False
    if before.function is not None or recipe.function is not None:
        return before.function == recipe.function
    return bool(recipe.command) and script_of(before.command) == script_of(recipe.command)


def script_of(command: Sequence[str]) -> str:
    """What a command runs, without its arguments: the first script that it names, else the module after `-m`, else its program.

    >>> script_of(["python", "-u", "train.py", "--resume"]), script_of(["torchrun", "--nproc-per-node", "2", "train.py"])
    ('train.py', 'train.py')
    >>> script_of(["/usr/bin/python3", "-m", "pkg.train"]), script_of(["./train", "x"])
    ('pkg.train', 'train')
    """
    script = next((word for word in command if word.endswith(_SCRIPTS)), None)
    if script is not None:
        return str(PurePosixPath(script))
    program = PurePosixPath(command[0]).name if command else ""
    if _PYTHON.fullmatch(program):
        return next((word for option, word in pairwise(command) if option in ("-m", "-c")), program)
    return program


def trace_of(store: Store, run: Run) -> Trace:
    """What a run read and wrote; of one that crashed, what was found of it afterwards. Nothing where nothing is known.

    Raises:
        AssayError: it is known and cannot be read.
    """
    if run.result is None:
        return store.runs.recovered(run.id) or Trace()
    return store.objects.record(run.result.trace, Trace) if run.result.trace else Trace()


def parents_of(store: Store, run: Run) -> tuple[Parent, ...]:
    """Parents that were said, and the writers of what was read that was not said."""
    said = run.parents
    try:
        trace = trace_of(store, run)
        found = links(store, trace, run.start, store.objects.record(run.start.recipe, Recipe)).parents if trace.read else ()
    except AssayError:
        return said  # an incomplete store still has the lineage that was said
    paths = {parent.path for parent in said if parent.path}
    return (*said, *(parent for parent in found if parent.path not in paths))


def readable(store: Store, run_id: str) -> list[Run]:
    """The run, or nothing where it was removed or cannot be read."""
    try:
        return [store.runs.read(run_id)]
    except AssayError:
        return []


def _with_contents(store: Store, trace: Trace, contents: dict[str, str]) -> Trace:
    if not contents:
        return trace
    read = tuple(
        msgspec.structs.replace(use, id=contents[use.path], kept=contents[use.path] in store.objects)
        if use.id is None and use.path in contents
        else use
        for use in trace.read
    )
    return msgspec.structs.replace(trace, read=read)


def _contents(store: Store, code: str | None) -> frozenset[str]:
    try:
        return frozenset(content for _, content in read_tree(store.objects, code).values()) if code else frozenset()
    except AssayError:
        return frozenset()  # an incomplete store still has lineage
