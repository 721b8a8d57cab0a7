"""A plan: the trials that a design chose, with what they can and cannot tell. Plain data, independent of where it is run."""

from __future__ import annotations

from typing import Any

from assay.records.canonical import Record


class Configuration(Record, frozen=True, kw_only=True):
    """One combination of levels. `levels` names only the factors that are not at their baseline; `params` is the configuration in full."""

    name: str
    levels: dict[str, str] = {}
    params: dict[str, Any] = {}


class Block(Record, frozen=True, kw_only=True):
    """One bundle of seeds under which every configuration runs once: the unit of pairing."""

    index: int
    seed: int


class Trial(Record, frozen=True, kw_only=True):
    """One configuration under one block."""

    index: int
    configuration: str
    block: int
    seed: int


class Plan(Record, frozen=True, kw_only=True, tag_field="assay", tag="plan/1"):
    """What will be run, and what it can tell.

    Attributes:
        design: "leave-one-out" or "full".
        estimand: what an effect of this design means, in a sentence.
        configurations: the baseline first, then the design's own, then the named ones.
        blocks: seeds.
        trials: block by block, so that what is interrupted leaves whole blocks.
        comparisons: how many effects are asked per metric, and so corrected for.
        aliases: effect to the effects it cannot be told from.
        cannot_see: in sentences, what this design can not show.
        detectable: smallest effect seen with 80 % power, in standard deviations of the paired difference; None where no interval exists.
        named: names of the configurations beside the design's own.
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
