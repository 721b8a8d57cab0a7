"""The catalogue: questions over all runs of a store. Everything it knows comes from the run folders; it may be deleted at any time."""

from __future__ import annotations

import difflib
import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import AmbiguousRun, AssayError, UnknownMetric, UnknownRun
from assay.records.run import Run
from assay.store.index import BUILT_ON, READ, WROTE, Index, decode_facts, decode_run
from assay.store.marks import Marked, Marks
from assay.store.narrowing import Narrowed, is_text, narrowed
from assay.store.objects import Objects
from assay.store.query import Facts, condition, is_missing, is_summary, number_of, sort_key, sorted_metric
from assay.store.runs import Runs, is_run_id

_LAST = re.compile(r"last(?:~(\d{1,9}))?")
_BEST = re.compile(r"(min|max):(.+)")
_NEWEST = "ORDER BY started DESC, id DESC"
# Looked up once in an index of their own, so that what counts or walks along all runs still needs no more than an index.
_OWN = "r.n NOT IN (SELECT n FROM run WHERE variant)"
_TOGETHER = 10_000  # runs that are read before they are decided on
_FEW = 2000  # runs that are sooner looked at one by one than found while walking along all others
_MANY = 20_000  # uses of files from which on they are asked for by path, and not kept in memory
_SHOWN = 6  # candidates that an error names


class Catalogue:
    """Answers about the runs of one store, as they are at the moment of each question.

    Args:
        store: the store's folder.
        objects, runs: its parts.
    """

    def __init__(self, store: Path, objects: Objects, runs: Runs) -> None:
        self._index = Index(store, objects, runs)
        self._marks = Marks(store)
        self._written: tuple[int, frozenset[str]] = (-1, frozenset())

    @property
    def problems(self) -> Mapping[str, AssayError]:
        """Runs that could not be read, of a newer format or damaged, with what is wrong; they are missing from the other answers."""
        self._index.rows("SELECT 1")
        return dict(self._index.problems)

    def rebuild(self) -> int:
        """Make the index anew from the run folders; how many runs it has.

        Raises:
            StoreUnusable: the folder of runs cannot be read.
        """
        self._index.rebuild()
        return self.count()

    def runs(self, *, where: str | None = None, sort: str = "-started", limit: int | None = None) -> list[Run]:
        """Runs that fulfil an expression, in order.

        Args:
            where: as `assay.store.query` describes; None: all.
            sort: a field such as "started", "metrics.loss" or "params.lr", with "-" for the largest first. Runs without it come last,
                before them NaN; equal ones stand newest first.
            limit: how many at most; None: all.

        Raises:
            InvalidValue: the expression or the sort key cannot be read.
            StoreUnusable: the folder of runs cannot be read.
        """
        ids = self._first(where, sort, limit)
        return self.page(where=where, sort=sort, limit=limit)[0] if ids is None else self._read(ids)

    def page(
        self, *, where: str | None = None, sort: str = "-started", limit: int | None = None, variants: bool = True
    ) -> tuple[list[Run], int]:
        """As `runs`, and how many there are without the limit.

        Args:
            where, sort, limit: as for `runs`.
            variants: whether runs count that were made to answer a question about another one (`assay.store.index.is_variant`).

        Raises:
            InvalidValue, StoreUnusable: as for `runs`.
        """
        key, descending = sort_key(sort)
        total, exact = self._number(where, variants)
        first = self._first(where, sort, limit, variants) if exact and (where is None or total > _FEW) else None
        if first is not None:
            return self._read(first), total
        found = [(key(facts), _begun(facts), facts.id) for facts in self._matching(where, variants)]
        return self._read([run_id for _, _, run_id in _ordered(found, descending)[:limit]]), len(found)

    def count(self, where: str | None = None) -> int:
        """How many runs fulfil an expression.

        Raises:
            InvalidValue: the expression cannot be read.
            StoreUnusable: the folder of runs cannot be read.
        """
        total, exact = self._number(where)
        return total if exact else sum(1 for _ in self._matching(where))

    def resolve(self, selector: str) -> str:
        """The id of the one run that a selector names.

        Args:
            selector: an id; a name (the newest run of that name); "last", or "last~2" for the second before it; "min:METRIC" or
                "max:METRIC" over finished runs with finite values (the newest of equals); or a unique prefix of an id. "last", "min:" and
                "max:" pass over variants (`assay.store.index.is_variant`).

        Raises:
            UnknownRun: no run answers to it.
            AmbiguousRun: several ids have this prefix.
            UnknownMetric: no finished run has a finite value of this metric.
            StoreUnusable: the folder of runs cannot be read.
        """
        if match := _LAST.fullmatch(selector):
            return self._last(selector, int(match[1] or 0))
        if match := _BEST.fullmatch(selector):
            return self._best(match[1], match[2])
        # What a terminal passes on may be no valid text; the question mark that stands for it is in no id and rarely in a name.
        text = selector.encode("utf-8", "replace").decode()
        return self._named(text) or self._prefixed(text)

    def with_recipe(self, recipe_id: str) -> list[str]:
        """Ids of the finished runs of a recipe, the newest first."""
        return [
            row[0]
            for row in self._index.rows(f"SELECT id FROM run WHERE recipe = ? AND state = 'finished' {_NEWEST}", (recipe_id,))
        ]

    def wrote(self, content_id: str) -> list[tuple[str, str]]:
        """Runs that wrote this content, and the path of each; the newest run first."""
        return self.wrote_any([content_id]).get(content_id, [])

    def wrote_any(self, content_ids: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """As `wrote`, for many contents in one question; those that no run wrote are left out."""
        return self._used(WROTE, content_ids)

    def read_by(self, content_id: str) -> list[tuple[str, str]]:
        """Runs that read this content, and the path of each; the newest run first."""
        return self.read_by_any([content_id]).get(content_id, [])

    def read_by_any(self, content_ids: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        """As `read_by`, for many contents in one question; those that no run read are left out."""
        return self._used(READ, content_ids)

    def built_on(self, run_id: str) -> list[str]:
        """Ids of the runs that say that they build on this one, the oldest first."""
        sql = "SELECT use.run FROM use JOIN run ON run.id = use.run WHERE how = ? AND content = ? ORDER BY started, use.run"
        return list(dict.fromkeys(row[0] for row in self._index.rows(sql, (BUILT_ON, run_id))))

    def wrote_at(self, path: str) -> list[tuple[str, str]]:
        """Runs that wrote a file at this path, as traces have it, and the content of each; the newest run first."""
        return [
            (run_id, content)
            for run_id, content in self._index.rows(
                f"SELECT use.run, content FROM use JOIN run ON run.id = use.run WHERE how = ? AND path = ? {_NEWEST}", (WROTE, path)
            )
        ]

    def written_beginning(self, prefix: str, limit: int = 8) -> list[str]:
        """Ids of the contents that some run wrote and that begin with these hexadecimal digits, sorted; at most `limit`."""
        rows = self._index.rows(
            "SELECT DISTINCT content FROM use WHERE content >= ? AND content < ? || 'g' AND how = ? ORDER BY content LIMIT ?",
            (prefix, prefix, WROTE, limit),
        )
        return [row[0] for row in rows]

    def written_among(self, paths: Iterable[str]) -> set[str]:
        """Those of these paths that some run wrote: relative to the root where below it."""
        (last,) = self._index.rows("SELECT max(rowid) FROM use")[0]  # brings the generation up to date
        if (last or 0) > _MANY:
            asked = json.dumps(list(paths))
            sql = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM use WHERE path = value AND how = ?)"
            return {row[0] for row in self._index.rows(sql, (asked, WROTE))}
        if self._written[0] != self._index.generation:
            rows = self._index.rows("SELECT DISTINCT path FROM use WHERE how = ?", (WROTE,))
            self._written = (self._index.generation, frozenset(row[0] for row in rows))
        return set(self._written[1].intersection(paths))

    def _number(self, where: str | None, variants: bool = True) -> tuple[int, bool]:
        """How many runs fulfil what SQL can say of an expression, and whether that is all of it."""
        _check(where)
        among = _among(variants, narrowed(where, self._marks.all(), probing=False))
        return int(self._index.rows(f"SELECT count(*) FROM run r WHERE {among.sql}", among.arguments)[0][0]), among.exact

    def _first(self, where: str | None, sort: str, limit: int | None, variants: bool = True) -> list[str] | None:
        """The first runs of an order that an index has, found without looking at those behind them; None where none has it."""
        _check(where)
        along = _among(variants, narrowed(where, self._marks.all(), probing=True))
        metric, descending = sorted_metric(sort), sort_key(sort)[1]
        if along.exact and sort == "-started":
            newest = f"SELECT id FROM run r WHERE {along.sql} {_NEWEST} LIMIT ?"
            return [row[0] for row in self._index.rows(newest, (*along.arguments, -1 if limit is None else max(0, limit)))]
        if not along.exact or metric is None or limit is None or not is_text(metric):
            return None
        rows = self._by_metric(metric, along, descending, limit)
        return rows if len(rows) == limit else None  # those without a number stand behind those that have one

    def _by_metric(self, metric: str, along: Narrowed, descending: bool, limit: int) -> list[str]:
        """Runs that have a number for a metric, in its order, of equal ones the newest first."""
        order = "DESC" if descending else "ASC"
        # CROSS JOIN has SQLite walk along the index of facts, so that the rows come in order and the rest is never touched.
        sql = (
            "SELECT r.id FROM fact f CROSS JOIN run r ON r.n = f.run WHERE f.word = (SELECT n FROM word WHERE text = ?)"
            f" AND f.value IS NOT NULL AND {along.sql} ORDER BY f.value {order}, r.started DESC, r.id DESC LIMIT ?"
        )
        return [row[0] for row in self._index.rows(sql, (f"metrics.{metric}", *along.arguments, max(0, limit)))]

    def _matching(self, where: str | None, variants: bool = True) -> Iterator[Facts]:
        """The runs that fulfil an expression; they are read some at a time, since there may be a million."""
        test = condition(where) if where is not None else None
        marked = self._marks.all()
        for stored in self._candidates(where, marked, variants):
            facts = _as_marked(decode_facts(stored), marked)
            if test is None or test(facts):
                yield facts

    def _candidates(self, where: str | None, marked: Mapping[str, Marked], variants: bool) -> Iterator[bytes]:
        """Facts of the runs that fulfil what SQL can say of an expression."""
        among = _among(variants, narrowed(where, marked, probing=False))
        few = self._index.rows(f"SELECT facts FROM run r WHERE {among.sql} LIMIT {_FEW + 1}", among.arguments)
        if len(few) <= _FEW:
            yield from (stored for (stored,) in few)
            return
        along = _among(variants, narrowed(where, marked, probing=True))
        # By id: while this goes on, another process may store a run anew, under another number.
        sql, after = f"SELECT id, facts FROM run r WHERE id > ? AND {along.sql} ORDER BY id LIMIT {_TOGETHER}", ""
        while rows := self._index.rows(sql, (after, *along.arguments), fresh=False):
            yield from (stored for _, stored in rows)
            after = rows[-1][0]

    def _read(self, ids: Sequence[str]) -> list[Run]:
        """Runs by their ids, in this order; one that was removed meanwhile is left out."""
        found: dict[str, Run] = {}
        for some in _parts(ids):
            marks = ", ".join("?" * len(some))
            rows = self._index.rows(f"SELECT id, record FROM record WHERE id IN ({marks})", some, fresh=False)
            found.update((run_id, decode_run(record)) for run_id, record in rows)
        return [found[run_id] for run_id in ids if run_id in found]

    def _last(self, selector: str, back: int) -> str:
        rows = self._index.rows(f"SELECT id FROM run r WHERE {_OWN} {_NEWEST} LIMIT 1 OFFSET ?", (back,))
        if not rows:
            total, _ = self._number(None, variants=False)
            raise UnknownRun(
                "there are not so many runs", value=selector, expected=f"at most last~{total - 1}" if total else "a store with runs"
            )
        return str(rows[0][0])

    def _best(self, which: str, metric: str) -> str:
        finite = Narrowed(f"f.value > -9e999 AND f.value < 9e999 AND r.state = 'finished' AND {_OWN}", (), exact=True)
        if not is_summary(metric) and is_text(metric) and (best := self._by_metric(metric, finite, which == "max", 1)):
            return best[0]
        known: set[str] = set()
        found: list[tuple[float, float, str]] = []
        for facts in self._matching("state == 'finished'", variants=False):
            known.update(facts.metrics)
            value = number_of(facts, metric)
            if value is not None and math.isfinite(value):
                found.append((-value if which == "min" else value, _begun(facts), facts.id))
        if not found:
            near = difflib.get_close_matches(metric, known, n=1)
            raise UnknownMetric(
                "no finished run has a finite value of this metric",
                value=metric,
                expected=f"one of {', '.join(sorted(known)[:12])}" if known else "a metric of a finished run",
                next_step=f"Did you mean {near[0]}?" if near else "`assay ls` lists the runs and their metrics.",
            )
        return max(found)[2]  # of equals the newest

    def _named(self, selector: str) -> str | None:
        """The run with this id, readable or not; else the newest run with this name."""
        rows = self._index.rows(
            "SELECT id FROM run WHERE id = ? OR name = ? AND name != '' ORDER BY id = ? DESC, started DESC", (selector,) * 3
        )
        if is_run_id(selector) and selector in self._index.problems:
            return selector
        return rows[0][0] if rows else None

    def _prefixed(self, prefix: str) -> str:
        sql = f"SELECT id, name FROM run WHERE id >= ? AND id < ? || char({sys.maxunicode}) {_NEWEST}"
        rows = self._index.rows(sql, (prefix, prefix)) if prefix else []
        if len(rows) == 1:
            return str(rows[0][0])
        if rows:
            raise AmbiguousRun(
                "several runs have this prefix",
                value=prefix,
                expected=f"one of {_listed(rows)}",
                next_step="Write more of the id, or the run's name.",
            )
        rows = self._index.rows(f"SELECT id, name FROM run {_NEWEST} LIMIT 1000")
        near = difflib.get_close_matches(prefix, [text for row in rows for text in row if text], n=1)
        raise UnknownRun(
            "no run answers to this",
            value=prefix,
            expected=f"an id, a unique prefix of one, a name, last, last~N, min:METRIC or max:METRIC; the newest are {_listed(rows[:_SHOWN])}"
            if rows
            else "a store with runs",
            next_step=f"Did you mean {near[0]}?" if near else "`assay ls` lists the runs.",
        )

    def _used(self, how: int, content_ids: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        wanted = list(dict.fromkeys(content_ids))
        found: dict[str, list[tuple[str, str]]] = {}
        for some in _parts(wanted):
            marks = ", ".join("?" * len(some))
            rows = self._index.rows(
                f"SELECT content, use.run, path FROM use JOIN run ON run.id = use.run WHERE how = ? AND content IN ({marks}) {_NEWEST}, path",
                (how, *some),
            )
            for content, run_id, path in rows:
                found.setdefault(content, []).append((run_id, path))
        return found


def _among(variants: bool, runs: Narrowed) -> Narrowed:
    """These runs; without `variants`, those of them that are none."""
    return runs if variants else Narrowed(f"({runs.sql}) AND {_OWN}", runs.arguments, runs.exact)


def _check(where: str | None) -> None:
    """Raise InvalidValue where an expression cannot be read: what SQL says of it passes over what it does not know."""
    if where is not None:
        condition(where)


def _as_marked(facts: Facts, marked: Mapping[str, Marked]) -> Facts:
    """With the tags that stand now: they may change after a run has ended, and the tables hold what it was."""
    found = marked.get(facts.id)
    return facts if found is None else facts._replace(tags=found.tags(facts.tags))


def _begun(facts: Facts) -> float:
    return facts.started if facts.started == facts.started else 0.0  # NaN has no place in an order


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Some ids after others, fewer at a time than the number of arguments that any SQLite allows."""
    return (ids[begin : begin + 500] for begin in range(0, len(ids), 500))


def _listed(rows: list[tuple[Any, ...]]) -> str:
    shown = [f"{run_id} ({name})" if name else str(run_id) for run_id, name in rows[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")


def _ordered(found: list[tuple[Any, float, str]], descending: bool) -> list[tuple[Any, float, str]]:
    """Sorted by a key, of equal ones the newest first; those without a number, then those without the key last."""
    found.sort(key=lambda item: item[1:], reverse=True)
    ranked = [item for item in found if not is_missing(item[0]) and item[0] == item[0]]
    ranked.sort(key=lambda item: _rank(item[0]), reverse=descending)
    no_number = [item for item in found if item[0] != item[0]]
    absent = [item for item in found if is_missing(item[0])]
    return [*ranked, *no_number, *absent]


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers, then texts, then everything else by its text: a parameter may be of one kind here and another there."""
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, str(value))
