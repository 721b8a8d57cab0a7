"""Real scripts, really recorded, carried out again in folders of their own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from assay.capture.stat_cache import cache_folder
from assay.comparison.diff import differences
from assay.errors import InputChanged, MissingContent, UnknownMetric, UsageError
from assay.execution.again.inputs import Places, lay_inputs
from assay.questions.reproduce import reproduce
from assay.records.journal import Point
from assay.records.recipe import Recipe
from assay.records.run import Host, Result, Start
from assay.records.trace import FileUse, Trace
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.tracking.supervise import supervise

TRAIN = """
import json, sys
from pathlib import Path
import numpy as np
from model import fit

seed = int(sys.argv[sys.argv.index("--seed") + 1])
data = np.loadtxt("data/points.csv", delimiter=",")
Path("out").mkdir(exist_ok=True)
for step, loss in enumerate(fit(data, np.random.default_rng(seed))):
    print(f"step={step} loss={loss!r}", flush=True)
np.save("out/weights.npy", np.full(3, loss))
Path("out/metrics.json").write_text(json.dumps({"loss": loss, "where": str(Path.cwd())}))
"""
MODEL = """
def fit(data, rng):
    weights = rng.normal(size=data.shape[1])
    for _ in range(5):
        weights = weights - 0.01 * data.T @ (data @ weights)
        yield float(((data @ weights) ** 2).mean())
"""


OWN = """
import random
import assay

with assay.run("base", params={"lr": 0.1}, seed=1) as run:
    run.log(loss=(loss := random.random()), step=0)
    print("loss:", loss)
    print("accuracy: 0.5")
"""


class Lab:
    """A user's project in git, with data that git does not track."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        (root / "data").mkdir()
        (root / "data/points.csv").write_text("1,2\\n3,4\\n5,6\\n".replace("\\n", "\n"))
        self.write("train.py", TRAIN)
        self.write("model.py", MODEL)
        self.write(".gitignore", "data/\nout/\nsettings_local.py\n.venv/\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "first")
        self.store = Store.open(root)

    def git(self, *arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True).stdout

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def run(self, *words: str, script: str | None = None, **options):
        """Record `python WORDS`, or a script that is written first."""
        if script is not None:
            self.write("script.py", script)
            words = ("script.py", *words)
        return supervise(self.store, self.root, [sys.executable, *words], cwd=self.root, relay=False, **options).run

    def again(self, run, **options):
        return reproduce(self.store, self.root, run, **options)


@pytest.fixture
def lab(tmp_path, monkeypatch) -> Lab:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return Lab(tmp_path / "project")


def workspaces() -> list[Path]:
    return list((Path(cache_folder()) / "reproductions").iterdir())


def test_a_deterministic_script_comes_back_identical(lab):
    """Metrics, arrays and documents; from a fresh folder, with data that git does not know, and nothing left behind."""
    run = lab.run("train.py", "--seed", "3")
    before = {path: path.stat().st_mtime_ns for path in lab.root.rglob("*") if ".assay" not in path.parts}
    again, verdict = lab.again(run)
    assert verdict.verdict == "identical", verdict
    assert verdict.divergence is None
    assert {metric.name: metric.points for metric in verdict.metrics}["loss [output]"] == 5
    assert {file.path: file.sameness for file in verdict.files} == {"out/metrics.json": "identical", "out/weights.npy": "identical"}
    assert again.start.parents[0].run == run.id
    assert again.start.parents[0].by == "reproduction"
    assert not Path(again.start.root).exists()
    assert workspaces() == []
    after = {path: path.stat().st_mtime_ns for path in lab.root.rglob("*") if ".assay" not in path.parts}
    assert after == before


def test_a_reproduction_has_the_recipe_of_what_it_repeats(lab):
    """So the two differ in nothing, and a reproduction can be reproduced."""
    run = lab.run("train.py", "--seed", "3", params={"note": "x"}, seed=7)
    again, verdict = lab.again(run)
    assert differences(lab.store, run, again) == []
    assert again.start.recipe == run.start.recipe
    assert verdict.findings == ()
    assert lab.again(again)[1].verdict == "identical"


def test_the_code_of_then_is_carried_out_and_not_that_of_today(lab):
    """Uncommitted edits made before the run are in; edits made after it are not."""
    lab.write("model.py", MODEL.replace("0.01", "0.02"))
    run = lab.run("train.py", "--seed", "3")
    lab.write("model.py", "raise SystemExit('the code of today')")
    (lab.root / "train.py").unlink()
    assert lab.again(run)[1].verdict == "identical"
    assert lab.root.joinpath("model.py").read_text().startswith("raise")


def test_a_module_that_git_ignores_comes_back_with_the_code(lab):
    lab.write("settings_local.py", "RATE = 0.125\n")
    run = lab.run(script="import settings_local\nprint(f'rate={settings_local.RATE}')\n")
    lab.write("settings_local.py", "RATE = 0.5\n")
    assert lab.again(run)[1].verdict == "identical"


def test_random_numbers_without_a_seed_are_not_reproduced_and_the_first_step_is_named(lab):
    script = "import random\nfor step in range(4):\n    print(f'step={step} loss={1.0 if step < 2 else random.random()!r}')\n"
    again, verdict = lab.again(lab.run(script=script))
    assert verdict.verdict == "not reproduced"
    assert (verdict.divergence.name, verdict.divergence.step) == ("loss", 2)
    assert verdict.divergence.a != verdict.divergence.b
    assert again.state == "finished"


def test_the_same_script_with_a_seed_is_reproduced(lab):
    script = "import random\nprint(f'loss={random.random()!r} hash={hash(\"a\") % 1000}')\n"
    assert lab.again(lab.run(script=script, seed=5))[1].verdict == "identical"


def test_numbers_that_move_a_little_are_numerical_and_a_tolerance_decides(lab, monkeypatch):
    """The move comes from outside: a variable that no recipe holds, as another library or machine would cause it."""
    script = "import os\nprint(f'loss={0.5 + float(os.environ.get(\"NOISE\", 0))!r}')\n"
    run = lab.run(script=script)
    monkeypatch.setenv("NOISE", "1e-8")
    _, verdict = lab.again(run)
    assert verdict.verdict == "numerical"
    assert verdict.divergence.name == "loss"
    monkeypatch.setenv("NOISE", "0.01")
    assert lab.again(run)[1].verdict == "not reproduced"
    assert lab.again(run, tolerances={"loss": (0.1, 0.0)})[1].verdict == "numerical"


def test_data_that_changed_stops_the_run_by_name(lab):
    """Path, the content that was read and the content that is there, and nothing is carried out."""
    run = lab.run("train.py", "--seed", "3")
    lab.write("data/points.csv", "9,9\n")
    count = len(lab.store.runs.ids())
    with pytest.raises(InputChanged) as caught:
        lab.again(run)
    assert caught.value.value == "data/points.csv"
    assert caught.value.expected.count("not ") == 1
    assert len(caught.value.expected) > 128
    (lab.root / "data/points.csv").unlink()
    with pytest.raises(InputChanged, match="missing"):
        lab.again(run)
    assert len(lab.store.runs.ids()) == count
    assert workspaces() == []


def test_data_that_changed_comes_from_the_store_where_it_was_declared(lab):
    run = lab.run("train.py", "--seed", "3", data=["data/points.csv"])
    lab.write("data/points.csv", "9,9\n")
    assert lab.again(run)[1].verdict == "identical"


def test_an_input_outside_the_project_is_used_in_place_and_checked(lab, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("0.5")
    run = lab.run(script=f"print('loss=' + open({str(outside)!r}).read())\n")
    assert lab.again(run)[1].verdict == "identical"
    outside.write_text("0.6")
    with pytest.raises(InputChanged, match=r"outside\.txt"):
        lab.again(run)


def test_data_behind_a_link_of_the_code_is_checked_and_never_written(lab, tmp_path):
    """The link is tracked and leads out of the project: what lies there is the user's."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "d.txt").write_text("0.5")
    (lab.root / "linked").symlink_to(outside)
    run = lab.run(script="import os\nprint('loss=' + open('linked/d.txt').read())\nprint(f'n={len(os.listdir(\"linked\"))}')\n")
    assert lab.again(run)[1].verdict == "identical"
    (outside / "d.txt").write_text("0.7")
    with pytest.raises(InputChanged, match="another content"):
        lab.again(run)
    assert (outside / "d.txt").read_text() == "0.7"
    assert [path.name for path in outside.iterdir()] == ["d.txt"]


@pytest.mark.parametrize("path", ["../victim.txt", "data/../../victim.txt"])
def test_a_record_that_leads_out_of_the_folder_writes_nothing_there(tmp_path, path):
    """As somebody else's store might hold it."""
    workspace, root = tmp_path / "work" / "project", tmp_path / "root" / "project"
    for folder in (workspace / "data", root / "data"):
        folder.mkdir(parents=True)
    store = Store.open(root)
    (root.parent / "victim.txt").write_text("evil")
    evil = store.objects.put(b"evil")
    with pytest.raises(InputChanged):
        lay_inputs(Places(store, [root], workspace), Trace(read=(FileUse(path=path, id=evil),)), {})
    assert not (workspace.parent / "victim.txt").exists()


def test_a_folder_that_was_listed_looks_as_it_did(lab):
    """Files that the run never read count too, where it counts files; and outputs of the run itself are not among them."""
    script = "import os\nprint(f'files={len(os.listdir(\"data\"))}')\nopen('data/result.txt', 'w').write('1')\n"
    lab.write("data/unread.bin", "x")
    run = lab.run(script=script)
    assert lab.again(run)[1].verdict == "identical"
    lab.write("data/another.bin", "x")
    _, verdict = lab.again(run)
    assert "listing" in [finding.kind for finding in verdict.findings]


def test_a_script_that_lists_its_root_finds_neither_its_own_outputs_nor_a_warning(lab):
    """What the run made in the listed folder, files and folders, is not there before it makes it again."""
    script = """
import os
print("n=" + str(len([name for name in os.listdir(".") if name[0] != "."])))
os.mkdir("fresh")
open("fresh/b", "w").write("1")
open("c", "w").write("2")
"""
    run = lab.run(script=script)
    _, verdict = lab.again(run)
    assert verdict.verdict == "identical", verdict
    assert "listing" not in [finding.kind for finding in verdict.findings]


def test_a_folder_that_a_script_expects_and_one_that_it_makes(lab):
    """An output folder from before the run is there again; one that the run made is not."""
    lab.write("out/old.txt", "x")
    script = "import os\nopen('out/a.txt', 'w').write('1')\nos.mkdir('fresh')\nopen('fresh/b.txt', 'w').write('2')\nprint('ok=1')\n"
    run = lab.run(script=script)
    assert run.state == "finished"
    _, verdict = lab.again(run)
    assert verdict.verdict == "identical", verdict


def test_a_run_that_failed_fails_again(lab):
    run = lab.run(script="print('loss=0.5')\nraise ValueError('too bad')\n")
    again, verdict = lab.again(run)
    assert (run.state, again.state, verdict.verdict) == ("failed", "failed", "identical")
    assert verdict.findings[0].kind == "state"


def test_a_run_that_crashed_is_carried_out_with_the_inputs_of_a_finished_one(lab):
    """It left no trace of its own, and the verdict says that it never ended."""
    finished = lab.run("train.py", "--seed", "3")
    start = msgspec.structs.replace(finished.start, id=new_run_id(), host=Host(name="elsewhere"), heartbeat=0.0)
    crashed = lab.store.runs.create(start)
    again, verdict = lab.again(lab.store.runs.read(crashed.id))
    assert again.state == "finished"
    assert verdict.verdict == "not reproduced"
    assert verdict.findings[0].kind == "input not checked"
    assert "state" in [finding.kind for finding in verdict.findings]


def test_a_script_that_records_itself_is_run_by_its_command(lab):
    lab.write("own.py", OWN)
    subprocess.run([sys.executable, "own.py"], cwd=lab.root, check=True, capture_output=True)
    run = lab.store.runs.read(lab.store.catalogue.resolve("last"))
    again, verdict = lab.again(run)
    assert verdict.verdict == "identical", verdict
    assert [(metric.name, metric.points) for metric in verdict.metrics] == [("loss", 1)]
    assert {finding.about for finding in verdict.findings if finding.kind == "not compared"} == {"accuracy", "loss [output]"}
    assert again.id != run.id


def test_threads_and_flags_are_those_of_the_recipe(lab, monkeypatch):
    script = "import os\nprint('threads=' + os.environ.get('OMP_NUM_THREADS', '0'))\nprint('flag=' + os.environ.get('PYTHONHASHSEED', '0'))\n"
    run = lab.run(script=script, env={**os.environ, "OMP_NUM_THREADS": "1"})
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("PYTHONHASHSEED", "3")
    assert lab.again(run)[1].verdict == "identical"


def test_a_package_of_another_version_is_said_before_the_start(lab, tmp_path, monkeypatch):
    """A real distribution in a folder on PYTHONPATH, upgraded in between."""

    def install(version):
        folder = tmp_path / "packages"
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in (
            ("lib_of_mine.py", f"VALUE = {version}\n"),
            (f"lib_of_mine-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: lib-of-mine\nVersion: {version}\n"),
            (f"lib_of_mine-{version}.dist-info/RECORD", ""),
        ):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(folder))

    install("1.0")
    run = lab.run(script="import importlib.metadata as m\nprint('v=' + m.version('lib-of-mine'))\n")
    install("2.0")
    said = []
    _, verdict = lab.again(run, report=said.append)
    assert "lib-of-mine: 1.0 then, 2.0 now" in [finding.text for finding in said if finding.kind == "environment"]
    assert verdict.verdict == "not reproduced"
    assert said[0] in verdict.findings


def test_a_reproduction_does_not_take_the_name_of_its_original(lab):
    run = lab.run("train.py", "--seed", "3", name="base", tags=["paper"])
    again, _ = lab.again(run)
    assert lab.store.catalogue.resolve("base") == run.id
    assert (again.start.name, again.start.tags) == ("reproduction of base", ())


def test_standard_output_is_left_to_the_answer(lab, capfd):
    script = "import sys\nprint('loss=0.5')\nprint('progress', file=sys.stderr)\n"
    run = lab.run(script=script)
    capfd.readouterr()
    assert lab.again(run)[1].verdict == "identical"
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "progress\n")


INTERRUPTED = """
import sys
from pathlib import Path
from assay.questions.reproduce import reproduce
from assay.store.store import Store

store = Store.open(Path(sys.argv[1]))
reproduce(store, Path(sys.argv[1]), store.runs.read(sys.argv[2]))
"""


def test_an_interrupt_ends_the_reproduction_and_is_recorded(lab, tmp_path):
    """Ctrl-C, sent as soon as the command says that it runs."""
    outside = tmp_path / "wait"
    script = f"""
import sys, time
from pathlib import Path
print("ready", file=sys.stderr, flush=True)
while Path({str(outside)!r}).exists():
    time.sleep(0.01)
"""
    run = lab.run(script=script)
    outside.write_text("")
    command = [sys.executable, "-c", INTERRUPTED, str(lab.root), run.id]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while "ready" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.stderr.read()
    assert process.returncode != 0
    again = lab.store.runs.read(lab.store.catalogue.resolve("last"))
    assert (again.state, again.start.parents[0].run) == ("interrupted", run.id)
    assert workspaces() == []


def test_the_folder_stays_where_it_is_asked_for(lab):
    again, _ = lab.again(lab.run("train.py", "--seed", "3"), keep=True)
    assert Path(again.start.root, "out/weights.npy").is_file()
    assert not Path(again.start.root, "data/points.csv").is_symlink()


def test_what_a_reproduction_writes_into_its_inputs_stays_in_its_folder(lab):
    script = "text = open('data/points.csv').read()\nopen('data/points.csv', 'a').write('7,8\\n')\nprint(f'n={len(text)}')\n"
    lab.write("data/points.csv", "1,2\n")
    run = lab.run(script=script, data=["data/points.csv"])
    lab.write("data/points.csv", "1,2\n")
    assert lab.again(run)[1].verdict == "identical"
    assert (lab.root / "data/points.csv").read_text() == "1,2\n"


def test_a_resumed_run_that_overwrote_its_checkpoint_comes_back_with_its_parent(lab):
    """The checkpoint has the content and the time of then, so that what the reproduction read is known though it wrote over it."""
    script = (
        "import os, pathlib, sys\np = pathlib.Path('model.txt')\nn = int(p.read_text()) if len(sys.argv) > 1 else 0\n"
        "print(f'before={n} age={os.stat(p).st_mtime if n else 0}')\np.write_text(str(n + 1))\n"
    )
    first = lab.run(script=script)
    resumed = lab.run("script.py", "--resume")
    again, verdict = lab.again(resumed)
    assert verdict.verdict == "identical", verdict
    assert [(parent.run, parent.path) for parent in again.start.parents + again.result.parents if parent.by == "read"] == [
        (first.id, "model.txt")
    ]
    assert not [finding for finding in verdict.findings if finding.kind in ("data", "lineage")]


def test_what_cannot_be_reproduced_is_refused_and_says_why(lab):
    """Without code, without a command, still running, with a secret, with a tolerance for nothing."""
    objects = lab.store.objects
    blind = begin(lab, Recipe(command=("python", "x.py")))
    with pytest.raises(MissingContent, match="without its code"):
        lab.again(blind)
    code = objects.record(lab.run("train.py", "--seed", "3").start.recipe, Recipe).code
    with pytest.raises(UsageError, match="neither a command nor a function"):
        lab.again(begin(lab, Recipe(code=code)))
    with pytest.raises(UsageError, match="held a secret"):
        lab.again(begin(lab, Recipe(code=code, command=("python", "train.py", "--password", "***"))))
    running = lab.store.runs.create(Start(id=new_run_id(), recipe=blind.start.recipe, host=this_process()))
    with pytest.raises(UsageError, match="still running"):
        lab.again(lab.store.runs.read(running.id))
    with pytest.raises(UnknownMetric):
        lab.again(lab.run("train.py", "--seed", "3"), tolerances={"los": (1.0, 1.0)})


def begin(lab, recipe):
    writer = lab.store.runs.create(Start(id=new_run_id(), recipe=lab.store.objects.put_record(recipe), command=recipe.command))
    writer.journal().append(Point(1.0, 0, {"x": 1.0}))
    writer.finish(Result(state="finished", ended=2.0))
    return lab.store.runs.read(writer.id)


STUDY = """
import assay
from lab.training import train

if __name__ == "__main__":
    study = assay.Study(
        train, baseline={"rate": 0.5, "shift": True}, components=[assay.remove("shift", shift=False)],
        metrics=[assay.maximize("score")], seeds=1,
    )
    study.run()
"""
TRAINING = """
import random
from pathlib import Path

def train(config, seed):
    points = [float(x) for x in Path("data/points.csv").read_text().split(",")[:1]]
    Path("weights.txt").write_text(str(seed))
    return {"score": random.random() * config["rate"] + points[0] + config["shift"]}
"""


def test_a_trial_of_a_function_is_called_again_from_the_code_of_then(lab):
    """A fresh interpreter in a folder of its own, with the trial's configuration and seed; the code of today is not touched."""
    lab.write("lab/training.py", TRAINING)
    lab.write("study.py", STUDY)
    subprocess.run([sys.executable, "study.py"], cwd=lab.root, check=True, capture_output=True)
    lab.write("lab/training.py", "raise SystemExit('the code of today')")
    before = sorted(lab.root.rglob("weights.txt"))
    trials = [lab.store.runs.read(run_id) for run_id in lab.store.runs.ids()]
    assert len(trials) == 3  # the baseline twice: the gate asks whether it comes back
    for trial in trials:
        again, verdict = lab.again(trial)
        assert verdict.verdict == "identical", verdict
        assert [metric.name for metric in verdict.metrics] == ["score"]
        assert again.start.recipe == trial.start.recipe
        assert again.start.trial is None
        assert [(parent.run, parent.by) for parent in again.start.parents] == [(trial.id, "reproduction")]
    assert sorted(lab.root.rglob("weights.txt")) == before


def test_a_trial_of_a_function_that_failed_fails_again(lab):
    """As what it was: the end of its process does not make a finished run of it."""
    lab.write("lab/training.py", 'def train(config, seed):\n    raise ValueError("too bad")\n')
    lab.write("study.py", STUDY)
    subprocess.run([sys.executable, "study.py"], cwd=lab.root, check=True, capture_output=True)
    (trial, *_) = [lab.store.runs.read(run_id) for run_id in lab.store.runs.ids()]
    again, verdict = lab.again(trial)
    assert (trial.state, again.state, verdict.verdict) == ("failed", "failed", "identical"), verdict
    assert again.result.failure.text == "too bad"


def test_a_function_whose_call_was_not_recorded_is_refused_and_says_why(lab):
    code = lab.store.objects.record(lab.run("train.py", "--seed", "3").start.recipe, Recipe).code
    with pytest.raises(UsageError, match="not how it was called"):
        lab.again(begin(lab, Recipe(code=code, function="lab.training:train")))
