"""Packages that are imported from a folder: named in an environment by their metadata, found through the module path."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from assay.capture.interpreter import Interpreter
from assay.execution.environments.recorded_prefix import in_prefix, site_packages
from assay.execution.environments.requirements import folder_of, is_of_project, shown
from assay.records.environment import Package
from assay.records.finding import Finding


def add_own(target: Interpreter, packages: Sequence[Package], prefix: str | None, roots: Sequence[str]) -> list[Finding]:
    """Make packages known that are imported from folders; nothing is built in those folders, and nothing written.

    `importlib.metadata` finds each as an editable one of its recorded version. Folders of the project itself are left to the module path,
    since every run has its own; others are named by a `.pth` file where they exist. What was installed from the project, and not in
    editable form, is copied from the recorded environment, if it is still there as it was.

    Raises:
        OSError: the environment cannot be written.
    """
    findings: list[Finding] = []
    folders: list[str] = []
    for package in packages:
        copied = in_prefix(package, prefix, target)
        if copied is not None:
            copied.copy(Path(target.executable))
            continue
        _write_metadata(site_packages(target), package)
        folder = folder_of(package)
        if package.origin != "editable":
            text = f"{shown(package)} was installed from the project's folder; it is imported from the run's code tree"
            findings.append(Finding(kind="package", about=package.name, text=text))
        elif not is_of_project(package, roots):
            inner = [str(place) for place in (folder / "src", folder) if place.is_dir()] if folder else []
            folders += inner
            findings.append(_outside(package, inner))
    if folders:
        (site_packages(target) / "assay_own.pth").write_bytes(b"".join(os.fsencode(folder) + b"\n" for folder in folders))
    return findings


def add_commands(target: Interpreter, commands: Mapping[str, str]) -> None:
    """Make a program of each entry point, {"train": "own.cli:main"}, unless one of its name is there.

    Raises:
        OSError: the environment cannot be written.
    """
    for name, entry in commands.items():
        module, _, attribute = entry.partition("[")[0].strip().partition(":")
        program = Path(target.executable).parent / name
        if not program.exists() and attribute:
            first = attribute.partition(".")[0]
            lines = ("#!" + target.executable, "import sys", f"from {module} import {first}", f"sys.exit({attribute}())")
            program.write_text("\n".join(lines) + "\n", encoding="utf-8")
            program.chmod(0o755)


def _write_metadata(site: Path, package: Package) -> None:
    name = package.name.replace("-", "_")
    info = site / f"{name}-{package.version}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n", encoding="utf-8")
    address = f"file://{quote(str(folder_of(package) or '/'))}"
    (info / "direct_url.json").write_text(json.dumps({"url": address, "dir_info": {"editable": True}}), encoding="utf-8")
    (info / "INSTALLER").write_text("assay\n", encoding="utf-8")
    names = ("METADATA", "direct_url.json", "INSTALLER", "RECORD")
    (info / "RECORD").write_text("".join(f"{info.name}/{each},,\n" for each in names), encoding="utf-8")


def _outside(package: Package, folders: Sequence[str]) -> Finding:
    where = f"imported from {folders[-1]}, whose code is that of today" if folders else "its folder is not on this machine"
    text = (
        f"{shown(package)} was installed in editable form; {where}; what the run loaded of it is checked, or taken from the store"
    )
    return Finding(kind="package", about=package.name, text=text)
