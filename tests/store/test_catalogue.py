"""The catalogue: an index that may vanish, lie or be locked away, and whose answers stay those of the run folders."""

from __future__ import annotations

import gc
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.errors import AmbiguousRun, InvalidValue, StoreDamaged, StoreTooNew, UnknownMetric, UnknownRun
from assay.records.canonical import canonical
from assay.records.journal import Saved
from assay.records.run import Parent, Result, Start
from assay.store.catalogue import Catalogue
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store

RecordRun = Callable[..., str]
A, B = "a" * 64, "b" * 64


def ids(store: Store, **asked: object) -> list[str]:
    """Ids of the runs that answer."""
    return [run.id for run in store.catalogue.runs(**asked)]  # type: ignore[arg-type]


def again(store: Store) -> Store:
    """The same store, opened by a newcomer."""
    return Store.open(store.root)


def cache_file() -> Path:
    """The one file that the catalogue keeps."""
    (found,) = Path(os.environ["XDG_CACHE_HOME"]).rglob("*.sqlite")
    return found


def answers(store: Store) -> list[object]:
    """Everything that can be asked."""
    catalogue = store.catalogue
    runs = [canonical(run) for run in catalogue.runs(sort="metrics.loss")]
    return [
        runs,
        catalogue.count("params.lr == .1"),
        catalogue.resolve("last"),
        catalogue.wrote(A),
        catalogue.read_by(B),
        catalogue.written_among(["m.pt", "n.pt", "b"]),
    ]


@pytest.fixture
def some_runs(record_run: RecordRun) -> list[str]:
    """Five runs, oldest first."""
    return [
        record_run(name="base", params={"lr": 0.1}, metrics={"loss": 0.5, "Loss/test": 9.0}, wrote={"m.pt": A}),
        record_run(
            name="base", params={"lr": 0.1, "model": {"depth": 2}}, metrics={"loss": 0.2}, read={"m.pt": A}, tags=("paper",)
        ),
        record_run(params={"lr": 0.2}, metrics={"loss": math.nan}, wrote={"n.pt": B, "m.pt": A}, read={"b": B}),
        record_run(state="failed", metrics={"loss": 0.01}, study=A),
        record_run(state=None, params={"lr": 0.1}, name="now"),
    ]


def test_runs_come_newest_first(store: Store, some_runs: list[str]) -> None:
    """With what was recorded, and their states."""
    assert ids(store) == some_runs[::-1]
    assert ids(store, limit=2) == some_runs[:2:-1]
    assert ids(store, limit=0) == []
    assert [run.state for run in store.catalogue.runs()] == ["running", "failed", "finished", "finished", "finished"]
    assert store.catalogue.runs()[3] == store.runs.read(some_runs[1])
    assert store.catalogue.count() == 5


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("metrics.loss < .3", [3, 1]),
        ("metrics.loss < .3 and params.lr == .1", [1]),
        ("metrics['Loss/test'] > 1", [0]),
        ("params.model.depth == 2", [1]),
        ("params['model.depth'] == 2", [1]),
        ("state == 'finished' and 'paper' in tags", [1]),
        ("name in ('base', 'now')", [4, 1, 0]),
        ("not state == 'finished'", [4, 3]),
        ("params.lr == .1 or params.lr == .2", [4, 2, 1, 0]),
        (".1 < metrics.loss <= .5", [1, 0]),
        ("metrics.loss != metrics.loss", [2]),
        ("metrics['loss@min'] < -.7", [3, 1]),
        ("metrics['loss@min'] == -.5", [0]),
        (f"study == '{A}'", [3]),
        ("metrics.unheard_of > 0", []),
        ("name < 3", []),
        ("metrics.loss", [3, 2, 1, 0]),
    ],
)
def test_expressions_choose(store: Store, some_runs: list[str], where: str, expected: list[int]) -> None:
    """What the manual says they mean; what a run does not have matches nothing."""
    assert ids(store, where=where) == [some_runs[index] for index in expected]
    assert store.catalogue.count(where) == len(expected)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("started", [0, 1, 2, 3, 4]),
        ("metrics.loss", [3, 1, 0, 2, 4]),
        ("-metrics.loss", [0, 1, 3, 2, 4]),
        ("params.lr", [4, 1, 0, 2, 3]),
        ("-params.lr", [2, 4, 1, 0, 3]),
        ("params.model.depth", [1, 4, 3, 2, 0]),
        ("name", [3, 2, 1, 0, 4]),
        ("-ended", [3, 2, 1, 0, 4]),
    ],
)
def test_runs_are_sorted(store: Store, some_runs: list[str], sort: str, expected: list[int]) -> None:
    """NaN and what is missing stand last in both directions; equal ones newest first."""
    assert ids(store, sort=sort) == [some_runs[index] for index in expected]
    assert ids(store, sort=sort, limit=2) == [some_runs[index] for index in expected[:2]]


def test_parameters_of_different_kinds_are_sorted(store: Store, record_run: RecordRun) -> None:
    """A number here and a text there are no crash."""
    made = [record_run(params={"x": value}) for value in ("b", 2, None, [1], True, "a", 1.5)]
    assert [made.index(run_id) for run_id in ids(store, sort="params.x")] == [4, 6, 1, 5, 0, 2, 3]


@pytest.mark.parametrize("where", [None, "params.lr == .1", "metrics.loss > 0 and state == 'finished'", "metrics.unheard_of > 0"])
@pytest.mark.parametrize("sort", ["metrics.loss", "-metrics.loss", "metrics.unheard_of", "-metrics.loss@min"])
def test_the_first_are_the_first_of_all(store: Store, record_run: RecordRun, where: str | None, sort: str) -> None:
    """However few are asked for, they are the beginning of the whole list: with equal values, NaN, infinities and runs without the metric."""
    values = (0.5, math.nan, 0.5, -math.inf, None, 0.0, -0.0, math.inf, 0.5, 2.0)
    for number, value in enumerate(values):
        state = "failed" if number == 8 else "finished"
        record_run(state=state, params={"lr": 0.1 * (number % 2 + 1)}, metrics={} if value is None else {"loss": value})
    every = ids(store, where=where, sort=sort)
    for limit in range(len(values) + 2):
        assert ids(store, where=where, sort=sort, limit=limit) == every[:limit]


def test_a_metric_of_a_removed_run_is_gone_from_the_order(store: Store, record_run: RecordRun) -> None:
    """The best of what is left comes first once the best run is removed."""
    runs = [record_run(metrics={"loss": value}) for value in (3.0, 1.0, 2.0)]
    assert ids(store, sort="metrics.loss", limit=1) == [runs[1]]
    store.runs.remove(runs[1])
    assert ids(store, sort="metrics.loss", limit=2) == [runs[2], runs[0]]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("last", 4),
        ("last~0", 4),
        ("last~2", 2),
        ("base", 1),
        ("now", 4),
        ("min:loss", 1),
        ("max:loss", 0),
        ("max:Loss/test", 0),
        ("min:loss@max", 1),
    ],
)
def test_selectors_name_one_run(store: Store, some_runs: list[str], selector: str, expected: int) -> None:
    """Among equal names the newest; for the best, finished runs with finite values alone."""
    assert store.catalogue.resolve(selector) == some_runs[expected]


def test_every_id_and_every_unique_prefix_resolves(store: Store, record_run: RecordRun) -> None:
    """And a shared one lists who shares it."""
    made = [record_run(name=f"run number {number}") for number in range(40)]
    for run_id in made:
        for length in range(1, 17):
            prefix = run_id[:length]
            sharing = [other for other in made if other.startswith(prefix)]
            if len(sharing) == 1:
                assert store.catalogue.resolve(prefix) == run_id
            else:
                with pytest.raises(AmbiguousRun) as caught:
                    store.catalogue.resolve(prefix)
                assert all(any(other in str(caught.value) for other in sharing) for _ in sharing)


@pytest.mark.parametrize("selector", ["", "nobody", "last~99", "0", "\udcff", "*", "%", "_", "' OR 1=1 --"])
def test_what_nobody_answers_to_is_told(store: Store, some_runs: list[str], selector: str) -> None:
    """With the newest runs, and the spelling that may have been meant."""
    with pytest.raises(UnknownRun) as caught:
        store.catalogue.resolve(selector)
    assert caught.value.expected
    with pytest.raises(UnknownRun, match="Did you mean base"):
        store.catalogue.resolve("bsae")


def test_an_empty_store_has_no_run(store: Store) -> None:
    """Every selector says so."""
    for selector in ("last", "last~3", "x"):
        with pytest.raises(UnknownRun, match="a store with runs"):
            store.catalogue.resolve(selector)


def test_the_best_of_an_unknown_metric_is_told(store: Store, some_runs: list[str]) -> None:
    """By name, with those that there are."""
    with pytest.raises(UnknownMetric, match=r"'los'.*Loss/test, loss.*Did you mean loss"):
        store.catalogue.resolve("min:los")


def test_contents_are_found(store: Store, some_runs: list[str]) -> None:
    """Who wrote them and who read them, the newest first; and every path that any run wrote."""
    assert store.catalogue.wrote(A) == [(some_runs[2], "m.pt"), (some_runs[0], "m.pt")]
    assert store.catalogue.read_by(A) == [(some_runs[1], "m.pt")]
    assert store.catalogue.wrote("c" * 64) == []
    assert store.catalogue.written_among(["m.pt", "n.pt", "b", "x"]) == {"m.pt", "n.pt"}


def test_many_contents_are_one_question(store: Store, some_runs: list[str]) -> None:
    """More than SQLite takes arguments."""
    many = [f"{number:064x}" for number in range(3000)]
    assert store.catalogue.wrote_any([*many, A]) == {A: store.catalogue.wrote(A)}


def test_written_paths_follow_the_runs(store: Store, record_run: RecordRun) -> None:
    """A run that ends after the first question is in the second answer."""
    assert store.catalogue.written_among(["new.pt"]) == set()
    record_run(wrote={"new.pt": A})
    assert store.catalogue.written_among(["new.pt", "old.pt"]) == {"new.pt"}


def test_runs_of_a_recipe(store: Store, record_run: RecordRun) -> None:
    """Finished ones, the newest first."""
    first, second = record_run(params={"x": 1}), record_run(params={"x": 1})
    record_run(params={"x": 1}, state="failed")
    record_run(params={"x": 2})
    assert store.catalogue.with_recipe(store.runs.read(first).start.recipe) == [second, first]


def test_what_a_crashed_run_had_saved_is_found(store: Store) -> None:
    """A checkpoint outlives the run that made it."""
    dead = Start(id=new_run_id(), recipe="", host=this_process()).host
    crashed = Start(id=new_run_id(), recipe="", host=type(dead)(name=dead.name, boot="before"))
    store.runs.create(crashed).journal().append(Saved(1.0, "ckpt.pt", A, 3))
    assert store.catalogue.wrote(A) == [(crashed.id, "ckpt.pt")]


def test_a_run_that_ends_is_seen_by_all(store: Store) -> None:
    """By the one who asked before, and by a newcomer."""
    writer = store.runs.create(Start(id=new_run_id(), recipe="", started=1.0, host=this_process()))
    other = again(store)
    assert [store.catalogue.runs()[0].state, other.catalogue.runs()[0].state] == ["running", "running"]
    writer.finish(Result(state="interrupted", ended=2.0))
    assert [each.catalogue.runs()[0].state for each in (store, other, again(store))] == ["interrupted"] * 3


def test_a_run_that_is_removed_is_gone(store: Store, some_runs: list[str]) -> None:
    """With what it wrote."""
    assert store.catalogue.count() == 5
    shutil.rmtree(store.runs.folder(some_runs[0]))
    assert ids(store) == some_runs[:0:-1]
    assert store.catalogue.wrote(A) == [(some_runs[2], "m.pt")]


def test_a_deleted_catalogue_answers_the_same(store: Store, some_runs: list[str]) -> None:
    """Nothing that it knows is its own."""
    before = answers(store)
    shutil.rmtree(os.environ["XDG_CACHE_HOME"])
    assert answers(again(store)) == before
    assert answers(store) == before


def _older(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE run (id TEXT)")
        connection.execute("CREATE TABLE other (id TEXT)")
    connection.close()


def _newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def _same_version_other_tables(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE run DROP COLUMN facts")
    connection.close()


def _damaged_within(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"no database at all" * 500),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: path.unlink() or path.mkdir(),
        _damaged_within,
        _older,
        _newer,
        _same_version_other_tables,
    ],
    ids=["text", "empty", "cut", "folder", "damaged", "older", "newer", "other tables"],
)
def test_a_spoilt_catalogue_answers_the_same(store: Store, some_runs: list[str], spoil: Callable[[Path], object]) -> None:
    """It is thrown away and made anew, without a word."""
    script = "import sys; from pathlib import Path; from assay.store.store import Store; print(Store.open(Path(sys.argv[1])).catalogue.count())"
    subprocess.run([sys.executable, "-c", script, str(store.root)], check=True, capture_output=True)
    before = answers_without_cache(store)
    spoil(cache_file())
    assert answers(again(store)) == before
    assert answers(again(store)) == before


def answers_without_cache(store: Store) -> list[object]:
    """The answers of a newcomer who keeps his catalogue elsewhere."""
    home = os.environ["XDG_CACHE_HOME"]
    os.environ["XDG_CACHE_HOME"] = home + "-other"
    try:
        return answers(again(store))
    finally:
        os.environ["XDG_CACHE_HOME"] = home


@pytest.mark.parametrize("place", ["/proc/nowhere", "relative/path", "", "/dev/null/x"])
def test_without_a_cache_folder_the_answers_are_the_same(
    store: Store, some_runs: list[str], place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables live in memory; a relative XDG_CACHE_HOME is ignored, as the specification says."""
    before = answers(store)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", place)
    assert answers(again(store)) == before
    assert not (tmp_path / "relative").exists()


def test_a_bad_run_hides_no_other(store: Store, some_runs: list[str], record_run: RecordRun) -> None:
    """A folder of a newer format, a damaged one and an empty one are left out and reported by name."""
    newer, damaged = record_run(), record_run()
    (store.runs.folder(newer) / "start").chmod(0o644)
    (store.runs.folder(newer) / "start").write_bytes(canonical({"assay": "start/7"}))
    (store.runs.folder(damaged) / "result").chmod(0o644)
    (store.runs.folder(damaged) / "result").write_bytes(b"\x91" * 9000)
    store.runs.folder("c" * 16).mkdir()
    assert ids(store) == some_runs[::-1]
    problems = store.catalogue.problems
    assert set(problems) == {newer, damaged}
    assert isinstance(problems[newer], StoreTooNew)
    assert isinstance(problems[damaged], StoreDamaged)
    assert store.catalogue.resolve(damaged) == damaged
    shutil.rmtree(store.runs.folder(newer))
    assert set(store.catalogue.problems) == {damaged}


def test_a_run_whose_trace_is_lost_is_listed(store: Store, record_run: RecordRun) -> None:
    """What it wrote is not known; everything else is."""
    run_id = record_run(wrote={"x": A})
    result = store.runs.read(run_id).result
    assert result is not None
    assert result.trace is not None
    store.objects.path(result.trace).unlink()
    assert ids(store) == [run_id]
    assert store.catalogue.wrote(A) == []


def test_a_start_at_no_time_is_listed(store: Store, record_run: RecordRun) -> None:
    """NaN as a time, which SQLite cannot hold, stops nobody."""
    odd, good = record_run(started=math.nan), record_run()
    assert sorted(ids(store)) == sorted([odd, good])
    assert len(ids(store, sort="started")) == 2


def test_fields_of_a_later_version_outlive_the_catalogue(store: Store, record_run: RecordRun) -> None:
    """Tables that this version filled keep what it could not read: they hold the bytes of the run, not what it made of them."""
    run_id = record_run(name="kept")
    path = store.runs.folder(run_id) / "start"
    path.chmod(0o644)
    path.write_bytes(canonical(msgspec.msgpack.decode(path.read_bytes()) | {"zz_later": "field"}))
    assert ids(store) == [run_id]
    (row,) = sqlite3.connect(cache_file()).execute("SELECT record FROM record").fetchall()
    assert b"zz_later" in row[0]


def test_threads_and_children_ask_at_once(store: Store, some_runs: list[str]) -> None:
    """Each gets the whole answer, also from a connection that was opened before the fork."""
    expected = store.catalogue.count()
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(store.catalogue.runs(where="started > 0")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8
    child = os.fork()
    if child == 0:
        os._exit(0 if len(store.catalogue.runs()) == expected else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.catalogue.count() == expected


def test_a_process_that_visits_many_stores_runs_out_of_no_descriptors(tmp_path: Path) -> None:
    """Nor does a child that lets its parent's go; who still has a store has its catalogue."""
    for name in ("first", *map(str, range(40))):
        (tmp_path / name).mkdir()
    first = Store.open(tmp_path / "first")
    mine, before = first.catalogue, len(list(Path("/proc/self/fd").iterdir()))
    assert first.catalogue.count() == 0
    for number in range(40):
        assert Store.open(tmp_path / str(number)).catalogue.count() == 0
    child = os.fork()
    if child == 0:
        found = [Store.open(tmp_path / str(number)).catalogue.count() for number in range(20)]
        os._exit(0 if found == [0] * 20 else 1)
    assert os.waitpid(child, 0)[1] == 0
    gc.collect()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 3 * 10
    assert Store.open(tmp_path / "first").catalogue is mine
    assert Store.open(tmp_path / "39").catalogue.count() == 0


def test_logging_never_touches_the_catalogue(store: Store) -> None:
    """A run begins, logs and ends without SQLite being loaded, or a file in the cache."""
    script = """
import sys
from pathlib import Path
from assay.records.journal import Point
from assay.records.run import Parent, Result, Start
from assay.store.runs import new_run_id
from assay.store.store import Store
writer = Store.open(Path(sys.argv[1])).runs.create(Start(id=new_run_id(), recipe=""))
writer.journal().append(Point(1.0, 1, {"loss": 0.5}))
writer.finish(Result(state="finished", ended=1.0))
print("sqlite3" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script, str(store.root)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert list(Path(os.environ["XDG_CACHE_HOME"]).rglob("*.sqlite")) == []


SCALAR = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), SCALAR, max_size=4),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), st.floats(), max_size=4),
)
def test_any_run_comes_back_as_it_was(
    store: Store, record_run: RecordRun, params: dict[str, object], metrics: dict[str, float]
) -> None:
    """Whatever its parameters and metrics are called and hold; and an expression finds it by them."""
    run_id = record_run(params=params, metrics=metrics, name="a name")
    (found,) = store.catalogue.runs(where=f"id == '{run_id}'")
    assert canonical(found) == canonical(store.runs.read(run_id))
    for name, value in metrics.items():
        if value == value and math.isfinite(value):
            assert run_id in ids(store, where=f"metrics[{name!r}] == {value!r}")
    assert store.catalogue.resolve("a name") == run_id


def test_errors_name_the_expression(store: Store, some_runs: list[str]) -> None:
    """Also from count and from sort."""
    for ask in (
        lambda: store.catalogue.runs(where="metric.loss < 1"),
        lambda: store.catalogue.count("metric.loss < 1"),
        lambda: store.catalogue.runs(sort="metric.loss"),
    ):
        with pytest.raises(InvalidValue, match=r"metric\.loss.*Did you mean `metrics`"):
            ask()


def newcomer(store: Store) -> Catalogue:
    """The catalogue as another process opens it."""
    return Catalogue(store.path, store.objects, store.runs)


def test_a_newcomer_goes_on_from_what_was_noted(
    store: Store, some_runs: list[str], record_run: RecordRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the folder of runs has not changed, it is not listed: runs that may still change are looked at, and damaged ones are named."""
    bad = record_run()
    (store.runs.folder(bad) / "start").chmod(0o644)
    (store.runs.folder(bad) / "start").write_bytes(b"damaged")
    os.utime(store.path / "runs", (1e9, 1e9))
    assert newcomer(store).count() == 5
    with monkeypatch.context() as patched:
        patched.setattr(store.runs, "ids", lambda: pytest.fail("the folder was listed"))
        late = newcomer(store)
        assert [run.id for run in late.runs()] == some_runs[::-1] and set(late.problems) == {bad}
        store.runs.open_writer(some_runs[4]).finish(Result(state="finished", ended=9.0))
        assert [each.runs()[0].state for each in (late, newcomer(store))] == ["finished"] * 2
        assert newcomer(store).count("state == 'finished'") == 4
    shutil.rmtree(store.runs.folder(some_runs[0]))
    added = record_run(name="added")
    assert late.resolve("last") == newcomer(store).resolve("last") == added
    assert newcomer(store).count() == 5 and newcomer(store).wrote(A) == [(some_runs[2], "m.pt")]


def test_many_runs_are_read_in_parts(store: Store, some_runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers are those of one piece; of many used files, those at given paths are asked for."""
    before = answers(store)
    monkeypatch.setattr("assay.store.index._TOGETHER", 2)
    monkeypatch.setattr("assay.store.index._VERY_MANY", 3)
    monkeypatch.setattr("assay.store.catalogue._TOGETHER", 2)
    monkeypatch.setattr("assay.store.catalogue._FEW", 1)
    monkeypatch.setattr("assay.store.catalogue._MANY", 1)
    shutil.rmtree(os.environ["XDG_CACHE_HOME"])
    assert answers(store) == before
    assert store.catalogue.page(where="params.lr == .1", limit=1)[1] == 3


def test_variants_are_named_by_id_and_name_alone(store: Store, record_run: RecordRun) -> None:
    """`last` and the best of a metric are the user's own runs; reproductions are, variants that answer a question are not."""
    first = record_run(metrics={"loss": 0.5}, params={"lr": 1})
    second = record_run(metrics={"loss": 0.4}, params={"lr": 2}, parents=(Parent(run=first, by="reproduction"),))
    variant = record_run(metrics={"loss": 0.1, "own": 1.0}, name="doctor: 1", parents=(Parent(run=first, by="variant"),))
    resolve = store.catalogue.resolve
    assert [resolve(selector) for selector in ("last", "last~1", "min:loss", "min:loss@min")] == [second, first, second, second]
    assert resolve(variant) == resolve(variant[:10]) == resolve("doctor: 1") == variant
    with pytest.raises(UnknownRun, match="at most last~1"):
        resolve("last~2")
    with pytest.raises(UnknownMetric):
        resolve("max:own")
    asked: tuple[dict[str, object], ...] = ({}, {"sort": "metrics.loss", "limit": 1}, {"where": "metrics.loss < 1 and started > 0"})
    for every in asked:
        listed, total = store.catalogue.page(**every, variants=False)  # type: ignore[arg-type]
        assert {run.id for run in listed} <= {first, second} and total == 2
        assert store.catalogue.page(**every)[1] == 3  # type: ignore[arg-type]
