"""Runs carried out again several times, or under several seeds; real processes, whose noise comes from a variable that no recipe holds."""

from __future__ import annotations

import functools
import sys

import pytest

from assay.errors import InvalidValue, UnknownMetric, UsageError
from assay.questions.reproduce import Asked, repeat, reproduce
from assay.store.store import Store
from assay.tracking.supervise import supervise

# The result depends on the seed, and on what the test puts into the variable: a shift that is a little different for every seed.
SCRIPT = """
import os, sys
seed = int(sys.argv[2]) if len(sys.argv) > 2 else int(os.environ.get("ASSAY_SEED", 0))
shift = float(os.environ.get("SHIFT", 0))
print(f"loss={seed % 7 + shift * (1 + 0.1 * seed)!r}")
print(f"other={shift!r}")
"""


class Lab:
    """A project with one script, and the environment of now."""

    def __init__(self, root, monkeypatch):
        self.root = root
        self.store = Store.open(root)
        self.shifts = monkeypatch
        (root / "s.py").write_text(SCRIPT)

    def shift(self, size):
        self.shifts.setenv("SHIFT", str(size))

    def run(self, *words, shift=0.0, **options):
        self.shift(shift)
        return supervise(self.store, self.root, [sys.executable, "s.py", *words], cwd=self.root, relay=False, **options).run

    def repeat(self, run, **asked):
        return repeat(self.store, run, Asked(**asked), lambda each, seed: self.again(each, seed=seed))

    @functools.cached_property
    def again(self):
        return functools.partial(reproduce, self.store, self.root)


@pytest.fixture
def lab(project, monkeypatch):
    return Lab(project, monkeypatch)


def test_each_repetition_is_a_run_and_all_have_to_come_back(lab):
    run = lab.run()
    shifts = iter((0.0, 0.0, 0.5))

    def again(each, seed):
        lab.shift(next(shifts))
        return lab.again(each, seed=seed)

    first, verdict = repeat(lab.store, run, Asked(runs=3), again)
    assert [each.verdict for each in verdict.runs] == ["identical", "identical", "not reproduced"]
    assert len({each.run for each in verdict.runs}) == 3
    assert first.id == verdict.runs[0].run
    assert verdict.verdict == "not reproduced"
    (loss, _) = verdict.metrics
    assert (loss.sameness, loss.b, loss.note) == ("not reproduced", 0.5, "largest difference 0.5; so in 1 of 3 runs")
    assert verdict.divergence.name == "loss"


def test_seeds_are_paired_and_a_margin_decides(lab):
    """Recorded under three seeds, carried out again under the same: what the seed does cancels, and the small shift remains."""
    runs = [lab.run("--seed", str(seed)) for seed in range(3)]
    lab.shift(0.01)
    _, verdict = lab.repeat(runs[1], statistical=True, margins={"loss": 0.1})
    assert verdict.verdict == "statistical"
    assert [each.original for each in verdict.runs] == [runs[1].id, runs[0].id, runs[2].id]
    (test,) = verdict.equivalence
    assert (test.verdict, test.method, test.again) == ("equivalent", "paired t", 3)
    assert test.estimate == pytest.approx(0.011)
    assert {each.name: each.sameness for each in verdict.metrics} == {"loss": "statistical", "other": "not reproduced"}
    assert [each.about for each in verdict.findings if each.kind == "no margin"] == ["other"]
    _, verdict = lab.repeat(runs[1], statistical=True, margins={"loss": 0.1, "other": 0.001}, seeds=2)
    assert verdict.verdict == "not reproduced"
    assert [(each.metric, each.verdict) for each in verdict.equivalence] == [("loss", "equivalent"), ("other", "differs")]


def test_a_run_that_comes_back_by_itself_needs_no_statistics(lab):
    """Its sisters are carried out only where their number was asked for."""
    runs = [lab.run(seed=seed) for seed in (3, 4)]
    _, verdict = lab.repeat(runs[0], statistical=True, margins={"loss": 0.1})
    assert (verdict.verdict, len(verdict.runs), verdict.equivalence) == ("identical", 1, ())
    _, verdict = lab.repeat(runs[0], statistical=True, margins={"loss": 0.1}, seeds=5)
    assert (verdict.verdict, len(verdict.runs)) == ("identical", 2)
    assert "5 seeds were asked for, and 2 are recorded" in verdict.findings[-1].text


def test_one_recorded_seed_stands_against_seeds_that_were_never_run(lab):
    """Not against its own: those two are not independent. It cannot be told, and the answer says what would help."""
    run = lab.run("--seed", "1")
    lab.shift(0.01)
    _, verdict = lab.repeat(run, statistical=True, margins={"loss": 0.1}, seeds=3)
    assert [each.seed for each in verdict.runs] == [None, 0, 2, 3]
    assert [each.verdict for each in verdict.runs] == ["not reproduced", None, None, None]
    (test,) = verdict.equivalence
    assert (test.verdict, test.method, test.recorded, test.again) == ("cannot tell", "pooled t", 1, 3)
    assert verdict.verdict == "not reproduced"
    assert "record it several times" in test.words
    assert lab.store.runs.read(verdict.runs[2].run).metrics["loss"] == pytest.approx(2.012)


def test_runs_without_a_seed_are_compared_as_they_are(lab):
    """Three recorded against three carried out again; and tolerances and margins are learned from those that are not judged."""
    *others, run = [lab.run(shift=shift) for shift in (0.1, 0.12, 0.14, 0.11)]
    shifts = iter((0.13, 0.12, 0.115) * 2)

    def again(each, seed):
        lab.shift(next(shifts))
        return lab.again(each, seed=seed)

    margins = {"loss": 0.1}
    _, verdict = repeat(lab.store, run, Asked(runs=3, statistical=True, margins=margins), again)
    assert (verdict.verdict, verdict.equivalence[0].recorded, verdict.equivalence[0].method) == ("statistical", 4, "Welch's t")
    lab.shift(0.15)
    _, verdict = lab.repeat(run, learn=True)
    assert verdict.verdict == "numerical"
    assert {each.name: each.learned for each in verdict.metrics} == {"loss": len(others), "other": len(others)}
    _, verdict = lab.repeat(run, learn=True, tolerances={"loss": (0.0, 0.01)})
    assert {each.name: each.sameness for each in verdict.metrics} == {"loss": "not reproduced", "other": "numerical"}
    _, verdict = repeat(lab.store, run, Asked(runs=3, statistical=True, margins={"loss": None}), again)
    assert (verdict.equivalence[0].recorded, verdict.equivalence[0].learned) == (1, len(others))


def test_a_repetition_that_fails_is_never_left_out_of_a_mean(lab):
    run = lab.run()
    lab.shift("oops")
    _, verdict = lab.repeat(run, statistical=True, margins={"loss": 1.0}, runs=2)
    assert (verdict.verdict, verdict.equivalence) == ("not reproduced", ())
    assert verdict.findings[-1].kind == "not tested"


def test_what_cannot_be_asked_is_refused_before_anything_runs(lab):
    run = lab.run()
    count = len(lab.store.runs.ids())
    for error, asked in (
        (UsageError, {"statistical": True}),
        (UsageError, {"statistical": True, "margins": {"loss": 0.1}, "seeds": 3}),
        (UnknownMetric, {"statistical": True, "margins": {"los": 0.1}}),
        (InvalidValue, {"statistical": True, "margins": {"loss": -1.0}}),
        (UsageError, {"statistical": True, "margins": {"loss": None}}),
        (InvalidValue, {"runs": 0}),
    ):
        with pytest.raises(error):
            lab.repeat(run, **asked)
    assert len(lab.store.runs.ids()) == count


def test_without_equal_runs_no_tolerance_is_learned_and_that_is_said(lab):
    run = lab.run()
    lab.shift(0.5)
    _, verdict = lab.repeat(run, learn=True)
    assert verdict.verdict == "not reproduced"
    assert "noise" in [finding.kind for finding in verdict.findings]
