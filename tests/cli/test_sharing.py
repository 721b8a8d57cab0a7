"""Push, pull, clone, fsck, gc, du and reindex as commands, in real processes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.project.project import Project
from assay.store.inventory import object_path

Assay = Callable[..., Any]
Two = tuple[str, str]


def test_a_clone_has_the_runs_and_gives_their_code_back(assay: Assay, two_runs: Two, folder: Path, tmp_path: Path) -> None:
    shared = str(tmp_path / "shared")
    pushed = assay("push", shared)
    assert pushed.code == 0 and pushed.out.startswith("2 runs new; ") and pushed.err == ""
    cloned = assay("clone", shared, str(tmp_path / "copy"))
    assert cloned.code == 0 and "restore" in cloned.err
    listed = assay("ls", "--json", cwd=tmp_path / "copy").document["runs"]
    assert [run["id"] for run in listed] == [two_runs[1], two_runs[0]]
    assert listed == assay("ls", "--json").document["runs"]
    assert not (tmp_path / "copy" / "train.py").exists()
    assert assay("restore", "first", "--to", str(tmp_path / "code"), cwd=tmp_path / "copy").code == 0
    assert (tmp_path / "code" / "train.py").read_bytes() == (folder / "train.py").read_bytes()


def test_a_reproduction_in_a_clone_gives_the_same_result(assay: Assay, two_runs: Two, tmp_path: Path) -> None:
    assay("push", str(tmp_path / "shared"))
    assay("clone", str(tmp_path / "shared"), str(tmp_path / "copy"))
    done = assay("reproduce", "first", "--json", cwd=tmp_path / "copy")
    assert done.code == 0 and done.document["verdict"] == "identical", done.err


def test_documents_say_what_moved(assay: Assay, two_runs: Two, tmp_path: Path) -> None:
    shared = str(tmp_path / "shared")
    document = assay("push", shared, "first", "--json").document
    assert document["runs"] == [two_runs[0]] and document["objects"] > 0 and document["remote"] == shared
    assert assay("push", shared, "--json").document["present"] == 1
    assert assay("push", shared, "--check", "--json").document["objects"] == 0
    done = assay("clone", shared, str(tmp_path / "copy"), "--json")
    assert done.document["folder"] == str(tmp_path / "copy") and sorted(done.document["runs"]) == sorted(two_runs)
    again = assay("pull", shared, two_runs[0][:6], "--json", cwd=tmp_path / "copy").document
    assert again["present"] == 1 and again["runs"] == []


def test_a_damaged_object_is_named_by_push_and_fsck(assay: Assay, two_runs: Two, folder: Path, tmp_path: Path) -> None:
    project = Project.open(folder)
    trace = project.show(two_runs[0])["run"]["trace"]
    (content,) = [use["id"] for use in trace["written"] if use["path"] == "model.json"]
    path = object_path(project.store.path, content)
    path.chmod(0o644)
    path.write_bytes(b"other")
    found = assay("fsck")
    assert found.code == 1 and f"damaged object {content}: its bytes have changed; touches {two_runs[0][:8]} (first)" in found.out
    pushed = assay("push", str(tmp_path / "shared"))
    assert pushed.code == 3 and pushed.out.startswith("1 run new") and content in pushed.err and two_runs[0] in pushed.err
    assert assay("fsck", "--repair").code == 1
    document = assay("fsck", "--json").document
    assert [problem["kind"] for problem in document["problems"]] == ["missing object"]
    assert assay("push", str(tmp_path / "shared"), "--json").document["missing"] == {two_runs[0]: [content]}


def test_what_a_clone_still_has_repairs_a_store(assay: Assay, two_runs: Two, folder: Path, tmp_path: Path) -> None:
    assay("push", str(tmp_path / "shared"))
    store = Project.open(folder).store
    for shard in list((store.path / "objects").iterdir())[:3]:
        for path in shard.iterdir():
            path.chmod(0o644)
            path.write_bytes(b"spoiled")
    assert assay("fsck", "--repair").code == 1
    assert assay("pull", str(tmp_path / "shared"), "--check").code == 0
    assert assay("fsck").code == 0


def test_gc_says_first_and_does_then(assay: Assay, two_runs: Two, folder: Path) -> None:
    Project.open(folder).store.objects.put(b"nobody needs this")
    young = assay("gc")
    assert "would remove 0 objects" in young.out and "for their age" in young.err
    assert "would remove 1 object, 17 B" in assay("gc", "--grace", "0").out
    assert assay("gc", "--grace", "0", "--delete", "--json").document["objects"] == 1
    assert assay("gc", "--grace", "0", "--json").document["objects"] == 0
    assert assay("fsck").code == 0
    assert assay("gc", "--grace", "-1").code == 2


def test_du_and_reindex_answer(assay: Assay, two_runs: Two) -> None:
    document = assay("du", "--json").document
    assert sum(kind["bytes"] for kind in document["kinds"]) == document["bytes"]
    assert {run["name"] for run in document["runs"]} == {"first", "second"}
    out = assay("du").out
    assert "environment" in out and two_runs[0][:8] in out
    assert assay("reindex").out == "2 runs\n"
    assert assay("reindex", "--json").document == {"version": 1, "runs": 2, "left_out": []}
    assert [run["id"] for run in assay("ls", "--json").document["runs"]] == [two_runs[1], two_runs[0]]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("push", "ftp://host/x"), 2, "no remote"),
        (("push", "s3://key:secret@bucket/x"), 2, "no place for credentials"),
        (("push", "."), 2, "the store itself"),
        (("pull", "nowhere"), 3, "no such folder"),
        (("clone", "nowhere"), 3, "no such folder"),
        (("clone", ".", "."), 2, "the remote itself"),
        (("clone", "../shared", "."), 2, "only where nothing else is"),
        (("push", "elsewhere", "no-such-run"), 2, "no run answers"),
        (("pull", "../shared", "no-such-run"), 2, "answers to this"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    assay: Assay, two_runs: Two, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    assay("push", str(tmp_path / "shared"))
    done = assay(*arguments)
    assert done.code == code and words in done.err and "Traceback" not in done.err and "secret" not in done.err
    assert done.out == ""


def test_a_bucket_without_credentials_says_so(assay: Assay, two_runs: Two) -> None:
    done = assay("push", "s3://bucket/prefix", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_EC2_METADATA_DISABLED": "true"})
    assert done.code == 3 and "no credentials were found" in done.err and "AWS_ACCESS_KEY_ID" in done.err


def test_the_python_door_does_what_the_commands_do(assay: Assay, two_runs: Two, folder: Path, tmp_path: Path) -> None:
    project = Project.open(folder)
    assert sorted(project.push(str(tmp_path / "shared")).runs) == sorted(two_runs)
    other = Project.open(tmp_path / "shared")
    assert assay("run", "--name", "third", sys.executable, "train.py", cwd=folder).code == 0
    assert len(other.pull(str(folder)).runs) == 1 and other.count() == 3 == other.reindex()
    assert other.fsck().problems == [] and other.gc().objects == 0 and len(other.du().runs) == 3
