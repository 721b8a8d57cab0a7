"""A plan: the trials that a design chose, with what they can and cannot tell. Plain data, independent of where it is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from assay.records.canonical import Record
from assay.records.factor import Constraint


class Configuration(Record, frozen=True, kw_only=True):
    """One combination of levels. `levels` names only the factors that are not at their baseline; `params` is the configuration in full.

    A configuration that is another one with hyperparameters of its own names that one in `of`, and them in `settings`.
    """

    name: str
    levels: dict[str, str] = {}
    params: dict[str, Any] = {}
    of: str = ""
    settings: dict[str, Any] = {}

    LATER: ClassVar[Mapping[str, object]] = {"of": "", "settings": {}}


SplitName = int | str
"""What a data split or a fold is called, and what trials are given of it."""


class Splits(Record, frozen=True, kw_only=True):
    """Data splits or folds that make blocks together with the seeds.

    Attributes:
        names: at least two.
        parameter: how a trial is told: an argument of the function, `{fold}` in a command.
        test: share of the data that each of them tests on, where all are made of the same data, so that their results are not
            independent; None: they are data of their own.
    """

    names: tuple[SplitName, ...]
    parameter: str = "fold"
    test: float | None = None


class Block(Record, frozen=True, kw_only=True):
    """One bundle of seeds (and split) under which every configuration runs once: the unit of pairing."""

    index: int
    seed: int
    split: SplitName | None = None

    LATER: ClassVar[Mapping[str, object]] = {"split": None}


class Trial(Record, frozen=True, kw_only=True):
    """One configuration under one block."""

    index: int
    configuration: str
    block: int
    seed: int
    split: SplitName | None = None

    LATER: ClassVar[Mapping[str, object]] = {"split": None}


Until = Literal["confirmed", "found"]
"""When the adaptive design stops."""
Spreads = Literal["unknown", "alike", "unlike"]
"""What the user knows of how noisy the configurations are."""


class DesignOptions(Record, frozen=True, kw_only=True):
    """What a design is told beside the components.

    Attributes:
        resolution: of a fraction; None: the design's own.
        budget: most configurations that it may choose; None: as many as it needs.
        groups: names of groups, each with its components, for the design that flips them together.
        constraints: which components go together.
        priors: whether the adaptive design's search is told what former studies found.
        until: when the adaptive design stops: once what its search found is confirmed, or once it is found.
        spreads: whether the user knows that all configurations are equally noisy, or that they are not.
    """

    resolution: int | None = None
    budget: int | None = None
    groups: dict[str, tuple[str, ...]] = {}
    constraints: tuple[Constraint, ...] = ()
    priors: bool = False
    until: Until = "confirmed"
    spreads: Spreads = "unknown"

    LATER: ClassVar[Mapping[str, object]] = {"priors": False, "until": "confirmed", "spreads": "unknown"}


PLAIN = DesignOptions()
"""A design that is told nothing."""


class Plan(Record, frozen=True, kw_only=True, tag_field="assay", tag="plan/1"):
    """What will be run, and what it can tell.

    Attributes:
        design: name of the design ("leave-one-out", "fractional" …).
        estimand: what an effect of this design means, in a sentence.
        configurations: the baseline first, then the design's own, then the named ones.
        blocks: seeds, each with each split where there are some.
        trials: block by block, so that what is interrupted leaves whole blocks.
        comparisons: how many effects are asked per metric, and so corrected for.
        aliases: effect to the effects it cannot be told from; a share of one, or its sign, is written before its name.
        cannot_see: in sentences, what this design can not show.
        detectable: smallest effect seen with 80 % power, in standard deviations of the paired difference; None where no interval exists.
        named: names of the configurations beside the design's own.
        options: what the design was told.
        left_out: combinations of the design that the constraints do not allow.
        splits: data splits or folds that make blocks beside the seeds.
    """

    design: str
    estimand: str
    configurations: tuple[Configuration, ...]
    blocks: tuple[Block, ...]
    trials: tuple[Trial, ...]
    comparisons: int
    aliases: dict[str, tuple[str, ...]] = {}
    cannot_see: tuple[str, ...] = ()
    detectable: float | None = None
    named: tuple[str, ...] = ()
    options: DesignOptions = PLAIN
    left_out: tuple[str, ...] = ()
    splits: Splits | None = None

    LATER: ClassVar[Mapping[str, object]] = {"options": PLAIN, "left_out": (), "splits": None}
