"""From what was observed to the trace of a run: files by use, with content ids, and what could not be known, said."""

# Paths are text here: observed names need not be valid Unicode, and there can be hundreds of thousands of them.
# ruff: noqa: PTH100, PTH113, PTH118, PTH119, PTH120, PTH208

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from assay.capture.children import unseen_children
from assay.capture.code import Snapshot
from assay.capture.code_file import LARGEST
from assay.capture.code_secrets import findings_of, left_out_of, read_small, without_secrets
from assay.capture.content import Budget, Contents, budget_seconds, readable
from assay.capture.keep_out import KeepOut
from assay.capture.native_code import that_open_files
from assay.capture.scan import changed_since
from assay.capture.secrets import secret_content, secret_name
from assay.capture.stat_cache import cache_folder
from assay.capture.trace_reports import Observed, Stat, Use
from assay.errors import AssayError
from assay.records.canonical import digest
from assay.records.finding import Finding, Gap
from assay.records.trace import FileUse, Trace
from assay.store.store import Store

KEEP_BELOW: Final = 100 << 20
"""Bytes up to which a written file is kept."""

CHANGED: Final = "changed while the run read it"
# Packages whose compiled code opens no file for writing by itself: what they write goes through Python's `open`.
_WRITE_SEEN: Final = {
    *("PIL", "blake3", "charset_normalizer", "contourpy", "kiwisolver", "markupsafe", "matplotlib", "msgspec", "numpy", "pandas"),
    *("pillow", "psutil", "regex", "scikit_learn", "scipy", "sklearn", "yaml", "_ruamel_yaml"),
}
# What libraries compute once for each machine and user. It says nothing of a result, and whoever happened to run first would be taken for
# the parent of all others: matplotlib's list of fonts, and what Triton, TorchInductor and the CUDA driver compiled.
_OF_LIBRARIES: Final = re.compile(
    r"/fontlist-v[\w.-]+\.json(?:\.matplotlib-lock)?$|/\.triton/cache/|/torchinductor_[^/]+/|/\.nv/ComputeCache/"
)
UNKEPT: Final = "could not be kept"
_NAMED: Final = 100  # gaps of one kind that are named; more are counted
_TICK: Final = 10_000_000  # nanoseconds: the kernel stamps files with a clock that is up to this late


class Settled(NamedTuple):
    """The trace of a run, what it does not hold and why, and what a reader must know."""

    trace: Trace
    gaps: tuple[Gap, ...] = ()
    findings: tuple[Finding, ...] = ()


def settle(
    store: Store, root: Path, observed: Observed, *, snapshot: Snapshot, since: float, keep_below: int = KEEP_BELOW
) -> Settled:
    """Classify and hash all files that a run used. Never raises: what fails becomes a gap.

    Loaded source files are kept in the store; so are written files up to `keep_below`. Data that was read is hashed alone. A file that
    the run wrote before it read it stands under `written` alone; one that is gone at the end under neither. What hashing has no time for
    (`assay.capture.content.BUDGET`) is known by name, size and time, and is a gap.

    Args:
        root: paths below it are recorded relative to it.
        snapshot: the code tree as it was when the run started.
        since: when the run started, seconds since 1970.
        keep_below: bytes.
    """
    settling = _Settling(store, root, observed, snapshot, since, keep_below)
    try:
        return settling.settle()
    except Exception as error:  # noqa: BLE001 - the run has a result already, which no failure of its record may take away
        return Settled(Trace(processes=len(observed.interpreters)), (Gap(what="trace", why=f"it could not be made: {error!r}"),))


class _Settling:
    def __init__(self, store: Store, root: Path, observed: Observed, snapshot: Snapshot, since: float, keep_below: int) -> None:
        self._store = store
        self._own = os.path.abspath(store.path)
        # The store, Assay's caches and Assay itself, which a script that uses it loads.
        self._apart = tuple(folder + "/" for folder in (self._own, cache_folder(), os.path.dirname(os.path.dirname(__file__))))
        # A trial's own folder lies in the cache; what a run does below its root is its work all the same.
        below = os.path.abspath(root) + "/"
        self._within = below if below.startswith(self._apart) else "\0"
        self._observed = observed
        self._since = int(since * 1e9)
        self._keep_below = keep_below
        self._contents = Contents(os.path.abspath(root), snapshot.files, snapshot.stats)
        self._rules = KeepOut.read(os.path.abspath(root))
        seconds = budget_seconds()
        # Two of them, so that large inputs take no time from the artifacts.
        self._for_reads, self._for_writes = Budget(seconds), Budget(seconds)
        self._unhashed = (
            f"not hashed: hashing may take {seconds:g} s (ASSAY_HASH_SECONDS); `assay data add` takes the time it needs"
        )
        self._moved = dict(observed.moved)
        said = list(findings_of(snapshot.left_out))
        self._gaps: list[Gap] = [gap for gap, _ in said]
        self._findings: list[Finding] = [finding for _, finding in said]

    def settle(self) -> Settled:
        """The whole of it."""
        writes = {path: use for path, use in self._observed.writes.items() if not self._excluded(path)}
        products = set(self._unseen_products(writes))
        sources = {**self._observed.loaded, **self._notebooks(writes, products)}
        loaded = [file for path, use in sources.items() if not self._excluded(path) for file in self._loaded(path, use, writes)]
        read = [
            file
            for path, use in self._observed.reads.items()
            if path not in sources and path not in products and not self._excluded(path) and self._is_input(use, writes.get(path))
            for file in self._read(path, use, path in writes)
        ]
        written = [file for path in sorted(writes) for file in self._written(path, writes[path], "open")]
        written += [file for path in sorted(products | self._scanned(writes)) for file in self._written(path, None, "scan")]
        listed = {self._contents.name(path): names for path in self._observed.listed for names in self._listing(path, writes)}
        self._contents.keep()
        self._say_gaps()
        trace = Trace(
            loaded=tuple(sorted(loaded, key=_path)),
            read=tuple(sorted(read, key=_path)),
            written=tuple(sorted(written, key=_path)),
            listed=listed,
            processes=len(self._observed.interpreters),
        )
        return Settled(trace, tuple(_bounded(self._gaps)), tuple(self._findings))

    def _excluded(self, path: str) -> bool:
        if path.startswith(self._apart) and not path.startswith(self._within):
            return True
        return path.endswith(".pyc") or "/__pycache__/" in path or "/.git/" in path or _OF_LIBRARIES.search(path) is not None

    def _notebooks(self, writes: dict[str, Use], products: set[str]) -> dict[str, Use]:
        """The project's notebooks that were read: whoever reads one, such as nbconvert or papermill, mostly executes it."""
        below = self._contents.root + "/"
        return {
            path: use
            for path, use in self._observed.reads.items()
            if path.endswith(".ipynb") and path.startswith(below) and path not in products and self._is_input(use, writes.get(path))
        }

    def _unseen_products(self, writes: dict[str, Use]) -> Iterator[str]:
        """Files below the root that came into being during the run, unseen, before it read them: its own work, not its input."""
        below = self._contents.root + "/"
        for path, use in self._observed.reads.items():
            if not path.startswith(below) or path in writes or self._excluded(path):
                continue
            # Where it was not asked how the file was, it is as it was if it has not changed since.
            then = use.stat if use.asked else Stat.of(path)
            if then is None or not self._unchanged(use, then):
                continue
            if min(then.mtime, then.ctime) >= self._since and stat.S_ISREG(then.mode):
                yield path

    def _is_input(self, use: Use, write: Use | None) -> bool:
        """Whether the content that was read was there before the run wrote the file."""
        if use.asked and (use.stat is None or not stat.S_ISREG(use.stat.mode)):
            return False
        if write is None:
            return True
        if use.time > write.time:
            return False
        return write.stat is not None if use.stat is None else use.stat.ctime < self._since

    def _loaded(self, path: str, use: Use, writes: dict[str, Use]) -> Iterator[FileUse]:
        name = self._contents.name(path)
        before = self._contents.in_snapshot(path)
        found = self._contents.now(path)
        if found is not None and (use.stat is None or _same(use.stat, found[1])):
            content, now = found
            if before is not None and before != content:
                self._say_changed(name, f"was {before} in the snapshot of the code and {content} when it was loaded")
            elif use.stat is None and path not in writes and now.mtime > self._observed.began * 1e9:
                self._say_changed(
                    name, f"was changed after the process had started; what it had loaded before may be older than {content}"
                )
            yield self._kept(path, content, now, "open", always=True)
        elif use.stat is not None:
            yield from self._loaded_then(path, use.stat, before, found)

    def _loaded_then(self, path: str, then: Stat, before: str | None, found: tuple[str, Stat] | None) -> Iterator[FileUse]:
        """A source file that is not now what it was when it was loaded: both contents are kept, where they could be read."""
        name = self._contents.name(path)
        content = self._contents.at(path, then) or self._source(path, then)
        if content is not None and before is not None and before != content:
            self._say_changed(name, f"was {before} in the snapshot of the code and {content} when it was loaded")
        if found is None:
            note, content = "vanished", content or before
            self._gap(name, "a loaded source file is gone, or keeps changing")
        else:
            note = "changed after the run loaded it"
            if content is None:
                self._gap(name, note)
            self._say_changed(name, f"was {content or 'unknown'} when it was loaded and is {found[0]} at the end of the run")
            self._kept(path, *found, "open", always=True)
        yield FileUse(
            path=name, id=content, size=then.size, kept=content is not None and self._store.objects.renew(content), note=note
        )

    def _source(self, path: str, then: Stat) -> str | None:
        """The content that an interpreter reported for a file as it loaded it; it is in the store afterwards."""
        source = self._observed.sources.get(path)
        if source is None or (source.size, source.mtime, len(source.data)) != (then.size, then.mtime, then.size):
            return None
        if self._withheld(self._contents.name(path)):
            return None
        kept = without_secrets(path, source.data)[0]
        try:
            return self._store.objects.put(kept)
        except AssayError:
            return digest(kept)  # whoever keeps the next file says why nothing can be kept

    def _say_changed(self, name: str, how: str) -> None:
        self._findings.append(Finding(kind="code changed", about=name, text=f"{name} {how}"))

    def _read(self, path: str, use: Use, updated: bool) -> Iterator[FileUse]:
        name = self._contents.name(path)
        try:
            found = self._contents.now(path, self._for_reads) or self._contents.now(self._moved.get(path, path), self._for_reads)
        except TimeoutError:
            yield self._without_id(path, "")
            return
        if found is not None and self._unchanged(use, found[1]):
            yield FileUse(
                path=name, id=found[0], size=found[1].size, mtime=found[1].mtime, kept=self._store.objects.renew(found[0])
            )
            return
        then = (self._contents.at(path, use.stat) if use.stat is not None else None) or self._set_aside(path, use)
        note = "vanished" if found is None else "the run changed it after reading it" if updated else CHANGED
        if then is None or not updated:
            self._gap(name, note)
        if found is not None and not updated:
            text = f"{name} was {then or 'unknown'} when the run read it and is {found[0]} at its end"
            self._findings.append(Finding(kind="data changed", about=name, text=text))
        size, mtime = (use.stat.size, use.stat.mtime) if use.stat is not None else (0, 0)
        kept = then is not None and self._store.objects.renew(then)
        yield FileUse(path=name, id=then, size=size, mtime=mtime, kept=kept, note=note)

    def _set_aside(self, path: str, use: Use) -> str | None:
        """What a file held when it was read, of one that the run has written over since: it was kept beside the reports in time.

        It is in the store afterwards, as what the run wrote is, since nothing else may hold it any more.
        """
        kept = self._observed.asides.get(path)
        now = Stat.of(kept.place) if kept is not None else None
        if kept is None or now is None or now.size != kept.size or not stat.S_ISREG(now.mode):
            return None
        if use.stat is not None and (use.stat.size, use.stat.mtime) != (kept.size, kept.mtime):
            return None  # it was changed between the two
        if use.stat is not None and now.inode == use.stat.inode and now.mtime != kept.mtime:
            return None  # the file itself under another name, which somebody still wrote to
        try:
            content = self._for_reads.hash(kept.place)
            name = self._contents.name(path)
            if now.size <= self._keep_below and not (self._withheld(name) or _secret_inside(kept.place, content, now)):
                self._store.objects.put_file(Path(kept.place), expect=content)
        except (OSError, AssayError):
            return None
        return content

    def _unchanged(self, use: Use, now: Stat) -> bool:
        if use.stat is not None:
            return _same(use.stat, now)
        return now.ctime + _TICK < int(use.time * 1e9)

    def _written(self, path: str, use: Use | None, by: str) -> Iterator[FileUse]:
        if Stat.of(path) is None:
            return  # a temporary file
        if use is not None and use.stat is not None and use.stat == Stat.of(path):
            return  # opened for writing, and left as it was
        try:
            found = self._contents.now(path, self._for_writes)
        except TimeoutError:
            yield self._without_id(path, by)
            return
        if found is not None:
            yield self._kept(path, found[0], found[1], by, always=False)
        elif os.path.isfile(path):
            self._gap(self._contents.name(path), "a written file could not be read, or keeps changing")
            yield FileUse(path=self._contents.name(path), by=by, note="could not be read")

    def _without_id(self, path: str, by: str) -> FileUse:
        """The use of a file that there was no time to hash; its stat record is what is known of it."""
        name, now = self._contents.name(path), Stat.of(path)
        self._gap(name, self._unhashed)
        size, mtime = (now.size, now.mtime) if now is not None else (0, 0)
        return FileUse(path=name, size=size, mtime=mtime, by=by, note="not hashed")

    def _kept(self, path: str, content: str, now: Stat, by: str, *, always: bool) -> FileUse:
        """The use of a file whose content is put into the store, unless it is too large or secret."""
        name, note = self._contents.name(path), ""
        if always and not self._withheld(name):
            if self._contents.in_snapshot(path) != content:
                content, note = self._without_secrets(path, content)
            kept = self._store.objects.renew(content)
            if note or kept:
                return FileUse(path=name, id=content, size=now.size, mtime=now.mtime, kept=kept, by=by, note=note)
        if now.size > self._keep_below and not always:
            note = f"too large to keep (over {self._keep_below >> 20} MiB)"
        elif secret := self._withheld(name) or _secret_inside(path, content, now):
            note = f"not kept: {secret}"
        else:
            try:
                if self._store.objects.put_file(path, expect=content) != content:
                    note = "changed while it was kept"
            except (AssayError, OSError) as error:
                note = f"{UNKEPT} ({error})"
        if note:
            self._gap(name, note)
        return FileUse(path=name, id=content, size=now.size, mtime=now.mtime, kept=not note, by=by, note=note)

    def _withheld(self, name: str) -> str:
        """Why the name alone forbids to keep a file; empty where it does not."""
        return secret_name(name) or self._rules.reason(name)

    def _without_secrets(self, path: str, content: str) -> tuple[str, str]:
        """The id of what may be kept of a source file that the snapshot does not have, and a note where that is not all of it."""
        data = read_small(path)
        if data is None or content in _harmless:
            return content, ""
        kept, words = without_secrets(path, data)
        if not words:
            _harmless.add(content)
            return content, ""
        name, note = self._contents.name(path), left_out_of(words)
        for gap, finding in findings_of({name: note}):
            self._gaps.append(gap)
            self._findings.append(finding)
        try:
            return self._store.objects.put(kept), note
        except AssayError:
            return digest(kept), note

    def _scanned(self, writes: dict[str, Use]) -> set[str]:
        if not self._writes_unseen():
            return set()
        scanned = changed_since(self._contents.root, self._since / 1e9, without=self._own)
        if not scanned.complete:
            self._gap("writes", "the search for files that changed unseen was stopped after 1 s")
        known = writes.keys() | self._observed.loaded.keys()
        return {path for path in scanned.changed if path not in known and not self._excluded(path) and not self._is_as_read(path)}

    def _is_as_read(self, path: str) -> bool:
        """Whether the run read the file as it still is; one that was replaced since, unseen, is read and written."""
        use = self._observed.reads.get(path)
        now = Stat.of(path) if use is not None else None
        return use is not None and (now is None or self._unchanged(use, now))

    def _writes_unseen(self) -> bool:
        """Whether anything in the run could have written a file without an interpreter seeing it."""
        observed = self._observed
        if observed.compiled is None or observed.children or observed.lost or len(observed.interpreters) != 1:
            return True
        return bool(observed.compiled - _WRITE_SEEN) or any(".so" in path for path in observed.reads)

    def _listing(self, path: str, writes: dict[str, Use]) -> Iterator[str]:
        """The digest of a folder's names as they were before the run added to them."""
        if self._excluded(path + "/"):
            return
        try:
            names = {os.path.join(path, name) for name in os.listdir(path)}
        except OSError:
            return
        names = {name for name in names if writes.get(name) is None or writes[name].stat is not None}
        names |= {name for name in self._observed.removed if os.path.dirname(name) == path and name not in writes}
        yield listing_digest(os.path.basename(name) for name in names)

    def _say_gaps(self) -> None:
        observed = self._observed
        for library, version in sorted(observed.native.items()):
            if library not in observed.covered:
                self._gap(f"reads by {library}", f"{library} {version}".strip() + " opens files in native code, unseen")
        for path in that_open_files({*observed.loaded, *observed.reads}):
            if not self._excluded(path):
                self._gap(f"reads by {self._contents.name(path)}", "compiled code that can open files itself, unseen")
        for place in observed.hosts:
            if not _is_local(place):
                self._gap("network", f"the run talked to {place}; what it received is not recorded")
        for text in observed.lost:
            self._gap("reads", text)
        for words, why in unseen_children(observed):
            self._gap(f"child process `{words}`", why)

    def _gap(self, what: str, why: str) -> None:
        self._gaps.append(Gap(what=what, why=why))


def listing_digest(names: Iterator[str]) -> str:
    """What `Trace.listed` holds of a folder: the BLAKE3 of its names as bytes, sorted, a NUL after each; Assay's and Python's own left out."""
    kept = sorted(os.fsencode(name) for name in names if name not in (".assay", "__pycache__", ".git"))
    return digest(b"".join(name + b"\0" for name in kept))


_harmless: set[str] = set()
"""Contents of source files in which no secret was found."""
_searched: dict[str, str] = {}
"""Content id to what a search for secrets in it gave: the runs of one process, or of one server of trials, load the same sources."""


def _secret_inside(path: str, content: str, now: Stat) -> str:
    if now.size > LARGEST:
        return ""
    if content not in _searched:
        try:
            with open(path, "rb") as file:
                data = file.read(LARGEST)
        except OSError:
            return ""  # keeping it will say why
        if digest(data) != content:  # it has changed since it was hashed: this says nothing of `content`
            return secret_content(data)
        _searched[content] = secret_content(data)
    return _searched[content]


def _same(then: Stat, now: Stat) -> bool:
    # Not the change time: a rename or a change of mode moves it and leaves the content.
    return then.size == now.size and then.mtime == now.mtime and then.inode == now.inode


def _is_local(place: str) -> bool:
    host = place.rpartition(":")[0]
    return host in ("localhost", "::1", "") or host.startswith("127.")


def _bounded(gaps: list[Gap]) -> Iterator[Gap]:
    """Each gap once; of each reason so many, the rest counted."""
    reasons: dict[str, int] = {}
    for gap in dict.fromkeys(gaps):
        count = reasons[gap.why] = reasons.get(gap.why, 0) + 1
        if count <= _NAMED:
            yield gap
    for why, count in reasons.items():
        if count > _NAMED:
            yield Gap(what=f"{count - _NAMED} more files", why=why)


def _path(file: FileUse) -> str:
    return file.path


__all__ = ["CHANGED", "KEEP_BELOW", "Settled", "listing_digest", "readable", "settle"]
