"""Recorded packages with some of them changed, and what that forces along."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal

from assay.capture.interpreter import interpreter_of
from assay.errors import InvalidValue, PackagesConflict
from assay.execution.environments.requirements import requirement
from assay.execution.environments.uv import Answer, Uv, find_uv
from assay.execution.environments.versions import version_of
from assay.records.environment import Package

_NEVER: Final = 'python_version < "3"'  # a marker that holds nowhere: a requirement with it is none
_AT_ONCE: Final = 8
_PYTHONS: Final = tuple(f"3.{minor}" for minor in range(7, 15))


def resolve(
    packages: Sequence[Package],
    changes: Mapping[str, str | None],
    python: Path,
    *,
    recorded: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[Package]:
    """The packages with changes, sorted by name; of the others, those are changed that have to be, as little as possible.

    First everything else is held as it was recorded; only where that does not go together may others move, and they move away from their
    recorded versions only where they must. On another Python than the recorded one, a version that is ready-made for others and not for
    this one makes way for one that is. What no index has (editable and local packages, versions that are gone) is never moved, and what
    it requires is not known. A record may contradict itself, since pip allows it: what contradicts in it without any change is held.

    Args:
        packages: as recorded.
        changes: name to version; None takes the package away.
        python: interpreter of the environment.
        recorded: the Python of the record, "CPython 3.11.7"; None where `python` is of the same minor version.
        environ: environment variables, pip's and uv's among them; those of this process where it is None.

    Raises:
        InvalidValue: a change is of a package that does not come from an index.
        PackagesConflict: no versions go together with these changes; the message says which requirements conflict.
        EnvironmentUnavailable: there is no uv.
    """
    changes = {_normal(name): version for name, version in changes.items()}
    _check(packages, changes)
    elsewhere = recorded is not None and _is_another_python(python, recorded)
    return _Resolution(find_uv(environ), packages, changes, python, elsewhere).packages()


def _is_another_python(python: Path, recorded: str) -> bool:
    """Whether compiled files of the recorded Python are none for this interpreter."""
    found = interpreter_of([str(python)], os.environ, Path("/"))
    return found is not None and found.python.split(".")[:2] != recorded.split(".")[:2]


def _check(packages: Sequence[Package], changes: Mapping[str, str | None]) -> None:
    for package in packages:
        if package.name in changes and package.origin in ("editable", "local"):
            raise InvalidValue(
                f"this package was installed from a folder ({package.origin}), so it has no other versions",
                value=package.name,
                expected="a package of an index",
                next_step="Change its code instead: it is part of what was recorded.",
            )


class _Resolution:
    """One question to uv, asked again with more that is held until it has an answer."""

    def __init__(
        self, uv: Uv, packages: Sequence[Package], changes: Mapping[str, str | None], python: Path, elsewhere: bool
    ) -> None:
        self._uv = uv
        self._python = python
        self._changes = changes
        self._recorded = {package.name: package for package in packages}
        self._kept = {package.name for package in packages if package.origin in ("editable", "local", "conda")} - changes.keys()
        self._held: set[str] = set()
        self._stale: dict[str, str] = {}
        named = {name for name, version in changes.items() if version is not None}
        named |= {package.name for package in packages if package.origin == "index" and package.name not in changes}
        # What ran was built once; on another Python a version without a wheel would be compiled for minutes, and mostly in vain.
        self._ready = named if elsewhere else set()

    def packages(self) -> list[Package]:
        """The answer.

        Raises:
            PackagesConflict: there is none.
        """
        versions, answer = self._compile(self._lines(self._changes))
        if versions is None:
            self._learn()
            versions, answer = self._compile(self._lines(self._changes))
        if versions is None:
            versions, answer = self._compile(self._lines(self._changes, free=True))
        if versions is None:
            raise self._conflict(answer.refusal or "")
        back = [name for name, version in self._changes.items() if version is None and name in versions]
        if back:
            raise self._conflict(f"{_requirers(answer.output, back[0])} requires {back[0]}")
        return self._as_packages(versions)

    def _learn(self) -> None:
        """Find out what stands against the record itself: what cannot be had any more, or not for this Python, and what contradicts."""
        asked = {name: line for name, line in self._lines(self._changes).items() if " @ " not in line}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = dict(zip(asked, pool.map(self._how_had, asked.values()), strict=True))
        stale = [name for name in sorted(self._ready - self._changes.keys()) if found[name] == "elsewhere"]
        self._stale = {name: self._next_ready(self._recorded[name]) for name in stale}
        self._ready -= {name for name, how in found.items() if how in ("source", "gone")}
        self._kept |= {name for name, how in found.items() if how == "gone"} - self._changes.keys()
        if self._compile(self._lines({}))[0] is None:
            moved = self._moved(self._lines({}, free=True)) - self._stale.keys()
            # One that had to move did so for what it requires, and it is there that the record contradicts itself.
            required = [self._moved({name: requirement(self._recorded[name])}) for name in sorted(moved)]
            self._held = moved.union(*required) - self._changes.keys() - self._kept - self._stale.keys()

    def _how_had(self, line: str) -> Literal["ready", "elsewhere", "source", "gone"]:
        """Whether a version can be had ready-made for this Python, for others only, to be built from source, or not at all."""
        if version_of(self._uv, line, self._python, *(["--no-build"] if self._ready else [])):
            return "ready"
        if self._ready and any(
            version_of(self._uv, line, self._python, "--no-build", "--python-version", each) for each in _PYTHONS
        ):
            return "elsewhere"
        return "source" if version_of(self._uv, line, self._python) else "gone"

    def _next_ready(self, package: Package) -> str:
        """The next version that is ready-made for this Python; the package's own where none is."""
        line = f"{package.name}>{package.version.partition('+')[0]}"
        return version_of(self._uv, line, self._python, "--no-build", "--resolution", "lowest") or package.version

    def _moved(self, lines: Mapping[str, str]) -> set[str]:
        versions = self._compile(lines)[0] or {}
        return {name for name, version in versions.items() if self._is_another(name, version)}

    def _is_another(self, name: str, version: str) -> bool:
        recorded = self._recorded.get(name)
        return recorded is not None and not version.startswith("@") and version != recorded.version

    def _lines(self, changes: Mapping[str, str | None], *, free: bool = False) -> dict[str, str]:
        """Every requirement, at its version; where `free`, only what is changed or has an address must stay as it is."""
        names = [name for name in self._recorded if name not in self._kept and name not in changes]
        lines = {name: requirement(self._recorded[name]) for name in names}
        lines = {
            name: _any_version(name) if name in self._stale or (free and " @ " not in line) else line
            for name, line in lines.items()
        }
        return lines | {name: f"{name}=={version}" for name, version in changes.items() if version is not None}

    def _compile(self, lines: Mapping[str, str]) -> tuple[dict[str, str] | None, Answer]:
        """Versions that meet these requirements and all that follow from them, as near to the recorded ones as they can be; or None."""
        others = sorted(self._recorded.keys() - self._kept - self._changes.keys())
        preferred = {name: self._stale.get(name, self._recorded[name].version) for name in others}
        with tempfile.TemporaryDirectory(prefix="assay-") as folder:
            # What stands in the output file is preferred by uv where nothing speaks against it.
            versions = Path(folder, "versions.txt")
            versions.write_text("".join(f"{name}=={version}\n" for name, version in preferred.items()), encoding="utf-8")
            overrides = Path(folder, "overrides.txt")
            overrides.write_text(self._overrides(), encoding="utf-8")
            ready: list[str | Path] = [f"--only-binary={name}" for name in sorted(self._ready)]
            answer = self._uv.find(
                *("compile", "-q", "--no-header", "--annotation-style", "line", "--python", self._python),
                *("--overrides", overrides, "-o", versions, *ready, "-"),
                text="\n".join(lines.values()),
            )
            answer = answer._replace(output=versions.read_text(encoding="utf-8"))
        return (None if answer.refusal is not None else _versions(answer.output)), answer

    def _overrides(self) -> str:
        never = [f"{name} ; {_NEVER}" for name in sorted(self._kept)]
        held = [f"{name}=={self._recorded[name].version}" for name in sorted(self._held)]
        return "\n".join([*never, *held])

    def _as_packages(self, versions: Mapping[str, str]) -> list[Package]:
        kept = [self._recorded[name] for name in self._kept]
        found = [self._package(name, version) for name, version in versions.items()]
        return sorted((*kept, *found), key=lambda package: package.name)

    def _package(self, name: str, version: str) -> Package:
        recorded = self._recorded.get(name)
        # A change to a version replaces a package that had an address; to the version that it had, nothing.
        if recorded is not None and not self._is_another(name, version):
            return recorded
        return Package(name=name, version=version)

    def _conflict(self, reason: str) -> PackagesConflict:
        asked = ", ".join(
            f"{name}=={version}" if version is not None else f"without {name}" for name, version in self._changes.items()
        )
        return PackagesConflict(
            f"these versions do not go together ({reason})",
            value=asked or "the recorded packages",
            expected="versions whose requirements can all be met",
            next_step="Change the packages that are named along with it, or choose other versions.",
        )


def _any_version(name: str) -> str:
    """A requirement that every version meets, pre-releases too: one that is recorded must not be refused for being one."""
    return f"{name}>=0.dev0"


def _versions(output: str) -> dict[str, str]:
    """Name to version, or to "@ address" where the package has one."""
    found = re.findall(r"^([\w.-]+)(?:==(\S+)| (@ \S+))", output, re.MULTILINE)
    return {_normal(name): version or address for name, version, address in found}


def _requirers(output: str, name: str) -> str:
    """Which packages require one, as the comment of its line says."""
    line = re.search(rf"^{re.escape(name)}==\S+\s+# via (.*)$", output, re.MULTILINE)
    return line[1] if line else "another package"


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()
