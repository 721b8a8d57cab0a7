"""Trees: what is restored has the bytes, the execute bits and the links of what was stored."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InvalidValue, MissingContent, StoreDamaged
from assay.records.canonical import canonical
from assay.store.objects import Objects
from assay.store.store import Store
from assay.store.tree import Tree, read_tree, restore_tree, write_tree

# File names are bytes without NUL and "/", in any encoding or none.
NAME = (
    st.binary(min_size=1, max_size=12)
    .map(lambda raw: raw.replace(b"/", b"_").replace(b"\0", b"0"))
    .filter(lambda raw: raw not in (b".", b".."))
)
FILE = st.tuples(st.sampled_from(["file", "exec"]), st.binary(max_size=200))
LINK = st.tuples(st.just("link"), st.binary(min_size=1, max_size=50).map(lambda raw: raw.replace(b"\0", b"0")))
FOLDER: st.SearchStrategy[dict[bytes, Any]] = st.recursive(
    st.dictionaries(NAME, FILE | LINK, max_size=4),
    lambda inner: st.dictionaries(NAME, FILE | LINK | inner, max_size=4),
    max_leaves=8,
)


def flat(folder: dict[bytes, Any], above: bytes = b"") -> dict[bytes, tuple[str, bytes]]:
    """Path to kind and content; empty folders vanish, as in git."""
    found: dict[bytes, tuple[str, bytes]] = {}
    for name, item in folder.items():
        found |= flat(item, above + name + b"/") if isinstance(item, dict) else {above + name: item}
    return found


def on_disk(folder: Path) -> dict[bytes, tuple[str, bytes]]:
    """What lies below a folder, by the rules of docs/identity.md."""
    found: dict[bytes, tuple[str, bytes]] = {}
    for path in folder.rglob("*"):
        name = os.fsencode(path.relative_to(folder))
        if path.is_symlink():
            found[name] = ("link", os.fsencode(os.readlink(path)))  # noqa: PTH115 - Path would normalise the target
        elif not path.is_dir():
            found[name] = ("exec" if path.stat().st_mode & stat.S_IXUSR else "file", path.read_bytes())
    return found


def put(objects: Objects, files: dict[bytes, tuple[str, bytes]]) -> str:
    """A tree with its files."""
    return write_tree(objects, {path: (kind, objects.put(data)) for path, (kind, data) in files.items()})  # type: ignore[misc]


@settings(deadline=None)
@given(FOLDER)
def test_restore_gives_back_bytes_modes_and_links(folder: dict[bytes, Any]) -> None:
    """For any names, contents and nesting."""
    files = flat(folder)
    with tempfile.TemporaryDirectory() as place:
        objects = Store.open(Path(place)).objects
        target = Path(place) / "restored"
        tree = put(objects, files)
        restore_tree(objects, tree, target)
        assert on_disk(target) == files
        assert {path: (kind, objects.get(content)) for path, (kind, content) in read_tree(objects, tree).items()} == files


@settings(deadline=None)
@given(FOLDER, st.randoms())
def test_the_id_is_that_of_the_content(folder: dict[bytes, Any], random: Any) -> None:
    """The order in which files are given does not count, and the fast encoding is the canonical one."""
    files = flat(folder)
    mixed = list(files.items())
    random.shuffle(mixed)
    with tempfile.TemporaryDirectory() as place:
        objects = Store.open(Path(place)).objects
        tree = put(objects, files)
        assert put(objects, dict(mixed)) == tree
        assert canonical(objects.record(tree, Tree)) == objects.get(tree)
        if files:
            path, (kind, data) = mixed[0]
            assert put(objects, {**files, path: (kind, data + b"x")}) != tree


def test_the_empty_tree_has_its_pinned_id(store: Store) -> None:
    """And so has a small one: a tree's id never changes."""
    assert write_tree(store.objects, {}) == "c204da7af971450babade5f0c05ce23aaee82eee29da8968740977b9d1b760d6"
    files = {b"a.py": ("file", b"a"), b"bin/run.sh": ("exec", b"#!"), b"bin/link": ("link", b"../a.py"), b"bin/\xff": ("file", b"")}
    assert put(store.objects, files) == "9d5f83eb77f5154e840e109147468da1786a3f0901132500badca19eaeb4f09c"


@pytest.mark.parametrize(
    "path",
    [b"", b"/etc/passwd", b"..", b"../x", b"a/../b", b"a/./b", b".", b"a//b", b"a/", b"a\0b", b"a\0/b", b"//", b"/"],
    ids=lambda path: repr(path),
)
def test_unsafe_paths_are_refused(store: Store, path: bytes) -> None:
    """Nothing that could lead out of the folder, or that no folder can have, gets into a tree."""
    with pytest.raises(InvalidValue, match="a tree cannot hold this path"):
        write_tree(store.objects, {path: ("file", "0" * 64)})


@pytest.mark.parametrize("other", [b"a/b", b"a/b/c"])
def test_a_path_is_not_file_and_folder_at_once(store: Store, other: bytes) -> None:
    """The error names it."""
    with pytest.raises(InvalidValue, match=r"at once: 'a'"):
        write_tree(store.objects, {b"a": ("file", "0" * 64), other: ("file", "0" * 64)})


def test_an_unknown_kind_is_refused(store: Store) -> None:
    """A folder is never given as an entry, only by the paths below it."""
    with pytest.raises(InvalidValue):
        write_tree(store.objects, {b"a": ("dir", "0" * 64)})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "names", [(b"..",), (b"",), (b"a/b",), (b"/etc",), (b"a\0",), (b"b", b"a"), (b"a", b"a"), (b".",)], ids=repr
)
def test_a_hostile_tree_restores_nothing(store: Store, tmp_path: Path, names: tuple[bytes, ...]) -> None:
    """A tree that somebody made by hand cannot write outside the folder."""
    content = store.objects.put(b"evil")
    tree = store.objects.put_record(Tree(entries=tuple((name, "file", content) for name in names)))
    with pytest.raises(StoreDamaged, match="no folder can have"):
        restore_tree(store.objects, tree, tmp_path / "a" / "target")
    assert not (tmp_path / "a" / "target").exists()


def test_links_are_never_followed(store: Store, tmp_path: Path) -> None:
    """A link that stands where the tree has a folder does not let the files out."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "data").symlink_to("../outside")
    with pytest.raises(InvalidValue, match="where the tree has a folder"):
        restore_tree(store.objects, put(store.objects, {b"data/x": ("file", b"x")}), tmp_path / "target")
    assert list((tmp_path / "outside").iterdir()) == []


def test_restoring_replaces_files_and_leaves_others(store: Store, tmp_path: Path) -> None:
    """What is in the way at the same path is replaced; what the tree does not know stays."""
    target = tmp_path / "target"
    target.mkdir()
    (target / "mine").write_bytes(b"mine")
    (target / "a").symlink_to("mine")
    (target / "b").write_bytes(b"old")
    restore_tree(store.objects, put(store.objects, {b"a": ("file", b"new"), b"b": ("link", b"a")}), target)
    assert on_disk(target) == {b"mine": ("file", b"mine"), b"a": ("file", b"new"), b"b": ("link", b"a")}


def test_what_is_missing_is_named(store: Store, tmp_path: Path) -> None:
    """A tree whose file was only hashed says which content it lacks."""
    tree = write_tree(store.objects, {b"big": ("file", "ab" * 32)})
    with pytest.raises(MissingContent, match="abab"):
        restore_tree(store.objects, tree, tmp_path / "target")


def test_a_very_deep_tree_is_stored_and_read(store: Store) -> None:
    """As deep as a path can be, which is deeper than Python's stack."""
    path = b"/".join([b"d"] * 2000)
    assert read_tree(store.objects, write_tree(store.objects, {path: ("file", "0" * 64)})) == {path: ("file", "0" * 64)}
