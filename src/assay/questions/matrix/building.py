"""Environments of the cells of a matrix, each built once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from assay.capture.environment import packages_in
from assay.errors import EnvironmentUnavailable
from assay.execution.again import Original
from assay.execution.environments import build, interpreter_for, interpreters, resolve
from assay.questions.matrix.axes import PYTHON
from assay.records.environment import Package
from assay.records.finding import Finding
from assay.store.store import Store


class Environments:
    """The recorded environment of a run, with some versions changed.

    Attributes:
        packages: as they were recorded.
    """

    def __init__(self, store: Store, original: Original, report: Callable[[Finding], None]) -> None:
        self._original = original
        self._told: set[Finding] = set()
        self._tell = report
        self.packages = packages_in(store, original.environment)
        self._built: dict[tuple[tuple[str, str], ...], tuple[Path, list[Package]]] = {}

    def python_for(self, levels: Mapping[str, str]) -> Path:
        """The interpreter of the environment of a cell, which is built where it is not there yet.

        Raises:
            EnvironmentUnavailable: a version or a Python cannot be had.
            PackagesConflict: the versions do not go together.
        """
        key = tuple(sorted(levels.items()))
        if key not in self._built:
            self._built[key] = self._build(levels)
        return self._built[key][0]

    def forced(self, levels: Mapping[str, str]) -> tuple[str, ...]:
        """Packages beside those of the cell that have another version than recorded, as "name old → new"."""
        then = {package.name: package.version for package in self.packages}
        _, packages = self._built[tuple(sorted(levels.items()))]
        now = {package.name: package.version for package in packages}
        names = [name for name in sorted(then.keys() | now.keys()) if name not in levels and then.get(name) != now.get(name)]
        return tuple(f"{name} {then.get(name, 'absent')} → {now.get(name, 'absent')}" for name in names)

    def _build(self, levels: Mapping[str, str]) -> tuple[Path, list[Package]]:
        python = self._interpreter(levels.get(PYTHON))
        changes = {name: version for name, version in levels.items() if name != PYTHON}
        packages = list(self.packages)
        environment = self._original.environment
        if levels:
            # Another Python forces packages along too: not every version has a wheel for it.
            packages = resolve(packages, changes, python, recorded=environment.python)
        built = build(packages, python, prefix=environment.prefix, roots=[self._original.run.start.root], report=self._report)
        return built.python, packages

    def _report(self, finding: Finding) -> None:
        """Each finding once, though every environment has it."""
        if finding not in self._told:
            self._told.add(finding)
            self._tell(finding)

    def _interpreter(self, version: str | None) -> Path:
        wanted = version or self._original.environment.python or ""
        found = interpreter_for(wanted)
        if found is None or (version is not None and not _is(found.version, version)):
            at_hand = ", ".join(each.python for each in interpreters()) or "none"
            raise EnvironmentUnavailable(
                "this Python is not at hand",
                value=wanted,
                expected=f"one of {at_hand}",
                next_step="Install it, and put it on PATH.",
            )
        return Path(found.executable)


def _is(version: str, wanted: str) -> bool:
    return version == wanted or version.startswith(f"{wanted}.")
