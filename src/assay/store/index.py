"""The catalogue's tables in SQLite: derived from the run folders, kept in the user's cache, thrown away at the first doubt.

What was found of the folder of runs is kept too: as long as that has not changed, a newcomer looks only at the runs that may still change.
With a million runs, listing them takes seconds and hundreds of MiB; nothing here holds more than a part of them otherwise.

One file for each host and store, since SQLite's shared memory does not work across machines. Where the cache cannot be used (unwritable,
full, locked for too long), the tables live in memory and the answers are the same.
"""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import msgspec

from assay.errors import AssayError, UnknownRun
from assay.records.canonical import decode, digest
from assay.records.journal import Saved
from assay.records.recipe import Recipe
from assay.records.run import Result, Run, Start, State
from assay.records.trace import FileUse, Trace
from assay.store.narrowing import values_of
from assay.store.objects import Objects
from assay.store.process import this_process
from assay.store.query import Facts
from assay.store.runs import Runs

SCHEMA = 5
WROTE, READ, BUILT_ON = 0, 1, 2  # how a run uses a content; or, by its id, another run
_TABLES = """
CREATE TABLE run (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, state TEXT NOT NULL, started REAL NOT NULL,
                  recipe TEXT NOT NULL, ended INTEGER NOT NULL, facts BLOB NOT NULL, variant INTEGER NOT NULL);
CREATE TABLE word (n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE fact (run INTEGER NOT NULL, word INTEGER NOT NULL, value, PRIMARY KEY (run, word)) WITHOUT ROWID;
CREATE TABLE record (id TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE use (run TEXT NOT NULL, how INTEGER NOT NULL, content TEXT NOT NULL, path TEXT NOT NULL);
CREATE INDEX use_by_run ON use (run);
CREATE TABLE folder (change INTEGER NOT NULL);
CREATE TABLE pending (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
# Rows come in the order of ids, so that these would be written all over for each part of very many: they are then made at the end.
_INDEXES = {
    "run_by_start": "run (started, id, state)",
    "run_by_name": "run (name, started)",
    "run_by_recipe": "run (recipe, started)",
    "run_variants": "run (variant) WHERE variant",
    "fact_by_value": "fact (word, value)",
    "use_by_content": "use (content, how)",
    "use_by_path": "use (path, how)",
}
_VERY_MANY = 20_000  # runs
_EMPTY = "; ".join(f"DELETE FROM {table}" for table in ("run", "word", "fact", "record", "use", "folder", "pending"))
_TOGETHER = 2000  # runs that are read before they are stored
_WAIT = 5.0  # seconds for another process's transaction, which takes milliseconds
_SETTLED = (
    1_000_000_000  # nanoseconds after which a folder's time tells every later change (the kernel's clock ticks in milliseconds)
)
# The cache cannot be used, though nothing is wrong with its content; every other error of SQLite means that it is damaged.
_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_PROTOCOL,
    }
)

_encode = msgspec.msgpack.Encoder().encode
_decode_stored = msgspec.msgpack.Decoder(tuple[bytes, bytes | None, State]).decode
decode_facts = msgspec.msgpack.Decoder(Facts).decode


class _News(NamedTuple):
    """A run that is new or has changed, and its record as the tables keep it."""

    run: Run
    record: bytes


Row = tuple[Any, ...]
_orphans: list[sqlite3.Connection] = []
_indices: weakref.WeakSet[Index] = weakref.WeakSet()


class Index:
    """Tables over the runs of one store, brought up to date before each answer. Threads may share it, and forked children.

    Args:
        store: the store's folder.
        objects, runs: its parts.

    Attributes:
        problems: runs that could not be read, with what is wrong; they are left out of every answer.
        generation: counts the refreshes that changed something.
    """

    def __init__(self, store: Path, objects: Objects, runs: Runs) -> None:
        self._objects = objects
        self._runs = runs
        self._file = _cache_folder() / f"{_token(store)}.sqlite"
        self._in_memory = False
        self._lock = RLock()
        self._process = os.getpid()
        self._connection: sqlite3.Connection | None = None
        self.generation = 0
        self._forget()
        _indices.add(self)

    def rows(self, sql: str, arguments: Sequence[object] = (), *, fresh: bool = True) -> list[Row]:
        """Answer of a query, over all runs as they are now.

        Args:
            sql, arguments: the query.
            fresh: look for what has changed first; without it the answer goes on from an earlier one.

        Raises:
            StoreUnusable: the folder of runs cannot be read.
        """
        if self._process != os.getpid():
            self._leave_to_parent()
        with self._lock:
            for _ in range(2):
                try:
                    return self._answer(sql, arguments, fresh)
                except sqlite3.DatabaseError as error:
                    self._distrust(error)
            self._in_memory = True
            return self._answer(sql, arguments, fresh)

    def rebuild(self) -> None:
        """Empty the tables and fill them anew from the run folders.

        Raises:
            StoreUnusable: the folder of runs cannot be read.
        """
        self.rows("SELECT 1")  # opens the tables, and throws damaged ones away
        with self._lock:
            assert self._connection is not None
            try:
                self._connection.executescript(f"BEGIN IMMEDIATE; {_EMPTY}; COMMIT")
            except sqlite3.DatabaseError as error:
                self._distrust(error)
            self._forget()
        self.rows("SELECT 1")

    def _answer(self, sql: str, arguments: Sequence[object], fresh: bool) -> list[Row]:
        if self._connection is None:
            self._connection, fresh = self._connect(), True
        if fresh:
            self._refresh(self._connection)
        return self._connection.execute(sql, arguments).fetchall()

    def _forget(self) -> None:
        self.problems: dict[str, AssayError] = {}
        self._known: dict[
            str, tuple[bool, str]
        ] = {}  # run to whether it has a result, and its state; all runs, or the pending ones
        self._knows_all = False
        self._seen_version: int | None = None
        self._seen_ids: frozenset[str] = frozenset()
        self._seen_change = 0
        self._compared: frozenset[str] | None = None  # the listing that the tables were last compared with
        self._noted: tuple[int, frozenset[str]] | None = None  # what the tables hold of the folder: its change, and pending runs
        self._unsettled: set[str] = set()  # runs without a result, or not in the tables

    def _leave_to_parent(self) -> None:
        # A connection must not be used, nor closed, in a child of the process that opened it (sqlite.org/howtocorrupt.html, 2.6).
        if self._connection is not None:
            _orphans.append(self._connection)
        self._connection = None
        self._lock = RLock()
        self._process = os.getpid()
        self._forget()

    def _connect(self) -> sqlite3.Connection:
        if self._in_memory:
            return _prepared(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            self._in_memory = True
            return self._connect()
        connection = sqlite3.connect(self._file, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            return _prepared(connection)
        except BaseException:
            connection.close()
            raise

    def _distrust(self, error: sqlite3.DatabaseError) -> None:
        """After an error: remove what is damaged, or leave the cache alone where it cannot be used."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._forget()
        # The lower byte is the kind of error, the upper ones are details (sqlite.org/rescode.html).
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNAVAILABLE:
            self._in_memory = True
            return
        try:
            for end in ("", "-wal", "-shm"):
                Path(f"{self._file}{end}").unlink(missing_ok=True)
        except OSError:
            self._in_memory = True

    def _refresh(self, connection: sqlite3.Connection) -> None:
        self._recall(connection)
        gone = [] if self._is_as_noted() else self._compare(connection)
        very_many = len(self._unsettled) > _VERY_MANY
        if very_many:
            for name in _INDEXES:
                connection.execute(f"DROP INDEX IF EXISTS {name}")
        pending = iter(sorted(self._unsettled))  # in the order of the tables, which then grow at their end
        while (some := list(islice(pending, _TOGETHER))) or gone:
            changed = [news for news in map(self._news_of, some) if news is not None]
            if gone or changed:
                self._store(connection, gone, changed)
            gone = []
        if very_many:
            _make_indexes(connection)
        self._note(connection)

    def _compare(self, connection: sqlite3.Connection) -> list[str]:
        """Look which runs there are; those that the tables have and that are gone."""
        if not self._knows_all:
            self._known = {row[0]: (bool(row[1]), row[2]) for row in connection.execute("SELECT id, ended, state FROM run")}
            self._knows_all = True
        present = self._present()
        if present is self._compared:
            return []
        # Sets throughout: this is done before each run of a loop, over all runs of the store.
        gone = list(self._known.keys() - present)
        for run_id in self.problems.keys() - present:
            del self.problems[run_id]
        if self._compared is None:
            settled = {run_id for run_id, (has_ended, _) in self._known.items() if has_ended}
            self._unsettled = set(present - settled)
        else:
            self._unsettled = (self._unsettled & present) | (present - self._compared)
        self._compared = present
        return gone

    def _recall(self, connection: sqlite3.Connection) -> None:
        """Learn what the tables hold, unless no other process has written since: at first only of the runs that may still change."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._seen_version:
            pending = connection.execute(
                "SELECT pending.id, ended, state FROM pending LEFT JOIN run ON run.id = pending.id"
            ).fetchall()
            self._known = {row[0]: (bool(row[1]), row[2]) for row in pending if row[2] is not None}
            self._knows_all = False
            self._unsettled = {row[0] for row in pending}
            change = connection.execute("SELECT change FROM folder").fetchone()
            self._noted = (change[0] if change else 0, frozenset(self._unsettled))
            self._seen_version = version
            self._compared = None
            self.generation += 1

    def _is_as_noted(self) -> bool:
        """Whether the folder of runs has not changed since the tables were compared with it."""
        return self._compared is None and self._noted is not None and self._noted[0] == self._runs.changed() != 0

    def _note(self, connection: sqlite3.Connection) -> None:
        """Keep when the folder had changed and which runs may still change, for newcomers; not while it changes from run to run."""
        change = self._noted[0] if self._compared is None and self._noted else self._seen_change
        if change == 0 or self._noted == (now := (change, frozenset(self._unsettled))):
            return
        before = self._noted[1] if self._noted else frozenset[str]()
        with _transaction(connection):
            connection.execute("DELETE FROM folder")
            connection.execute("INSERT INTO folder VALUES (?)", (change,))
            connection.executemany("DELETE FROM pending WHERE id = ?", [(run_id,) for run_id in before - now[1]])
            connection.executemany("INSERT OR IGNORE INTO pending VALUES (?)", [(run_id,) for run_id in now[1] - before])
        self._noted = now

    def _present(self) -> frozenset[str]:
        """Ids of all run folders; listed again unless their folder has not changed for long enough to be sure of it."""
        change = self._runs.changed()
        if change != self._seen_change:
            now = time.time_ns()
            self._seen_ids = frozenset(self._runs.ids())
            self._seen_change = change if now - change > _SETTLED else 0
        return self._seen_ids

    def _news_of(self, run_id: str) -> _News | None:
        """The run, where it is new or has changed since it was stored."""
        try:
            run, start, result = self._runs.read_stored(run_id)
            unchanged = self._known.get(run_id) == (self._is_final(run), run.state)
        except UnknownRun:
            return None  # removed since the folder was listed
        except AssayError as error:
            self.problems[run_id] = error
            return None
        self.problems.pop(run_id, None)
        # The bytes as they are, not the record made of them: an older Assay that fills the tables must not drop a newer one's fields.
        return None if unchanged else _News(run, _encode((start, result if run.result else None, run.state)))

    def _store(self, connection: sqlite3.Connection, gone: Iterable[str], changed: Sequence[_News]) -> None:
        # Asked before the uses are: an account that appears in between is then looked for again.
        finals = [(run, self._is_final(run)) for run, _ in changed]
        rows = [
            (run, final, record, self._facts(run), [*_parents(run), *self._uses(run)])
            for (run, final), (_, record) in zip(finals, changed, strict=True)
        ]
        with _transaction(connection):
            for run_id in (*gone, *(run.id for run, _ in changed)):
                connection.execute("DELETE FROM fact WHERE run = (SELECT n FROM run WHERE id = ?)", (run_id,))
                connection.execute("DELETE FROM run WHERE id = ?", (run_id,))
                connection.execute("DELETE FROM record WHERE id = ?", (run_id,))
                connection.execute("DELETE FROM use WHERE run = ?", (run_id,))
            for run, final, record, facts, uses in rows:
                start = run.start
                when = start.started if start.started == start.started else 0.0  # NaN is NULL to SQLite
                values = (run.id, start.name, run.state, when, start.recipe, final, _encode(facts), is_variant(start))
                added = connection.execute("INSERT INTO run VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", values)
                _store_facts(connection, added.lastrowid, facts)
                connection.execute("INSERT INTO record VALUES (?, ?)", (run.id, record))
                connection.executemany("INSERT INTO use VALUES (?, ?, ?, ?)", uses)
        for run_id in gone:
            del self._known[run_id]
        self._known.update({run.id: (final, run.state) for run, final in finals})
        self._unsettled.difference_update(run.id for run, final in finals if final)
        self.generation += 1

    def _is_final(self, run: Run) -> bool:
        """Whether nothing more will be known of a run: it has ended, or what it did before it crashed has been put together."""
        return run.result is not None or (run.state == "crashed" and self._runs.is_recovered(run.id))

    def _facts(self, run: Run) -> Facts:
        start, result = run.start, run.result
        metrics = result.metrics.items() if result else ()
        return Facts(
            id=start.id,
            name=start.name,
            state=run.state,
            started=start.started,
            ended=result.ended if result else None,
            tags=list(start.tags),
            study=start.trial.study if start.trial else None,
            recipe=start.recipe,
            params=result.params if result else self._recipe_params(start.recipe),
            metrics={name: (metric.last, metric.minimum, metric.maximum, metric.mean) for name, metric in metrics},
        )

    def _recipe_params(self, recipe_id: str) -> dict[str, Any]:
        """Parameters of a run that has not ended; none where its recipe cannot be read, which its own page will say."""
        try:
            return self._objects.record(recipe_id, Recipe).params
        except AssayError:
            return {}

    def _uses(self, run: Run) -> Iterable[tuple[str, int, str, str]]:
        """What the run wrote and read; of a run that crashed, what was found of it, or else what it had saved until then."""
        if run.result is None and run.state != "crashed":
            return ()
        try:
            trace = self._trace(run)
        except AssayError:
            return ()  # where the run is shown, its trace is asked for, and the error told
        if trace is None:
            return self._saved(run.id) if run.result is None else ()
        return [*_rows(run.id, WROTE, trace.written), *_rows(run.id, READ, trace.read)]

    def _trace(self, run: Run) -> Trace | None:
        if run.result is None:
            return self._runs.recovered(run.id)
        return self._objects.record(run.result.trace, Trace) if run.result.trace else None

    def _saved(self, run_id: str) -> Iterable[tuple[str, int, str, str]]:
        return [(run_id, WROTE, entry.id, entry.path) for entry in self._runs.entries(run_id) if isinstance(entry, Saved)]


def is_variant(start: Start) -> bool:
    """Whether a run was made to answer a question about another run or study (why, matrix, doctor, sensitivity): nobody asked for it by itself."""
    return any(parent.by == "variant" for parent in start.parents) or (start.trial is not None and start.trial.side)


def _after_fork() -> None:
    # At once, since an index that the child drops before it asks would close its parent's connection.
    for index in list(_indices):
        index._leave_to_parent()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the body, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _store_facts(connection: sqlite3.Connection, run: int | None, facts: Facts) -> None:
    values = [(run, value, word) for word, value in values_of(facts)]
    connection.executemany("INSERT OR IGNORE INTO word (text) VALUES (?)", [(word,) for _, _, word in values])
    connection.executemany("INSERT INTO fact SELECT ?, n, ? FROM word WHERE text = ?", values)


def decode_run(record: bytes) -> Run:
    """The run that a row of the tables keeps."""
    start, result, state = _decode_stored(record)
    return Run(start=decode(start, Start), state=state, result=decode(result, Result) if result else None)


def _rows(run_id: str, how: int, files: Iterable[FileUse]) -> Iterable[tuple[str, int, str, str]]:
    return [(run_id, how, file.id, file.path) for file in files if file.id is not None]


def _parents(run: Run) -> Iterable[tuple[str, int, str, str]]:
    return [(run.id, BUILT_ON, parent.run, parent.path or "") for parent in run.parents]


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A connection to tables of this schema; those of another one are dropped."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = OFF")  # some systems have it on: emptying tables would write them whole
    if _schema(connection) == SCHEMA:
        _make_indexes(connection)  # missing where a process was killed while it filled the tables
        return connection
    connection.execute("BEGIN IMMEDIATE")
    # Asked again: another process may have made the tables while this one waited.
    if _schema(connection) != SCHEMA:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall():
            connection.execute(f'DROP TABLE "{name}"')
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        _make_indexes(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")
    return connection


def _make_indexes(connection: sqlite3.Connection) -> None:
    for name, columns in _INDEXES.items():
        connection.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns}")


def _schema(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _cache_folder() -> Path:
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification has relative values ignored.
    base = Path(chosen) if chosen.startswith("/") else Path(os.path.expanduser("~/.cache"))  # noqa: PTH111 - Path raises without a home
    return base / "assay" / "catalogue"


def _token(store: Path) -> str:
    place = os.fsencode(f"{this_process().name}\n{os.path.realpath(store)}")
    return digest(place)[:32]
