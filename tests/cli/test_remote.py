"""Names of remotes: saved once, then used by push, pull and clone; nothing secret among them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.cli.boundary import guarded
from assay.cli.main import assay as assay_command
from assay.project.project import Project
from assay.project.sharing import clone

Assay = Callable[..., Any]
Two = tuple[str, str]


def test_a_remote_is_named_once(assay: Assay, two_runs: Two, tmp_path: Path) -> None:
    """Relative to where it was said, and from every folder of the project; without a name, origin is meant."""
    assert assay("remote", "ls").out == "" and assay("remote", "ls", "--json").document == {"version": 1, "remotes": []}
    added = assay("remote", "add", "origin", "../shared", "--json").document["remotes"]
    assert [(remote["name"], remote["address"]) for remote in added] == [("origin", str(tmp_path / "shared"))]
    assert assay("push", "--json").document["remote"] == str(tmp_path / "shared")
    (tmp_path / "project" / "deep").mkdir()
    assert assay("push", "origin", cwd=tmp_path / "project" / "deep").out.startswith("0 runs new, 2 there already")
    assert assay("push", "origin", "first", "--json").document["present"] == 1
    assert str(tmp_path / "shared") in assay("remote", "ls").out
    assert assay("remote", "rm", "origin").code == 0
    assert assay("remote", "ls", "--json").document["remotes"] == []
    assert assay("push").code == 2


def test_a_clone_knows_where_it_came_from(assay: Assay, two_runs: Two, tmp_path: Path) -> None:
    """Both ways, and it keeps its origin when it is gone on with; a saved name can be cloned."""
    assay("push", "../shared")
    copy = tmp_path / "copy"
    assert assay("clone", "../shared", str(copy)).code == 0
    assert assay("pull", "--json", cwd=copy).document["remote"] == str(tmp_path / "shared")
    assert assay("push", "origin", cwd=copy).code == 0
    assay("remote", "add", "team", "../shared")
    assert assay("clone", "team", str(tmp_path / "again")).code == 0
    clone(str(tmp_path / "project"), copy)
    for folder in (copy, tmp_path / "again"):
        assert [remote.address for remote in Project.open(folder).store.remotes.listed()] == [str(tmp_path / "shared")]
    assert assay("clone", "team", cwd=tmp_path / "project").code == 0  # named after the remote, not after its name here
    assert (tmp_path / "project" / "shared" / ".assay").is_dir()


def test_a_folder_of_the_same_name_can_be_meant(assay: Assay, two_runs: Two, tmp_path: Path) -> None:
    """A saved name comes first; with ./ the folder is meant, and a name that is nearly saved makes no folder by mistake."""
    assay("remote", "add", "origin", "../shared")
    assert assay("push", "./origin", "--json").document["remote"] == "./origin"
    assert assay("push", "origin", "--json").document["remote"] == str(tmp_path / "shared")
    done = assay("push", "orign")
    assert done.code == 2 and "Did you mean 'origin'?" in done.err and "./orign" in done.err
    done = assay("push", "last")
    assert done.code == 2 and "`assay push origin last`" in done.err
    assert not (tmp_path / "project" / "orign").exists() and not (tmp_path / "project" / "last").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("push",), "none is saved as origin"),
        (("pull",), "none is saved as origin"),
        (("remote", "add", "a/b", "x"), "cannot be the name"),
        (("remote", "add", "..", "x"), "cannot be the name"),
        (("remote", "add", "new\nline", "x"), "cannot be the name"),
        (("remote", "add", "lab", "ftp://host/x"), "no remote"),
        (("remote", "add", "lab", "s3://key:secret@bucket/x"), "no place for credentials"),
        (("remote", "add", "lab", "https://user:secret@host/x"), "no remote"),
        (("remote", "add", "taken", "../other"), "stands for another remote"),
        (("remote", "rm", "nobody"), "no remote is saved under this name"),
        (("remote", "rm", "../format"), "no remote is saved under this name"),
        (("remote", "rn", "taken"), "Did you mean"),
    ],
)
def test_mistakes_are_told_and_nothing_secret_is_saved(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.chdir(project)
    assert guarded(assay_command, ("remote", "add", "taken", "../shared")) == 0
    capsys.readouterr()
    code, told = guarded(assay_command, arguments), capsys.readouterr()
    assert (code, told.out) == (2, "") and words in told.err and "secret" not in told.err and "Traceback" not in told.err
    assert [remote.name for remote in Project.open().store.remotes.listed()] == ["taken"]


def test_saving_the_same_again_changes_nothing(project: Path) -> None:
    """A script may say it each time."""
    remotes = Project.open(project, create=True).store.remotes
    for address in ("s3://bucket/team", "s3://bucket/team/"):
        assert remotes.save("lab", address).address == "s3://bucket/team"
