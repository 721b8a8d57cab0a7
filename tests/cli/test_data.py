"""`assay data` in real processes: its words, documents and exit codes, and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.store.store import Store

Assay = Callable[..., Any]


@pytest.fixture
def folder(project: Path) -> Path:
    """A project with a folder of two files."""
    (project / "set").mkdir()
    (project / "set" / "a.txt").write_text("a\n")
    (project / "set" / "b\nc").write_text("b\n")
    return project


def test_a_data_set_from_its_first_version_back_to_it(assay: Assay, folder: Path) -> None:
    """Added, listed, changed, compared, put back; the printed way back leads back."""
    added = assay("data", "add", "set", "--json")
    assert (added.code, added.document["new"], added.document["data"]["files"]) == (0, True, 2)
    version = added.document["data"]["version"]
    assert "nothing changed" in assay("data", "add", "set").out
    assert [entry["version"] for entry in assay("data", "ls", "--json").document["data"]] == [version]
    (folder / "set" / "a.txt").write_text("edited\n")
    differing = assay("data", "diff", "set", "--json")
    assert (differing.code, differing.document["counts"]["changed"]) == (1, 1)
    assert assay("data", "diff", "set", "set@last").code == 0
    restored = assay("data", "restore", f"set@{version[:10]}")
    assert restored.code == 0
    assert (folder / "set" / "a.txt").read_text() == "a\n"
    words = restored.out.split("The way back: assay ")[1].split()
    assert assay(*words).code == 0
    assert (folder / "set" / "a.txt").read_text() == "edited\n"


def test_splits_leaks_and_cards(assay: Assay, folder: Path) -> None:
    """Parts share nothing with each other, and all with the whole; the card is one JSON document, in a file too."""
    (folder / "rows.csv").write_text("x,y\n" + "".join(f"{number},{number % 2}\n" for number in range(40)))
    assert assay("data", "add", "rows.csv").code == 0
    split = assay("data", "split", "rows.csv", "train=0.75", "test=0.25", "--seed", "4", "--stratify", "y", "--json").document
    assert [part["split"]["part"] for part in split["data"]] == ["train", "test"]
    assert assay("data", "leaks", "rows.csv", "--json").code == 0
    leaking = assay("data", "leaks", "rows.csv", "rows.csv/test.csv", "--json")
    assert (leaking.code, leaking.document["leaks"][0]["shared"]) == (1, 10)
    assert all("  1 file, " in line for line in assay("data", "split", "rows.csv", "a=0.5", "b=0.5").out.splitlines())
    card = assay("data", "card", "rows.csv", "--licence", "CC0-1.0", "--step", "counted", "--to", "card.json", "--json").document
    assert card == json.loads((folder / "card.json").read_text())
    assert (card["license"], card["rai:dataPreprocessingProtocol"]) == ("CC0-1.0", ["counted"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "nowhere"], ["ls", "nothing"], ["diff", "set@zz"], ["restore", "set", "no-such-file"], ["restore", "other"],
        ["split", "set", "train"], ["split", "set", "train=1"], ["leaks", "set"], ["card", "other"],
    ],
)  # fmt: skip
def test_wrong_use_is_told_in_fields(assay: Assay, folder: Path, arguments: list[str]) -> None:
    """Exit code 2, no traceback, a next step; nothing is written."""
    assert assay("data", "add", "set").code == 0
    done = assay("data", *arguments, "--json")
    assert (done.code, done.document["error"]["code"]) == (2, "invalid_value")
    assert "Traceback" not in done.err
    assert sorted(path.name for path in (folder / "set").iterdir()) == ["a.txt", "b\nc"]


def test_a_kill_while_data_is_added_leaves_nothing_half_there(folder: Path) -> None:
    """No entry before all of it is in the store; added again, the version is whole, whatever the kill left."""
    for number in range(3000):
        (folder / "set" / f"file{number}").write_text(f"{number}")
    command = [sys.executable, "-m", "assay", "data", "add", "set", "--json"]
    objects = Store.open(folder).path / "objects"
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while process.poll() is None and sum(1 for _ in objects.iterdir()) < 100:
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    store = Store.open(folder)
    assert store.datasets.listed() == []
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["data"]["files"] == 3002
    again = subprocess.run(
        [*command[:3], "data", "restore", "set", "--to", "out"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "3,002 written" in again.stdout
