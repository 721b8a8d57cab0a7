"""Where a study comes from, and what beside its configuration its commands need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from assay.records.canonical import Record


class Origin(Record, frozen=True, kw_only=True):
    """The study that another one goes on from, whose results were known when it was written.

    Attributes:
        study: id of the former study.
        by: "extend": the same question with more seeds or components; "next": its winner is the baseline now.
        looks: how many analyses of one question there are with this one, each at 95 %: the first study has made one.
        seeds: how many seeds the former study had.
        applied: what of the former study the baseline now has, in words.
    """

    study: str
    by: Literal["extend", "next"]
    looks: int = 1
    seeds: int = 0
    applied: tuple[str, ...] = ()


class Terms(Record, frozen=True, kw_only=True):
    """How a command is run, as far as it is not the plain way; what a study is built from again without its file.

    Attributes:
        directory: working directory relative to the root.
        data: files and folders, relative to the directory, that trials need beside the code.
        override_style: how the configuration is written into the command.
        order: dotted keys of the baseline as the command is given them; empty where they are sorted, as stored mappings are.
    """

    directory: str = "."
    data: tuple[str, ...] = ()
    override_style: Literal["space", "equals", "hydra"] = "space"
    order: tuple[str, ...] = ()

    LATER: ClassVar[Mapping[str, object]] = {"directory": ".", "data": (), "override_style": "space", "order": ()}


PLAIN_TERMS = Terms()
"""A command that is run in the root, with nothing beside the code."""
