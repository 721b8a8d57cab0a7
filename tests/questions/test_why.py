"""Which differences moved a metric: real scripts, changed in known ways, and asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.errors import InvalidValue, TrialsFailed, UnknownMetric, UsageError
from assay.project.project import Project
from assay.questions.why import Limits
from assay.records.attribution import Attribution

SCRIPT = """
import argparse, random
import model
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--depth", type=int, default=2)
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--noise", type=float, default=0.0)
parser.add_argument("--tag", default="")
args = parser.parse_args()
score = model.score(args) + args.noise * random.Random(args.seed).gauss(0, 1)
print(f"accuracy={score}")
"""
MODEL = """
def score(args):
    return 0.9
"""


@pytest.fixture
def place(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a script that is quick to run, in which the test stands."""
    (project / "train.py").write_text(SCRIPT)
    (project / "model.py").write_text(MODEL)
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "a script")
    monkeypatch.chdir(project)
    return project


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def record(name: str, *words: str, flags: tuple[str, ...] = (), code: int = 0, **env: str) -> None:
    """`assay run` of a command, as a user types it."""
    command = [sys.executable, "-m", "assay", "run", "--name", name, *flags, "--", sys.executable, *words]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr


def ask(metric: str = "accuracy", good: str = "good", bad: str = "bad", **options: object) -> Attribution:
    """The answer, through the Python door."""
    return Project.open().why(good, bad, metric, **options)


def named(found: Attribution) -> list[str]:
    return [cause.factor for cause in found.causes]


def test_one_cause_is_found_among_many_differences(place: Path) -> None:
    """A changed module moved it; parameters, a file that nothing reads and a recorded word did not."""
    record("good", "train.py", "--lr", "0.1", "--depth", "2", "--width", "8")
    (place / "model.py").write_text("def score(args):\n    return 0.8\n")
    (place / "notes.md").write_text("nothing\n")
    record("bad", "train.py", "--lr", "0.2", "--depth", "3", "--width", "16", "--tag", "x", flags=("--param", "who=me"))
    before = {path: path.read_bytes() for path in place.rglob("*.py")}
    found = ask()
    assert (found.verdict, named(found), found.minimal) == ("decided", ["model.py"], ("model.py",))
    (cause,) = found.causes
    assert cause.kind == "code" and cause.effect.value == pytest.approx(-0.1) and cause.share == pytest.approx(1.0)
    assert {each.factor for each in found.ruled_out} == {"lr", "depth", "width", "tag", "who", "notes.md"}
    assert found.untested == () and len(found.tried) <= 11
    assert {path: path.read_bytes() for path in place.rglob("*.py")} == before


def test_asked_again_it_carries_nothing_out(place: Path) -> None:
    """Runs that are there stand for the variants, so an interrupted question goes on where it stopped."""
    record("good", "train.py", "--lr", "0.1")
    (place / "model.py").write_text("def score(args):\n    return 0.9 - args.lr\n")
    record("bad", "train.py", "--lr", "0.2")
    first, count = ask(), Project.open().count()
    again = ask()
    assert Project.open().count() == count
    assert (again.causes, again.verdict) == (first.causes, first.verdict)
    assert all(tried.reused for tried in again.tried)


def test_two_that_act_only_together(place: Path) -> None:
    """Neither of them alone moves anything, and both share what they do together."""
    (place / "model.py").write_text("def score(args):\n    return 0.7 if args.depth > 2 and args.width > 8 else 0.9\n")
    record("good", "train.py", "--lr", "0.1", "--depth", "2", "--width", "8")
    record("bad", "train.py", "--lr", "0.3", "--depth", "3", "--width", "16")
    found = ask()
    assert found.verdict == "decided" and sorted(named(found)) == ["depth", "width"]
    assert [cause.share for cause in found.causes] == pytest.approx([0.5, 0.5])
    assert found.minimal == ("depth", "width") and found.minimal_seen
    assert [sorted(each.factors) for each in found.interactions] == [["depth", "width"]]
    assert found.interactions[0].effect.value == pytest.approx(-0.2)


def test_two_that_add_up_have_their_shares(place: Path) -> None:
    """Effects in the metric's unit, that add up to the gap; one of them helped."""
    (place / "model.py").write_text("def score(args):\n    return 0.9 - 0.3 * (args.depth > 2) + 0.1 * (args.width > 8)\n")
    record("good", "train.py", "--depth", "2", "--width", "8", "--tag", "a")
    record("bad", "train.py", "--depth", "3", "--width", "16", "--tag", "b")
    found = ask()
    assert [(cause.factor, cause.effect.value) for cause in found.causes] == [
        ("depth", pytest.approx(-0.3)),
        ("width", pytest.approx(0.1)),
    ]
    assert sum(cause.share for cause in found.causes) == pytest.approx(1.0)
    assert found.gap.value == pytest.approx(-0.2) and "tag" in {each.factor for each in found.ruled_out}


def test_without_uv_packages_are_named_and_the_rest_is_tested(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment can be built then; an argument that differs too is still found."""
    for version in ("1.0", "2.0"):
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / version], check=True)
        (packages,) = (tmp_path / version / "lib").glob("python3*/site-packages")
        (packages / f"toy-{version}.dist-info").mkdir()
        (packages / f"toy-{version}.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: toy\nVersion: {version}\n")
        python = tmp_path / version / "bin" / "python"
        command = [sys.executable, "-m", "assay", "run", "--name", version, str(python), "train.py", "--noise", version]
        subprocess.run(command, check=True, capture_output=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    found = ask(good="1.0", bad="2.0")
    assert (found.verdict, named(found)) == ("decided", ["noise"])
    (untested,) = found.untested
    assert untested.factor == "toy" and "uv, which is not here" in untested.why


def test_a_gap_within_the_noise_is_said_to_be_that(place: Path) -> None:
    """No cause is named where the same recipe varies as much by itself."""
    record("good", "train.py", "--lr", "0.1", "--seed", "0", "--noise", "1.0")
    record("bad", "train.py", "--lr", "0.2", "--seed", "1", "--noise", "1.0")
    found = ask()
    assert found.verdict == "within noise" and named(found) == ["seed"] and found.noise > 0.1
    assert {each.factor for each in found.ruled_out} == {"lr"} and found.untested == ()


def test_a_change_that_is_smaller_than_the_noise(place: Path) -> None:
    """It moves every run by a little, and runs that cannot be seeded by much more: no cause is hunted for."""
    (place / "train.py").write_text(SCRIPT.replace("random.Random(args.seed)", "random.Random()").replace("--seed", "--trial"))
    (place / "model.py").write_text("def score(args):\n    return 0.9 - 0.001 * (args.depth > 2)\n")
    record("good", "train.py", "--depth", "2", "--noise", "1.0")
    record("bad", "train.py", "--depth", "3", "--noise", "1.0")
    found = ask()
    assert found.verdict == "within noise" and found.causes == () and 0.2 < found.noise < 5
    assert "within the noise" in found.words


def test_only_another_seed(place: Path) -> None:
    """The gap is a draw of the seed, and how far draws lie apart is measured."""
    record("good", "train.py", "--seed", "0", "--noise", "0.1")
    record("bad", "train.py", "--seed", "1", "--noise", "0.1")
    found = ask()
    assert found.verdict == "within noise" and [cause.kind for cause in found.causes] == ["seed"]
    assert 0.02 < found.noise < 0.3 and len({tried.seed for tried in found.tried}) == 5


def test_the_luck_of_the_seed_is_told_apart_from_a_change(place: Path) -> None:
    """Both were at work: what the change did under the same seed, and what the other seed did."""
    (place / "model.py").write_text("def score(args):\n    return 0.9 - 0.5 * (args.depth > 2)\n")
    record("good", "train.py", "--depth", "2", "--seed", "0", "--noise", "0.01")
    record("bad", "train.py", "--depth", "3", "--seed", "5", "--noise", "0.01")
    found = ask()
    effects = {cause.factor: cause.effect.value for cause in found.causes}
    assert effects["depth"] == pytest.approx(-0.5, abs=0.02)
    assert effects["depth"] + effects["seed"] == pytest.approx(found.gap.value, abs=0.02)


def test_the_seed_of_the_command_line_is_a_handle_too(place: Path) -> None:
    """`assay run --seed` seeds the script's libraries, and variants are run under further seeds."""
    (place / "train.py").write_text("import random, sys\nprint('accuracy=%r' % (float(sys.argv[2]) + random.gauss(0, .01)))\n")
    record("good", "train.py", "--x", "0.9", flags=("--seed", "3"))
    record("bad", "train.py", "--x", "0.5", flags=("--seed", "3"))
    found = ask()
    assert (found.verdict, named(found)) == ("decided", ["x"])
    assert len({tried.seed for tried in found.tried}) > 1 and found.noise > 0


def test_data_is_a_cause(place: Path) -> None:
    """A file that both runs read, whose former content the store has, is flipped like any other difference."""
    (place / ".gitignore").write_text("data/\n")
    (place / "data").mkdir()
    (place / "train.py").write_text("import sys\nprint('loss=%s' % sum(map(float, open('data/x.txt'))))\n")
    (place / "data" / "x.txt").write_text("1\n2\n")
    record("good", "train.py", "--lr", "1", flags=("--data", "data/x.txt"))
    (place / "data" / "x.txt").write_text("1\n7\n")
    record("bad", "train.py", "--lr", "2", flags=("--data", "data/x.txt"))
    found = ask("loss")
    (cause,) = found.causes
    assert (cause.factor, cause.kind, cause.effect.value) == ("data/x.txt", "data", pytest.approx(5.0))
    assert (place / "data" / "x.txt").read_text() == "1\n7\n"


def test_data_that_is_gone_is_said_to_be_untested(place: Path) -> None:
    """Its content of then is nowhere: what it did cannot be known, and no other cause is made up."""
    (place / ".gitignore").write_text("data/\n")
    (place / "data").mkdir()
    (place / "train.py").write_text("import sys\nprint('loss=%s' % sum(map(float, open('data/x.txt'))))\n")
    (place / "data" / "x.txt").write_text("1\n2\n")
    record("good", "train.py", "--lr", "1")
    (place / "data" / "x.txt").write_text("1\n7\n")
    record("bad", "train.py", "--lr", "2")
    found = ask("loss")
    assert found.verdict == "gone" and found.causes == ()
    (left,) = found.untested
    assert left.factor == "data/x.txt" and "any more" in left.why


def test_hunks_of_one_file(place: Path) -> None:
    """On demand the lines that changed are told apart."""
    lines = [f"X{number} = 1\n" for number in range(30)]
    (place / "model.py").write_text("".join(lines) + "def score(args):\n    return X2 + X15 + X28\n")
    record("good", "train.py")
    lines[2], lines[15], lines[28] = "X2 = 1 + 0\n", "X15 = 5\n", "X28 = 2 - 1\n"
    (place / "model.py").write_text("".join(lines) + "def score(args):\n    return X2 + X15 + X28\n")
    record("bad", "train.py")
    found = ask(split="hunks")
    (cause,) = found.causes
    assert (cause.factor, cause.a, cause.b) == ("model.py:16", "X15 = 1", "X15 = 5")
    assert cause.effect.value == pytest.approx(4.0)


def test_what_is_read_through_a_link_is_a_cause(place: Path) -> None:
    """The file behind it, or behind a link to its folder, was used though nobody opened it by its own name."""
    (place / "one.cfg").write_text("0.9")
    (place / "values").mkdir()
    (place / "values" / "two.cfg").write_text("1.0")
    (place / "current.cfg").symlink_to("one.cfg")
    (place / "now").symlink_to("values")
    (place / "train.py").write_text(
        "print('accuracy=%r' % (float(open('current.cfg').read()) * float(open('now/two.cfg').read())))\n"
    )
    git(place, "add", "-A")
    record("good", "train.py", "--lr", "1")
    (place / "one.cfg").write_text("0.5")
    record("bad", "train.py", "--lr", "2")
    (place / "values" / "two.cfg").write_text("0.1")
    record("worse", "train.py", "--lr", "3")
    assert named(ask()) == ["one.cfg"]
    found = ask(good="bad", bad="worse")
    assert (found.verdict, named(found), [each.factor for each in found.ruled_out]) == ("decided", ["values/two.cfg"], ["lr"])


def test_a_table_is_one_difference(place: Path) -> None:
    """Also where code is divided into groups of lines: a table with many changed rows is data, wherever it stands."""
    rows = [f"{number},1\n" for number in range(40)]
    (place / "table.csv").write_text("".join(rows))
    (place / "model.py").write_text(
        "A = 1\n\n\ndef score(args):\n    return sum(float(line.split(',')[1]) for line in open('table.csv'))\n\n\nB = 1\n"
    )
    record("good", "train.py")
    (place / "table.csv").write_text("".join(row.replace(",1", ",2") if at % 4 == 0 else row for at, row in enumerate(rows)))
    (place / "model.py").write_text((place / "model.py").read_text().replace("A = 1", "A = 2").replace("B = 1", "B = 2"))
    record("bad", "train.py")
    found = ask(split="hunks")
    assert (found.verdict, named(found), found.causes[0].effect.value) == ("decided", ["table.csv"], pytest.approx(10.0))
    assert {each.factor for each in found.ruled_out} == {"model.py:1", "model.py:8"}


def test_commits_of_one_history(place: Path) -> None:
    """The commit is named by its subject; it need not be the last, and the others are applied without it."""
    record("good", "train.py")
    (place / "more.py").write_text("y = 1\n")
    commits = {
        "tidy": ("model.py", "# a comment\n\n\n\n\ndef score(args):\n    return 0.9\n"),
        "faster": ("model.py", "# a comment\n\n\n\n\ndef score(args):\n    return 0.6\n"),
        "say more": ("train.py", SCRIPT + "print('done')\n"),
        "header": ("model.py", "# another comment\n\n\n\n\ndef score(args):\n    return 0.6\n"),
    }
    for subject, (path, text) in commits.items():
        (place / path).write_text(text)
        git(place, "commit", "-qam", subject)
    record("bad", "train.py")
    found = ask()
    (cause,) = found.causes
    assert cause.factor.endswith(" faster") and (cause.a, cause.b) == ("not made", "made")
    assert cause.effect.value == pytest.approx(-0.3)
    assert git(place, "status", "--porcelain", "-uno") == ""


def test_commits_are_taken_back_where_the_bad_run_is_the_older(place: Path) -> None:
    """A repair explains why the older run was worse."""
    record("bad", "train.py")
    for subject, text in (
        ("repair", "def score(args):\n    return 0.95\n"),
        ("words", "# words\ndef score(args):\n    return 0.95\n"),
    ):
        (place / "model.py").write_text(text)
        git(place, "commit", "-qam", subject)
    record("good", "train.py")
    found = ask(split="commits")
    (cause,) = found.causes
    assert cause.factor.endswith(" repair") and (cause.a, cause.b) == ("made", "not made")


def test_a_combination_that_cannot_run_is_an_outcome(place: Path) -> None:
    """A function that was renamed in one file and is called in another: half of the change cannot run, and the cause is found all the same."""
    record("good", "train.py", "--lr", "0.1", "--depth", "2")
    (place / "model.py").write_text("def quality(args):\n    return 0.9 - 0.2 * (args.depth > 2)\n")
    (place / "train.py").write_text(SCRIPT.replace("model.score", "model.quality"))
    git(place, "commit", "-qam", "rename")
    record("bad", "train.py", "--lr", "0.2", "--depth", "3")
    found = ask()
    broken = [tried for tried in found.tried if tried.value is None]
    assert found.verdict in ("decided", "cannot tell")
    assert all("has no attribute" in tried.why for tried in broken)
    causes = {name for cause in found.causes for name in cause.factor.split(", ")}
    assert "lr" not in causes


def test_flags_and_threads_are_flipped(place: Path) -> None:
    """A variable of the recipe is set for each variant, whatever this shell has."""
    (place / "train.py").write_text(
        "import os\nprint('accuracy=%s' % (0.5 if os.environ.get('OMP_NUM_THREADS') == '2' else 0.9))\n"
    )
    record("good", "train.py", "--a", "1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    record("bad", "train.py", "--a", "2", OMP_NUM_THREADS="2", MKL_NUM_THREADS="2")
    found = ask()
    assert [(cause.factor, cause.kind, cause.a, cause.b) for cause in found.causes] == [("OMP_NUM_THREADS", "flag", "1", "2")]


def test_variables_that_no_recipe_has_are_flipped_too(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set or absent, whatever this shell has; a run under another value of one does not stand for a variant, though its recipe is the same."""
    (place / "train.py").write_text(
        "import os, sys\nprint('accuracy=%s' % (0.5 if os.environ.get('PYTORCH_JITTER') and sys.argv[2] == '2' else 0.9))\n"
    )
    record("good", "train.py", "--a", "1", "--b", "1")
    record("bad", "train.py", "--a", "2", "--b", "2", PYTORCH_JITTER="1")
    for here in ("", "1"):
        if here:
            monkeypatch.setenv("PYTORCH_JITTER", here)
        found = ask()
        assert found.verdict == "decided" and sorted(named(found)) == ["PYTORCH_JITTER", "a"]
        for tried in found.tried:
            assert tried.value == (0.5 if {"flag PYTORCH_JITTER", "param a"} <= set(tried.bad) else 0.9)


def test_a_metric_that_became_nan(place: Path) -> None:
    """What is asked then is which change makes it no number."""
    (place / "model.py").write_text("def score(args):\n    return float('nan') if args.lr > 1 else 0.9\n")
    record("good", "train.py", "--lr", "0.1", "--depth", "2")
    record("bad", "train.py", "--lr", "5", "--depth", "3")
    found = ask()
    assert found.verdict == "decided" and named(found) == ["lr"]


def test_trials_of_a_function_are_asked_key_by_key(place: Path) -> None:
    """Configurations that are plain dictionaries are flipped at every depth."""
    (place / "study.py").write_text(
        "import assay\n"
        "def train(config, seed):\n"
        "    return {'accuracy': 0.9 - 0.2 * (config['model']['depth'] > 2)}\n"
        "if __name__ == '__main__':\n"
        "    study = assay.Study(train, baseline={'model': {'depth': 2, 'width': 8}, 'lr': 0.1},\n"
        "        components=[assay.change('depth', 'deep', **{'model.depth': 3, 'lr': 0.2})], metrics=[assay.maximize('accuracy')], seeds=2)\n"
        "    study.run(study.plan('leave-one-out'))\n"
    )
    subprocess.run([sys.executable, "study.py"], check=True, capture_output=True)
    runs: dict[str, str] = {}
    for run in Project.open().runs():
        assert run.start.trial is not None
        if run.start.trial.block == 0:
            runs[run.start.trial.configuration] = run.id
    good, bad = runs["baseline"], runs["depth: deep"]
    found = ask(good=good, bad=bad)
    assert [(cause.factor, cause.a, cause.b) for cause in found.causes] == [("model.depth", "2", "3")]
    assert [each.factor for each in found.ruled_out] == ["lr"]


def test_code_beside_the_project_is_told_apart_from_code_in_it(place: Path) -> None:
    """Two sibling modules and an ignored one were edited: no run of one combination stands for another, so the effects add up."""
    outside = place.parent / "beside"
    outside.mkdir()
    (place / ".gitignore").write_text("inner.py\n")
    (place / "train.py").write_text(
        "import sys\nsys.path.insert(0, '../beside')\nimport one, two, inner\nprint(f'accuracy={one.V + two.V + inner.V}')\n"
    )

    def edit(one: int, two: int, inner: int) -> None:
        for path, value in ((outside / "one.py", one), (outside / "two.py", two), (place / "inner.py", inner)):
            path.write_text(f"V = {value}\n")

    edit(1, 1, 1)
    record("good", "train.py")
    edit(5, 7, 4)
    record("bad", "train.py")
    found = ask()
    effects = {Path(cause.factor).name: cause.effect.value for cause in found.causes}
    assert effects == pytest.approx({"one.py": 4.0, "two.py": 6.0, "inner.py": 3.0})
    assert "+V = 4\n" in Project.open().patch("good", "bad")


def test_equal_recipes_point_to_the_doctor(place: Path) -> None:
    """Nothing that could be flipped differs, so flipping cannot answer."""
    (place / "train.py").write_text("import os\nprint('accuracy=%d' % int.from_bytes(os.urandom(4), 'big'))\n")
    record("good", "train.py")
    record("bad", "train.py")
    found = ask()
    assert found.verdict == "no difference" and "assay doctor" in found.words and found.tried == ()


def test_a_budget_ends_the_search(place: Path) -> None:
    """What is not known then is said, and nothing is made up."""
    (place / "model.py").write_text("def score(args):\n    return 0.7 if args.depth > 2 and args.width > 8 else 0.9\n")
    record("good", "train.py", "--lr", "0.1", "--depth", "2", "--width", "8")
    record("bad", "train.py", "--lr", "0.3", "--depth", "3", "--width", "16")
    found = ask(limits=Limits(runs=5))
    assert len(found.tried) <= 5 and found.verdict == "cannot tell"
    assert found.untested or found.causes


def test_several_workers_give_the_same_answer(place: Path) -> None:
    """Runs at once change how many are made, never what is found."""
    (place / "model.py").write_text("def score(args):\n    return 0.9 - 0.3 * (args.depth > 2)\n")
    record("good", "train.py", "--lr", "0.1", "--depth", "2", "--width", "8")
    record("bad", "train.py", "--lr", "0.3", "--depth", "3", "--width", "16")
    found = ask(limits=Limits(workers=3))
    assert named(found) == ["depth"] and found.verdict == "decided"


@pytest.mark.parametrize(
    ("metric", "error", "words"),
    [("speed", UnknownMetric, "accuracy"), ("accuracy@median", InvalidValue, "@min")],
)
def test_metrics_that_cannot_be_asked_about(place: Path, metric: str, error: type[Exception], words: str) -> None:
    """The message names what there is."""
    record("good", "train.py", "--lr", "0.1")
    record("bad", "train.py", "--lr", "0.2")
    with pytest.raises(error, match=words):
        ask(metric)


def test_a_metric_that_only_one_run_has(place: Path) -> None:
    """It is said which of the two lacks it."""
    record("good", "train.py", "--lr", "0.1")
    (place / "train.py").write_text("print('loss=1')\n")
    record("bad", "train.py")
    with pytest.raises(UnknownMetric, match="only one of the two runs"):
        ask()


def test_runs_that_cannot_be_asked_about(place: Path) -> None:
    """A run that failed has no result, and a run does not differ from itself."""
    record("good", "train.py")
    record("other", "train.py", "--lr", "0.5")
    record("bad", "-c", "print('accuracy=1'); raise SystemExit(3)", code=3)
    with pytest.raises(UsageError, match="has failed"):
        ask()
    with pytest.raises(UsageError, match="itself"):
        ask(bad="good")
    with pytest.raises(InvalidValue, match="margin"):
        ask(bad="other", margin=-1.0)


def test_an_end_that_no_longer_runs(place: Path, tmp_path: Path) -> None:
    """The bad run needs a file that is gone: that is said, with what is missing."""
    outside = tmp_path / "table.txt"
    outside.write_text("0.5")
    (place / "train.py").write_text("import sys\nprint('accuracy=' + (open(sys.argv[1]).read() if len(sys.argv) > 1 else '0.9'))\n")
    record("good", "train.py")
    record("bad", "train.py", str(outside))
    outside.unlink()
    with pytest.raises(TrialsFailed, match="bad run does not give its metric"):
        ask()


def test_an_endless_variant_is_ended(place: Path) -> None:
    """With a time limit a variant that does not end is a combination that cannot run."""
    (place / "model.py").write_text(
        "import time\ndef score(args):\n    time.sleep(600 * (args.depth > 2 and args.width == 8))\n    return 0.9 - 0.2 * (args.depth > 2)\n"
    )
    record("good", "train.py", "--depth", "2", "--width", "8")
    record("bad", "train.py", "--depth", "3", "--width", "16")
    found = ask(limits=Limits(timeout=3.0))
    assert "depth" in " ".join(named(found))


def test_the_command_prints_one_document(place: Path) -> None:
    """Answers go to standard output, progress to standard error; the exit code says whether it could tell."""
    record("good", "train.py", "--depth", "2")
    (place / "model.py").write_text("def score(args):\n    return 0.5\n")
    record("bad", "train.py", "--depth", "3")
    command = [sys.executable, "-m", "assay", "why", "good", "bad", "--metric", "accuracy"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    assert done.returncode == 0 and document["causes"][0]["factor"] == "model.py" and document["runs"] == len(document["tried"])
    assert document["causes"][0].keys() == {"factor", "kind", "from", "to", "effect", "low", "high", "share"}
    for columns in ("80", "200"):
        shown = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": columns})
        assert "model.py (100%) moved accuracy by -0.4." in shown.stdout
        assert max(map(len, shown.stdout.splitlines())) <= int(columns)


def test_ctrl_c_ends_what_is_running(place: Path) -> None:
    """The variant that was going on is recorded as interrupted, and no process is left."""
    (place / "model.py").write_text("import time\ndef score(args):\n    time.sleep(args.width)\n    return 0.9 - args.lr\n")
    record("good", "train.py", "--lr", "0.1", "--width", "0")
    record("bad", "train.py", "--lr", "0.2", "--width", "1", "--tag", "late")
    (place / "model.py").write_text("import time\ndef score(args):\n    time.sleep(600)\n    return 0.9 - args.lr\n")
    record_soon = [sys.executable, "-m", "assay", "why", "good", "bad", "--metric", "accuracy"]
    child = subprocess.Popen(record_soon, stderr=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)
    deadline = time.monotonic() + 60
    while (
        not any(run.state == "running" for run in Project.open().runs(variants=True))
        and time.monotonic() < deadline
        and child.poll() is None
    ):
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode != 0
    assert {run.state for run in Project.open().runs(variants=True)} <= {"finished", "interrupted"}
