"""What the rows of a report's table are made of: every configuration with its trials, summaries and effects."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import NamedTuple

from assay.ablation.components import effect_name
from assay.records.effect import Effect
from assay.records.evidence import PARAMETER_COUNTS, StudyEvidence, TrialResult
from assay.records.plan import Configuration, Plan
from assay.report.numbers import mean_and_deviation

DDOF_NOTE = "mean ± sample standard deviation (ddof 1)"

_ZERO = "exactly 0 at every seed"
"""Of a metric that a change leaves as it was, where the change does something to another."""


class Summary(NamedTuple):
    """One metric of one configuration: mean and standard deviation (ddof 1) of the `n` values that are not NaN, of `planned` trials."""

    mean: float
    std: float
    n: int
    planned: int


class Line(NamedTuple):
    """One configuration: its trials, a summary per metric, and the effects that compare it with the baseline."""

    configuration: Configuration
    trials: tuple[TrialResult, ...]
    summaries: dict[str, Summary]
    effects: dict[str, Effect]
    is_baseline: bool

    @property
    def name(self) -> str:
        """Name of the configuration."""
        return self.configuration.name


_BESIDE = {"leave-one-out": "", "pairs": "", "add-one-in": ", all others off", "ladder": ", beside those before it"}
"""What the line of an effect says of the other components; in all designs that are not here it is an average over them."""


def lines_of(evidence: StudyEvidence) -> list[Line]:
    """One line per configuration of the plan, the baseline first, then one per effect that is no configuration's difference to it.

    Of a design that draws its configurations, the baseline and the named ones alone have a line.
    """
    names = metric_names(evidence) + parameter_counts(evidence)
    plan = evidence.plan
    shown = {plan.configurations[0].name, *plan.named} if is_drawn(plan) else {one.name for one in plan.configurations}
    lines = [_line(evidence, index, one, names) for index, one in enumerate(plan.configurations) if one.name in shown]
    told = {effect.component for line in lines for effect in line.effects.values()}
    others = dict.fromkeys(effect.component for effect in evidence.effects if effect.component not in told)
    return lines + [_compared(evidence, component, names) for component in others]


def is_drawn(plan: Plan) -> bool:
    """Whether combinations were drawn one by one, so that a line for each says nothing."""
    return plan.design == "adaptive"


def drawn_words(plan: Plan) -> str:
    """How many combinations were drawn, and in how many trials."""
    apart = {plan.configurations[0].name, *plan.named}
    trials = [trial for trial in plan.trials if trial.configuration not in plan.named]
    drawn = len({trial.configuration for trial in trials} - apart)
    return f"{drawn} combination{'s were' if drawn != 1 else ' was'} drawn beside the baseline, in {len(trials)} trials"


def change_words(evidence: StudyEvidence, component: str) -> str:
    """What was done to the baseline: "without x" for a removed component, "with x: level" or "with x" for anything else.

    What is neither a component nor a level of one (a group, a curvature, "x, beyond size") keeps its name.
    """
    factor = next((factor for factor in evidence.factors if factor.name == component), None)
    if factor is None:
        level = any(component == effect_name(one, level) for one in evidence.factors for level in one.levels)
        return f"with {component}" if level or component in evidence.plan.named else component
    if len(factor.levels) != 1:  # of definitive screening: from the first of two levels to the second
        return f"{component} from {factor.levels[0].name} to {factor.levels[-1].name}"
    if factor.kind in ("add", "placebo"):
        return f"with {factor.name}"
    return f"without {factor.name}" if factor.kind == "remove" else f"with {factor.name}: {factor.levels[0].name}"


def _compared(evidence: StudyEvidence, component: str, names: Iterable[str]) -> Line:
    """An effect that is no configuration's difference to the baseline: an average over combinations, a step from another one."""
    beside = _BESIDE.get(evidence.plan.design, ", on average")
    return Line(
        configuration=Configuration(name=f"{change_words(evidence, component)}{beside}"),
        trials=(),
        summaries={metric: summarise((), metric, len(evidence.plan.blocks)) for metric in names},
        effects={effect.metric: effect for effect in evidence.effects if effect.component == component},
        is_baseline=False,
    )


def _line(evidence: StudyEvidence, index: int, configuration: Configuration, metrics: Iterable[str]) -> Line:
    trials = tuple(row for row in evidence.rows if row.configuration == configuration.name)
    planned = len(evidence.plan.blocks)
    return Line(
        configuration=configuration,
        trials=trials,
        summaries={metric: summarise(trials, metric, planned) for metric in metrics},
        effects={}
        if index == 0
        else {effect.metric: effect for effect in evidence.effects if _speaks_of(evidence, effect, configuration)},
        is_baseline=index == 0,
    )


def _speaks_of(evidence: StudyEvidence, effect: Effect, configuration: Configuration) -> bool:
    """Whether an effect is the difference between this configuration and the baseline (and not an average over a factorial)."""
    if effect.component == configuration.name:
        return True
    if evidence.plan.design not in ("leave-one-out", "pairs") or len(configuration.levels) != 1:
        return False
    ((factor, level),) = configuration.levels.items()
    return configuration.name not in evidence.plan.named and effect.component in (factor, f"{factor}: {level}")


def summarise(trials: Iterable[TrialResult], metric: str, planned: int) -> Summary:
    """Mean and spread of a metric over the trials that reported a number for it; the others are counted by their absence."""
    values = [row.metrics[metric] for row in trials if metric in row.metrics and not math.isnan(row.metrics[metric])]
    mean, std = mean_and_deviation(values)
    return Summary(mean, std, len(values), planned)


def metric_names(evidence: StudyEvidence) -> list[str]:
    """Metrics the study asks about, in the user's order."""
    return list(dict.fromkeys([goal.name for goal in evidence.goals] + [effect.metric for effect in evidence.effects]))


def parameter_counts(evidence: StudyEvidence) -> list[str]:
    """Metrics that count a model's parameters, where trials report one that is not asked about anyway."""
    asked = set(metric_names(evidence))
    reported = {name for row in evidence.rows for name in row.metrics}
    return [name for name in PARAMETER_COUNTS if name in reported and name not in asked][:1]


def remarks(line: Line, metrics: list[str], results: Collection[str]) -> list[str]:
    """What has to be said of a configuration in words: verdicts on these metrics, failed trials, NaN.

    Args:
        line: the configuration.
        metrics: of which is spoken.
        results: metrics that are no measurements; a change that moves one of them is no no-op on the others.
    """
    said = ["baseline"] if line.is_baseline else []
    acts = any(effect.estimate for metric, effect in line.effects.items() if metric in results)
    verdicts = {
        metric: _ZERO if acts and line.effects[metric].verdict == "no-op" else verdict_words(line.effects[metric])
        for metric in metrics
        if metric in line.effects
    }
    if verdicts and len(set(verdicts.values())) == 1 and (len(verdicts) == 1 or "no-op" in next(iter(verdicts.values()))):
        said.append(next(iter(verdicts.values())))
    else:
        said += [f"{metric}: {words}" for metric, words in verdicts.items()]
    return said + _troubles(line, metrics)


def verdict_words(effect: Effect) -> str:
    """The verdict in a few words, as it stands in a table.

    >>> verdict_words(Effect(component="a", metric="m", estimand="", estimate=0.0, low=0.0, high=0.0, n=3, verdict="no-op", words=""))
    'no-op: nothing changed'
    """
    side = {True: "better", False: "worse", None: "differs"}[effect.better]
    if effect.verdict == "matters":
        small = f", but smaller than {effect.margin:g}" if effect.within_margin and effect.margin else ""
        return f"matters, {side}{small}"
    if effect.verdict == "exact":
        return f"exact, {side}: same at every seed" if effect.estimate else _ZERO
    if effect.verdict == "no-op":
        return "no-op: nothing changed"
    if effect.verdict == "no effect":
        return f"no effect larger than {effect.margin:g}" if effect.margin is not None else "no effect"
    more = effect.seeds_needed - effect.n if effect.seeds_needed else 0
    return f"cannot tell, {more} more seed{'s' * (more > 1)} would" if more > 0 else "cannot tell"


def _troubles(line: Line, metrics: list[str]) -> list[str]:
    said = []
    unfinished = [row for row in line.trials if row.state != "finished"]
    for state in dict.fromkeys(row.state for row in unfinished):
        seeds = [row.seed for row in unfinished if row.state == state]
        said.append(f"{len(seeds)} of {len(line.trials)} {_STATES.get(state, state)} ({seeds_text(seeds)})")
    for metric in metrics:
        nan = [row.seed for row in line.trials if math.isnan(row.metrics.get(metric, 0.0))]
        if nan:
            said.append(f"{metric} NaN ({seeds_text(nan)})")
        silent = [row.seed for row in line.trials if row.state == "finished" and metric not in row.metrics]
        if silent:
            said.append(f"{metric} not reported ({seeds_text(silent)})")
    return said


_STATES = {"queued": "not run"}


def seeds_text(seeds: list[int]) -> str:
    """Seeds as people list them; only the first few of many.

    >>> seeds_text([3]), seeds_text([0, 1, 2])
    ('seed 3', 'seeds 0, 1, 2')
    """
    listed = ", ".join(str(seed) for seed in seeds[:6])
    more = f" and {len(seeds) - 6} more" if len(seeds) > 6 else ""
    return f"seed{'' if len(seeds) == 1 else 's'} {listed}{more}"
