"""The map is right: every module and name in docs/architecture.md exists, and no package of the house is missing from it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
SOURCE = Path(__file__).parents[2] / "src" / "assay"


def rows() -> Iterator[tuple[str, list[str]]]:
    """(module, its names) for each module of the second table; where a row has several, `;` parts their names."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        modules = re.findall(r"`(assay\.[\w.]+)`", cells[0])
        if modules and line.startswith("|"):
            groups = cells[1].split(";")
            assert len(groups) in (1, len(modules)), line
            each = groups if len(groups) == len(modules) else groups * len(modules)
            for module, names in zip(modules, each, strict=True):
                yield module, re.findall(r"`(\w+)`", names)


@pytest.mark.parametrize(("module", "names"), list(rows()))
def test_every_name_on_the_page_exists(module: str, names: list[str]) -> None:
    found = importlib.import_module(module)
    assert names, f"the row of {module} names nothing"
    assert [name for name in names if not hasattr(found, name)] == []


def test_every_package_of_the_house_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    packages = {f"assay.{path.parent.name}" for path in SOURCE.glob("*/__init__.py")}
    assert {package for package in packages if f"`{package}`" not in text} == set()
