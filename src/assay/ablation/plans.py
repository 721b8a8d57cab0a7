"""Plans: which trials are run, in blocks by seed, and what they can tell. Pure: planning runs nothing and reads no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from assay.ablation.comparisons import compare
from assay.ablation.components import effect_name, merge
from assay.ablation.configurations import check_settings, configure, overlap, plain, same, settings_of
from assay.ablation.constraints import check_constraints
from assay.ablation.controls import controlled
from assay.ablation.design import Levels, configuration_name, pairs, sides_of
from assay.ablation.designs import design_named
from assay.ablation.designs_factorial import groups_of
from assay.ablation.nodes import keys_of
from assay.ablation.telling import aliases_of, blind_spots, check_options, choose, smallest_seen
from assay.errors import InvalidStudy
from assay.records.canonical import canonical
from assay.records.factor import Factor, Patch
from assay.records.plan import PLAIN, Block, Configuration, DesignOptions, Plan, Splits, Trial
from assay.stats.resampling import overlap_inflation

SEED_LIMIT = 2**32
"""Seeds lie below it: NumPy's legacy generator and PYTHONHASHSEED take no larger ones."""


def make_plan(
    design: str,
    baseline: Any,
    factors: Sequence[Factor],
    seeds: int | Sequence[int],
    named: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    base: int = 0,
    options: DesignOptions = PLAIN,
    splits: Splits | None = None,
) -> Plan:
    """The trials of a design, block by block, with what they can and cannot tell.

    Args:
        design: a name of `assay.ablation.designs.DESIGNS`.
        baseline: the configuration as it stands: mapping or dataclass, nested.
        factors: components; several `replace` or `change` of one name become one factor with several levels.
        seeds: how many blocks (the integers from `base` on), or the seeds themselves.
        named: combinations beside the design's own: name to settings by path.
        base: the first seed where `seeds` is a number.
        options: resolution, budget, groups and constraints.
        splits: data splits or folds; each makes a block with each seed.

    Raises:
        InvalidStudy: the design does not exist, is too large or is told what it does not take, a name or a seed is used twice, a component
            changes nothing, constraints contradict the baseline or each other, or two components that are set together set the same parameter.
        UnknownParameter: a component or a named configuration sets a key that the baseline does not have.

    >>> from assay.ablation.components import remove
    >>> plan = make_plan("leave-one-out", {"augment": True}, [remove("augmentation", augment=False)], seeds=2)
    >>> [(trial.configuration, trial.seed) for trial in plan.trials]
    [('baseline', 0), ('without augmentation', 0), ('baseline', 1), ('without augmentation', 1)]
    """
    named = named or {}
    chosen = design_named(design)
    merged = merge(factors)
    check_options(options, chosen)
    check_constraints(options.constraints, merged)
    groups_of(merged, options)  # what groups are about has to exist, whichever design is asked for
    _check(baseline, merged, named, combined=chosen.joint)
    rows = choose(chosen, merged, options)
    configurations = [_configuration(baseline, levels, merged) for levels in rows.combinations]
    configurations += [_named_configuration(baseline, name, settings) for name, settings in named.items()]
    _check_names([configuration.name for configuration in configurations])
    blocks = make_blocks(seeds, base, splits)
    check_parameter(splits, baseline)
    compared = compare(chosen, merged, rows.combinations, options, replaced=rows.replaced)
    beyond = len(controlled(merged, configurations))
    comparisons = len(compared.effects) + len(named) + beyond
    return Plan(
        design=chosen.name,
        estimand=chosen.estimand,
        configurations=tuple(configurations),
        blocks=blocks,
        trials=_trials(configurations, blocks),
        comparisons=comparisons,
        aliases=aliases_of(chosen, merged, compared),
        cannot_see=blind_spots(chosen, merged, compared, rows, options) + _blind_for_seeds(_units(blocks, splits), comparisons),
        detectable=_seen(
            smallest_seen(compared, len(configurations), _units(blocks, splits), len(named) + beyond, spreads=options.spreads),
            splits,
        ),
        named=tuple(named),
        options=options,
        left_out=rows.left_out,
        splits=splits,
    )


def make_blocks(seeds: int | Sequence[int], base: int = 0, splits: Splits | None = None) -> tuple[Block, ...]:
    """One block for each seed, or for each seed with each split.

    Args:
        seeds: how many (the integers from `base` on), or the seeds themselves.
        base: the first seed where `seeds` is a number.
        splits: data splits or folds.

    Raises:
        InvalidStudy: none, a seed twice, or one that is no integer from 0 to 2**32 - 1.

    >>> [block.seed for block in make_blocks(3, base=42)]
    [42, 43, 44]
    """
    chosen = list(range(base, base + seeds)) if isinstance(seeds, int) and not isinstance(seeds, bool) else seeds
    if not isinstance(chosen, Sequence) or isinstance(chosen, str | bytes) or not chosen:
        raise InvalidStudy("a study needs seeds", value=seeds, expected="a number of at least 1, or a list of integers")
    for seed in chosen:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEED_LIMIT:
            raise InvalidStudy("this seed cannot be given to a trial", value=seed, expected="an integer from 0 to 2**32 - 1")
    twice = [seed for seed, times in Counter(chosen).items() if times > 1]
    if twice:
        raise InvalidStudy(
            "a seed is listed twice; the same seed again is no new evidence", value=twice[0], expected="each seed once"
        )
    cells = [(seed, split) for seed in chosen for split in (splits.names if splits else (None,))]
    return tuple(Block(index=index, seed=seed, split=split) for index, (seed, split) in enumerate(cells))


def check_parameter(splits: Splits | None, baseline: Any) -> None:
    """Passes where the configuration has nothing of the name under which trials are told their split.

    Raises:
        InvalidStudy: it has.
    """
    if splits is not None and splits.parameter in keys_of(baseline):
        raise InvalidStudy(
            "the configuration has a parameter of the name that a trial's split is given under",
            value=splits.parameter,
            expected="another name",
            next_step=f'Say {{"count": …, "parameter": "NAME"}}, or take {splits.parameter!r} out of the baseline.',
        )


def _units(blocks: Sequence[Block], splits: Splits | None) -> int:
    """What an effect varies over: seeds, or splits where there are some."""
    return len(blocks) if splits is None else len(splits.names)


def _seen(smallest: float | None, splits: Splits | None) -> float | None:
    if smallest is None or splits is None or splits.test is None:
        return smallest
    return smallest * overlap_inflation(len(splits.names), splits.test)


def _check(baseline: Any, factors: Sequence[Factor], named: Mapping[str, Mapping[str, Any]], *, combined: bool) -> None:
    for factor in factors:
        for level in factor.levels:
            check_settings(baseline, level.settings, component=effect_name(factor, level))
    _check_apart(factors)
    for name, settings in named.items():
        if not name.strip():
            raise InvalidStudy("a named configuration has no name", value=name, expected="text that is not empty")
        if same(plain(configure(baseline, settings, component=name)), plain(baseline)):
            raise InvalidStudy(
                f"the named configuration {name!r} is the baseline", value=dict(settings), expected="at least one other value"
            )
        if name in {factor.name for factor in factors}:
            raise InvalidStudy("a named configuration and a component have the same name", value=name, expected="names that differ")
    if combined:
        check_disjoint(baseline, factors)


def _check_apart(factors: Sequence[Factor]) -> None:
    """Passes where no two levels set the same values, which would be one configuration under two names."""
    made: dict[tuple[bytes, tuple[Patch, ...]], str] = {}
    for factor, level in sides_of(factors):
        if not level.settings:  # of a placebo; and patches, of which the same one twice is made once
            continue
        name = effect_name(factor, level)
        before = made.setdefault((canonical(plain(level.settings)), level.patches), name)
        if before != name:
            raise InvalidStudy(
                f"{before!r} and {name!r} are the same change under two names",
                value=dict(level.settings),
                expected="components and levels that change different things",
                next_step="Take one of them out.",
            )


def check_disjoint(baseline: Any, factors: Sequence[Factor]) -> None:
    """Passes where no two components set the same parameter, so that all of them may be set at once.

    Raises:
        InvalidStudy: two do.
    """
    for first, second in pairs(factors):
        for one in first.levels:
            for other in second.levels:
                clash = overlap(baseline, one.settings, other.settings)
                if clash is not None:
                    raise InvalidStudy(
                        f"{first.name!r} and {second.name!r} cannot be combined: both set {clash[0]!r}",
                        value=clash[1],
                        expected="components that set different parameters",
                        next_step='Make them levels of one component, or use the design "leave-one-out".',
                    )


def _check_names(names: Sequence[str]) -> None:
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise InvalidStudy(
            "two configurations have the same name", value=twice[0], expected="names that differ from the design's own"
        )


def _configuration(baseline: Any, levels: Levels, factors: Sequence[Factor]) -> Configuration:
    bare = Configuration(name=configuration_name(levels), levels=levels)
    params = plain(configure(baseline, settings_of(bare, factors, {}), component=bare.name))
    return Configuration(name=bare.name, levels=levels, params=params)


def _named_configuration(baseline: Any, name: str, settings: Mapping[str, Any]) -> Configuration:
    return Configuration(name=name, params=plain(configure(baseline, settings, component=name)))


def _trials(configurations: Sequence[Configuration], blocks: Sequence[Block]) -> tuple[Trial, ...]:
    rows = [(configuration, block) for block in blocks for configuration in configurations]
    return tuple(
        Trial(index=index, configuration=configuration.name, block=block.index, seed=block.seed, split=block.split)
        for index, (configuration, block) in enumerate(rows)
    )


def _blind_for_seeds(blocks: int, comparisons: int) -> tuple[str, ...]:
    if comparisons == 0:
        return ("Anything: there is only the baseline, so nothing is compared.",)
    if blocks == 1:
        return ("Noise: with one seed no effect has an interval, so a difference cannot be told from chance.",)
    return ()
