"""Real scripts with a planted source each, diagnosed: what moves the result is named by intervention, and nothing else is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assay.errors import TrialsFailed, UsageError
from assay.questions.doctor import diagnose
from assay.questions.doctor.diagnosis import Diagnosis
from assay.records.recipe import Recipe
from assay.store.store import Store

SCRIPTS = Path(__file__).parents[2] / "benchmarks"
MACHINE = {"thread count", "CPU class"}


def examine(folder: Path, script: str, *arguments: str, runs: int = 2) -> Diagnosis:
    """The diagnosis of a script of the benchmark, or of a text, in a folder of its own."""
    found = list(SCRIPTS.glob(f"doctor_scripts*/{script}.py"))
    (folder / "script.py").write_text(found[0].read_text() if found else script)
    return diagnose(Store.open(folder), folder, [sys.executable, "script.py", *arguments], cwd=folder, runs=runs, timeout=300)


def named(found: Diagnosis) -> set[str]:
    return {mover.source for mover in found.movers}


def test_nothing_is_named_in_a_script_that_uses_every_source_and_lets_none_into_its_result(tmp_path: Path) -> None:
    found = examine(tmp_path, "clean_herrings")
    assert (found.grade, found.movers, found.together, found.equal) == ("identical", (), (), True)
    assert {"clock", "entropy", "timing", "hash seed", "working folder"} <= set(found.cleared)
    assert found.runs == 3


def test_two_unseeded_generators_are_both_named_with_their_lines(tmp_path: Path) -> None:
    found = examine(tmp_path, "two_sources")
    assert named(found) - MACHINE == {"default_rng", "random"}
    assert found.grade == "statistical"
    assert found.enough
    assert not found.unknown
    lines = (tmp_path / "script.py").read_text().splitlines()
    for mover in found.movers:
        if mover.source in ("random", "default_rng"):
            assert mover.by_itself
            assert mover.places[0].file == "script.py"
            assert {"random": "shuffle", "default_rng": "default_rng()"}[mover.source] in lines[mover.places[0].line - 1]
            assert mover.divergence
            assert mover.divergence.step == 0


def test_runs_of_a_diagnosis_have_recipes_of_their_own(tmp_path: Path) -> None:
    """A run with a source held or varied must never stand for a run of the script as it is."""
    found = examine(tmp_path, "split_by_uuid")
    assert named(found) == {"entropy"}
    store = Store.open(tmp_path)
    runs = {run.id: run for run in store.catalogue.runs()}
    assert len(runs) == found.runs
    assert {tag for run in runs.values() for tag in run.start.tags} == {"doctor"}
    plain = runs[found.first].start.recipe
    assert [run.id for run in runs.values() if run.start.recipe == plain] == [found.first]
    (mover,) = found.movers
    held, varied = (store.objects.record(runs[run].start.recipe, Recipe).flags for run in (mover.reference, mover.run))
    assert held["ASSAY_PROBE"].replace("entropy=1", "entropy=2") == varied["ASSAY_PROBE"]


@pytest.mark.parametrize(
    ("script", "source", "grade"),
    [
        ("files_as_listed", "listing", "identical under named settings"),
        ("vocabulary_from_a_set", "hash seed", "identical under named settings"),
        ("seeded_by_path", "working folder", "identical under named settings"),
        ("results_as_they_come", "timing", "statistical"),
        ("set_of_objects", "memory addresses", "statistical"),
    ],
)
def test_what_was_planted_is_named_alone(tmp_path: Path, script: str, source: str, grade: str) -> None:
    found = examine(tmp_path, script)
    assert (named(found), found.grade, found.enough) == ({source}, grade, True)


def test_what_cannot_be_held_is_said_to_be_unknown_and_no_source_is_blamed(tmp_path: Path) -> None:
    found = examine(tmp_path, "print('score=%r' % int.from_bytes(open('/dev/urandom', 'rb').read(6), 'big'))\n")
    assert (found.grade, found.movers, found.unknown, found.cleared) == ("statistical", (), True, ())
    assert found.parting
    assert found.parting.name == "score"


def test_files_that_earlier_runs_left_are_named_where_they_alone_make_a_run_another(tmp_path: Path) -> None:
    script = "with open('results.csv', 'a') as file:\n    file.write('score,0.5\\n')\n"
    assert examine(tmp_path, script).grade == "identical"
    found = examine(tmp_path, script)
    assert (named(found), found.enough, found.unknown) == ({"left-over files"}, True, False)


def test_differences_within_rounding_make_a_script_numerical(tmp_path: Path) -> None:
    found = examine(tmp_path, "import random\nprint('score=%r' % (1 + 1e-12 * random.random()))\n")
    assert (named(found), found.grade, found.apart) == ({"random"}, "numerical", "numerical")


def test_a_hash_seed_that_the_user_fixed_does_not_vary_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "3")
    found = examine(tmp_path, "vocabulary_from_a_set")
    assert found.equal
    (mover,) = found.movers
    assert (mover.source, mover.by_itself, found.grade) == ("hash seed", False, "identical under named settings")


def test_a_variable_that_the_script_needs_is_an_input_and_one_that_moves_its_result_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_SCALE", "2")
    needed = examine(tmp_path, "import os\nprint('score=%r' % (0.5 * len(os.environ['DATA_SCALE'])))\n")
    assert (needed.grade, needed.movers) == ("identical", ())
    found = examine(tmp_path, "import os\nprint('score=%r' % (0.5 * float(os.environ.get('DATA_SCALE', 1))))\n")
    (mover,) = found.movers
    assert (mover.source, [place.call for place in mover.places]) == ("host", ["os.environ['DATA_SCALE']"])


def test_of_a_program_that_is_no_python_only_what_variables_set_is_tested(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    found = diagnose(store, tmp_path, ["sh", "-c", "echo score=${OMP_NUM_THREADS:-0}.5"], cwd=tmp_path)
    assert (named(found), found.grade) == ({"thread count"}, "identical under named settings")
    untested = {each.source: each.why for each in found.untested}
    assert untested["clock"] == "no Python interpreter of the command was seen"


def test_a_script_that_fails_or_leaves_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrialsFailed, match="no data"):
        examine(tmp_path, "raise ValueError('no data')\n")
    with pytest.raises(UsageError, match="no metric and no file"):
        examine(tmp_path, "print('done')\n")


def test_more_runs_see_what_differs_only_sometimes(tmp_path: Path) -> None:
    """One comparison that finds no difference says little; nine say that it shows in fewer than three runs of ten."""
    found = examine(tmp_path, "print('score=0.5')\n", runs=9)
    assert (found.grade, found.alike) == ("identical", 9)
    assert found.rarest == pytest.approx(1 - 0.05 ** (1 / 9))


def test_what_differs_once_by_chance_is_not_taken_for_the_work_of_what_was_varied_then(tmp_path: Path) -> None:
    """The third run is another for a reason of its own, which nobody sees: a counter that another program keeps."""
    count = tmp_path / "elsewhere"
    (tmp_path / "project").mkdir()
    script = (
        "import subprocess\n"
        f"count = int(subprocess.check_output(['sh', '-c', 'echo >> {count}; wc -l < {count}']))\n"
        "print('score=%r' % (2.0 if count == 3 else 1.0))\n"
    )
    found = examine(tmp_path / "project", script)
    assert (found.movers, found.unknown, found.equal, found.grade) == ((), True, False, "statistical")


def test_a_source_that_was_not_seen_is_found_all_the_same(tmp_path: Path) -> None:
    """A library that kept the global generator when it was imported draws from it past everything that is watched."""
    script = "import numpy\ndraw = numpy.random.mtrand._rand.normal\nprint('score=%r' % float(draw()))\n"
    found = examine(tmp_path, script)
    assert (named(found), found.enough, found.grade) == ({"numpy"}, True, "statistical")
    assert found.movers[0].places == ()
