"""What a user tells the baseline gate, and the settings around a baseline's own. Plain constructors; nothing is run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, get_args

from assay.ablation.components import Range
from assay.ablation.configurations import overlap, plain, value_of
from assay.errors import InvalidStudy
from assay.records.factor import Factor, MetricGoal
from assay.records.gate import GateAsked, Reproducible, Tuned, Tuning

_RANGE_LEVELS = 5
"""Values that a range is walked in where nothing is said: a step is a quarter of it."""


def gate(
    tune: Mapping[str, Sequence[Any]] | None = None,
    *,
    criterion: str = "",
    budget: int | None = None,
    seeds: int | None = None,
    reproducible: Reproducible = "numerical",
    tuning: Tuning = "none",
    tuning_seeds: int = 3,
    other_seeds: bool = False,
) -> GateAsked:
    """What is asked of a baseline before its ablations are believed.

    Args:
        tune: hyperparameters by path, each with the values that it may take, or `assay.between(low, high, log=True)`.
        criterion: metric by which a setting is better; by default the study's first.
        budget: most settings beside the baseline's own. By default one step each way of every hyperparameter; where it is enough for all
            combinations of these steps, all of them.
        seeds: how many of the study's seeds the settings run under; by default all.
        reproducible: what the baseline's second run has to be: "identical", "numerical" (equal up to rounding), "statistical" (it may
            differ, and that is said); "unchecked": there is no second run.
        tuning: "none": hyperparameters are frozen at the baseline's; "same budget": each configuration, the baseline too, gets the best of
            the same settings.
        tuning_seeds: how many seeds, none of them the study's own, each setting is tried under.
        other_seeds: run the baseline under as many other seeds, too: an A/A pair, whose two sides must not differ.

    Raises:
        InvalidStudy: a hyperparameter has no values, a number is too small, a word is none of those above, or there is nothing to tune.

    >>> gate({"lr": [0.01, 0.1, 1.0]}).tune[0].values
    (0.01, 0.1, 1.0)
    """
    for what, number in (("budget", budget), ("seeds", seeds), ("tuning_seeds", tuning_seeds)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            raise InvalidStudy(f"the gate's {what} is no count", value=number, expected="a whole number of at least 1")
    for what, word, words in (("reproducible", reproducible, get_args(Reproducible)), ("tuning", tuning, get_args(Tuning))):
        if word not in words:
            raise InvalidStudy(f"the gate does not know this {what}", value=word, expected=" or ".join(map(repr, words)))
    if not isinstance(criterion, str):
        raise InvalidStudy("the gate's criterion is no metric", value=criterion, expected="the name of one of the study's metrics")
    if not isinstance(other_seeds, bool):
        raise InvalidStudy("other_seeds is no truth value", value=other_seeds, expected="True or False")
    if tune is not None and not isinstance(tune, Mapping):
        raise InvalidStudy(
            "the gate's hyperparameters are no mapping", value=tune, expected="paths, each with its values or its range"
        )
    tuned = tuple(_tuned(path, values) for path, values in (tune or {}).items())
    if tuning != "none" and not tuned:
        raise InvalidStudy(
            "configurations cannot be tuned, since no hyperparameter is named", value=tuning, expected="hyperparameters in `tune`"
        )
    return GateAsked(
        tune=tuned,
        criterion=criterion,
        budget=budget,
        seeds=seeds,
        reproducible=reproducible,
        tuning=tuning,
        tuning_seeds=tuning_seeds,
        other_seeds=other_seeds,
    )


def neighbours(baseline: Any, asked: GateAsked) -> list[dict[str, Any]]:
    """Settings around the baseline's own: one step each way of every hyperparameter, or all combinations where the budget allows.

    Raises:
        UnknownParameter: the baseline does not have a hyperparameter.
        InvalidStudy: its value lies outside the range or is no number, or the budget does not cover one step each way.

    >>> neighbours({"lr": 0.1, "depth": 4}, gate({"lr": [0.01, 0.1, 1.0], "depth": [2, 4]}))
    [{'lr': 0.01}, {'lr': 1.0}, {'depth': 2}]
    """
    steps = {one.path: _steps(one, plain(value_of(baseline, one.path))) for one in asked.tune}
    single = [{path: value} for path, values in steps.items() for value in values]
    if asked.budget is not None and asked.budget < len(single):
        raise InvalidStudy(
            "the gate's budget does not cover one step each way of every hyperparameter",
            value=asked.budget,
            expected=f"at least {len(single)} settings",
            next_step="Raise the budget, or name fewer hyperparameters.",
        )
    ways = [[{}, *({path: value} for value in values)] for path, values in steps.items()]
    if asked.budget is None or math.prod(map(len, ways)) - 1 > asked.budget:
        return single
    every = [{path: value for part in parts for path, value in part.items()} for parts in product(*ways)]
    return sorted((settings for settings in every if settings), key=len)


def setting_name(settings: Mapping[str, Any]) -> str:
    """What reports call a setting.

    >>> setting_name({"lr": 0.01, "depth": 2})
    'lr = 0.01, depth = 2'
    """
    shown = {path: f"{value:g}" if isinstance(value, float) else str(value) for path, value in settings.items()}
    return ", ".join(f"{path} = {value}" for path, value in shown.items())


def check_gate(asked: GateAsked, baseline: Any, goals: Sequence[MetricGoal], factors: Sequence[Factor]) -> None:
    """Nothing, where the gate's hyperparameters and its criterion are the study's.

    Raises:
        UnknownParameter, InvalidStudy: as for `neighbours`; the criterion is no metric of the study; or configurations are tuned, and a
            component sets a hyperparameter itself.
    """
    names = [goal.name for goal in goals]
    if asked.criterion and asked.criterion not in names:
        raise InvalidStudy(
            "the gate's criterion is no metric of the study", value=asked.criterion, expected=" or ".join(map(repr, names))
        )
    neighbours(baseline, asked)
    paths = {one.path: None for one in asked.tune}
    levels = [(factor, level) for factor in factors for level in factor.levels] if asked.tuning != "none" else []
    for factor, level in levels:
        clash = overlap(baseline, level.settings, paths)
        if clash is not None:
            raise InvalidStudy(
                f"{factor.name!r} sets {clash[0]!r}, which is tuned for every configuration",
                value=clash[1],
                expected="components and hyperparameters that are apart",
                next_step="Take it out of the gate's `tune`, or leave the tuning at none.",
            )


def _tuned(path: object, values: object) -> Tuned:
    if not isinstance(path, str) or not path.strip():
        raise InvalidStudy("a hyperparameter of the gate has no name", value=path, expected="a parameter's path")
    if isinstance(values, Range):
        levels = values.levels if values.levels > 2 else _RANGE_LEVELS
        return Tuned(path=path, low=float(values[0]), high=float(values[-1]), levels=levels, log=values.log)
    if isinstance(values, str | bytes) or not isinstance(values, Sequence) or not values:
        raise InvalidStudy(
            f"the hyperparameter {path!r} has nothing that it could be", value=values, expected="a list of values, or a range"
        )
    listed = tuple(plain(value) for value in values)
    for value in listed:
        if not (value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))):
            raise InvalidStudy(
                f"the hyperparameter {path!r} cannot be this", value=value, expected="a number, text, true, false or null"
            )
    return Tuned(path=path, values=listed)


def _steps(one: Tuned, value: Any) -> list[Any]:
    """Values one step below and one above; of values that are no numbers, all the others."""
    if one.low is None or one.high is None:
        return _listed(one, value)
    if not _is_number(value) or not one.low <= value <= one.high:
        raise InvalidStudy(
            f"the baseline's {one.path!r} does not lie in the range that it is tuned over",
            value=value,
            expected=f"a number from {one.low:g} to {one.high:g}",
        )
    found = []
    for way in (-1, 1):
        step = way / (one.levels - 1)
        there = value * (one.high / one.low) ** step if one.log else value + (one.high - one.low) * step
        there = min(max(there, one.low), one.high)
        near = _near(value, there, way)
        if near != value and one.low <= near <= one.high:
            found.append(near)
    return found


def _near(value: float, there: float, way: int) -> float:
    """A value that people write: three digits, and of whole numbers at least the next."""
    if isinstance(value, float):
        return float(f"{there:.3g}")
    return max(round(there), value + 1) if way > 0 else min(round(there), value - 1)


def _listed(one: Tuned, value: Any) -> list[Any]:
    others = [other for other in dict.fromkeys(one.values) if other != value]
    if not others:
        raise InvalidStudy(
            f"the hyperparameter {one.path!r} has no other value than the baseline's", value=value, expected="at least one other"
        )
    if not _is_number(value) or not all(map(_is_number, others)):
        return others
    below, above = [other for other in others if other < value], [other for other in others if other > value]
    return [*([max(below)] if below else []), *([min(above)] if above else [])]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
