"""Who made a project and under which terms, as far as its own files say: CITATION.cff, pyproject.toml, LICENSE."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_LICENCES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING")


class Author(NamedTuple):
    """A person: name and, where it was said, the ORCID as a URL."""

    name: str
    orcid: str = ""


class Credits(NamedTuple):
    """What a project says of itself.

    Attributes:
        title: its name.
        authors: who made it.
        licence: SPDX identifier or words; empty where nothing is said.
        licence_file: the file with its text, relative to the root; empty where there is none.
    """

    title: str = ""
    authors: tuple[Author, ...] = ()
    licence: str = ""
    licence_file: str = ""


def credits_of(read: Callable[[str], bytes | None]) -> Credits:
    """The credits of a code tree; a file that cannot be understood says nothing.

    Args:
        read: bytes of a file at the top of the tree, None where there is none.
    """
    citation, project = _citation(read("CITATION.cff")), _project(read("pyproject.toml"))
    authors = tuple(_cited(citation)) or tuple(_listed(project))
    licence = citation.get("license") or project.get("license") or ""
    if isinstance(licence, dict):
        licence = licence.get("text", "")
    file = next((name for name in _LICENCES if read(name) is not None), "")
    title = citation.get("title") or project.get("name") or ""
    return Credits(str(title), authors, _one_line(licence), file)


def _citation(data: bytes | None) -> dict[str, Any]:
    if data is None:
        return {}
    # Late: most projects have no such file, and the reader of YAML is heavy.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(data.decode())
    except (YAMLError, UnicodeDecodeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _project(data: bytes | None) -> dict[str, Any]:
    try:
        found = tomllib.loads(data.decode()).get("project") if data is not None else None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _cited(citation: dict[str, Any]) -> Iterator[Author]:
    for person in citation.get("authors") or ():
        if isinstance(person, dict):
            name = person.get("name") or " ".join(str(person[key]) for key in ("given-names", "family-names") if person.get(key))
            orcid = str(person.get("orcid") or "")
            if name:
                yield Author(_one_line(name), orcid if re.match(r"https://orcid\.org/[\dX-]+$", orcid) else "")


def _listed(project: dict[str, Any]) -> Iterator[Author]:
    for person in project.get("authors") or ():
        if isinstance(person, dict) and person.get("name"):
            yield Author(_one_line(person["name"]))


def _one_line(value: object) -> str:
    return " ".join(str(value).split())[:200]
