"""Study files as text: YAML or TOML, with the line of every key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import InvalidStudy

Lines = Mapping[tuple[str | int, ...], int]
"""Path of keys to the line that it stands in, from 1."""


def parse(file: Path) -> tuple[dict[str, Any], Lines]:
    """The keys of a study file, and the lines that they stand in.

    Raises:
        InvalidStudy: it cannot be read, is no YAML or TOML, or no mapping.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidStudy(
            "the study file cannot be read", value=str(file), next_step=f"The system says: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidStudy("the study file is no text in UTF-8", value=str(file), next_step=f"{error}.") from error
    return parse_text(file, text)


def parse_text(file: Path, text: str) -> tuple[dict[str, Any], Lines]:
    """The keys of a text, which complaints call `file`; TOML where that name says so, else YAML.

    Raises:
        InvalidStudy: it is no YAML or TOML, or no mapping.
    """
    content, lines = _toml(file, text) if file.suffix == ".toml" else _yaml(file, text)
    if not isinstance(content, dict):
        raise InvalidStudy(
            f"{file.name} is no mapping", value=text[:200], expected="keys such as command, baseline, components, metrics"
        )
    return content, lines


def _toml(file: Path, text: str) -> tuple[Any, Lines]:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidStudy(f"{file.name} is no TOML", next_step=f"{error}.") from error
    return content, dict(_toml_lines(content, text.splitlines()))


def _toml_lines(content: Mapping[str, Any], rows: Sequence[str]) -> list[tuple[tuple[str | int, ...], int]]:
    """First line that names each key at the beginning of a statement or table; the parser of the standard library tells none."""
    found: list[tuple[tuple[str | int, ...], int]] = []

    def walk(node: Mapping[str, Any], path: tuple[str | int, ...]) -> None:
        for key, value in node.items():
            naming = re.compile(rf"""[\s\[{{,.]*(?:.*[\[{{,.\s])?["']?{re.escape(key)}["']?\s*(?:=|\]|\.)""")
            line = next((number for number, row in enumerate(rows, 1) if naming.match(row)), None)
            if line is not None:
                found.append(((*path, key), line))
            if isinstance(value, Mapping):
                walk(value, (*path, key))

    walk(content, ())
    return found


def _yaml(file: Path, text: str) -> tuple[Any, Lines]:
    # Late: a YAML parser takes 30 ms to load, and only study files need it.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(text)
        root = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{file.name}, line {mark.line + 1}" if mark else file.name
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InvalidStudy(f"{where}: this is no YAML", next_step=f"The parser says: {problem}.") from error
    lines: dict[tuple[str | int, ...], int] = {}
    _yaml_lines(root, (), lines)
    return content, lines


def _yaml_lines(node: Any, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> None:
    value = getattr(node, "value", None)
    if not isinstance(value, list):
        return
    for number, item in enumerate(value):
        if isinstance(item, tuple):
            key, inner = item
            lines[(*path, key.value)] = key.start_mark.line + 1
            _yaml_lines(inner, (*path, key.value), lines)
        else:
            lines[(*path, number)] = item.start_mark.line + 1
            _yaml_lines(item, (*path, number), lines)
