"""The plan of the adaptive design: all trials that it may run, in their order; where it stops, results say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, get_args

import msgspec

from assay.ablation.adaptive.course import LEVEL
from assay.ablation.adaptive.order import alternatives, default_budget, drawn, fewest_coins, first_look, looks
from assay.ablation.components import merge
from assay.ablation.configurations import configure, plain, settings_of
from assay.ablation.design import Levels, configuration_name, listed, need_components
from assay.ablation.designs import ADAPTIVE
from assay.ablation.plans import check_disjoint, make_plan
from assay.errors import InvalidStudy
from assay.records.factor import Factor
from assay.records.plan import Configuration, DesignOptions, Plan, Splits, Trial, Until
from assay.stats.sequential import fewest

ESTIMAND = "mean change from the baseline level, averaged over all combinations of the other components"
FEASIBLE = "mean change from the baseline level, averaged over the combinations of the other components that the constraints allow"


def adaptive_plan(
    baseline: Any,
    factors: Sequence[Factor],
    seeds: Sequence[int],
    named: Mapping[str, Mapping[str, Any]],
    options: DesignOptions,
    splits: Splits | None = None,
) -> Plan:
    """All trials that the design may run: the baseline and the named configurations, then combinations drawn at random.

    Args:
        baseline: the configuration as it stands.
        factors: components; each level beside the baseline's is compared with it.
        seeds: one for each block, or for each with each split; batches of trials take turns.
        named: combinations beside the design's own; with the baseline they run first, under every seed.
        options: constraints, and the budget: most trials.
        splits: data splits or folds; each makes a block with each seed.

    Raises:
        InvalidStudy: there is no component, the budget is too small for a first look, or as for `make_plan`.
        UnknownParameter: a component or a named configuration sets a key that the baseline does not have.
    """
    merged = merge(factors)
    need_components(merged, ADAPTIVE)
    counts = alternatives(merged)
    budget = _budget(options, counts)
    check_disjoint(baseline, merged)
    # Checks names, settings, constraints and seeds with as few configurations as any design has.
    checked = make_plan(
        "leave-one-out",
        baseline,
        merged,
        seeds,
        named,
        options=msgspec.structs.replace(options, budget=None, resolution=None, priors=False, until="confirmed"),
        splits=splits,
    )
    rows = drawn(merged, options.constraints, len(checked.blocks), budget)
    levels = {configuration_name(row): row for _, row in rows}
    own = [_configuration(baseline, name, row, merged) for name, row in levels.items()]
    extra = [one for one in checked.configurations if one.name in checked.named]
    pairs = [(block, name) for block in range(len(checked.blocks)) for name in ("baseline", *checked.named) if named]
    pairs += [(block, configuration_name(row)) for block, row in rows if not (named and not row)]
    trials = tuple(
        Trial(index=index, configuration=name, block=number, seed=block.seed, split=block.split)
        for index, (number, name) in enumerate(pairs)
        for block in [checked.blocks[number]]
    )
    return Plan(
        design=ADAPTIVE,
        estimand=FEASIBLE if options.constraints else ESTIMAND,
        configurations=(*own, *extra),
        blocks=checked.blocks,
        trials=trials,
        comparisons=sum(counts) + len(named),
        cannot_see=(
            *_blind(counts, len(seeds), splits),
            *(_forced(rows, merged, options) if options.constraints else _too_few(counts, len(checked.blocks), len(rows))),
        ),
        named=checked.named,
        options=options,
        splits=splits,
    )


def first_stop(plan: Plan, factors: int) -> int:
    """Trials before the first look."""
    beside = len(plan.blocks) * (1 + len(plan.named)) if plan.named else 0
    return min(len(plan.trials), beside + first_look(factors))


def batches(plan: Plan, factors: int) -> list[int]:
    """Numbers of trials after which is looked, ascending; the last is all of them."""
    return looks(first_stop(plan, factors), len(plan.trials))


def _budget(options: DesignOptions, counts: Sequence[int]) -> int:
    if options.resolution is not None:
        raise InvalidStudy(
            "the design 'adaptive' has no resolution", value=options.resolution, expected="'fractional' or 'optimal'"
        )
    if options.until not in get_args(Until):
        raise InvalidStudy("the adaptive design stops at no such point", value=options.until, expected="'confirmed' or 'found'")
    if options.budget is None:
        return default_budget(counts)
    least = first_look(sum(counts))
    if options.budget < least:
        raise InvalidStudy(
            "the budget ends before the design may look for the first time",
            value=options.budget,
            expected=f"at least {least} trials for {_components(counts)}",
            next_step="Give it more, or leave the budget out.",
        )
    return options.budget


def _configuration(baseline: Any, name: str, levels: Mapping[str, str], factors: Sequence[Factor]) -> Configuration:
    bare = Configuration(name=name, levels=dict(levels))
    return Configuration(
        name=name, levels=bare.levels, params=plain(configure(baseline, settings_of(bare, factors, {}), component=name))
    )


def _components(counts: Sequence[int]) -> str:
    several = f" with {sum(counts)} levels beside the baseline's" if sum(counts) > len(counts) else ""
    return f"{len(counts)} components{several}"


def _blind(counts: Sequence[int], seeds: int, splits: Splits | None) -> tuple[str, ...]:
    found = [
        "Interactions of three components and more: they are noise to it, and part of every average.",
        "Small effects beside large ones: it stops when what explains the values is clear, not when nothing more could be found.",
    ]
    if max(counts) > 1:
        found.append("Two alternatives of a component beside each other: each is compared with the baseline's level.")
    whole = prod(1 + count for count in counts)
    if whole <= 16:
        found.append(f"Anything sooner than the design 'full', whose {whole} combinations of so few components tell as much.")
    if seeds == 1:
        found.append("Other seeds: with one, effects are those under this seed, and may be others under another.")
    if splits is not None:
        found.append(
            f"Other data: effects are averages over these {len(splits.names)} {splits.parameter}s, and their intervals are about these."
        )
    return tuple(found)


def _too_few(counts: Sequence[int], blocks: int, trials: int) -> list[str]:
    """What coins will hardly tell, since there are so few combinations and seeds: a pair of trials that differ in one component has one coin."""
    most = max(counts)
    in_a_block = prod(1 + count for count in counts) // (1 + most)
    pairs = min(blocks * in_a_block, trials * 2 // (1 + most))
    least = fewest(LEVEL / (2 * sum(counts)))
    if pairs >= 2 * least:
        return []
    return [
        f"Effects of a component with {1 + most} levels, unless they are very large: two of its levels are compared by at most {pairs} coins here. "
        f"It takes {least} at least, and as a rule {2 * least}. More seeds bring more coins; the design 'full' needs none."
    ]


def _forced(rows: Sequence[tuple[int, Levels]], factors: Sequence[Factor], options: DesignOptions) -> list[str]:
    """What coins will hardly tell, since constraints forbid one of the two sides in many of the trials."""
    coins, names = fewest_coins(rows, factors, options.constraints)
    least = fewest(LEVEL / (2 * sum(alternatives(factors))))
    if coins >= 2 * least:
        return []
    return [
        f"The effect of {listed(names)}, unless it is very large: the constraints leave the level to a coin in {coins} trials at most. It takes "
        f"{least} at least, and as a rule {2 * least}. More seeds bring more coins; the design 'full' needs none."
    ]
