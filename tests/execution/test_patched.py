"""Trials of a function with patches: each calls the code that its patches make, in a copy of the project, whatever becomes of it."""

from __future__ import annotations

import difflib
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assay.errors import InvalidStudy
from assay.execution.by_name import check_by_name, ship_by_name
from assay.execution.calls import Call
from assay.execution.functions import Callables, FunctionExecutor
from assay.execution.protocol import Job, Outcome
from assay.execution.trial import OUTPUT
from assay.records.factor import Patch
from assay.records.finding import Finding
from assay.records.plan import Configuration, Trial
from assay.records.recipe import Recipe
from assay.records.trace import Trace
from assay.store.store import Store

TRAIN = """\
import os
from pathlib import Path

from {name}.part import bonus


class Model:
    def score(self, config, seed):
        return train(config, seed)


def train(config, seed, *prepared):
    print("said aloud")
    base = float(Path("data/base.txt").read_text()) if config.get("data") else 0.5
    return {{"score": base + bonus() + sum(prepared) + seed / 100}}


def by_its_place(config, seed):
    beside = Path(__file__).parent.parent / "data"
    return {{"score": float((beside / "base.txt").read_text()) + bonus(), "files": float(len(os.listdir(beside)))}}


def in_full(config, seed):
    return {{"score": bonus(), "rate": float(Path(config["rate"]).read_text())}}


def prepare(seed):
    return 10.0
"""
PART = "def bonus():\n    return 0.1\n"
_numbers = count()


class Toy:
    """A package of its own name in a project: modules stay in this process, and no two tests may share one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = f"patched_toy_{next(_numbers)}"
        self.findings: list[Finding] = []
        self.module = importlib.import_module(self._written())

    def _written(self) -> str:
        package = self.root / self.name
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "model.py").write_text(TRAIN.format(name=self.name))
        (package / "part.py").write_text(PART)
        (self.root / "rate.txt").write_text("1\n")
        (self.root / "data").mkdir()
        (self.root / "data" / "base.txt").write_text("0.5")
        (self.root / "data" / "more.txt").write_text("")
        (self.root / ".gitignore").write_text("data/\n")
        importlib.invalidate_caches()
        return f"{self.name}.model"

    def patch(self, path: str, becomes: str) -> Patch:
        """What `git diff` would say of a file that becomes this."""
        was = (self.root / path).read_text()
        lines = difflib.unified_diff(was.splitlines(True), becomes.splitlines(True), f"a/{path}", f"b/{path}")
        return Patch(name=path, text="".join(lines))

    def part(self, becomes: str) -> Patch:
        return self.patch(f"{self.name}/part.py", becomes)


@pytest.fixture
def toy(project: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.chdir(project)
    return Toy(project)


def carry_out(
    toy: Toy, patches: list[Patch | None], train: Callable[..., object] | None = None, config: Any = None, **options: Any
) -> list[Outcome]:
    """One trial for each of the patches, and for none."""
    prepare = options.pop("prepare", None)
    calls = Callables(
        train or toy.module.train,
        lambda configuration: configuration.params,
        prepare,
        patches=lambda configuration: (found,) if (found := patches[int(configuration.name)]) else (),
    )
    jobs = [
        Job(Trial(index=index, configuration=str(index), block=0, seed=0), Configuration(name=str(index), params=config or {}))
        for index in range(len(patches))
    ]
    executor = FunctionExecutor(Store.open(toy.root), toy.root, calls, **options)
    outcomes = executor.carry_out(jobs, study="s", workers=2, report=lambda _: None)
    toy.findings = executor.findings
    return outcomes


def trace_of(toy: Toy, outcome: Outcome) -> Trace:
    store = Store.open(toy.root)
    result = store.runs.read(outcome.run or "").result
    assert result is not None
    return store.objects.record(result.trace or "", Trace)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_patched_trial_has_the_modules_of_its_patch_the_data_and_the_recording_of_the_others(toy: Toy, start: str) -> None:
    patches = [None, toy.part("def bonus():\n    return 0.3\n")]
    plain, patched = carry_out(toy, patches, config={"data": True}, start=start)
    assert (plain.metrics, patched.metrics) == ({"score": 0.6}, {"score": 0.8})
    store = Store.open(toy.root)
    assert "said aloud" in (store.runs.folder(patched.run or "") / OUTPUT).read_text()
    traces = [trace_of(toy, outcome) for outcome in (plain, patched)]
    names = [{use.path: use.id for use in (*trace.loaded, *trace.read)} for trace in traces]
    assert names[0].keys() == names[1].keys() >= {"data/base.txt", f"{toy.name}/part.py"}
    assert {path for path in names[0] if names[0][path] != names[1][path]} == {f"{toy.name}/part.py"}
    recipes = [store.objects.record(store.runs.read(outcome.run or "").start.recipe, Recipe) for outcome in (plain, patched)]
    assert recipes[0].code != recipes[1].code and recipes[0].function == recipes[1].function
    again = carry_out(toy, patches, config={"data": True}, start=start)
    assert [(outcome.reused, outcome.metrics) for outcome in again] == [(True, plain.metrics), (True, patched.metrics)]
    (toy.root / "data" / "base.txt").write_text("0.7")
    assert not any(outcome.reused for outcome in carry_out(toy, patches, config={"data": True}, start=start))


DYING = {
    "raise ValueError('at import')\n": ("failed", "at import"),
    "def bonus():\n    raise ValueError('no luck')\n": ("failed", "no luck"),
    "import nowhere\n": ("failed", "nowhere"),
    "def bonus():\n    import os\n    os._exit(3)\n": ("crashed", "exited with code 3"),
    "import os\ndef bonus():\n    os.kill(os.getpid(), 9)\n": ("crashed", r"signal 9 \(SIGKILL\)"),
    "import os\ndef bonus():\n    os.kill(os.getpid(), 11)\n": ("crashed", r"signal 11 \(SIGSEGV\)"),
    "import sys\ndef bonus():\n    sys.exit(0)\n": ("failed", r"sys\.exit\(0\)"),
}


def test_a_patch_whose_code_dies_in_any_way_is_an_outcome_with_its_reason_and_the_others_go_on(toy: Toy, own_home: Path) -> None:
    found = carry_out(toy, [toy.part(text) for text in DYING] + [None])
    for outcome, (state, reason) in zip(found, DYING.values(), strict=False):
        assert outcome.failure is not None and outcome.run is not None, outcome
        assert (outcome.state, bool(re.search(reason, outcome.failure.text))) == (state, True), outcome.failure.text
        assert Store.open(toy.root).runs.read(outcome.run).state == state
    assert found[-1].state == "finished"
    assert list((own_home / ".cache" / "assay-trials").iterdir()) == []


def test_files_that_a_copy_lacks_are_found_and_said(toy: Toy) -> None:
    """No earlier trial has read any: by the failure, which names a folder that is gone, and by the names in a folder."""
    (outcome,) = carry_out(toy, [toy.part("def bonus():\n    return 0.3\n")], toy.module.by_its_place)
    assert outcome.metrics == {"score": 0.8, "files": 2.0}
    assert [(finding.kind, "base.txt" in finding.text) for finding in toy.findings] == [("data found", True)]


def test_a_file_that_is_named_in_full_is_read_in_place_and_said_where_a_patch_changes_it(toy: Toy) -> None:
    config = {"rate": str(toy.root / "rate.txt")}
    (outcome,) = carry_out(toy, [toy.patch("rate.txt", "2\n")], toy.module.in_full, config)
    assert outcome.metrics["rate"] == 1.0
    assert [(finding.kind, finding.about) for finding in toy.findings] == [("not patched", "rate.txt")]


def test_code_that_comes_from_the_project_itself_fails_the_trial(toy: Toy) -> None:
    """Here by a place of the module path that the code names in full, so that no copy of it is looked at."""
    elsewhere = f"import sys\nsys.path.insert(0, {str(toy.root / toy.name)!r})\nimport part\nfrom part import bonus\n"
    (outcome,) = carry_out(toy, [toy.part(elsewhere)])
    assert outcome.state == "failed" and outcome.failure is not None
    assert re.search(rf"{toy.name}/part\.py was imported from {toy.root} itself", outcome.failure.text)


def test_what_was_prepared_is_given_to_patched_trials_too(toy: Toy) -> None:
    patches = [None, toy.part("def bonus():\n    return 0.3\n")]
    found = carry_out(toy, patches, prepare=toy.module.prepare)
    assert [outcome.metrics["score"] for outcome in found] == pytest.approx([10.6, 10.8])


def test_patches_that_do_not_apply_stop_everything_before_the_first_trial(toy: Toy) -> None:
    patch = toy.part("def bonus():\n    return 0.3\n")
    (toy.root / toy.name / "part.py").write_text("def bonus():\n    return 0.2\n")
    with pytest.raises(InvalidStudy, match=r"does not apply.*part\.py, hunk @@"):
        carry_out(toy, [None, patch])
    assert Store.open(toy.root).runs.ids() == []


def test_functions_that_no_copy_has_by_name_are_refused_by_theirs(toy: Toy) -> None:
    def inside(config: object, seed: int) -> dict[str, float]:
        return {"y": 1.0}

    for function, name in ((inside, "inside"), (lambda config, seed: {}, "<lambda>"), (os.path.join, "posixpath:join")):
        with pytest.raises(
            InvalidStudy, match=f"train cannot be imported from a copy of the project.*{name}.*at the top of a module"
        ):
            check_by_name(function, "train", toy.root)
    with pytest.raises(InvalidStudy, match=f"{toy.name}.model:train.*below {toy.root / 'data'}"):
        check_by_name(toy.module.train, "train", toy.root / "data")
    check_by_name(toy.module.Model().score, "train", toy.root)
    with pytest.raises(InvalidStudy, match=r"the configuration 'a' cannot be made in a copy.*Define at the top of a module"):
        ship_by_name({"a": inside}, "the configuration 'a'")


SCRIPT = """\
import pickle, sys
from assay.execution.by_name import check_by_name, name_by_name, ship_by_name
from pathlib import Path

class Config:
    pass

def train(config, seed):
    return {}

def ask():
    check_by_name(train, "train", Path.cwd())
    function, config = pickle.loads(ship_by_name((train, Config()), "both"))
    return function.__module__, name_by_name(train), type(config).__module__
"""
GUARDED = SCRIPT + 'if __name__ == "__main__":\n    print(ask())\n'
BARE = SCRIPT + "try:\n    print(ask())\nexcept Exception as error:\n    print(error)\n"


@pytest.mark.parametrize(
    ("text", "file", "arguments", "said"),
    [
        (GUARDED, "fit.py", ["fit.py"], "('fit', 'fit:train', 'fit')"),
        (GUARDED, "tools/fit.py", ["-m", "tools.fit"], "('tools.fit', 'tools.fit:train', 'tools.fit')"),
        (BARE, "fit.py", ["fit.py"], "the trials with patches import fit.py, which would start the study again: 'train'"),
        (BARE, "fit.v2.py", ["fit.v2.py"], "a script that can be imported, unlike fit.v2.py"),
        (BARE, "fit.py", ["-c", BARE], "no terminal's or notebook's"),
    ],
    ids=["script", "module", "no guard", "no module name", "typed"],
)
def test_a_script_is_named_as_who_imports_it_finds_it(project: Path, text: str, file: str, arguments: list[str], said: str) -> None:
    (project / file).parent.mkdir(exist_ok=True)
    (project / file).write_text(text)
    answer = subprocess.run([sys.executable, *arguments], cwd=project, capture_output=True, text=True, check=False)
    assert said in answer.stdout, answer.stderr


def test_calls_that_were_recorded_without_the_root_of_the_project_are_read_as_ever() -> None:
    old = msgspec.msgpack.encode(("call/1", b"function", b"configuration", ["/a"], ["fit.py"], "/a"))
    assert msgspec.msgpack.decode(old, type=Call) == Call(b"function", b"configuration", ("/a",), ("fit.py",), "/a", "")
