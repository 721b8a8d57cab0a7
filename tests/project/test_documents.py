"""The JSON documents: their fields, and that none ever holds a number that JSON has not."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.comparison.verdict import compare
from assay.errors import UnknownRun
from assay.lineage.graph import Edge
from assay.project import documents
from assay.records.environment import Environment, Package, Packages
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.finding import Finding
from assay.records.journal import Point
from assay.records.plan import Plan
from assay.records.recipe import Recipe
from assay.records.run import Failure, Metric, Parent, Result, Start, TrialOf
from assay.records.trace import FileUse, Trace
from assay.records.verdict import Difference
from assay.report.document import plain, study_document
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.tracking.series import series

SHORT = ["id", "name", "state", "started", "ended", "params", "metrics", "tags", "parents", "study", "recipe"]
LONG = [
    *SHORT, "command", "code", "data", "trace", "environment", "determinism", "resources", "host", "output", "fidelity", "findings", "notes",
    "patched",
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path)


def begin(store, **fields):
    packages = store.objects.put_record(Packages(packages=(Package(name="numpy", version="2.4.1"),)))
    environment = store.objects.put_record(Environment(python="CPython 3.11.7", packages=packages))
    recipe = store.objects.put_record(Recipe(params={"lr": math.inf}, seed=3, data={"d.csv": "0" * 64}))
    return store.runs.create(Start(id=new_run_id(), recipe=recipe, environment=environment, **fields))


def finished(store, **fields):
    """A run with everything in it that JSON has no number for."""
    writer = begin(store, name="base", tags=("t",), parents=(Parent(run="a" * 16, by="resume"),), command=("python", "train.py"),
                   trial=TrialOf(study="s" * 64, configuration="baseline"), started=1.5)  # fmt: skip
    journal = writer.journal()
    for step, value in enumerate((0.5, math.nan)):
        journal.append(Point(2.0 + step, step, {"loss": value}))
    metric = Metric(last=math.nan, minimum=0.5, maximum=0.5, mean=math.nan, n=2, step=1)
    trace = store.objects.put_record(Trace(read=(FileUse(path="d.csv", id="0" * 64, size=3),)))
    fields = {"state": "finished", "exit_code": 0, **fields}
    writer.finish(Result(**{"metrics": {"loss": metric}, **fields}, ended=9.0, params={"lr": -math.inf}, trace=trace))
    return store.runs.read(writer.id)


def strict(document):
    """The document as a reader without NaN gets it."""
    text = json.dumps(document, allow_nan=False)
    assert json.loads(text) == document
    return json.loads(text)


@given(values)
def test_whatever_a_value_holds_its_plain_form_is_json(value):
    strict(plain(value))


def test_non_finite_numbers_are_the_three_texts():
    assert plain([math.nan, -math.nan, math.inf, -math.inf, 1.0]) == ["NaN", "NaN", "Infinity", "-Infinity", 1.0]


def test_what_is_no_plain_value_is_shown_as_python_shows_it():
    assert plain({"a": {1, 2}}) == {"a": "{1, 2}"}


def test_the_short_form_has_exactly_its_fields(store):
    run = finished(store)
    document = strict(documents.listing(store, [run], 7))
    assert (document["version"], document["total"]) == (1, 7)
    found = document["runs"][0]
    assert list(found) == SHORT
    assert found["metrics"] == {"loss": "NaN"}
    assert found["params"] == {"lr": "-Infinity"}
    assert found["parents"] == [{"run": "a" * 16, "by": "resume", "path": ""}]
    assert (found["study"], found["started"], found["ended"], found["tags"]) == ("s" * 64, 1.5, 9.0, ["t"])


def test_the_long_form_has_exactly_its_fields(store):
    found = strict(documents.shown(store, finished(store)))["run"]
    assert list(found) == LONG
    assert list(found["trace"]) == ["loaded", "read", "written"]
    assert found["trace"]["read"][0]["path"] == "d.csv"
    assert found["environment"]["packages"][0]["version"] == "2.4.1"
    assert found["determinism"]["recipe"]["seed"] == 3
    assert found["data"] == {"d.csv": "0" * 64}
    assert found["command"] == ["python", "train.py"]


def test_a_run_that_goes_on_shows_what_it_has_logged_and_its_parameters(store):
    """This very process is the one that runs."""
    writer = begin(store, host=this_process())
    writer.journal().append(Point(1.0, 0, {"loss": 0.25}))
    found = strict(documents.shown(store, store.runs.read(writer.id)))["run"]
    assert list(found) == LONG
    assert (found["state"], found["ended"], found["metrics"]) == ("running", None, {"loss": 0.25})
    assert found["params"] == {"lr": "Infinity"}
    assert found["fidelity"] is None


def test_how_a_run_failed_stands_among_its_findings(store):
    failure = Failure(kind="ValueError", text="bad", traceback="…")
    run = finished(store, state="failed", exit_code=3, failure=failure, findings=(Finding(kind="k", about="a", text="t"),))
    kinds = [finding["kind"] for finding in strict(documents.shown(store, run))["run"]["findings"]]
    assert kinds == ["exit code", "failure", "k"]


def test_a_failure_without_a_word_adds_nothing_to_the_exit_code(store):
    run = finished(store, state="failed", exit_code=3, failure=Failure(kind="exit code 3", text=""))
    assert [finding["kind"] for finding in strict(documents.shown(store, run))["run"]["findings"]] == ["exit code"]


def test_a_series_keeps_its_steps_values_and_times(store):
    found = strict(documents.log(series(store, finished(store).id)))
    assert found["series"] == {"loss": {"step": [0, 1], "value": [0.5, "NaN"], "time": [2.0, 3.0]}}


def test_a_difference_has_both_sides_and_the_metrics_of_both(store):
    a, b = finished(store), finished(store, metrics={})
    document = strict(documents.diff(a, b, [Difference(kind="param", name="lr", a="0.1", b=None)]))
    assert list(document) == ["version", "a", "b", "differences", "divergence", "metrics"]
    assert document["differences"] == [{"kind": "param", "name": "lr", "a": "0.1", "b": None}]
    assert document["metrics"] == {"loss": {"a": "NaN", "b": None, "measured": False}}


def test_an_edge_leads_from_the_earlier_run_to_the_later(store):
    run = finished(store)
    document = strict(documents.origin(store, [run], [Edge("a" * 16, run.id, "read", "m.pt")]))
    assert document["edges"] == [{"from": "a" * 16, "to": run.id, "by": "read", "path": "m.pt"}]
    assert [each["id"] for each in document["runs"]] == [run.id]


def test_a_verdict_names_the_run_and_where_it_parts(store):
    a, b = finished(store), finished(store, state="failed", exit_code=1)
    document = strict(documents.reproduction(b, compare(store, a, b)))
    assert (document["verdict"], document["run"], document["divergence"]) == ("not reproduced", b.id, None)
    assert document["metrics"][0]["a"] == "NaN"
    assert {"version", "verdict", "metrics", "files", "divergence", "equivalence", "run", "runs", "findings"} == set(document)


def test_a_study_shows_its_plan_trials_and_effects():
    plan = Plan(design="full", estimand="e", configurations=(), blocks=(), trials=(), comparisons=0, detectable=math.inf)
    rows = (TrialResult(index=0, configuration="baseline", block=0, seed=0, metrics={"acc": math.nan}),)
    document = strict(study_document(StudyEvidence(study="s", plan=plan, rows=rows)))
    assert document["plan"]["detectable"] == "Infinity"
    assert document["trials"][0]["metrics"] == {"acc": "NaN"}
    assert {"study", "plan", "trials", "effects", "interactions", "findings"} <= set(document)


def test_an_error_has_its_fields():
    problem = UnknownRun("no run has this id", value="abc", expected="an id", next_step="`assay ls` lists the runs.")
    assert strict(documents.error(problem)) == {
        "version": 1,
        "error": {
            "code": "unknown_run",
            "message": str(problem),
            "value": "abc",
            "expected": "an id",
            "next": "`assay ls` lists the runs.",
        },
    }
    assert strict(documents.error(UnknownRun("x", value=math.nan)))["error"]["value"] == "NaN"
