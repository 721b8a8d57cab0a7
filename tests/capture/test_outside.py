"""Code from beyond the project: which folders made it importable, and copies that can be imported in their place."""

from __future__ import annotations

from pathlib import Path

from assay.capture.outside import import_folders, lay_copies, loaded_outside, named_folders
from assay.records.environment import Package
from assay.records.trace import FileUse
from assay.store.store import Store


def uses(*paths: str) -> list[FileUse]:
    return [FileUse(path=path) for path in paths]


def test_a_package_stands_below_the_folder_that_is_searched() -> None:
    """Folders with an `__init__.py` are packages; the first without one is what was on the module path."""
    assert import_folders(uses("/a/lib/pkg/__init__.py", "/a/lib/pkg/sub/__init__.py", "/a/lib/pkg/sub/x.py"), []) == ["/a/lib"]
    assert import_folders(uses("/a/tool.py", "/b/other.py"), []) == ["/a", "/b"]


def test_a_folder_without_init_is_a_namespace_of_a_named_folder() -> None:
    """Where PYTHONPATH or an editable installation names a folder above, a folder without `__init__.py` may be a package."""
    assert import_folders(uses("/a/src/ns/mod.py"), ["/a", "/a/src"]) == ["/a/src", "/a/src/ns"]
    assert import_folders(uses("/a/src/ns/random.py"), ["/a/src"]) == ["/a/src"], "it would hide the standard library's"
    assert import_folders(uses("/a/src/mod.py"), ["/a/src", "/a"]) == ["/a/src"]


def test_named_folders_come_from_the_record() -> None:
    """PYTHONPATH and the sources of editable packages are named; relative entries and other packages are not."""
    packages = [
        Package(name="a", version="1", origin="editable", url="file:///home/u/a"),
        Package(name="b", version="1", origin="local", url="file:///home/u/b"),
    ]
    assert named_folders("/x:lib:/y/", packages) == ["/x", "/y", "/home/u/a/src", "/home/u/a"]


def test_installed_code_is_no_code_of_the_user() -> None:
    """What belongs to an interpreter or was installed is the environment."""
    loaded = uses("train.py", "/opt/py/lib/x.py", "/v/lib/python3.12/site-packages/p.py", "/home/u/shared/s.py")
    assert [use.path for use in loaded_outside(loaded, ["/opt/py"])] == ["/home/u/shared/s.py"]


def test_copies_stand_at_their_absolute_path(project: Path, tmp_path: Path) -> None:
    """Two files of one name from two folders do not meet."""
    store = Store.open(project)
    one, two = store.objects.put(b"one"), store.objects.put(b"two")
    lay_copies(store.objects, [FileUse(path="/a/x.py", id=one), FileUse(path="/b/x.py", id=two)], tmp_path / "t")
    assert (tmp_path / "t/a/x.py").read_bytes() == b"one"
    assert (tmp_path / "t/b/x.py").read_bytes() == b"two"
