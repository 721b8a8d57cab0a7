"""The environment that a run was recorded in, built again."""

from __future__ import annotations

import configparser
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from assay.capture.environment import packages_in
from assay.capture.interpreter import interpreter_of
from assay.comparison.diff import show_path
from assay.errors import UsageError
from assay.execution.again.original import Original
from assay.execution.environments import Built, build
from assay.execution.environments.requirements import folder_of, is_of_project
from assay.records.environment import Environment, Package
from assay.records.finding import Finding
from assay.store.store import Store
from assay.store.tree import read_tree


def rebuild(store: Store, root: Path, original: Original, report: Callable[[Finding], None] | None = None) -> Built:
    """The environment of a run from its recorded packages, from the cache where it was built before; see `environments.build`.

    Packages of the project are imported from the run's code tree, and have the commands that their `pyproject.toml` there says.

    Raises:
        UsageError: the run's packages were not recorded.
        MissingContent: their record is not in this store.
        EnvironmentUnavailable: it cannot be had; the message says what is missing, and what is nearest.
    """
    seen = original.environment
    if seen.packages is None or seen.python is None:
        raise UsageError(
            "what this run was installed in is not recorded, so it cannot be built again",
            value=original.run.id,
            expected="a run in which a Python was seen to start",
            next_step="Use the current environment; `assay show --fidelity` says what is missing.",
        )
    packages = packages_in(store, seen)
    roots = tuple(dict.fromkeys((original.run.start.root, os.path.realpath(root))))
    own = [package for package in packages if is_of_project(package, roots)]
    tree = _Tree(store, original.code)
    commands = {**dict(_installed_commands(own, seen.prefix)), **dict(_tree_commands(tree, own, roots))}
    indexes = tuple(tree.indexes())
    return build(packages, _python(seen), prefix=seen.prefix, roots=roots, commands=commands, indexes=indexes, report=report)


def _python(seen: Environment) -> str | Path:
    """The recorded interpreter itself where it is still the same Python, since one version may be built in many ways."""
    assert seen.python is not None
    if seen.executable:
        found = interpreter_of([seen.executable], os.environ, Path("/"))
        if found is not None and found.python == seen.python:
            return Path(seen.executable)
    return seen.python


class _Tree:
    """The settings in a code tree."""

    def __init__(self, store: Store, tree: str) -> None:
        self._store = store
        self._files = {show_path(path): content for path, (_, content) in read_tree(store.objects, tree).items()}

    def settings(self, path: str, *keys: str) -> object:
        """What a TOML file of the tree has under these keys; None where there is no such file, or it does not have them."""
        try:
            found: object = tomllib.loads(self._store.objects.get(self._files[path]).decode())
            for key in keys:
                found = found[key]  # type: ignore[index]
        except (LookupError, TypeError, ValueError):
            return None
        return found

    def indexes(self) -> Iterator[str]:
        """Addresses of the indexes that the project tells uv of."""
        for path, *keys in (("pyproject.toml", "tool", "uv", "index"), ("uv.toml", "index")):
            found = self.settings(path, *keys)
            for index in found if isinstance(found, list) else ():
                if isinstance(index, dict) and isinstance(index.get("url"), str):
                    yield index["url"]


def _tree_commands(tree: _Tree, own: Iterable[Package], roots: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Entry points that the project's packages have in the code tree."""
    for package in own:
        folder = folder_of(package)
        inner = {str(folder.relative_to(root) / "pyproject.toml") for root in roots if folder and folder.is_relative_to(root)}
        for path in sorted(inner):
            found = tree.settings(path, "project", "scripts")
            yield from ((str(name), str(entry)) for name, entry in found.items()) if isinstance(found, dict) else ()


def _installed_commands(own: Iterable[Package], prefix: str | None) -> Iterator[tuple[str, str]]:
    """Entry points that the project's packages had, as far as the recorded environment still tells."""
    for package in own if prefix else ():
        stem = package.name.replace("-", "[-_.]")
        for path in Path(prefix or "").glob(f"lib/python3*/site-packages/{stem}-*.dist-info/entry_points.txt"):
            parser = configparser.RawConfigParser(delimiters=("=",))
            parser.optionxform = str  # type: ignore[assignment,method-assign]  # commands may have capitals
            try:
                parser.read_string(path.read_text(encoding="utf-8"))
                yield from parser.items("console_scripts")
            except (OSError, configparser.Error, UnicodeDecodeError):
                continue
