"""Going back from the command line: what is printed as the way back is a command that leads back."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

Assay = Callable[..., Any]
Two = tuple[str, str]


def test_the_printed_way_back_leads_back(assay: Assay, folder: Path, two_runs: Two) -> None:
    """Word for word, from any folder of the project; and so does the one that it prints in turn."""
    recorded = (folder / "train.py").read_text()
    (folder / "train.py").write_text("print('edited')\n")
    (folder / "sub").mkdir()
    rehearsed = assay("restore", "first", "--dry-run")
    assert "would be overwritten  train.py" in rehearsed.out and "way back" not in rehearsed.out
    done = assay("restore", "first")
    assert (folder / "train.py").read_text() == recorded
    back = shlex.split(done.out.splitlines()[-1].removeprefix("way back: "))
    assert back[:3] == ["assay", "restore", "--undo"]
    undone = assay(*back[1:], cwd=folder / "sub")
    assert (folder / "train.py").read_text() == "print('edited')\n"
    assay(*shlex.split(undone.out.splitlines()[-1].removeprefix("way back: "))[1:])
    assert (folder / "train.py").read_text() == recorded


def test_an_artifact_comes_back_by_its_path(assay: Assay, folder: Path, two_runs: Two) -> None:
    """Each run's own; the document names the files and the way back."""
    second = (folder / "model.json").read_text()
    document = assay("restore", "first", "model.json", "--json").document
    assert document["files"] == [{"path": "model.json", "how": "overwrite"}]
    assert (folder / "model.json").read_text() != second
    assert assay("restore", "--undo", document["back"], "--json").document["run"] is None
    assert (folder / "model.json").read_text() == second
    again = assay("restore", "second", "model.json")
    assert again.out == "1 file was there already\n"


def test_wrong_uses_are_told(assay: Assay, two_runs: Two) -> None:
    """Nothing is touched by them."""
    assert assay("restore").code == 2
    assert assay("restore", "first", "--undo", "last").code == 2
    assert assay("restore", "--undo", "last").code == 2
    assert "no restoration" in assay("restore", "--undo", "last").err
    assert assay("restore", "first", "nonesuch.py").code == 2
