"""How each recorded package is had again: from an index, by its address, or from the run's code tree."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from assay.records.environment import Package


class Sorted(NamedTuple):
    """Recorded packages by how they are had.

    Attributes:
        pins: those that uv installs.
        own: those that are imported from a folder: editable ones, and such as were installed from the project itself.
        beyond: what conda installed beside Python packages, which no index of Python packages has.
    """

    pins: tuple[Package, ...]
    own: tuple[Package, ...]
    beyond: tuple[Package, ...]


def sort_packages(packages: Sequence[Package], roots: Sequence[str]) -> Sorted:
    """Sort packages; `roots` are the folders that the run's project stood in."""
    own = tuple(package for package in packages if package.origin == "editable" or is_of_project(package, roots))
    beyond = tuple(package for package in packages if package.origin == "conda" and package.record is None)
    rest = {package.name for package in (*own, *beyond)}
    return Sorted(tuple(package for package in packages if package.name not in rest), own, beyond)


def is_of_project(package: Package, roots: Sequence[str]) -> bool:
    """Whether a package was installed from a folder of the project, whose code is in the run's code tree."""
    place = folder_of(package)
    return place is not None and any(place == Path(root) or Path(root) in place.parents for root in roots)


def folder_of(package: Package) -> Path | None:
    """The folder of the machine of then that a package was installed from; None where it was installed from elsewhere."""
    if package.origin not in ("editable", "local") or not package.url:
        return None
    return Path(package.url.removeprefix("file://"))


def requirement(package: Package) -> str:
    """The package as a line of a requirements file that nothing but it satisfies.

    >>> requirement(Package(name="six", version="1.16.0"))
    'six===1.16.0'
    >>> requirement(Package(name="own", version="1.0", origin="vcs", url="git+https://example.org/own", commit="1a2b"))
    'own @ git+https://example.org/own@1a2b'
    """
    if package.origin in ("index", "conda") or not package.url:
        # Two equal signs would take 2.1+cpu for 2.1, and prefer it.
        return f"{package.name}==={package.version}"
    if package.origin == "vcs":
        return f"{package.name} @ {package.url}" + (f"@{package.commit}" if package.commit else "")
    address = package.url if "://" in package.url else f"file://{quote(os.path.abspath(package.url))}"  # noqa: PTH100 - text
    return f"{package.name} @ {address}"


def shown(package: Package) -> str:
    """The package as people write it: an address only where it is one that everybody reaches."""
    return f"{package.name}=={package.version}"
