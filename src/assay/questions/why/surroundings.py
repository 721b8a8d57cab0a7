"""Differences of the environment: packages and Python, in environments that are built for each combination."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.capture.environment import packages_in
from assay.errors import EnvironmentUnavailable
from assay.execution.again import Original
from assay.execution.environments import build, interpreter_for, resolve
from assay.execution.environments.uv import find_uv
from assay.questions.why.flips import Flip, Variant
from assay.records.environment import Package
from assay.records.finding import Finding
from assay.store.store import Store

_PACKAGE = 0.5
"""Weight of a package: most of those that change are not what a script computes with."""
_TOOLS = frozenset(("assay", "pip", "setuptools", "wheel", "uv"))


class SurroundingsPart:
    """Packages and Python that differ.

    Where some can be flipped, every variant runs in an environment that was built for it; where none differs, in that of the good run.

    Args:
        store: has the lists of packages.
        good, bad: the runs.
        report: told of what was not exactly as recorded, as environments are built.
    """

    def __init__(self, store: Store, good: Original, bad: Original, report: Callable[[Finding], None]) -> None:
        self._report = report
        self._good, self._bad = good, bad
        self._a, self._b = ({each.name: each for each in packages_in(store, side.environment)} for side in (good, bad))
        self._built: dict[frozenset[str], Path] = {}
        self._forced: dict[frozenset[str], list[str]] = {}
        names = sorted(name for name in self._a.keys() | self._b.keys() if self._a.get(name) != self._b.get(name))
        self.flips = _buildable([*self._python(), *(flip for name in names if (flip := self._package(name)) is not None)])

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """The variant with the interpreter of an environment that has the packages of the combination.

        Raises:
            PackagesConflict: they do not go together.
            EnvironmentUnavailable: one of them cannot be had.
        """
        open_keys = frozenset(flip.key for flip in self.flips if flip.is_open)
        if not open_keys:
            return variant
        on = bad & open_keys
        if on not in self._built:
            self._built[on] = self._build(on, open_keys)
        return variant._replace(interpreter=self._built[on])

    def _build(self, on: frozenset[str], open_keys: frozenset[str]) -> Path:
        side = self._bad if "python python" in on else self._good
        python = interpreter_for(side.environment.python or "")
        if python is None:
            raise EnvironmentUnavailable("this Python is not at hand", value=side.environment.python)
        packages = list(self._a.values())
        if on == open_keys and all(flip.is_open or flip.idle for flip in self.flips):
            packages = list(self._b.values())
        elif on - {"python python"}:
            names = [key.removeprefix("package ") for key in on if key.startswith("package ")]
            changes = {name: self._b[name].version if name in self._b else None for name in names}
            packages = resolve(packages, changes, Path(python.executable), recorded=self._good.environment.python)
        roots = [self._good.run.start.root, self._bad.run.start.root]
        built = build(packages, python.executable, prefix=side.environment.prefix, roots=roots, report=self._report)
        return built.python

    def _python(self) -> list[Flip]:
        a, b = self._good.environment.python, self._bad.environment.python
        if a == b or a is None or b is None:
            return []
        missing = [each for each in (a, b) if (found := interpreter_for(each)) is None or found.python != each]
        barred = f"{' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not at hand on this machine" if missing else ""
        return [Flip("python", "python", a, b, _PACKAGE, barred=barred)]

    def _package(self, name: str) -> Flip | None:
        a, b = self._a.get(name), self._b.get(name)
        one, other = _shown(a), _shown(b)
        if one == other:
            return None  # another installation of the same
        flip = Flip("package", name, one, other, _PACKAGE)
        if name in _TOOLS:
            return flip._replace(idle="it records or installs, and computes nothing")
        folder = next((each for each in (a, b) if each is not None and each.origin in ("editable", "local")), None)
        if folder is not None:
            return flip._replace(
                barred=f"it was installed from a folder ({folder.origin}); what it loaded of the project is compared as code"
            )
        return flip


def _buildable(flips: list[Flip]) -> list[Flip]:
    """The flips, each barred that runs would have to decide where nothing can build an environment."""
    if not any(flip.is_open for flip in flips):
        return flips
    try:
        find_uv()
    except EnvironmentUnavailable as error:
        said = f"{error.problem}, so no environment with the other version can be built. {error.next_step}".strip().rstrip(".")
        return [flip._replace(barred=said) if flip.is_open else flip for flip in flips]
    return flips


def _shown(package: Package | None) -> str | None:
    if package is None:
        return None
    return package.version if package.commit is None else f"{package.version} at {package.commit[:12]}"
