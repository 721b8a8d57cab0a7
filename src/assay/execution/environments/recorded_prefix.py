"""A package taken from the environment that a run was recorded in, where that still stands on this machine."""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from assay.capture.interpreter import Interpreter
from assay.capture.packages import packages_of
from assay.records.environment import Package


class _File(NamedTuple):
    """A line of RECORD: the file, where it goes, and its SHA-256 in the URL-safe base 64 of RECORD; empty where it has none."""

    source: Path
    target: Path
    sha256: str


class Copied(NamedTuple):
    """A package that can be copied: its files, and the prefix that its scripts name."""

    prefix: Path
    files: tuple[_File, ...]

    def copy(self, python: Path) -> None:
        """Copy every file, never link: what runs in one environment must not be able to change the other.

        Raises:
            OSError: the environment cannot be written.
        """
        for file in self.files:
            file.target.parent.mkdir(parents=True, exist_ok=True)
            file.target.unlink(missing_ok=True)  # it may be a hard link into uv's cache
            if file.target.parent == python.parent:
                self._copy_script(file, python)
            else:
                shutil.copyfile(file.source, file.target)
                shutil.copymode(file.source, file.target)

    def _copy_script(self, file: _File, python: Path) -> None:
        """A script's first lines name the interpreter of the environment that it stands in."""
        head, mark, rest = file.source.read_bytes().partition(b"\nimport ")
        head = head.replace(os.fsencode(self.prefix / "bin") + b"/", os.fsencode(python.parent) + b"/")
        file.target.write_bytes(head + mark + rest)
        shutil.copymode(file.source, file.target)


def in_prefix(package: Package, prefix: str | None, target: Interpreter) -> Copied | None:
    """The package in the recorded prefix, if it is there in this very version, with this RECORD, and with the files that RECORD promises.

    Args:
        package: as it was recorded; without a digest of its RECORD nothing can be said of its files.
        prefix: of the recorded environment.
        target: interpreter that is to import it; compiled files are those of one minor version of Python.
    """
    if not prefix or package.record is None:
        return None
    for site in _sites(Path(prefix), target):
        for info in site.glob("*.dist-info"):
            if _is(package, site, info):
                return _checked(package, Path(prefix), site, info, target)
    return None


def site_packages(interpreter: Interpreter) -> Path:
    """The folder that a virtual environment's packages are installed in."""
    return Path(interpreter.prefix, "lib", f"python{'.'.join(interpreter.version.split('.')[:2])}", "site-packages")


def _sites(prefix: Path, target: Interpreter) -> Iterator[Path]:
    minor = ".".join(target.version.split(".")[:2])
    for above in (prefix, prefix / "local"):
        yield from (
            above / "lib" / f"python{version}" / name for version in (minor, "3") for name in ("site-packages", "dist-packages")
        )


def _is(package: Package, site: Path, info: Path) -> bool:
    name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
    if version != package.version or name.lower().replace("_", "-").replace(".", "-") != package.name:
        return False
    there = Interpreter(implementation="", version="", executable="", prefix=str(site), base_prefix=str(site), path=(str(site),))
    return any((each.name, each.record) == (package.name, package.record) for each in packages_of(there).packages)


def _checked(package: Package, prefix: Path, site: Path, info: Path, target: Interpreter) -> Copied | None:
    files = tuple(_files(prefix, site, info, target))
    return Copied(prefix, files) if all(map(_is_whole, files)) else None


def _files(prefix: Path, site: Path, info: Path, target: Interpreter) -> Iterator[_File]:
    """What RECORD lists below the prefix, without compiled files, which Python makes again."""
    with (info / "RECORD").open(encoding="utf-8", newline="") as record:
        for path, hashed, *_ in csv.reader(record):
            source = Path(os.path.normpath(site / path))
            if "__pycache__" in source.parts or not source.is_relative_to(prefix):
                continue
            inner = source.relative_to(site) if source.is_relative_to(site) else None
            place = site_packages(target) / inner if inner else Path(target.prefix) / source.relative_to(prefix)
            yield _File(source, place, hashed.removeprefix("sha256=") if hashed.startswith("sha256=") else "")


def _is_whole(file: _File) -> bool:
    try:
        digest = hashlib.sha256(file.source.read_bytes()).digest()
    except OSError:
        return False
    return not file.sha256 or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.sha256
