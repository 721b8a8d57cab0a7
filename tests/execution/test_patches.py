"""Patches of code: made alone, made together, and refused by file and hunk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.errors import InvalidStudy, PatchConflict
from assay.execution.patches import Patches, Side, changed_tree, files_below, files_of_tree, three_way
from assay.records.factor import Patch
from assay.store.store import Store
from assay.store.tree import read_tree, write_tree

LINES = [f"line {number}\n" for number in range(1, 21)]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with a file of twenty lines, and one that is executable."""
    (tmp_path / "a.py").write_text("".join(LINES))
    (tmp_path / "run").write_text("#!/bin/sh\n")
    (tmp_path / "run").chmod(0o755)
    return tmp_path


def patch(line: int, text: str, *, name: str = "", path: str = "a.py") -> Patch:
    """A change of one line, with the line before and after it as context."""
    before, own, after = LINES[line - 2], LINES[line - 1], LINES[line]
    body = f"--- a/{path}\n+++ b/{path}\n@@ -{line - 1},3 +{line - 1},3 @@\n {before}-{own}+{text}\n {after}"
    return Patch(name=name or f"{line}.diff", text=body)


def text_of(files: dict[str, Side | None], path: str = "a.py") -> list[str]:
    side = files[path]
    assert side is not None
    return side.content.decode().splitlines(keepends=True)


def test_patches_of_different_lines_are_made_together_in_any_order(code: Path) -> None:
    patches, one, two = Patches(files_below(code)), patch(3, "three"), patch(12, "twelve")
    expected = [*LINES[:2], "three\n", *LINES[3:11], "twelve\n", *LINES[12:]]
    assert text_of(patches.composed([one, two])) == text_of(patches.composed([two, one])) == expected
    assert (code / "a.py").read_text() == "".join(LINES)


def test_patches_of_the_same_line_conflict_unless_they_agree(code: Path) -> None:
    patches = Patches(files_below(code))
    with pytest.raises(PatchConflict, match=r"a\.py"):
        patches.composed([patch(3, "three"), patch(3, "drei")])
    assert text_of(patches.composed([patch(3, "three"), patch(3, "three", name="again")]))[2] == "three\n"


def test_a_patch_that_does_not_apply_names_its_file_and_hunk(code: Path) -> None:
    wrong = patch(3, "three").text.replace("line 4", "line four")
    with pytest.raises(InvalidStudy, match=r"does not apply.*a\.py, hunk @@ -2,3 \+2,3 @@") as refused:
        Patches(files_below(code)).changes(Patch(name="wrong", text=wrong))
    assert "git diff" in refused.value.next_step


def test_a_patch_that_is_in_the_code_already_is_told_so(code: Path) -> None:
    (code / "a.py").write_text("".join([*LINES[:2], "three\n", *LINES[3:]]))
    with pytest.raises(InvalidStudy, match="has this change already"):
        Patches(files_below(code)).changes(patch(3, "three"))


def test_a_patch_is_taken_back(code: Path) -> None:
    (code / "a.py").write_text("".join([*LINES[:2], "three\n", *LINES[3:]]))
    back = Patch(name="revert 3", text=patch(3, "three").text, reverse=True)
    assert text_of(Patches(files_below(code)).composed([back])) == LINES


def test_files_come_go_and_keep_their_mode_in_a_tree(code: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    objects = Store.open(tmp_path_factory.mktemp("store")).objects
    entries = {name.encode(): (kind, objects.put((code / name).read_bytes())) for name, kind in (("a.py", "file"), ("run", "exec"))}
    tree = write_tree(objects, entries)  # type: ignore[arg-type]
    text = (
        "diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+new\n"
        "diff --git a/run b/run\n--- a/run\n+++ b/run\n@@ -1 +1,2 @@\n #!/bin/sh\n+true\n"
        "diff --git a/a.py b/a.py\ndeleted file mode 100644\n--- a/a.py\n+++ /dev/null\n@@ -1,20 +0,0 @@\n"
        + "".join(f"-{line}" for line in LINES)
    )
    files = Patches(files_of_tree(objects, tree)).composed([Patch(name="all", text=text)])
    composed, contents = changed_tree(objects, tree, files)
    found = read_tree(objects, composed)
    assert set(found) == {b"new.py", b"run"} and found[b"run"][0] == "exec"
    assert objects.get(found[b"run"][1]) == b"#!/bin/sh\ntrue\n"
    assert contents["a.py"] is None and contents["new.py"] == found[b"new.py"][1]


@pytest.mark.parametrize("text", ["", "no patch at all\n", "--- a/a.py\n+++ b/a.py\n", "\x00\x01"])
def test_what_git_cannot_read_is_refused(code: Path, text: str) -> None:
    with pytest.raises(InvalidStudy):
        Patches(files_below(code)).changes(Patch(name="bad", text=text))


@pytest.mark.parametrize("path", ["../outside.py", ".git/hooks/post-commit", ".assay/x"])
def test_a_patch_that_reaches_out_of_the_project_is_refused(code: Path, path: str) -> None:
    text = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+new\n"
    with pytest.raises(InvalidStudy):
        Patches(files_below(code)).changes(Patch(name="out", text=text))
    assert not (code.parent / "outside.py").exists()


def test_lines_that_conflict_merge_to_nothing() -> None:
    assert three_way(b"a\n", b"b\n", b"c\n") is None
    assert three_way(b"0\n1\n2\n3\n4\n5\nx\n", b"0\n1\n2\n3\n4\n5\n6\n", b"y\n1\n2\n3\n4\n5\n6\n") == b"y\n1\n2\n3\n4\n5\nx\n"


def test_links_are_read_as_links(code: Path) -> None:
    (code / "link").symlink_to("a.py")
    assert files_below(code)("link") == Side("link", os.fsencode("a.py"))
