"""The recorded packages put into an empty environment, and what is not as it was recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from assay.capture.interpreter import Interpreter
from assay.capture.packages import packages_of
from assay.execution.environments.recorded_prefix import in_prefix
from assay.execution.environments.requirements import requirement, shown
from assay.execution.environments.uv import Uv
from assay.execution.environments.versions import Missing
from assay.records.environment import Package
from assay.records.finding import Finding


def install(uv: Uv, target: Interpreter, pins: Sequence[Package], prefix: str | None) -> tuple[list[Finding], list[Missing]]:
    """Install exactly these packages; what differs from the record, and what cannot be had.

    Args:
        uv: installs them.
        target: interpreter of an empty environment.
        pins: packages as they were recorded.
        prefix: of the recorded environment: a package with other files than those recorded is taken from there, if it can be.

    Raises:
        OSError: the environment cannot be written.
    """
    refused = _install_all(uv, target, pins)
    findings: list[Finding] = []
    missing: list[Missing] = []
    installed = {package.name: package for package in packages_of(target).packages}
    for package in pins:
        found = installed.get(package.name)
        if found is not None and _is_as_recorded(found, package):
            continue
        if _copied(uv, package, prefix, target, replacing=found is not None):
            text = f"{shown(package)} was copied from the recorded environment: no index has it with the files that were recorded"
            findings.append(Finding(kind="package", about=package.name, text=text))
        elif found is None or found.version != package.version:
            reason = refused.get(package.name) or f"{shown(found or package)} is what its address has now"
            missing.append(Missing(package, reason))
        else:
            findings.append(_other_files(package))
    return findings, missing


def _install_all(uv: Uv, target: Interpreter, pins: Sequence[Package]) -> dict[str, str]:
    """Install what can be had; for each package that cannot, why."""
    lines = {package.name: requirement(package) for package in pins}
    if not lines or _install(uv, target, lines.values()) is None:
        return {}
    # Without a network, uv's cache may still have all of it.
    if _install(uv, target, lines.values(), "--offline") is None:
        return {}
    refused = {}
    for name, line in lines.items():
        reason = _install(uv, target, [line])
        if reason is not None and _install(uv, target, [line], "--offline") is not None:
            refused[name] = reason
    return refused


def _install(uv: Uv, target: Interpreter, lines: Iterable[str], *options: str) -> str | None:
    """Why uv refused to install these lines; None where it did."""
    with tempfile.NamedTemporaryFile("w", prefix="assay-", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        return uv.find("install", "-q", "--no-deps", *options, "--python", target.executable, "-r", file.name).refusal


def _is_as_recorded(found: Package, package: Package) -> bool:
    return found.version == package.version and package.record in (None, found.record)


def _copied(uv: Uv, package: Package, prefix: str | None, target: Interpreter, *, replacing: bool) -> bool:
    kept = in_prefix(package, prefix, target)
    if kept is None:
        return False
    if replacing:
        uv.ask("pip", "uninstall", "-q", "--python", target.executable, package.name)
    kept.copy(Path(target.executable))
    return True


def _other_files(package: Package) -> Finding:
    text = f"{shown(package)} has other files than those recorded: its version is the same, its build is not"
    return Finding(kind="package", about=package.name, text=text)
