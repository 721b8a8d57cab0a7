"""Study files: a study of any command line, in YAML or TOML."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec

from assay.project.command_line import OverrideStyle
from assay.project.command_study import CommandStudy
from assay.project.study_components import Levels, components, constraints
from assay.project.study_file_gate import gate_of
from assay.project.study_questions import hypotheses, metrics
from assay.project.study_reader import Reader
from assay.project.study_syntax import parse
from assay.records.origin import Origin
from assay.records.plan import Spreads, Until
from assay.store.root import find_root

_KEYS = (
    *("name", "command", "baseline", "components", "metrics", "seeds", "design", "configurations", "hypotheses"),
    *("workers", "data", "override_style", "resolution", "budget", "priors", "constraints", "groups", "gate", "placebo", "graph"),
    *("folds", "splits", "prepare", "origin", "until", "spreads"),
)
_STYLES: tuple[OverrideStyle, ...] = get_args(OverrideStyle)
_UNTIL: tuple[Until, ...] = get_args(Until)
_SPREADS: tuple[Spreads, ...] = get_args(Spreads)


def load_study_file(path: str | Path, root: str | Path | None = None) -> CommandStudy:
    """The study that a file describes. Commands run in the file's folder, as it is in each trial's own copy of the project.

    Args:
        path: YAML 1.2 (`.yaml`, `.yml`) or TOML (`.toml`).
        root: project root; by default that of the file's folder.

    Raises:
        InvalidStudy: the file cannot be read, has a key that nothing reads, lacks one, or a value that cannot be used; the line is named.
    """
    file = Path(path)
    content, lines = parse(file)
    read = Reader(file, content, lines)
    folder = file.resolve().parent
    top = Path(root).resolve() if root is not None else find_root(folder)
    read.only(content, _KEYS, (), "the study file")
    factors = components(read, Levels(read.mapping("baseline"), top, folder))
    return CommandStudy(
        command=_command(read, "command", overrides=not any(level.patches for factor in factors for level in factor.levels)),
        baseline=read.mapping("baseline"),
        components=factors,
        metrics=metrics(read),
        seeds=_seeds(read),
        folds=read.content.get("folds"),
        splits=read.content.get("splits"),
        prepare=_command(read, "prepare", overrides=False) if "prepare" in read.content else None,
        design=read.text("design", "leave-one-out"),
        resolution=_size(read, "resolution"),
        budget=_size(read, "budget"),
        priors=_truth(read, "priors"),
        until=read.choice("until", _UNTIL, "the adaptive design stops at no such point"),
        constraints=constraints(read),
        groups=read.lists("groups", "the group", "components"),
        configurations={
            str(name): read.checked(item, ("configurations", name)) for name, item in read.mapping("configurations").items()
        },
        hypotheses=hypotheses(read),
        workers=_workers(read),
        data=_data(read),
        override_style=read.choice("override_style", _STYLES, "no such style of overrides"),
        gate=gate_of(read, read.content.get("gate")),
        graph=read.lists("graph", "the graph's", "what it acts on"),
        spreads=read.choice("spreads", _SPREADS, "spreads says nothing of the noise"),
        name=read.text("name", folder.name if file.stem == "study" else file.stem),
        origin=_origin(read),
        root=top,
        directory=os.path.relpath(folder, top),
    )


def _command(read: Reader, key: str, *, overrides: bool) -> tuple[str, ...]:
    """A command as arguments; `overrides`: nothing else can make one trial differ from another.

    Raises:
        InvalidStudy: there is none, it is a shell line, or it has no place for the configuration.
    """
    value = read.content.get(key)
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise read.wrong(f"the {key} cannot be split into arguments", (key,), value, next_step=f"{error}.") from error
    elif isinstance(value, Sequence) and value and all(isinstance(word, str | int | float) for word in value):
        words = [str(word) for word in value]
    else:
        words = []
    if not words:
        raise read.wrong(f"the study has no {key}", (key,), value, "such as `command: python train.py {overrides} --seed {seed}`")
    for word in words:
        if word in ("|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>&1"):
            raise read.wrong(
                f"the {key} is a shell line",
                (key,),
                word,
                "a program and its arguments",
                "Put the line into a script, and name the script here.",
            )
    if overrides and "{overrides}" not in words:
        raise read.wrong(
            "the command has no {overrides}, so no trial would differ from another",
            (key,),
            " ".join(words),
            "{overrides} as an argument of its own",
            "Put {overrides} where the program takes its options.",
        )
    return tuple(words)


def _seeds(read: Reader) -> int | list[int]:
    value = read.content.get("seeds", 5)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, list) and all(isinstance(seed, int) and not isinstance(seed, bool) for seed in value):
        return value
    raise read.wrong("the study needs seeds", ("seeds",), value, "a number, or a list of integers")


def _size(read: Reader, key: str) -> int | None:
    """A whole number above 1; None where the file does not say it.

    Raises:
        InvalidStudy: it is something else.
    """
    value = read.content.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 2):
        raise read.wrong(f"this {key} cannot be had", (key,), value, "a whole number of at least 2")
    return value


def _truth(read: Reader, key: str) -> bool:
    """True or false; false where the file does not say it.

    Raises:
        InvalidStudy: it is something else.
    """
    value = read.content.get(key, False)
    if not isinstance(value, bool):
        raise read.wrong(f"{key} is no truth value", (key,), value, "true or false")
    return value


def _workers(read: Reader) -> int:
    value = read.content.get("workers", 1)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise read.wrong("a study needs somebody to work", ("workers",), value, "a whole number of at least 1")
    return value


def _data(read: Reader) -> tuple[str, ...]:
    value = read.content.get("data") or []
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise read.wrong("data names no files", ("data",), value, "a path, or a list of paths, relative to this file")
    return tuple(paths)


def _origin(read: Reader) -> Origin | None:
    """The study that the file goes on from, as `assay study extend` and `assay study next` write it.

    Raises:
        InvalidStudy: it is written otherwise.
    """
    if "origin" not in read.content:
        return None
    try:
        return msgspec.convert(read.content["origin"], Origin, strict=True)
    except msgspec.ValidationError as error:
        raise read.wrong(
            "the origin of the study cannot be read",
            ("origin",),
            read.content["origin"],
            "what `assay study extend` or `assay study next` wrote",
            f"It says: {error}.",
        ) from error
