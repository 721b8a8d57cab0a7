"""The distributions that an interpreter can import, read from the folders of its path: it need not be the one that runs Assay.

Folder and file names are those of "Recording installed projects" and "Direct URL" (packaging.python.org, PEP 376, 503, 610), of
setuptools' `.egg-info` and `.egg-link`, and of conda's `conda-meta`.
"""

# Paths are text here: an interpreter has hundreds of distributions, and a `Path` for each costs more than reading it.
# ruff: noqa: PTH110, PTH116, PTH208

from __future__ import annotations

import os
import re
import time
from bisect import bisect_left
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import blake3
import msgspec

from assay.capture.interpreter import Interpreter
from assay.capture.stat_cache import KeptCopy
from assay.capture.watch import Mark, mark
from assay.records.environment import Package, Packages

_HEAD: Final = 4096  # bytes of PKG-INFO in which its version stands
_INSTALLED: Final = re.compile(r".*/(?:site|dist)-packages/(?!.*/(?:site|dist)-packages(?:/|$))(.+)")


class _Folder(msgspec.Struct, array_like=True):
    """What one folder held when it had this mark (None: no folder, or none that can be read)."""

    mark: Mark | None
    packages: list[Package]

    def holds(self, path: str) -> bool:
        """Whether the folder at `path` is as it was."""
        try:
            found = os.stat(path)
        except OSError:
            return self.mark is None
        return self.mark is not None and self.mark.matches(found)


class Installed(msgspec.Struct, array_like=True):
    """The distributions of an interpreter, and apart from them the folders and archives of this machine that some were installed from.

    Packages are part of a recipe, which is the same on every machine.
    """

    packages: Packages
    sources: dict[str, str]


class _Scanned(msgspec.Struct, array_like=True):
    """What an interpreter can import, folder by folder in the order of its path, and merged."""

    folders: dict[str, _Folder]
    installed: Installed

    def holds(self) -> bool:
        """Whether every folder is as it was."""
        return all(folder.holds(path) for path, folder in self.folders.items())


def packages_of(interpreter: Interpreter) -> Packages:
    """The distributions that `installed_in` finds."""
    return installed_in(interpreter).packages


def installed_in(interpreter: Interpreter) -> Installed:
    """All distributions on the interpreter's path, sorted by name; of two of one name, the one that comes first on the path.

    A folder is scanned again only when it has changed. What conda installed beside Python packages (libraries, compilers) is among
    them with the origin "conda". What packages carry inside them, and put on the path once they are imported (`ray`, `setuptools`), is a part of them
    and no distribution that was installed.
    """
    key = (interpreter.prefix, *interpreter.path)
    copy = KeptCopy("packages-3", key)
    known = _known.get(key) or copy.load(_Scanned)
    if known is None:
        known = _scan(interpreter, {})
        copy.save(known)
    elif not known.holds():
        before, known = known, _scan(interpreter, known.folders)
        if known.installed == before.installed:
            known.installed = before.installed  # the same object tells callers that nothing has changed
        # The folder of a script changes with every file that it writes; only folders with packages are worth a new copy.
        if any(folder.packages and folder is not before.folders.get(path) for path, folder in known.folders.items()):
            copy.save(known)
    _known[key] = known
    return known.installed


_known: dict[tuple[str, ...], _Scanned] = {}


def _scan(interpreter: Interpreter, before: Mapping[str, _Folder]) -> _Scanned:
    moment = time.time_ns()
    conda = interpreter.prefix + "/conda-meta"
    places = [path for path in interpreter.path if not _is_carried(path)]
    folders = {
        path: known if (known := before.get(path)) is not None and known.holds(path) else _scan_folder(path, path == conda, moment)
        for path in (*places, conda)
    }
    found: dict[str, Package] = {}
    for path in places:
        for package in folders[path].packages:
            found.setdefault(package.name, package)
    for package in folders[conda].packages:
        installed = found.setdefault(package.name, package)
        if installed.origin == "index" and installed.version == package.version:
            found[package.name] = msgspec.structs.replace(installed, origin="conda", url=package.url)
    return _Scanned(folders=folders, installed=_apart(found))


def _is_carried(path: str) -> bool:
    """Whether a place on the path is a folder inside a package.

    >>> _is_carried("/env/lib/python3.12/site-packages/ray/thirdparty_files"), _is_carried("/env/lib/python3.12/site-packages")
    (True, False)
    >>> _is_carried("/env/lib/python3.12/site-packages/old.egg")
    False
    """
    below = _INSTALLED.fullmatch(path)
    return below is not None and not below[1].endswith((".egg", ".zip"))


def _apart(found: Mapping[str, Package]) -> Installed:
    sources = {name: path for name, package in sorted(found.items()) if (path := _local_path(package)) is not None}
    named = (msgspec.structs.replace(found[name], url=None) if name in sources else found[name] for name in sorted(found))
    return Installed(packages=Packages(packages=tuple(named)), sources=sources)


def _local_path(package: Package) -> str | None:
    if package.origin in ("editable", "local"):
        return package.url
    local = package.origin == "archive" and package.url is not None and package.url.startswith("file://")
    return unquote(package.url.removeprefix("file://")) if local and package.url is not None else None


def _scan_folder(path: str, conda: bool, moment: int) -> _Folder:
    known = _mark_folder(path, moment)
    if known is None:
        return _Folder(mark=None, packages=[])
    if conda:
        return _Folder(mark=known, packages=_conda_packages(path))
    names = _names(path)
    found = {package.name: package for name in names if (package := _package(path, name)) is not None}
    # A link is what made the folder that it names importable, so it says more than the `.egg-info` found there.
    links = [name for name in names if name.endswith(".egg-link")]
    found |= {package.name: package for name in links if (package := _linked(path, name)) is not None}
    return _Folder(mark=known, packages=list(found.values()))


def _mark_folder(folder: str, moment: int) -> Mark | None:
    try:
        return mark(os.stat(folder), moment)
    except OSError:
        return None


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []  # not there, or a zip file, in which nothing is installed


def _package(folder: str, entry: str) -> Package | None:
    """The distribution that an entry of a folder stands for; None where it stands for none."""
    stem, _, kind = entry.rpartition(".")
    if kind not in ("dist-info", "egg-info") or entry.startswith("~"):  # pip renames what it is about to remove to "~…"
        return None
    full = f"{folder}/{entry}"
    name, _, version = stem.partition("-") if kind == "egg-info" else stem.rpartition("-")
    if kind == "egg-info":
        version = re.sub(r"-py\d.*$", "", version) or _version_in(full)
    if not name or not version:
        return None
    record = _content(full + "/RECORD")
    if record is None and kind == "dist-info" and not os.path.exists(full + "/METADATA"):
        return None  # what an interrupted removal left
    package = Package(name=_normal(name), version=version, record=_digest_record(record, entry) if record is not None else None)
    direct = _content(full + "/direct_url.json") if kind == "dist-info" else None
    return package if direct is None else _with_origin(package, direct)


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _version_in(info: str) -> str:
    """The version in the metadata of an `.egg-info` folder or file; empty where it says none."""
    text = _content(info + "/PKG-INFO", _HEAD) or _content(info, _HEAD) or b""
    match = re.search(rb"^Version:\s*(\S+)", text, re.MULTILINE)
    return match[1].decode("utf-8", "replace") if match else ""


def _digest_record(record: bytes, entry: str) -> str:
    """Digest of what RECORD says of the package's own files, whatever tool installed it and wherever.

    Left out are lines that differ between equal installations: scripts outside the folder (their first line names the
    interpreter), compiled files, and the installer's own notes.
    """
    lines = record.splitlines()
    if b"__pycache__/" in record:
        lines = [line for line in lines if line[-2:] != b",,"]  # compiled here: neither hash nor size
    lines.sort()
    for beginning in (b"../", b"/", os.fsencode(entry) + b"/"):
        first = bisect_left(lines, beginning)
        del lines[first : bisect_left(lines, beginning + b"\xff", first)]
    return str(blake3.blake3(b"\n".join(lines)).hexdigest())


class _VcsInfo(msgspec.Struct):
    vcs: str = "git"
    commit_id: str | None = None


class _DirInfo(msgspec.Struct):
    editable: bool = False


class _DirectUrl(msgspec.Struct):
    """PEP 610: where a distribution came from."""

    url: str
    vcs_info: _VcsInfo | None = None
    dir_info: _DirInfo | None = None


def _with_origin(package: Package, direct: bytes) -> Package:
    try:
        said = msgspec.json.decode(direct, type=_DirectUrl)
    except msgspec.MsgspecError:
        return package
    if said.vcs_info is not None:
        commit = said.vcs_info.commit_id
        return msgspec.structs.replace(package, origin="vcs", url=f"{said.vcs_info.vcs}+{_public(said.url)}", commit=commit)
    if said.dir_info is None:
        return msgspec.structs.replace(package, origin="archive", url=_public(said.url))
    path = unquote(said.url.removeprefix("file://"))
    if not said.dir_info.editable:
        return msgspec.structs.replace(package, origin="local", url=path)
    # The files of an editable installation are elsewhere: its RECORD lists a pointer to their folder alone.
    return msgspec.structs.replace(package, origin="editable", url=path, record=None)


def _public(url: str) -> str:
    """`url` without user, password or token; the user of an SSH address is no secret."""
    return re.sub(r"^((?:\w+\+)?https?://)[^/@]*@|^([\w+]+://[^/@:]*):[^/@]*(@)", r"\1\2\3", url)


def _linked(folder: str, entry: str) -> Package | None:
    """The distribution that an `.egg-link` (`setup.py develop`) points to."""
    name = entry.removesuffix(".egg-link")
    target = (_content(f"{folder}/{entry}", _HEAD) or b"").decode("utf-8", "replace").partition("\n")[0].strip()
    version = _version_in(f"{target}/{name.replace('-', '_')}.egg-info") or _version_in(f"{target}/{name}.egg-info")
    return Package(name=_normal(name), version=version, origin="editable", url=target) if version else None


class _CondaMeta(msgspec.Struct):
    name: str
    version: str
    url: str | None = None


def _conda_packages(folder: str) -> list[Package]:
    found = []
    for name in _names(folder):
        data = _content(f"{folder}/{name}") if name.endswith(".json") else None
        if data is None:
            continue
        try:
            meta = msgspec.json.decode(data, type=_CondaMeta)
        except msgspec.MsgspecError:
            continue
        url = _public(re.sub(r"/t/[^/]+/", "/", meta.url)) if meta.url else None  # private channels have a token in the path
        found.append(Package(name=_normal(meta.name), version=meta.version, origin="conda", url=url))
    return found


def _content(path: str, limit: int = -1) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(limit)
    except OSError:
        return None
