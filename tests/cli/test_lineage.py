"""Lineage and origin from the command line: a script that resumes, files by content, folders, both directions."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]

RESUMING = """\
import json, os, sys
state = json.load(open(sys.argv[2])) if "--resume" in sys.argv else 0
json.dump(state + 1, open("ckpt.json", "w"))
sys.exit(int(os.environ.get("FAIL", 0)))
"""


@pytest.fixture
def resumed(assay: Assay, folder: Path) -> list[str]:
    """Ids of a run that failed, of one that went on from its checkpoint and failed, and of a last one with a patch, from a copy."""
    (folder / "go.py").write_text(RESUMING)
    assert assay("run", "--name", "one", sys.executable, "go.py", env={"FAIL": "3"}).code == 3
    assert assay("run", "--name", "two", sys.executable, "go.py", "--resume", "ckpt.json", env={"FAIL": "3"}).code == 3
    shutil.copy(folder / "ckpt.json", folder / "copy.bin")
    (folder / "go.py").write_text(RESUMING.replace("state + 1", "state + 10"))
    assert assay("run", "--name", "three", sys.executable, "go.py", "--resume", "copy.bin").code == 0
    return [run["id"] for run in assay("ls", "--sort", "started", "--json").document["runs"]]


def test_a_chain_of_resumes_in_both_directions(assay: Assay, resumed: list[str]) -> None:
    """As text within 80 columns, and as a document."""
    one, two, three = resumed
    edges = [
        {"from": one, "to": two, "by": "resume", "path": "ckpt.json"},
        {"from": two, "to": three, "by": "resume", "path": "copy.bin"},
    ]
    for arguments in (("three",), ("one", "--down")):
        document = assay("lineage", *arguments, "--format", "json").document
        assert sorted(document["edges"], key=lambda edge: edges.index(edge)) == edges
    lines = assay("lineage", "three", env={"COLUMNS": "80"}).out.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        three[:8],
        "│ resume copy.bin from",
        two[:8],
        "│ resume ckpt.json from",
        one[:8],
    ]
    assert max(map(len, lines)) <= 80
    assert assay("lineage", "one", "--down").out.splitlines()[1] == "│ resume ckpt.json by"


IN_PLACE = """\
import json, os, shutil, sys
def save(state):
    json.dump({"state": state, "noise": os.urandom(8).hex()}, open("tmp.json", "w"))
    os.replace("tmp.json", "ckpt.json")
save(json.load(open("ckpt.json"))["state"] + 1 if os.path.exists("ckpt.json") else 0)
sys.exit(int(os.environ.get("FAIL", 0)))
"""
IN_PLACE_BY_TORCH = """\
import os, torch
state = torch.load("ckpt.pt")["state"] if os.path.exists("ckpt.pt") else 0
torch.save({"state": state + 1, "noise": torch.rand(3)}, "ckpt.pt")
os._exit(int(os.environ.get("FAIL", 0)))
"""


@pytest.mark.parametrize(("source", "checkpoint"), [(IN_PLACE, "ckpt.json"), (IN_PLACE_BY_TORCH, "ckpt.pt")])
def test_a_chain_at_a_path_that_is_written_over_each_time(assay: Assay, folder: Path, source: str, checkpoint: str) -> None:
    """Each run is a child of the one before, the content that it read is known and kept, though a copy of it was put into its place."""
    if "torch" in source:
        pytest.importorskip("torch")
    (folder / "go.py").write_text(source)
    for name in ("one", "two", "three"):
        assay("run", "--name", name, sys.executable, "go.py", env={"FAIL": "3"})
        copied = shutil.copy(folder / checkpoint, folder / "copy.bin")  # not its time: only the content tells what it is
        Path(copied).replace(folder / checkpoint)
    edges = assay("lineage", "three", "--format", "json").document["edges"]
    runs = {name: assay("show", name, "--json").document["run"] for name in ("one", "two", "three")}
    assert {(edge["from"], edge["to"], edge["by"], edge["path"]) for edge in edges} == {
        (runs["one"]["id"], runs["two"]["id"], "resume", checkpoint),
        (runs["two"]["id"], runs["three"]["id"], "resume", checkpoint),
    }
    for before, after in (("one", "two"), ("two", "three")):
        (read,) = runs[after]["trace"]["read"]
        (written,) = runs[before]["trace"]["written"]
        assert (read["path"], read["id"], read["kept"]) == (checkpoint, written["id"], True)
        assert not [gap for gap in runs[after]["fidelity"]["missing"] if gap["what"] == checkpoint]


def test_what_was_patched_in_between_is_told(assay: Assay, resumed: list[str]) -> None:
    """In a line for each file, as text that git takes, and in the document; nothing where nothing was."""
    shown = assay("show", "three").out
    assert f"Patched since {resumed[1][:8]}" in shown and "go.py  changed  +1 -1" in shown
    assert "+json.dump(state + 10" in assay("show", "three", "--patch").out
    (patched,) = assay("show", "three", "--json").document["run"]["patched"]
    assert patched["parent"] == resumed[1]
    assert patched["files"] == [{"path": "go.py", "how": "changed", "added": 1, "removed": 1}]
    assert "ran the same code" in assay("show", "two").out
    told = assay("diff", "two", "three").out
    assert "b goes on from a (resume copy.bin)" in told and "go.py  changed, +1 -1 lines" in told
    assert {"path": "go.py", "how": "changed", "added": 1, "removed": 1} in assay("diff", "two", "three", "--json").document[
        "patched"
    ]


def test_files_are_traced_by_content(assay: Assay, folder: Path, resumed: list[str], tmp_path: Path) -> None:
    """Renamed, copied out, by the first digits of the id, and every file of a folder."""
    away = tmp_path / "release"
    away.mkdir()
    shutil.copy(folder / "copy.bin", away / "weights.bin")
    (away / "README").write_text("by nobody")
    document = assay("origin", str(away), "--json").document
    assert [(Path(file["path"]).name, [each["run"] for each in file["written"]]) for file in document["files"]] == [
        ("README", []),
        ("weights.bin", [resumed[1]]),
    ]
    content = document["files"][1]["content"]
    assert assay("origin", content[:10], "--json").document["runs"][0]["id"] == resumed[1]
    assert f"{resumed[1][:8]} as ckpt.json" in assay("origin", str(away)).out
    assert assay("lineage", str(away / "weights.bin")).out.startswith(resumed[1][:8])
    assert assay("lineage", str(away / "weights.bin"), "--down").out.startswith(resumed[2][:8])
    assert assay("lineage", str(away / "README")).code == 1
    assert assay("lineage", "nonesuch").code == 2


def test_the_graph_in_languages_that_draw(assay: Assay, resumed: list[str]) -> None:
    """Each names every run."""
    for form, begin in (("mermaid", "flowchart TD"), ("dot", "digraph lineage {")):
        text = assay("lineage", "three", "--format", form).out
        assert text.startswith(begin) and all(run in text for run in resumed)


def test_fidelity_says_what_to_do(assay: Assay, resumed: list[str]) -> None:
    """The list and the grade."""
    document = assay("show", "three", "--fidelity", "--json").document
    assert document["grade"] in ("full", "partial") and document["captured"]
    assert assay("show", "three", "--fidelity").out.startswith(f"run {resumed[2]}  {document['grade']}")
