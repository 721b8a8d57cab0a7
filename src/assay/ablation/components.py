"""What a user says a study is about: components, metrics and hypotheses. Plain constructors of records; nothing is run or looked up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from assay.errors import InvalidStudy
from assay.records.factor import Factor, FactorKind, Hypothesis, Level, MetricGoal

REMOVED = "removed"
"""Name of the one level of a component that is removed."""

ADDED = "added"
"""Name of the one level of a component that is added."""

PLACEBO = "does nothing"
"""Name of the one level of a placebo."""


class Range(list[float]):
    """Values of a range, its ends included, that remembers how it was walked.

    Attributes:
        levels: how many values.
        log: they are apart by even ratios.
    """

    levels: int = 2
    log: bool = False


def remove(
    name: str, values: Mapping[str, Any] | None = None, /, *, matched: Mapping[str, Any] | None = None, **settings: Any
) -> Factor:
    """A component that the study takes away.

    Args:
        name: what the report calls it.
        values: parameter paths and the values they take without the component: `{"model.depth": 1}`.
        matched: paths and values of a control that has the component and is as small (or as fast) as the system without it; the removal
            is then compared with that control too.
        settings: the same as keywords, where a double underscore stands for a dot: `model__depth=1`.

    Raises:
        InvalidStudy: the name is empty, or nothing is set, or a path is set twice.

    >>> remove("augmentation", augment=False).levels[0].settings
    {'augment': False}
    """
    return _factor("remove", name, REMOVED, values, settings, matched)


def replace(
    name: str,
    alternative: str,
    values: Mapping[str, Any] | None = None,
    /,
    *,
    matched: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Factor:
    """A component that the study replaces by an alternative. Several `replace` of one name are alternatives of one component.

    Args:
        name: what the report calls the component as it stands in the baseline.
        alternative: what it calls the thing in its place.
        values: parameter paths and the values they take with the alternative.
        matched: of a control, as for `remove`.
        settings: the same as keywords, where a double underscore stands for a dot.

    Raises:
        InvalidStudy: a name is empty, or nothing is set, or a path is set twice.

    >>> replace("focal loss", "cross entropy", loss="ce").levels[0].name
    'cross entropy'
    """
    return _factor("replace", name, alternative, values, settings, matched)


def change(
    name: str,
    level: str,
    values: Mapping[str, Any] | None = None,
    /,
    *,
    matched: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Factor:
    """A component that the study sets to another level. Several `change` of one name are levels of one component.

    Args:
        name: what the report calls the component.
        level: what it calls the level.
        values: parameter paths and the values they take at this level.
        matched: of a control, as for `remove`.
        settings: the same as keywords, where a double underscore stands for a dot.

    Raises:
        InvalidStudy: a name is empty, or nothing is set, or a path is set twice.

    >>> change("depth", "one layer", model__depth=1).levels[0].settings
    {'model.depth': 1}
    """
    return _factor("change", name, level, values, settings, matched)


def add(name: str, values: Mapping[str, Any] | None = None, /, **settings: Any) -> Factor:
    """A component that the baseline does not have, and that the study puts in.

    Args:
        name: what the report calls it.
        values: parameter paths and the values they take with the component.
        settings: the same as keywords, where a double underscore stands for a dot.

    Raises:
        InvalidStudy: the name is empty, or nothing is set, or a path is set twice.

    >>> add("mixup", mixup=0.2).kind
    'add'
    """
    return _factor("add", name, ADDED, values, settings)


def placebo(name: str = "placebo", values: Mapping[str, Any] | None = None, /, **settings: Any) -> Factor:
    """A component that does nothing: whatever it shows is a false alarm of the whole pipeline.

    Args:
        name: what the report calls it.
        values: parameter paths that nothing depends on, and other values for them. Without any, it is the baseline run again, each time as
            a run of its own.
        settings: the same as keywords, where a double underscore stands for a dot.

    Raises:
        InvalidStudy: the name is empty, or a path is set twice.

    >>> placebo().kind
    'placebo'
    """
    if values or settings:
        return _factor("placebo", name, PLACEBO, values, settings)
    return Factor(name=_named("component", name), kind="placebo", levels=(Level(name=PLACEBO),))


def controls(factors: Iterable[Factor]) -> dict[str, dict[str, Any]]:
    """Matched controls as named configurations: name to settings.

    >>> controls([remove("attention", attention=False, matched={"width": 80})])
    {'attention, matched': {'width': 80}}
    """
    return {control_name(factor, level): dict(level.matched) for factor in factors for level in factor.levels if level.matched}


def control_name(factor: Factor, level: Level) -> str:
    """What reports call the matched control of a level."""
    return f"{effect_name(factor, level)}, matched"


def vary(name: str, path: str, values: Sequence[Any]) -> Factor:
    """A parameter that the study sets to several values, each a level that is called by its value.

    Args:
        name: what the report calls it.
        path: where the parameter is.
        values: other values than the baseline's; `between` gives those of a range.

    Raises:
        InvalidStudy: the name or the path is empty, or there are no values, or one comes twice.

    >>> [level.name for level in vary("dropout", "model.dropout", between(0.0, 0.5)).levels]
    ['0', '0.5']
    """
    if isinstance(values, str | bytes) or not isinstance(values, Sequence) or not values:
        raise InvalidStudy(f"{name!r} is varied over no values", value=values, expected="a list of at least one value")
    levels = tuple(_factor("change", name, _level_name(value), {path: value}, {}).levels[0] for value in values)
    factor = Factor(name=name, kind="change", levels=levels)
    _check_levels(factor)
    return factor


def between(low: float, high: float, levels: int = 2, *, log: bool = False) -> Range:
    """Values from `low` to `high`, both included, evenly apart (or by even ratios). Between whole ends, whole values are whole numbers.

    Raises:
        InvalidStudy: the ends are no finite numbers in this order, a ratio needs ends above 0, or there are fewer than two levels.

    >>> between(0.0, 0.5, levels=3), between(0.001, 0.1, levels=3, log=True), between(2, 10, levels=3)
    ([0.0, 0.25, 0.5], [0.001, 0.01, 0.1], [2, 6, 10])
    """
    if not all(_is_number(end) for end in (low, high)) or not low < high or (log and low <= 0):
        expected = "two finite numbers, the smaller first" + (", above 0" if log else "")
        raise InvalidStudy("this is no range", value=(low, high), expected=expected)
    if isinstance(levels, bool) or not isinstance(levels, int) or levels < 2:
        raise InvalidStudy("a range has too few levels", value=levels, expected="a whole number of at least 2")
    inner = [index / (levels - 1) for index in range(1, levels - 1)]
    # Twelve digits, so that a level is called 0.01 and not 0.010000000000000002.
    middle = [float(f"{low * (high / low) ** part if log else low + (high - low) * part:.12g}") for part in inner]
    if isinstance(low, int) and isinstance(high, int):  # a script that takes a number of layers refuses 6.0
        middle = [int(value) if value == int(value) else value for value in middle]
    found = Range([low, *middle, high])
    found.levels, found.log = levels, log
    return found


def maximize(
    name: str,
    *,
    margin: float | None = None,
    measured: bool = False,
    range: tuple[float, float] | None = None,  # noqa: A002
) -> MetricGoal:
    """A metric of which more is better.

    Args:
        name: as the trial reports it.
        margin: smallest difference that would matter, in the metric's unit; without one, equality is never claimed.
        measured: a measurement (time, memory): compared, but never part of a no-op or of sameness.
        range: lowest and highest value that it can have; one outside is a finding.

    Raises:
        InvalidStudy: the name is empty, the margin is not a positive finite number, or the range is no two numbers in their order.

    >>> maximize("accuracy", margin=0.005).goal
    'maximize'
    """
    return MetricGoal(
        name=_named("metric", name), goal="maximize", margin=_margin(name, margin), measured=measured, range=_range(name, range)
    )


def minimize(
    name: str,
    *,
    margin: float | None = None,
    measured: bool = False,
    range: tuple[float, float] | None = None,  # noqa: A002
) -> MetricGoal:
    """A metric of which less is better; arguments and errors as for `maximize`.

    >>> minimize("latency_ms", measured=True).measured
    True
    """
    return MetricGoal(
        name=_named("metric", name), goal="minimize", margin=_margin(name, margin), measured=measured, range=_range(name, range)
    )


def hypothesis(component: str, *, raises: str | None = None, lowers: str | None = None, by: float = 0.0) -> Hypothesis:
    """What is expected before the runs: that the baseline's `component` raises or lowers a metric.

    Args:
        component: name of a component, "name: level" for one level of it, or the name of a named configuration.
        raises: the metric that is higher with the component (or under the named configuration).
        lowers: the metric that is lower with it.
        by: by at least how much, in the metric's unit, 0 or more.

    Raises:
        InvalidStudy: not exactly one of `raises` and `lowers` is given, or `by` is negative or not finite.

    >>> hypothesis("augmentation", raises="accuracy", by=0.01).direction
    'raises'
    """
    if (raises is None) == (lowers is None):
        raise InvalidStudy(
            f"the hypothesis on {component!r} does not say one direction",
            value={"raises": raises, "lowers": lowers},
            expected="either raises=METRIC or lowers=METRIC",
        )
    if not _is_number(by) or by < 0:
        raise InvalidStudy(f"the hypothesis on {component!r} has a threshold that is no size", value=by, expected="by >= 0")
    metric = raises if raises is not None else lowers
    return Hypothesis(
        component=_named("component", component),
        metric=_named("metric", metric),
        direction="raises" if raises is not None else "lowers",
        by=float(by),
    )


def merge(components: Iterable[Factor]) -> tuple[Factor, ...]:
    """Components with several `replace` or `change` of one name made one factor with several levels, in the order given.

    Raises:
        InvalidStudy: a component is removed twice, appears as two kinds, or has a level twice.
    """
    merged: dict[str, Factor] = {}
    for factor in components:
        before = merged.get(factor.name)
        merged[factor.name] = factor if before is None else _join(before, factor)
    for factor in merged.values():
        _check_levels(factor)
    return tuple(merged.values())


def effect_name(factor: Factor, level: Level) -> str:
    """What reports call the effect of this level: the component, with the level where there are several.

    >>> effect_name(*(lambda f: (f, f.levels[0]))(remove("dropout", p=0)))
    'dropout'
    """
    return factor.name if len(factor.levels) == 1 else f"{factor.name}: {level.name}"


def check_hypotheses(
    hypotheses: Sequence[Hypothesis], factors: Sequence[Factor], goals: Sequence[MetricGoal], named: Iterable[str] = ()
) -> None:
    """Passes where every hypothesis names a component (or level, or named configuration) and a metric of the study.

    Raises:
        InvalidStudy: one does not; the message names those that exist and the nearest.
    """
    components = [factor.name for factor in factors]
    components += [effect_name(factor, level) for factor in factors if len(factor.levels) > 1 for level in factor.levels]
    components += list(named)
    metrics = [goal.name for goal in goals]
    for item in hypotheses:
        for what, name, known in (("component", item.component, components), ("metric", item.metric, metrics)):
            if name not in known:
                raise InvalidStudy(
                    f"a hypothesis is about a {what} that the study does not have",
                    value=name,
                    expected="one of " + ", ".join(map(repr, known)),
                    next_step=_nearest(name, known),
                )


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else ""


def _factor(
    kind: FactorKind,
    name: str,
    level: str,
    values: Mapping[str, Any] | None,
    settings: Mapping[str, Any],
    matched: Mapping[str, Any] | None = None,
) -> Factor:
    _named("component", name)
    _named(f"level of {name!r}", level)
    paths = dict(values or {})
    for key, value in settings.items():
        path = key.replace("__", ".")
        if path in paths:
            raise InvalidStudy(f"the component {name!r} sets a parameter twice", value=path, expected="each parameter once")
        paths[path] = value
    if not paths:
        raise InvalidStudy(
            f"the component {name!r} sets nothing, so nothing would change",
            expected="at least one parameter",
            next_step=f'Say what differs, such as {kind}("{name}", …, parameter=value).',
        )
    for path in paths:
        _named(f"parameter of {name!r}", path)
    return Factor(name=name, kind=kind, levels=(Level(name=level, settings=paths, matched=_matched(name, matched)),))


def _matched(name: str, matched: Mapping[str, Any] | None) -> dict[str, Any]:
    if matched is not None and (not isinstance(matched, Mapping) or not matched):
        raise InvalidStudy(
            f"the matched control of {name!r} sets nothing",
            value=matched,
            expected="parameter paths with values, such as {'width': 80}",
        )
    return {_named(f"parameter of {name!r}", path): value for path, value in (matched or {}).items()}


def _join(first: Factor, second: Factor) -> Factor:
    if first.kind != second.kind or first.kind in ("remove", "add", "placebo"):
        kinds = first.kind if first.kind == second.kind else f"{first.kind} and {second.kind}"
        raise InvalidStudy(
            f"two components have the same name ({kinds})",
            value=first.name,
            expected="one name for each component; several levels of one component by replace or by change",
            next_step="Give one of them another name.",
        )
    return Factor(name=first.name, kind=first.kind, levels=first.levels + second.levels)


def _check_levels(factor: Factor) -> None:
    names = [level.name for level in factor.levels]
    if not names:
        raise InvalidStudy("a component has no level to flip to", value=factor.name, expected="at least one")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidStudy(f"the component {factor.name!r} has a level twice", value=twice[0], expected="each level once")


def _named(what: str, name: object) -> str:
    if not isinstance(name, str) or not name.strip():
        raise InvalidStudy(f"a {what} has no name", value=name, expected="text that is not empty")
    return name


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _level_name(value: object) -> str:
    """What tables call a value: a number as it is usually written, other things as Python shows them."""
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return value if isinstance(value, str) else repr(value)


def _margin(name: str, margin: float | None) -> float | None:
    if margin is None:
        return None
    if not _is_number(margin) or margin <= 0:
        raise InvalidStudy(f"the margin of {name!r} is no size", value=margin, expected="a positive number in the metric's unit")
    return float(margin)


def _range(name: str, ends: object) -> tuple[float, float] | None:
    if ends is None:
        return None
    if not isinstance(ends, tuple | list) or len(ends) != 2 or any(isinstance(end, bool) for end in ends):
        raise InvalidStudy(f"the range of {name!r} is no range", value=ends, expected="its lowest and its highest value, (0, 1)")
    low, high = ends
    # An end may be infinite: a loss has no highest value.
    if not all(isinstance(end, int | float) for end in ends) or not low < high:
        raise InvalidStudy(f"the range of {name!r} is no range", value=ends, expected="two numbers, the smaller first")
    return float(low), float(high)
