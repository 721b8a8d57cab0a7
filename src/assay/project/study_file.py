"""Study files: a study of any command line, in YAML or TOML."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from assay.ablation.components import add, between, change, hypothesis, remove, replace, vary
from assay.ablation.constraints import excludes, requires
from assay.errors import InvalidStudy
from assay.project.command_study import CommandStudy, OverrideStyle
from assay.records.factor import Constraint, Factor, Hypothesis, MetricGoal
from assay.store.root import find_root
from assay.tracking.asked import SOURCES

_KEYS = (
    *("name", "command", "baseline", "components", "metrics", "seeds", "design", "configurations", "hypotheses"),
    *("workers", "data", "override_style", "resolution", "budget", "priors", "constraints", "groups"),
)
_METRIC_KEYS = ("goal", "from", "margin", "at", "measured")
_COMPONENT_KEYS = ("remove", "replace", "change", "add", "vary")
_RANGE_KEYS = ("low", "high", "levels", "log")
_CONSTRAINT = re.compile(r"(?P<thing>.+?)\s+(?P<kind>requires|excludes)\s+(?P<others>.+?)\s*")
_STYLES: tuple[OverrideStyle, ...] = ("space", "equals", "hydra")
_HYPOTHESIS = re.compile(r"(?P<component>.+?)\s+(?P<direction>raises|lowers)\s+(?P<metric>.+?)(?:\s+by\s+(?P<by>[-+.\deE]+))?\s*")
_AT = re.compile(r"last|min|max|mean|mean of the last [1-9]\d*")

Lines = Mapping[tuple[str | int, ...], int]
"""Path of keys to the line that it stands in, from 1."""


def load_study_file(path: str | Path, root: str | Path | None = None) -> CommandStudy:
    """The study that a file describes. Commands run in the file's folder, as it is in each trial's own copy of the project.

    Args:
        path: YAML 1.2 (`.yaml`, `.yml`) or TOML (`.toml`).
        root: project root; by default that of the file's folder.

    Raises:
        InvalidStudy: the file cannot be read, has a key that nothing reads, lacks one, or a value that cannot be used; the line is named.
    """
    file = Path(path)
    content, lines = _parse(file)
    read = _Reader(file, content, lines)
    folder = file.resolve().parent
    top = Path(root).resolve() if root is not None else find_root(folder)
    read.only(content, _KEYS, (), "the study file")
    return CommandStudy(
        command=read.command(),
        baseline=read.mapping("baseline"),
        components=read.components(),
        metrics=read.metrics(),
        seeds=read.seeds(),
        design=read.text("design", "leave-one-out"),
        resolution=read.size("resolution"),
        budget=read.size("budget"),
        priors=read.truth("priors"),
        constraints=read.constraints(),
        groups=read.groups(),
        configurations={
            str(name): read.checked(item, ("configurations", name)) for name, item in read.mapping("configurations").items()
        },
        hypotheses=read.hypotheses(),
        workers=read.workers(),
        data=read.data(),
        override_style=read.style(),
        name=read.text("name", folder.name if file.stem == "study" else file.stem),
        root=top,
        directory=os.path.relpath(folder, top),
    )


class _Reader:
    """Values of a parsed file, each checked, with the line in every complaint."""

    def __init__(self, file: Path, content: Mapping[str, Any], lines: Lines) -> None:
        self._file = file
        self._content = content
        self._lines = lines

    def wrong(
        self, problem: str, place: Sequence[str | int], value: object = None, expected: str = "", next_step: str = ""
    ) -> InvalidStudy:
        """An error that says where."""
        line = next((self._lines[part] for part in _outwards(tuple(place)) if part in self._lines), None)
        where = f"{self._file.name}, line {line}" if line else self._file.name
        return InvalidStudy(f"{where}: {problem}", value=value, expected=expected, next_step=next_step)

    def only(self, found: Mapping[str, Any], known: Sequence[str], place: Sequence[str | int], what: str) -> None:
        """Nothing where all keys are known.

        Raises:
            InvalidStudy: one is not.
        """
        for key in found:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                raise self.wrong(
                    f"{what} has a key that nothing reads",
                    (*place, key),
                    value=key,
                    expected=f"one of {', '.join(known)}",
                    next_step=f"Did you mean {near[0]!r}?" if near else "",
                )

    def checked(self, value: object, place: Sequence[str | int]) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.wrong(f"{'.'.join(map(str, place))} is no mapping", place, value=value, expected="keys with values")
        return {str(key): item for key, item in value.items()}

    def mapping(self, key: str) -> dict[str, Any]:
        return self.checked(self._content.get(key) or {}, (key,))

    def text(self, key: str, default: str) -> str:
        value = self._content.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(f"{key} is no text", (key,), value=value, expected="text")
        return value

    def command(self) -> tuple[str, ...]:
        """The command as arguments.

        Raises:
            InvalidStudy: there is none, it is a shell line, or it has no place for the configuration.
        """
        value = self._content.get("command")
        if isinstance(value, str):
            try:
                words = shlex.split(value)
            except ValueError as error:
                raise self.wrong(
                    "the command cannot be split into arguments", ("command",), value, next_step=f"{error}."
                ) from error
        elif isinstance(value, Sequence) and value and all(isinstance(word, str | int | float) for word in value):
            words = [str(word) for word in value]
        else:
            words = []
        if not words:
            raise self.wrong(
                "the study has no command", ("command",), value, "such as `command: python train.py {overrides} --seed {seed}`"
            )
        for word in words:
            if word in ("|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1"):
                raise self.wrong(
                    "the command is a shell line",
                    ("command",),
                    word,
                    "a program and its arguments",
                    "Put the line into a script, and name the script here.",
                )
        if "{overrides}" not in words:
            raise self.wrong(
                "the command has no {overrides}, so no trial would differ from another",
                ("command",),
                " ".join(words),
                "{overrides} as an argument of its own",
                "Put {overrides} where the program takes its options.",
            )
        return tuple(words)

    def components(self) -> list[Factor]:
        """`remove`, `replace`, `change`, `add` or `vary` of each component.

        Raises:
            InvalidStudy: a component has another shape.
        """
        found = []
        for name, item in self.mapping("components").items():
            place = ("components", name)
            body = self.checked(item, place)
            self.only(body, _COMPONENT_KEYS, place, f"the component {name!r}")
            if len(body) != 1:
                raise self.wrong(
                    f"the component {name!r} does not say one thing", place, sorted(body), "one of " + ", ".join(_COMPONENT_KEYS)
                )
            ((kind, inner),) = body.items()
            settings = self.checked(inner, (*place, kind))
            if kind in ("remove", "add"):
                found.append(remove(name, settings) if kind == "remove" else add(name, settings))
                continue
            if kind == "vary":
                found.append(self._varied(name, settings, (*place, kind)))
                continue
            make = replace if kind == "replace" else change
            found += [make(name, level, self.checked(values, (*place, kind, level))) for level, values in settings.items()]
        return found

    def _varied(self, name: str, settings: Mapping[str, Any], place: tuple[str | int, ...]) -> Factor:
        """`{PATH: [VALUE, …]}`, or `{PATH: {low: L, high: H, levels: N, log: true}}` for a range."""
        if len(settings) != 1:
            raise self.wrong(f"{name!r} varies more than one thing", place, sorted(settings), "one parameter with its values")
        ((path, values),) = settings.items()
        if not isinstance(values, Mapping):
            return vary(name, path, values)
        self.only(values, _RANGE_KEYS, (*place, path), f"the range of {name!r}")
        if not {"low", "high"} <= set(values):
            raise self.wrong(f"the range of {name!r} has no ends", (*place, path), dict(values), "low and high")
        return vary(name, path, between(values["low"], values["high"], values.get("levels", 2), log=values.get("log") is True))

    def size(self, key: str) -> int | None:
        """A whole number above 1; None where the file does not say it.

        Raises:
            InvalidStudy: it is something else.
        """
        value = self._content.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 2):
            raise self.wrong(f"this {key} cannot be had", (key,), value, "a whole number of at least 2")
        return value

    def truth(self, key: str) -> bool:
        """True or false; false where the file does not say it.

        Raises:
            InvalidStudy: it is something else.
        """
        value = self._content.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} is no truth value", (key,), value, "true or false")
        return value

    def constraints(self) -> list[Constraint]:
        """Sentences such as "mixup requires augmentation" or "mobilenet excludes a, b".

        Raises:
            InvalidStudy: one is no such sentence.
        """
        value = self._content.get("constraints") or []
        if not isinstance(value, list):
            raise self.wrong("constraints are no list", ("constraints",), value, "a list of sentences")
        found = []
        for number, item in enumerate(value):
            read = _CONSTRAINT.fullmatch(item) if isinstance(item, str) else None
            if read is None:
                expected = '"COMPONENT requires COMPONENT" or "COMPONENT: LEVEL excludes COMPONENT, COMPONENT"'
                raise self.wrong("a constraint cannot be read", ("constraints", number), item, expected)
            make = requires if read["kind"] == "requires" else excludes
            found.append(make(read["thing"], *(other.strip() for other in read["others"].split(","))))
        return found

    def groups(self) -> dict[str, list[str]]:
        """Names of groups with the components that they hold.

        Raises:
            InvalidStudy: a group is no list of names.
        """
        found = self.mapping("groups")
        for name, members in found.items():
            if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
                raise self.wrong(f"the group {name!r} is no list", ("groups", name), members, "a list of components")
        return found

    def metrics(self) -> list[MetricGoal]:
        """The metrics; `accuracy: maximize` is short for `accuracy: {goal: maximize}`.

        Raises:
            InvalidStudy: a metric has another shape.
        """
        return [self._metric(name, item) for name, item in self.mapping("metrics").items()]

    def _metric(self, name: str, item: object) -> MetricGoal:
        place = ("metrics", name)
        body = {"goal": item} if isinstance(item, str) else self.checked(item, place)
        self.only(body, _METRIC_KEYS, place, f"the metric {name!r}")
        goal, margin, source, at = body.get("goal"), body.get("margin"), body.get("from"), body.get("at", "last")
        if goal not in ("maximize", "minimize"):
            raise self.wrong(f"the metric {name!r} has no goal", (*place, "goal"), goal, "maximize or minimize")
        if margin is not None and (
            isinstance(margin, bool) or not isinstance(margin, int | float) or not 0 < margin < float("inf")
        ):
            raise self.wrong(
                f"the margin of {name!r} is no size", (*place, "margin"), margin, "a positive number in the metric's unit"
            )
        self._source(name, source, (*place, "from"))
        if not isinstance(at, str) or not _AT.fullmatch(at):
            raise self.wrong(f"no such value of {name!r}", (*place, "at"), at, "last, min, max, mean, or mean of the last N")
        measured = body.get("measured", False)
        if not isinstance(measured, bool):
            raise self.wrong(f"measured of {name!r} is no truth value", (*place, "measured"), measured, "true or false")
        number = None if margin is None else float(margin)
        return MetricGoal(
            name=name, goal="maximize" if goal == "maximize" else "minimize", margin=number, measured=measured, source=source, at=at
        )

    def _source(self, name: str, source: object, place: Sequence[str | int]) -> None:
        kind = source.partition(":")[0] if isinstance(source, str) else ""
        if source is None or kind in SOURCES:
            return
        near = get_close_matches(kind, SOURCES, n=1)
        raise self.wrong(
            f"the source of {name!r} is none that can be read",
            place,
            source,
            f"{', '.join(SOURCES[:-1])} or {SOURCES[-1]}, as in tensorboard:Loss/test, json:out/m.json:score or output:loss",
            f"Did you mean {near[0]!r}?" if near else "",
        )

    def seeds(self) -> int | list[int]:
        value = self._content.get("seeds", 5)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, list) and all(isinstance(seed, int) and not isinstance(seed, bool) for seed in value):
            return value
        raise self.wrong("the study needs seeds", ("seeds",), value, "a number, or a list of integers")

    def hypotheses(self) -> list[Hypothesis]:
        """Sentences such as "attention lowers test_loss by 0.05".

        Raises:
            InvalidStudy: one is no such sentence.
        """
        value = self._content.get("hypotheses") or []
        if not isinstance(value, list):
            raise self.wrong("hypotheses are no list", ("hypotheses",), value, "a list of sentences")
        return [self._hypothesis(number, item) for number, item in enumerate(value)]

    def _hypothesis(self, number: int, item: object) -> Hypothesis:
        found = _HYPOTHESIS.fullmatch(item) if isinstance(item, str) else None
        try:
            by = float(found["by"] or 0) if found else 0.0
        except ValueError:
            found = None
        if found is None:
            expected = '"COMPONENT raises METRIC" or "COMPONENT lowers METRIC by NUMBER"'
            raise self.wrong("a hypothesis cannot be read", ("hypotheses", number), item, expected)
        metric = found["metric"]
        if found["direction"] == "raises":
            return hypothesis(found["component"], raises=metric, by=by)
        return hypothesis(found["component"], lowers=metric, by=by)

    def workers(self) -> int:
        value = self._content.get("workers", 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self.wrong("a study needs somebody to work", ("workers",), value, "a whole number of at least 1")
        return value

    def data(self) -> tuple[str, ...]:
        value = self._content.get("data") or []
        paths = [value] if isinstance(value, str) else value
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise self.wrong("data names no files", ("data",), value, "a path, or a list of paths, relative to this file")
        return tuple(paths)

    def style(self) -> OverrideStyle:
        value = self._content.get("override_style", "space")
        for style in _STYLES:
            if value == style:
                return style
        raise self.wrong("no such style of overrides", ("override_style",), value, "space, equals or hydra")


def _outwards(place: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    """The place, then what it lies in: the line of a value that is short or missing is that of the key above it."""
    return [place[:length] for length in range(len(place), 0, -1)]


def _parse(file: Path) -> tuple[dict[str, Any], Lines]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidStudy(
            "the study file cannot be read", value=str(file), next_step=f"The system says: {error.strerror}."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidStudy("the study file is no text in UTF-8", value=str(file), next_step=f"{error}.") from error
    content, lines = _toml(file, text) if file.suffix == ".toml" else _yaml(file, text)
    if not isinstance(content, dict):
        raise InvalidStudy(
            "the study file is no mapping", value=file.name, expected="keys such as command, baseline, components, metrics"
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
