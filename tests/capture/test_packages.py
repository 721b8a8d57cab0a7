"""Distributions are read from the folders of any interpreter's path, with version, origin and a digest that machines share."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
from pathlib import Path

import pytest

from assay.capture import packages
from assay.capture.interpreter import Interpreter, this_interpreter
from assay.capture.packages import installed_in, packages_of
from assay.records.environment import Package


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_known", {})


def interpreter(*path: Path, prefix: Path | None = None) -> Interpreter:
    base = str(prefix or path[0].parent)
    return Interpreter(
        implementation="CPython",
        version="3.12.1",
        executable=base + "/bin/python",
        prefix=base,
        base_prefix=base,
        path=tuple(map(str, path)),
    )


def install(site: Path, name: str, version: str, record: str = "a.py,sha256=x,1\n", direct: object = None) -> Path:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    (folder / "RECORD").write_text(record)
    if direct is not None:
        (folder / "direct_url.json").write_text(json.dumps(direct))
    return folder


def only(site: Path) -> Package:
    (package,) = packages_of(interpreter(site)).packages
    return package


def test_this_interpreters_packages_are_those_that_python_names() -> None:
    """Names and versions agree with importlib.metadata."""
    expected = {re.sub(r"[-_.]+", "-", found.name).lower(): found.version for found in importlib.metadata.distributions()}
    found = {package.name: package.version for package in packages_of(this_interpreter()).packages}
    assert found == expected


def test_what_a_package_carries_inside_it_was_never_installed(tmp_path: Path) -> None:
    """Ray and setuptools put such folders on the path once they are imported, and the recipe must not tell by it who did."""
    site = tmp_path / "lib" / "site-packages"
    install(site, "ray", "2.0")
    install(site / "ray" / "thirdparty_files", "colorama", "0.4")
    install(site / "old.egg", "old", "1.0")
    nested = site / "tool" / "lib" / "site-packages"
    install(nested, "inner", "3.0")
    places = (site, site / "ray" / "thirdparty_files", site / "old.egg", nested)
    found = packages_of(interpreter(*places, prefix=tmp_path)).packages
    assert [package.name for package in found] == ["inner", "old", "ray"]


def test_the_assay_of_these_tests_is_editable() -> None:
    """An editable installation says where its files are, and has no digest of them."""
    installed = installed_in(this_interpreter())
    (found,) = (package for package in installed.packages.packages if package.name == "assay")
    assert found.origin == "editable"
    assert (Path(installed.sources["assay"]) / "pyproject.toml").is_file()
    assert found.url is None and found.record is None


@pytest.mark.parametrize(
    ("direct", "origin", "url", "commit"),
    [
        (
            {"url": "https://me:secret@host/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "vcs",
            "git+https://host/x.git",
            "abc",
        ),
        ({"url": "ssh://git@host/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}, "vcs", "git+ssh://git@host/x.git", "abc"),
        (
            {"url": "ssh://git:pw@host/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "vcs",
            "git+ssh://git@host/x.git",
            "abc",
        ),
        ({"url": "https://token@host/x.whl", "archive_info": {}}, "archive", "https://host/x.whl", None),
    ],
)
def test_origins_are_named_without_credentials(tmp_path: Path, direct: object, origin: str, url: str, commit: str | None) -> None:
    """direct_url.json (PEP 610) says where a distribution came from."""
    install(tmp_path / "site", "Some_Name.x", "1.0+cpu", direct=direct)
    found = only(tmp_path / "site")
    assert (found.name, found.version, found.origin, found.url, found.commit) == ("some-name-x", "1.0+cpu", origin, url, commit)


@pytest.mark.parametrize(
    ("direct", "origin"),
    [
        ({"url": "file://FOLDER/my%20x", "dir_info": {}}, "local"),
        ({"url": "file://FOLDER/my%20x", "dir_info": {"editable": True}}, "editable"),
        ({"url": "file://FOLDER/my%20x", "archive_info": {}}, "archive"),
    ],
)
def test_paths_of_this_machine_stand_apart_from_packages(tmp_path: Path, direct: dict[str, object], origin: str) -> None:
    """The same installation in two homes is one set of packages, and so one recipe; where it came from is told beside it."""
    found = []
    for home in ("/home/ann", "/home/bob"):
        site = tmp_path / home.replace("/", "-")
        install(site, "x", "1", record="x.py,sha256=a,1\n", direct=json.loads(json.dumps(direct).replace("FOLDER", home)))
        found.append(installed_in(interpreter(site)))
    assert found[0].packages == found[1].packages and found[0].packages.packages[0].origin == origin
    assert [one.sources for one in found] == [{"x": "/home/ann/my x"}, {"x": "/home/bob/my x"}]


def test_equal_installations_have_equal_digests(tmp_path: Path) -> None:
    """Scripts with another interpreter, compiled files, the installer's notes, line ends and order do not count; contents do."""
    own = ["x/__init__.py,sha256=a,1", "x/y.py,sha256=b,2"]
    pip = [
        *own,
        "../../../bin/x,sha256=c,3",
        "x/__pycache__/y.cpython-312.pyc,,",
        "x-1.dist-info/INSTALLER,sha256=d,4",
        "x-1.dist-info/RECORD,,",
    ]
    uv = ["../../../bin/x,sha256=e,3", "x-1.dist-info/RECORD,,", "x-1.dist-info/uv_cache.json,sha256=f,9", *reversed(own)]
    for name, lines, end in (("pip", pip, "\r\n"), ("uv", uv, "\n"), ("other", [own[0], "x/y.py,sha256=z,2"], "\n")):
        install(tmp_path / name / "site", "x", "1", record=end.join(lines) + end)
    assert only(tmp_path / "pip" / "site") == only(tmp_path / "uv" / "site")
    assert only(tmp_path / "pip" / "site") != only(tmp_path / "other" / "site")


def test_the_first_on_the_path_wins(tmp_path: Path) -> None:
    """As for an import."""
    install(tmp_path / "a", "x", "1")
    install(tmp_path / "b", "X", "2")
    assert [package.version for package in packages_of(interpreter(tmp_path / "a", tmp_path / "b")).packages] == ["1"]
    assert [package.version for package in packages_of(interpreter(tmp_path / "b", tmp_path / "a")).packages] == ["2"]


def test_older_forms_of_metadata(tmp_path: Path) -> None:
    """.egg-info files and folders with and without a version in the name, and .egg-link."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "old-1.2-py3.11.egg-info").write_text("Name: old\nVersion: 1.2\n")
    (site / "plain.egg-info").mkdir()
    (site / "plain.egg-info" / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: plain\nVersion: 3.4\n")
    source = tmp_path / "source"
    (source / "my_tool.egg-info").mkdir(parents=True)
    (source / "my_tool.egg-info" / "PKG-INFO").write_text("Name: my-tool\nVersion: 0.1\n")
    (site / "my-tool.egg-link").write_text(f"{source}\n.")
    installed = installed_in(interpreter(site))
    found = {package.name: (package.version, package.origin) for package in installed.packages.packages}
    assert found == {"old": ("1.2", "index"), "plain": ("3.4", "index"), "my-tool": ("0.1", "editable")}
    assert installed.sources == {"my-tool": str(source)}


def test_what_an_interrupted_removal_left_is_no_package(tmp_path: Path) -> None:
    """Neither a folder that pip renamed, nor one without metadata, nor a damaged direct_url.json stops the scan."""
    install(tmp_path / "site", "~ealthy", "1")
    (tmp_path / "site" / "gone-1.dist-info").mkdir()
    (install(tmp_path / "site", "odd", "1") / "direct_url.json").write_text("{")
    assert only(tmp_path / "site").name == "odd"


def test_conda_packages_are_among_them(tmp_path: Path) -> None:
    """Libraries that conda installed are packages too; Python packages that it installed are marked as its own."""
    site = tmp_path / "lib" / "site-packages"
    install(site, "numpy", "2.0")
    install(site, "torch", "2.1")
    meta = tmp_path / "conda-meta"
    meta.mkdir()
    for name, version in (("numpy", "2.0"), ("mkl", "2024.1"), ("torch", "1.0")):
        (meta / f"{name}.json").write_text(
            json.dumps({"name": name, "version": version, "url": f"https://u:p@host/t/tok-123/c/{name}.conda", "files": ["a"]})
        )
    (meta / "damaged.json").write_text("{")
    found = {
        package.name: (package.version, package.origin, package.url)
        for package in packages_of(interpreter(site, prefix=tmp_path)).packages
    }
    assert found == {
        "mkl": ("2024.1", "conda", "https://host/c/mkl.conda"),
        "numpy": ("2.0", "conda", "https://host/c/numpy.conda"),
        "torch": ("2.1", "index", None),
    }


def test_an_upgrade_is_seen_by_this_process_and_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages are scanned again when a folder has changed, and not before."""
    site = tmp_path / "site"
    before = install(site, "x", "1")
    assert only(site).version == "1"
    before.rename(site / "x-2.dist-info")
    assert only(site).version == "2"
    os.utime(site, (1, 1))
    monkeypatch.setattr(packages, "_known", {})
    assert only(site).version == "2"
    install(site, "y", "1")
    monkeypatch.setattr(packages, "_known", {})
    assert len(packages_of(interpreter(site)).packages) == 2


def test_paths_that_are_no_folders_are_passed_over(tmp_path: Path) -> None:
    """sys.path names zip files and folders that do not exist."""
    (tmp_path / "python.zip").write_bytes(b"PK")
    assert packages_of(interpreter(tmp_path / "python.zip", tmp_path / "missing")).packages == ()


def test_equal_scans_give_the_same_object(tmp_path: Path) -> None:
    """Files that a script writes into its own folder do not make new packages."""
    install(tmp_path / "site", "x", "1")
    (tmp_path / "script").mkdir()
    who = interpreter(tmp_path / "site", tmp_path / "script")
    first = packages_of(who)
    (tmp_path / "script" / "out.txt").write_text("x")
    assert packages_of(who) is first
