"""The plan of the adaptive design: all trials that it may run, in their order; where it stops, results say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec

from assay.ablation.adaptive.order import default_budget, drawn, first_look, looks
from assay.ablation.components import merge
from assay.ablation.configurations import configure, plain, settings_of
from assay.ablation.design import configuration_name, need_two_levels
from assay.ablation.designs import ADAPTIVE
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy
from assay.records.factor import Factor
from assay.records.plan import Configuration, DesignOptions, Plan, Trial, Until

ESTIMAND = "mean change from the baseline level, averaged over all combinations of the other components"
FEASIBLE = "mean change from the baseline level, averaged over the combinations of the other components that the constraints allow"


def adaptive_plan(
    baseline: Any,
    factors: Sequence[Factor],
    seeds: Sequence[int],
    named: Mapping[str, Mapping[str, Any]],
    options: DesignOptions,
) -> Plan:
    """All trials that the design may run: the baseline and the named configurations, then combinations drawn at random.

    Args:
        baseline: the configuration as it stands.
        factors: components, each of one level.
        seeds: one for each block; batches of trials take turns.
        named: combinations beside the design's own; with the baseline they run first, under every seed.
        options: constraints, and the budget: most trials.

    Raises:
        InvalidStudy: a component has several levels, there is none, the budget is too small for a first look, or as for `make_plan`.
        UnknownParameter: a component or a named configuration sets a key that the baseline does not have.
    """
    merged = merge(factors)
    need_two_levels(merged, ADAPTIVE)
    budget = _budget(options, len(merged))
    # Checks names, settings, constraints and seeds; the rows of a resolution III fraction would be needless work.
    checked = make_plan(
        "ladder",
        baseline,
        merged,
        seeds,
        named,
        options=msgspec.structs.replace(options, budget=None, resolution=None, priors=False, until="confirmed"),
    )
    rows = drawn(merged, options.constraints, len(checked.blocks), budget)
    levels = {configuration_name(row): row for _, row in rows}
    own = [_configuration(baseline, name, row, merged) for name, row in levels.items()]
    extra = [one for one in checked.configurations if one.name in checked.named]
    pairs = [(block, name) for block in range(len(checked.blocks)) for name in ("baseline", *checked.named) if named]
    pairs += [(block, configuration_name(row)) for block, row in rows if not (named and not row)]
    trials = tuple(
        Trial(index=index, configuration=name, block=block, seed=checked.blocks[block].seed)
        for index, (block, name) in enumerate(pairs)
    )
    return Plan(
        design=ADAPTIVE,
        estimand=FEASIBLE if options.constraints else ESTIMAND,
        configurations=(*own, *extra),
        blocks=checked.blocks,
        trials=trials,
        comparisons=len(merged) + len(named),
        cannot_see=_blind(len(merged), len(checked.blocks)),
        named=checked.named,
        options=options,
    )


def first_stop(plan: Plan, factors: int) -> int:
    """Trials before the first look."""
    beside = len(plan.blocks) * (1 + len(plan.named)) if plan.named else 0
    return min(len(plan.trials), beside + first_look(factors))


def batches(plan: Plan, factors: int) -> list[int]:
    """Numbers of trials after which is looked, ascending; the last is all of them."""
    return looks(first_stop(plan, factors), len(plan.trials))


def _budget(options: DesignOptions, factors: int) -> int:
    if options.resolution is not None:
        raise InvalidStudy(
            "the design 'adaptive' has no resolution", value=options.resolution, expected="'fractional' or 'optimal'"
        )
    if options.until not in get_args(Until):
        raise InvalidStudy("the adaptive design stops at no such point", value=options.until, expected="'confirmed' or 'found'")
    if options.budget is None:
        return default_budget(factors)
    if options.budget < first_look(factors):
        raise InvalidStudy(
            "the budget ends before the design may look for the first time",
            value=options.budget,
            expected=f"at least {first_look(factors)} trials for {factors} components",
            next_step="Give it more, or leave the budget out.",
        )
    return options.budget


def _configuration(baseline: Any, name: str, levels: Mapping[str, str], factors: Sequence[Factor]) -> Configuration:
    bare = Configuration(name=name, levels=dict(levels))
    return Configuration(
        name=name, levels=bare.levels, params=plain(configure(baseline, settings_of(bare, factors, {}), component=name))
    )


def _blind(factors: int, blocks: int) -> tuple[str, ...]:
    found = [
        "Interactions of three components and more: they are noise to it, and part of every average.",
        "Small effects beside large ones: it stops when what explains the values is confirmed, not when nothing more could be found.",
    ]
    if 2**factors <= 16:
        found.append(f"Anything sooner than the design 'full', whose {2**factors} combinations of so few components tell as much.")
    if blocks == 1:
        found.append("Other seeds: with one, effects are those under this seed, and may be others under another.")
    return tuple(found)
