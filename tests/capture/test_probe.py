"""The probe of `assay doctor` in real interpreters: what it sees, and that each source can be set without touching another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.capture.entrance import tracer_file

SCRIPT = """\
import datetime, getpass, json, os, random, secrets, socket, tempfile, time, uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
import numpy as np

values = {
    "random": [random.random(), random.Random().random()],
    "numpy": np.random.rand(),
    "default_rng": [np.random.default_rng().random(), np.random.RandomState().rand()],
    "entropy": [uuid.uuid4().hex, uuid.uuid1().hex, secrets.token_hex(4)],
    "clock": [time.time(), time.perf_counter(), str(datetime.datetime.now()), str(datetime.date.today()), time.strftime("%Y-%j")],
    "names": next(tempfile._get_candidate_names()),
    "process": os.getpid(),
    "listing": [os.listdir("data"), [entry.name for entry in os.scandir("data")]],
    "host": [socket.gethostname(), getpass.getuser(), os.environ.get("USER")],
    "cpus": os.cpu_count(),
}
with ThreadPoolExecutor(4) as pool:
    values["timing"] = [done.result() for done in as_completed([pool.submit(int, number) for number in range(6)])]
assert isinstance(datetime.datetime.now(), datetime.date) and type(datetime.datetime.now()) is datetime.datetime
print(json.dumps(values))
"""
SOURCES = ("random", "numpy", "default_rng", "entropy", "clock", "names", "process", "listing", "host", "cpus", "timing")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A script that uses every source, and a folder for it to list."""
    (tmp_path / "data").mkdir()
    for name in "bac":
        (tmp_path / "data" / name).touch()
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "reports").mkdir()
    return tmp_path


def start(folder: Path, words: str, script: str = "script.py") -> str:
    """Standard output of a script in an interpreter that the probe has entered."""
    added = {
        "PYTHONPATH": str(tracer_file().parent),
        "ASSAY_PROBE": words,
        "ASSAY_PROBE_REPORT": str(folder / "reports"),
        "USER": "me",
    }
    done = subprocess.run(
        [sys.executable, script], cwd=folder, env=os.environ | added, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(folder: Path) -> dict[str, list[tuple[int, str]]]:
    """Line and call of each place that was reported, by source."""
    found: dict[str, list[tuple[int, str]]] = {}
    for report in (folder / "reports").iterdir():
        for line in report.read_text().splitlines():
            source, path, number, call = line.split("\t")
            assert path == str(folder / "script.py")
            found.setdefault(source, []).append((int(number), call))
    return found


def test_each_source_is_reported_with_the_line_that_uses_it(folder: Path) -> None:
    start(folder, "watch")
    found = told(folder)
    assert found.keys() == set(SOURCES)
    lines = SCRIPT.splitlines()
    for source, places in found.items():
        assert all(f'"{source}"' in lines[number - 1] or source == "timing" for number, _ in places), (source, places)
    assert (6, "random.random()") in found["random"]
    assert (7, "numpy.random.rand()") in found["numpy"]


def test_what_is_seeded_is_not_reported(folder: Path) -> None:
    """Neither draws after a seed, nor generators that were given one, nor what libraries draw for themselves."""
    (folder / "script.py").write_text(
        "import random, tempfile, numpy as np\n"
        "random.seed(1); np.random.seed(1)\n"
        "random.random(), np.random.rand(), np.random.default_rng(0).random(), random.Random(3).random()\n"
        "np.random.Generator(np.random.PCG64(5)).normal()\n"
    )
    start(folder, "watch")
    assert told(folder) == {}


def test_a_source_at_another_level_changes_its_own_values_and_no_others(folder: Path) -> None:
    levels = dict.fromkeys(SOURCES, 1)

    def values(**changed: int) -> dict[str, object]:
        words = " ".join(f"{name}={level}" for name, level in (levels | changed).items())
        found: dict[str, object] = json.loads(start(folder, words))
        return found

    held = values()
    assert values() == held
    for source in SOURCES:
        if source == "host":  # set or left alone: there is no second level
            continue
        varied = values(**{source: 2})
        assert [name for name in held if varied[name] != held[name]] == [source]
    assert held["host"] == ["elsewhere", "somebody", "somebody"]
    assert held["listing"] == [["a", "b", "c"]] * 2
    assert held["timing"] == list(range(6))


def test_a_loop_that_waits_for_a_set_clock_ends_after_as_many_rounds(folder: Path) -> None:
    (folder / "script.py").write_text(
        "import time\nrounds, end = 0, time.monotonic() + 1\nwhile time.monotonic() < end:\n    rounds += 1\nprint(rounds)\n"
    )
    assert start(folder, "clock=1") == start(folder, "clock=1") == "999\n"


def test_addresses_are_the_same_in_every_run_where_they_are_held(folder: Path) -> None:
    (folder / "script.py").write_text("import sys\nprint(id(object()), len(sys.argv))\n")
    held = {start(folder, "addresses=1") for _ in range(2)}
    if len(held) > 1:
        pytest.skip("this system does not let a process fix the layout of its memory")
    assert len({start(folder, "watch") for _ in range(3)}) > 1


def test_torch_is_seeded_and_its_draws_before_a_seed_are_reported(folder: Path) -> None:
    (folder / "script.py").write_text(
        "import torch\n"
        "first = torch.nn.Linear(2, 2).weight\n"
        "torch.manual_seed(1)\n"
        "assert torch.equal(first, torch.nn.Linear(2, 2).weight)\n"
        "torch.rand(1)\n"
        "class Data(torch.utils.data.Dataset):\n"
        "    def __len__(self): return 2\n"
        "    def __getitem__(self, index): return torch.utils.data.get_worker_info().num_workers\n"
        "print([int(batch) for batch in torch.utils.data.DataLoader(Data(), num_workers=1)])\n"
    )
    assert start(folder, "watch torch=1 workers=1") == "[2, 2]\n"
    found = told(folder)
    assert {number for number, _ in found["torch"]} == {2}
    assert found["workers"] == [(9, "DataLoader(num_workers=1)")]


def test_variables_are_taken_away_where_the_host_is_another(folder: Path) -> None:
    (folder / "script.py").write_text("import os\nprint(os.environ.get('HOME') is not None, os.environ.get('LABEL'))\n")
    os.environ.update({"LABEL": "x", "ASSAY_PROBE_WITHOUT": "LABEL"})
    try:
        assert start(folder, "watch") == "True x\n"
        assert told(folder) == {"host": [(2, "os.environ['LABEL']")]}
        assert start(folder, "host=1") == "True None\n"
    finally:
        del os.environ["LABEL"], os.environ["ASSAY_PROBE_WITHOUT"]
