"""Interaction indices of a study in which every combination was run: of two components, of three and more, with the noise of the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from assay.ablation.components import effect_name, merge
from assay.ablation.designs_factorial import set_levels
from assay.errors import InvalidStudy, InvalidValue, UnknownMetric
from assay.questions.study.analysis_contrasts import Asked
from assay.questions.study.analysis_models import Estimate, estimate_family
from assay.questions.study.analysis_words import amount_signed, blocks_of, capital, signed, what_would
from assay.questions.study.pairings import Pairing, added_of, pairing
from assay.questions.study.tables import metric_table
from assay.questions.study.verdicts import interaction, seeds_to_decide, verdict_on
from assay.records.effect import Interaction
from assay.records.evidence import StudyEvidence
from assay.records.factor import Factor, MetricGoal
from assay.stats.blocks import of_weights
from assay.stats.indices import INDICES, Index, index_weights
from assay.stats.simultaneous import Array

_NAMES = {"shapley": "Shapley interaction index", "banzhaf": "Banzhaf interaction index", "shapley-taylor": "Shapley-Taylor index"}
_ARE: dict[Pairing, str] = {
    "redundant": "they are redundant",
    "together": "these two only matter together",
    "depends": "the effect of each depends on the other",
}
_LARGEST_SET = 4


def interaction_indices(
    evidence: StudyEvidence, metric: str = "", *, index: str = "shapley", order: int = 2
) -> tuple[Interaction, ...]:
    """The index of every set of `order` components: what they do together beyond what any fewer of them do.

    The value of a set is computed in every seed, so that its interval has the noise of the seeds; all sets are corrected together.

    Args:
        evidence: of a study whose plan runs every combination of components with one level beside the baseline's.
        metric: one of the study's; by default its first.
        index: "shapley", "banzhaf" or "shapley-taylor".
        order: components in a set, 2 to 4.

    Raises:
        InvalidStudy: some combination is not in the plan, so no index can be had.
        InvalidValue: there is no such index, or no set of this order.
        UnknownMetric: the study has no such metric.
    """
    goal = _goal(evidence, metric)
    factors = merge(evidence.factors)
    kind = next((one for one in INDICES if one == index), None)
    if kind is None:
        raise InvalidValue("there is no such interaction index", value=index, expected=", ".join(INDICES))
    if not 2 <= order <= min(_LARGEST_SET, max(2, len(factors))):
        raise InvalidValue(
            "no set of components has this order", value=order, expected=f"2 to {min(_LARGEST_SET, max(2, len(factors)))}"
        )
    columns = _columns(evidence, factors)
    table = metric_table(evidence, goal.name)
    sets = list(combinations(range(len(factors)), order))
    asked = [_asked(one, kind, factors, columns, table.shape[1]) for one in sets]
    family = estimate_family(table, asked, noisy=columns, margin=goal.margin, spreads=evidence.plan.options.spreads)
    added = [added_of((factors[each].name for each in chosen), factors) for chosen in sets]
    needed = [seeds_to_decide(one, family, goal) for one in family.estimates]
    told = zip(family.estimates, sets, added, needed, strict=True)
    said = [_words(table, one, chosen, put_in, goal, kind, columns, seeds) for one, chosen, put_in, seeds in told]
    return tuple(interaction(one, goal, words) for one, words in zip(family.estimates, said, strict=True))


def shapley_interactions(evidence: StudyEvidence) -> tuple[Interaction, ...]:
    """Shapley interaction indices of every two components on every metric; none where the design is another, or its orders were drawn."""
    whole = 2 ** len(evidence.factors) == len(evidence.plan.configurations) - len(evidence.plan.named)
    if evidence.plan.design != "shapley" or len(evidence.factors) < 2 or not whole:
        return ()
    return tuple(one for goal in evidence.goals for one in interaction_indices(evidence, goal.name))


def _goal(evidence: StudyEvidence, metric: str) -> MetricGoal:
    found = [goal for goal in evidence.goals if goal.name == metric or not metric]
    if not found:
        raise UnknownMetric("the study has no such metric", value=metric, expected=", ".join(goal.name for goal in evidence.goals))
    return found[0]


def _columns(evidence: StudyEvidence, factors: Sequence[Factor]) -> list[int]:
    """The configuration of every set of flipped components, by its bits."""
    own = {
        frozenset(configuration.levels.items()): index
        for index, configuration in enumerate(evidence.plan.configurations)
        if configuration.name not in evidence.plan.named
    }
    if len(factors) > 1 and all(len(factor.levels) == 1 for factor in factors) and 2 ** len(factors) <= len(own):
        wanted = [frozenset(set_levels(chosen, factors).items()) for chosen in range(2 ** len(factors))]
        if all(one in own for one in wanted):
            return [own[one] for one in wanted]
    raise InvalidStudy(
        "an interaction index needs every combination of two or more components with two levels",
        value=evidence.plan.design,
        expected='the design "full", or "shapley" without a budget',
        next_step="What is aliased in this design stands with its effects by name.",
    )


def _asked(chosen: Sequence[int], index: Index, factors: Sequence[Factor], columns: Sequence[int], width: int) -> Asked:
    weights = np.zeros(width)
    weights[list(columns)] = index_weights(len(factors), sum(1 << each for each in chosen), index)
    names = tuple(effect_name(factors[each], factors[each].levels[0]) for each in chosen)
    estimand = f"{_NAMES[index]}: what flipping {_and(names)} together does beyond flipping fewer of them, averaged over the others"
    return Asked(names, of_weights(weights), estimand, f"flipping {_and(names)}", "", "")


def _words(
    table: Array,
    one: Estimate,
    chosen: Sequence[int],
    added: int,
    goal: MetricGoal,
    index: Index,
    columns: Sequence[int],
    needed: int | None,
) -> str:
    names = _and(one.asked.components)
    if one.kind in ("none", "single"):
        return f"Cannot tell what {names} do together on {goal.name}: more seeds, or combinations that gave values, would."
    verdict = verdict_on(one, goal)
    if verdict == "no effect":
        return capital(f"{names} have no interaction on {goal.name} larger than {goal.margin:g} ({signed(one)}).")
    if verdict == "cannot tell":
        return f"Cannot tell whether {names} interact on {goal.name}: {signed(one)}; {what_would(one, needed)}."
    if one.estimate == 0:
        return f"{names} do not interact on {goal.name}: exactly 0 in {blocks_of(one)}."
    meaning = _meaning(table, one, index, columns, chosen, added) if len(chosen) == 2 else ""
    test = one.comparison
    size = amount_signed(one.estimate, test.low, test.high) if test else signed(one)
    return capital(f"{names} interact on {goal.name}{meaning} ({_NAMES[index]} {size}).")


def _meaning(table: Array, one: Estimate, index: Index, columns: Sequence[int], chosen: Sequence[int], added: int) -> str:
    """Whether one of the two does the work of both, or neither does anything without the other; by what each does alone and given the other."""
    means = np.nanmean(table, axis=0)[list(columns)]
    count = len(columns).bit_length() - 1
    a, b = (1 << each for each in chosen)
    shares = index_weights(count, a | b, index)
    rest = [(states, shares[states]) for states in range(len(columns)) if not states & (a | b)]
    alone = [sum(share * (means[states | bit] - means[states]) for states, share in rest) for bit in (a, b)]
    given = [sum(share * (means[states | a | b] - means[states | other]) for states, share in rest) for other in (b, a)]
    test = one.comparison
    noise = 0.0 if test is None else (test.high - test.low) / 2
    noise = max(noise, 1e-9 * abs(one.estimate))
    if all(abs(value) <= noise < abs(each) for value, each in zip(alone, given, strict=True)):
        return f": {_ARE[pairing('alone', added)]}, flipping either alone does nothing that can be seen, flipping both does"
    if all(abs(value) <= noise < abs(each) for value, each in zip(given, alone, strict=True)):
        does = "gives all that both give" if added == 2 else "takes all that both give"
        return f": {_ARE[pairing('given', added)]}, flipping either {does}"
    return ": the effect of each depends on the other"


def _and(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
