"""The catalogue: questions over all runs of a store. Everything it knows comes from the run folders; it may be deleted at any time."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from assay.errors import AmbiguousRun, AssayError, UnknownMetric, UnknownRun
from assay.records.run import Run
from assay.store.index import READ, WROTE, Index, decode_facts, decode_run
from assay.store.marks import Marked, Marks
from assay.store.objects import Objects
from assay.store.query import Facts, Value, condition, is_missing, number_of, sort_key, sorted_metric
from assay.store.runs import Runs, is_run_id

_LAST = re.compile(r"last(?:~(\d{1,9}))?")
_BEST = re.compile(r"(min|max):(.+)")
_NEWEST = "ORDER BY started DESC, id DESC"
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
        key, descending = sort_key(sort)
        if where is None and sort == "-started":
            rows = self._index.rows(f"SELECT record FROM run {_NEWEST} LIMIT ?", (-1 if limit is None else max(0, limit),))
            return [decode_run(record) for (record,) in rows]
        metric = sorted_metric(sort)
        first = self._first(where, metric, descending, limit) if metric is not None and limit is not None and limit > 0 else []
        if first:
            return first
        matching = _ordered(self._matching(where), key, descending)
        return [decode_run(record) for _, record in matching[:limit]]

    def count(self, where: str | None = None) -> int:
        """How many runs fulfil an expression.

        Raises:
            InvalidValue: the expression cannot be read.
            StoreUnusable: the folder of runs cannot be read.
        """
        if where is None:
            return int(self._index.rows("SELECT count(*) FROM run")[0][0])
        return len(self._matching(where))

    def resolve(self, selector: str) -> str:
        """The id of the one run that a selector names.

        Args:
            selector: an id; a name (the newest run of that name); "last", or "last~2" for the second before it; "min:METRIC" or
                "max:METRIC" over finished runs with finite values (the newest of equals); or a unique prefix of an id.

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
            "SELECT DISTINCT content FROM use WHERE content >= ?1 AND content < ?1 || 'g' AND how = ?2 ORDER BY content LIMIT ?3",
            (prefix, WROTE, limit),
        )
        return [row[0] for row in rows]

    def written_paths(self) -> frozenset[str]:
        """Every path that some run wrote: relative to the root where below it."""
        self._index.rows("SELECT 1")  # brings the generation up to date
        if self._written[0] != self._index.generation:
            rows = self._index.rows("SELECT DISTINCT path FROM use WHERE how = ?", (WROTE,))
            self._written = (self._index.generation, frozenset(row[0] for row in rows))
        return self._written[1]

    def _first(self, where: str | None, metric: str, descending: bool, limit: int) -> list[Run]:
        """The first `limit` runs by a metric, found without looking at those behind them; none where not so many have a number."""
        test = condition(where) if where is not None else None
        marked = self._marks.all()

        def take(rows: Iterator[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
            return list(islice((row for row in rows if test is None or test(_as_marked(decode_facts(row[0]), marked))), limit))

        order = "DESC" if descending else "ASC"
        # CROSS JOIN has SQLite walk along the index of the metric, so that the rows come in order and the rest is never touched.
        found = self._index.rows(
            "SELECT facts, record FROM metric CROSS JOIN run ON run.id = metric.run WHERE metric.name = ? "
            f"ORDER BY value {order}, metric.started DESC, metric.run DESC",
            (metric,),
            take,
        )
        return [decode_run(record) for _, record in found] if len(found) == limit else []

    def _matching(self, where: str | None) -> list[tuple[Facts, bytes]]:
        test = condition(where) if where is not None else None
        rows = self._index.rows(f"SELECT facts, record FROM run {_NEWEST}")
        marked = self._marks.all()
        pairs = ((_as_marked(decode_facts(facts), marked), record) for facts, record in rows)
        return [pair for pair in pairs if test is None or test(pair[0])]

    def _last(self, selector: str, back: int) -> str:
        rows = self._index.rows(f"SELECT id FROM run {_NEWEST} LIMIT 1 OFFSET ?", (back,))
        if not rows:
            total = self.count()
            raise UnknownRun(
                "there are not so many runs", value=selector, expected=f"at most last~{total - 1}" if total else "a store with runs"
            )
        return str(rows[0][0])

    def _best(self, which: str, metric: str) -> str:
        finished = [facts for facts, _ in self._matching("state == 'finished'")]
        found = [
            (value, facts.id) for facts in finished if (value := number_of(facts, metric)) is not None and math.isfinite(value)
        ]
        if not found:
            known = sorted({name for facts in finished for name in facts.metrics})
            near = difflib.get_close_matches(metric, known, n=1)
            raise UnknownMetric(
                "no finished run has a finite value of this metric",
                value=metric,
                expected=f"one of {', '.join(known[:12])}" if known else "a metric of a finished run",
                next_step=f"Did you mean {near[0]}?" if near else "`assay ls` lists the runs and their metrics.",
            )
        # min and max give the first of equals, and the newest runs stand first.
        return (min if which == "min" else max)(found, key=lambda pair: pair[0])[1]

    def _named(self, selector: str) -> str | None:
        """The run with this id, readable or not; else the newest run with this name."""
        rows = self._index.rows(
            "SELECT id FROM run WHERE id = ?1 OR name = ?1 AND name != '' ORDER BY id = ?1 DESC, started DESC", (selector,)
        )
        if is_run_id(selector) and selector in self._index.problems:
            return selector
        return rows[0][0] if rows else None

    def _prefixed(self, prefix: str) -> str:
        rows = (
            self._index.rows(f"SELECT id, name FROM run WHERE substr(id, 1, ?) = ? {_NEWEST}", (len(prefix), prefix))
            if prefix
            else []
        )
        if len(rows) == 1:
            return str(rows[0][0])
        if rows:
            raise AmbiguousRun(
                "several runs have this prefix",
                value=prefix,
                expected=f"one of {_listed(rows)}",
                next_step="Write more of the id, or the run's name.",
            )
        rows = self._index.rows(f"SELECT id, name FROM run {_NEWEST}")
        near = difflib.get_close_matches(prefix, [text for row in rows[:1000] for text in row if text], n=1)
        raise UnknownRun(
            "no run answers to this",
            value=prefix,
            expected=f"an id, a unique prefix of one, a name, last, last~N, min:METRIC or max:METRIC; the newest are {_listed(rows)}"
            if rows
            else "a store with runs",
            next_step=f"Did you mean {near[0]}?" if near else "`assay ls` lists the runs.",
        )

    def _used(self, how: int, content_ids: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
        wanted = list(dict.fromkeys(content_ids))
        found: dict[str, list[tuple[str, str]]] = {}
        for begin in range(0, len(wanted), 500):  # below the number of arguments that any SQLite allows
            some = wanted[begin : begin + 500]
            marks = ", ".join("?" * len(some))
            rows = self._index.rows(
                f"SELECT content, use.run, path FROM use JOIN run ON run.id = use.run WHERE how = ? AND content IN ({marks}) {_NEWEST}, path",
                (how, *some),
            )
            for content, run_id, path in rows:
                found.setdefault(content, []).append((run_id, path))
        return found


def _as_marked(facts: Facts, marked: Mapping[str, Marked]) -> Facts:
    """With the tags that stand now: they may change after a run has ended, and the tables hold what it was."""
    found = marked.get(facts.id)
    return facts if found is None else facts._replace(tags=found.tags(facts.tags))


def _listed(rows: list[tuple[Any, ...]]) -> str:
    shown = [f"{run_id} ({name})" if name else str(run_id) for run_id, name in rows[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else "")


def _ordered(pairs: list[tuple[Facts, bytes]], key: Value, descending: bool) -> list[tuple[Facts, bytes]]:
    """Sorted by a key; the sort is stable, so that equal ones keep their order, newest first."""
    keyed = [(key(facts), facts, record) for facts, record in pairs]
    ranked = [item for item in keyed if not is_missing(item[0]) and item[0] == item[0]]
    ranked.sort(key=lambda item: _rank(item[0]), reverse=descending)
    no_number = [item for item in keyed if item[0] != item[0]]
    absent = [item for item in keyed if is_missing(item[0])]
    return [(facts, record) for _, facts, record in (*ranked, *no_number, *absent)]


def _rank(value: Any) -> tuple[int, Any]:
    """Numbers, then texts, then everything else by its text: a parameter may be of one kind here and another there."""
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, str(value))
