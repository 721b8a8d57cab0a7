"""What a study says of input that can tell nothing, or that contradicts itself: in words, with what to do next, and never a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]
SCRIPT = """\
import sys
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print("score=" + str(float(given["--a"]) + 0.1 * int(given["--seed"])))
"""
FILE = """\
name: toy
command: python fit.py {overrides} --seed {seed}
baseline: {a: 2, b: 2}
components:
  a: {remove: {a: 1}}
  b: {remove: {b: 1}}
metrics:
  score: {goal: maximize, margin: 0.05}
seeds: 2
hypotheses:
  - a raises score by 0.5
"""


@pytest.fixture
def study(folder: Path, assay: Assay, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a study of a script: text of both, and options of `assay study run`."""
    monkeypatch.setenv("COLUMNS", "400")  # so that no sentence is broken

    def run(*options: str, script: str = SCRIPT, file: str = FILE) -> Any:
        (folder / "fit.py").write_text(script)
        (folder / "study.yaml").write_text(file)
        done = assay("study", "run", "study.yaml", *options)
        assert "Traceback" not in done.err and "Assay itself failed" not in done.err
        return done

    return run


def test_one_seed_gives_no_interval_and_no_claim(study: Callable[..., Any]) -> None:
    done = study(file=FILE.replace("seeds: 2", "seeds: 1"))
    assert done.code == 0 and "no interval can be given with these seeds" in done.err
    assert "Cannot tell whether removing a changes score" in done.out and "more seeds would" in done.out
    assert "by at least 0.5: undecided" in done.out and "Noise: with one seed no effect has an interval" in done.out


def test_where_all_trials_fail_the_gate_says_so_and_nothing_else_is_run(study: Callable[..., Any]) -> None:
    """Though they fail without a word."""
    done = study(script="raise SystemExit(1)")
    assert done.code == 1 and "failed: baseline, seed 0: exit code 1" in done.err
    assert "It finished under none of its 2 seeds" in done.out and "there is nothing to compare with" in done.out
    assert "`--accept-baseline REASON` goes on" in done.out and "2 of 2 not run" in done.out


def test_where_all_ablations_fail_no_effect_is_claimed(study: Callable[..., Any]) -> None:
    done = study(script=SCRIPT + "assert given['--a'] + given['--b'] == '22', 'not implemented'\n")
    assert done.code == 3 and "7 of 7 trials, 4 failed" in done.err
    assert "assay: nothing is known of a, b: not one pair of trials gave a value" in done.err
    assert done.out.count("2 of 2 trials (seeds 0, 1) failed (exit code 1") == 2 and "not implemented" in done.err + done.out
    assert "no pair of trials gave a value" in done.out and "by at least 0.5: undecided" in done.out
    assert "it tells nothing of anything that was changed" not in done.out, "nothing that was changed gave a value"


def test_a_constant_metric_is_named(study: Callable[..., Any]) -> None:
    done = study(script="print('score=0.5')")
    assert done.code == 0 and "score: It is 0.5 in all 6 trials: it tells nothing of anything that was changed" in done.out
    assert done.out.count("changed nothing at all") == 2 and "Nothing read 'a'" in done.out


def test_infinite_values_are_counted_and_never_averaged(study: Callable[..., Any]) -> None:
    done = study(script=SCRIPT.replace("print(", "print('score=inf') if given['--a'] == '1' else print("))
    assert done.code == 0 and "2 of 2 trials (seeds 0, 1) gave an infinite value" in done.out and "never averaged" in done.out
    assert "by at least 0.5: undecided" in done.out
    nowhere = study(script="print('score=-inf')")
    assert nowhere.code == 1 and "Under no seed does it give a usable value of score" in nowhere.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--design", "full", "--budget", "3"], ["'full' has no budget", "'optimal'", "'adaptive'"]),
        (["--design", "shapley", "--budget", "3"], ["holds not one order", "at least 4 configurations", '"optimal"']),
        (["--design", "full", "--until", "found"], ["'full' runs all that it plans", "'adaptive'", "Leave until out"]),
        (["--design", "adaptive", "--budget", "4"], ["before the design may look", "at least", "leave the budget out"]),
    ],
)
def test_a_design_that_its_budget_does_not_hold_is_refused(
    study: Callable[..., Any], folder: Path, options: list[str], said: list[str]
) -> None:
    done = study(*options)
    assert done.code == 2 and [one for one in said if one not in done.err] == []
    assert not (folder / ".assay").exists(), "nothing was run or sealed"


def test_a_baseline_is_not_accepted_without_a_reason(study: Callable[..., Any], folder: Path) -> None:
    done = study("--accept-baseline", " ")
    assert done.code == 2 and "accepted without a reason" in done.err and not (folder / ".assay").exists()


def test_where_a_study_may_stop_is_one_of_two(study: Callable[..., Any], folder: Path) -> None:
    done = study(file=f"{FILE}design: adaptive\nuntil: bored\n")
    assert done.code == 2 and "stops at no such point: 'bored'" in done.err and "confirmed or found" in done.err
    assert not (folder / ".assay").exists()


@pytest.mark.parametrize(
    ("constraints", "said"),
    [
        ("['a: removed requires b', 'a: removed excludes b']", ["contradict each other", "'without a'", "Correct a constraint"]),
        ("[a excludes b]", ["the baseline itself breaks a constraint", "'a excludes b'"]),
    ],
)
def test_contradictory_constraints_are_refused(study: Callable[..., Any], folder: Path, constraints: str, said: list[str]) -> None:
    done = study(file=f"{FILE}constraints: {constraints}\n")
    assert done.code == 2 and [one for one in said if one not in done.err] == []
    assert not (folder / ".assay").exists()


def test_a_file_that_is_changed_after_its_seal_asks_nothing_that_was_written_before(
    study: Callable[..., Any], assay: Assay, folder: Path
) -> None:
    first = study("--json").document
    changed = FILE.replace("by 0.5", "by 0.9").replace("margin: 0.05", "margin: 0.5")
    done = study(file=changed)
    assert (
        done.code == 0
        and f"supported. Not confirmatory, since it was written once results of {first['study'][:8]} were known" in done.out
    )
    for said in ("changed after its seal", "by 0.9' is new", "by 0.5' is gone", "the metric 'score' is asked otherwise"):
        assert said in done.out
    assert "Not confirmatory" in assay("study", "show", "last").out
    again = assay("study", "show", first["study"][:8], "--json").document
    assert again["study"] == first["study"] and "Not confirmatory" not in str(again)
    # Another component's hypothesis is written before its trials, and those that stand are what they were.
    more = FILE.replace("0.5\n", "0.5\n  - d raises score\n").replace("b: 2}", "b: 2, d: 1}")
    fresh = study(file=more.replace("metrics:", "  d: {remove: {d: 0}}\nmetrics:"))
    assert "Not confirmatory" not in fresh.out and "changed after its seal" not in fresh.out


def test_seeds_that_are_added_to_a_file_once_results_are_known_are_said(
    study: Callable[..., Any], assay: Assay, folder: Path
) -> None:
    """Adding seeds until a hypothesis is supported supports nothing, whether the file is edited or the study extended."""
    first = study("--json").document["study"][:8]
    added = study(file=FILE.replace("seeds: 2", "seeds: 3"))
    assert f"supported. Not confirmatory, since its seeds were changed once results of {first} were known" in added.out
    assert "changed after its seal: it had 2 seeds (0, 1), and has 3 seeds (0, 1, 2)." in added.out
    wrong = assay("study", "show", "study.yaml")
    assert wrong.code == 2 and f"toy ({first})" in wrong.err and "A study's file is for plan, gate, run" in wrong.err
    # Left out, they are chosen all the same; new ones confirm.
    assert f"its seeds were changed once results of {first}" in study(file=FILE.replace("seeds: 2", "seeds: [0]")).out
    assert "Not confirmatory" not in study(file=FILE.replace("seeds: 2", "seeds: [5, 6]")).out


def test_what_was_sealed_before_its_trials_stays_so_however_they_are_found_again(study: Callable[..., Any], assay: Assay) -> None:
    """Other conditions and other designs run trials of their own after the seal: they take nothing from what it says."""
    first = study("--json").document["study"][:8]
    assert assay("sensitivity", "study.yaml", "--to", "params", "--vary", "b=1", "--json").code == 0
    whole = study("--design", "full")
    assert "Reused 8 of 8 trials" in whole.out and "Not confirmatory" not in whole.out
    # A hypothesis that is new all the same is late, by the study that people know.
    late = study("--design", "full", file=FILE.replace("raises score by 0.5", "raises score by 0.2"))
    assert f"Not confirmatory, since it was written once results of {first} " in late.out
    # A component that is added is named, and what is asked of it was written before.
    added = study(file=FILE.replace("  b: {", "  c: {change: {half: {a: 1.5}}}\n  b: {") + "  - c raises score\n")
    assert "the hypothesis 'c raises score' is new (none of its trials had run), the component 'c' is new" in added.out
    assert "Not confirmatory" not in added.out
