"""Expressions as conditions of SQL: the same runs as the plain evaluation gives, whatever is asked and whatever runs hold."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import InvalidValue
from assay.records.mark import Mark
from assay.records.run import Run
from assay.store.narrowing import narrowed
from assay.store.query import Facts, condition
from assay.store.store import Store

RecordRun = Callable[..., str]
STUDY = "a" * 64
PARAMS: Sequence[dict[str, Any]] = (
    {"x": 1, "a": {"b": 2, "b.c": "deep", "": 3}, "a.b": "whole"},
    {"x": 1.0, "a": {"b": {"c": 5}}},
    {"x": True, "a": None},
    {"x": False, "a": [1, 2]},
    {"x": "1", "a": {}},
    {"x": "é\0", "a": math.nan},
    {"x": None, "a": -(2**63)},
    {"x": math.nan, "a": 2**63 - 1},
    {"x": math.inf, "a": 2**64 - 1},
    {"x": 2**53 + 1, "a": 2.0**63},
    {"x": "", "": 4, "a": {"b": -0.0}},
    {},
)
METRICS: Sequence[dict[str, float]] = (
    {"m": 1.0, "m@min": 7.0}, {"m": 0.0}, {"m": math.nan}, {"m": -math.inf, "n": 2.0}, {"n": math.nan}, {"m": 1.0}, {},
)  # fmt: skip
FIELDS = st.sampled_from(
    ["metrics.m", "metrics.n", "metrics['m@min']", "metrics['m@max']", "metrics.none", "params.x", "params.a", "params.a.b",
     "params['a.b']", "params.a.b.c", "params['a.']", "params['']", "params.none", "name", "state", "id", "study", "recipe", "started",
     "ended", "tags", "params['\\ud800']"]
)  # fmt: skip
CONSTANTS = st.sampled_from(
    ["0", "1", "-1", "1.0", "True", "False", "None", "2", "1e999", "-1e999", f"{2**53}", f"{2**53 + 1}", f"{2.0**53}", f"{2**63}",
     f"-{2**63}", f"{2.0**63}", f"{2**64 - 1}", f"{2**70}", "''", "'1'", "'deep'", "'whole'", "'finished'", "'running'", "'base'",
     "'paper'", "'late'", "'é\\0'", "'\\ud800'", f"'{STUDY}'", "'b'", "(1, 'base', 'finished')", "[0, 1.0, -1]", "()", "(None, 1)",
     "(params.x, 1)", "('paper', metrics.m)"]
)  # fmt: skip
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
COMPARISONS = st.one_of(
    st.tuples(FIELDS, SIGNS, CONSTANTS),
    st.tuples(CONSTANTS, SIGNS, FIELDS),
    st.tuples(CONSTANTS, SIGNS, FIELDS, SIGNS, CONSTANTS),
    st.tuples(FIELDS, SIGNS, FIELDS),
    st.tuples(FIELDS),
    st.tuples(st.sampled_from(["'paper' in tags", "'late' not in tags", "'gone' in tags"])),
).map(" ".join)
EXPRESSIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
    ),
    max_leaves=5,
)
SORTS = st.sampled_from(["-started", "started", "metrics.m", "-metrics.m", "-metrics.m@min", "params.x", "-params.a", "name"])


@pytest.fixture
def various(store: Store, record_run: RecordRun) -> list[Run]:
    """Runs with all that parameters and metrics may be, and what was said of some since."""
    made = [
        record_run(
            state=("finished", "failed", None)[number % 3],
            name="base" if number % 2 else "",
            params=PARAMS[number % len(PARAMS)],
            metrics=METRICS[number % len(METRICS)],
            tags=("paper", "gone")[: number % 3],
            study=STUDY if number % 4 == 0 else None,
        )
        for number in range(25)
    ]
    for number, (kind, text) in enumerate(
        [("tag", "late"), ("untag", "gone"), ("untag", "late"), ("tag", "paper"), ("note", "late")]
    ):
        for run_id in made[number::3]:
            store.marks.add(Mark(run=run_id, kind=kind, text=text, time=1000.0 + number))  # type: ignore[arg-type]
    return store.catalogue.runs()


def facts_of(store: Store, run: Run) -> Facts:
    """What can be asked of a run, taken from its record."""
    start, result = run.start, run.result
    params = (
        result.params if result else PARAMS[[run.id for run in store.catalogue.runs(sort="started")].index(run.id) % len(PARAMS)]
    )
    metrics = {
        name: (each.last, each.minimum, each.maximum, each.mean) for name, each in (result.metrics if result else {}).items()
    }
    study = start.trial.study if start.trial else None
    ended = result.ended if result else None
    return Facts(
        start.id, start.name, run.state, start.started, ended, store.marks.tags(run), study, start.recipe, dict(params), metrics
    )


def test_any_expression_chooses_the_runs_of_the_plain_evaluation(
    store: Store, various: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many of them as are counted; and the first of any order are the beginning of the whole, however few are looked at."""
    monkeypatch.setattr("assay.store.catalogue._FEW", 3)
    monkeypatch.setattr("assay.store.catalogue._TOGETHER", 4)
    facts = [facts_of(store, run) for run in various]

    @settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
    @given(EXPRESSIONS, SORTS, st.integers(0, 26))
    def holds(where: str, sort: str, limit: int) -> None:
        test = condition(where)
        expected = {each.id for each in facts if test(each)}
        every, total = store.catalogue.page(where=where, sort=sort)
        assert ({run.id for run in every}, len(every), total) == (expected, len(expected), len(expected))
        assert store.catalogue.count(where) == total
        first = [run.id for run in every[:limit]]
        assert [run.id for run in store.catalogue.runs(where=where, sort=sort, limit=limit)] == first
        page, again = store.catalogue.page(where=where, sort=sort, limit=limit)
        assert ([run.id for run in page], again) == (first, total)

    holds()


@pytest.mark.parametrize(
    ("where", "exact"),
    [
        ("metrics.loss < .3 and params.lr == .1", True),
        ("not (.1 < metrics.loss <= .5 or state in ('failed', 'crashed'))", True),
        ("'paper' in tags and study == 'x' and name != 'base' and id >= 'a'", True),
        ("metrics['loss@min'] < 1 and params.lr == .1", False),
        ("params.lr == params.rate", False),
        ("not 'x' in name", False),
        (" and ".join(["params.lr == .1"] * 60), False),
    ],
)
def test_what_is_looked_up_and_what_is_not(where: str, exact: bool) -> None:
    """Comparisons of metrics, parameters, states, names and tags are all said in SQL; of others, what there is beside them."""
    for probing in (False, True):
        found = narrowed(where, {}, probing=probing)
        assert found.exact is exact
        assert found.sql.count("?") == len(found.arguments)
        assert (found.sql == "1") == (where in ("params.lr == params.rate", "not 'x' in name"))


def test_what_is_no_expression_is_refused(store: Store, various: list[Run]) -> None:
    """Also where another part of it can be looked up."""
    for where in ("params.x == 1 and", "params.x == 1 and loss < 1", "params.x == 1 and metrics", "params.x is 1"):
        with pytest.raises(InvalidValue):
            store.catalogue.page(where=where, sort="metrics.m", limit=3)


def test_the_first_are_found_along_an_index(store: Store, various: list[Run]) -> None:
    """SQLite neither sorts all runs by a metric nor looks at each of them."""
    (file,) = Path(os.environ["XDG_CACHE_HOME"]).rglob("*.sqlite")
    connection = sqlite3.connect(file)
    along = narrowed("metrics.m < .5 and params.x == 1", {}, probing=True)
    sql = (
        "SELECT r.id FROM fact f CROSS JOIN run r ON r.n = f.run WHERE f.word = (SELECT n FROM word WHERE text = 'metrics.m')"
        f" AND {along.sql} ORDER BY f.value DESC LIMIT 3"
    )
    plans = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", along.arguments)]
    connection.close()
    assert any("fact_by_value" in plan for plan in plans)
    assert not any("TEMP B-TREE" in plan or "SCAN" in plan for plan in plans)
