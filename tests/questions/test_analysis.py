"""What the trials of a study say: planted truths found, and what must never be said."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assay.ablation.components import change, hypothesis, maximize, minimize, remove, replace
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy, InvalidValue, UnknownMetric
from assay.execution.protocol import Outcome
from assay.questions.study.analysis import analyse
from assay.records.plan import DesignOptions
from assay.stats.blocks import additive_residual
from assay.stats.paired import paired_t
from assay.stats.simultaneous import critical_value

SEEDS = np.array(
    [
        [92.1, 91.8, 90.9, 92.0],
        [93.4, 93.0, 92.1, 93.6],
        [91.0, 90.9, 89.7, 91.2],
        [92.8, 92.2, 91.6, 92.7],
        [93.9, 93.7, 92.5, 94.1],
    ]
)
A, B, C = remove("a", a=0), remove("b", b=0), remove("c", c=0)
BASELINE = {"a": 1, "b": 1, "c": 1}


class Asked(NamedTuple):
    factors: tuple
    goals: tuple
    hypotheses: tuple = ()


ACCURACY = (maximize("acc"),)


def study(
    train,
    *,
    design="leave-one-out",
    factors=(A, B, C),
    goals=ACCURACY,
    seeds=5,
    named=None,
    hypotheses=(),
    lost=lambda t: None,
    order=None,
    spreads="unknown",
):
    """The analysis of a function of (params, block), whose trials `lost` may give another state."""
    plan = make_plan(design, BASELINE, factors, seeds, named, options=DesignOptions(spreads=spreads))
    params = {configuration.name: configuration.params for configuration in plan.configurations}
    outcomes = []
    for trial in plan.trials:
        state = lost(trial) or "finished"
        metrics = train(params[trial.configuration], trial.block) if state == "finished" else {}
        outcomes.append(Outcome(trial, "run", state, metrics, None, False, 1.0))
    if order is not None:
        outcomes = [outcomes[i] for i in order.permutation(len(outcomes))]
    return analyse(Asked(tuple(factors), tuple(goals), tuple(hypotheses)), plan, outcomes)


def from_table(table, **options):
    """A leave-one-out study of a table with the baseline in column 0."""
    column = {(1, 1, 1): 0, (0, 1, 1): 1, (1, 0, 1): 2, (1, 1, 0): 3}
    return study(lambda p, block: {"acc": float(table[block, column[p["a"], p["b"], p["c"]]])}, seeds=len(table), **options)


def noisy(truth, sd=0.01, salt=0):
    """`truth(params)` with noise of its own for each configuration, and a common one for each block."""

    def train(p, block):
        common = np.random.default_rng([salt, block, 99]).normal()
        return {"acc": truth(p) + sd * (common + np.random.default_rng([salt, block, p["a"], p["b"], p["c"]]).normal())}

    return train


def kinds(analysis):
    return {(finding.kind, finding.about) for finding in analysis.findings}


def test_reference_of_the_field():
    """Statistics, reference values: blocked Dunnett to every digit given."""
    effects = from_table(SEEDS, goals=[maximize("acc", margin=0.5)]).effects
    assert [effect.component for effect in effects] == ["a", "b", "c"]
    assert [f"{effect.p:.3g}" for effect in effects] == ["0.00717", "1.06e-08", "0.676"]
    assert {effect.method for effect in effects} == {"blocked Dunnett"}
    assert [round((effect.high - effect.low) / 2, 5) for effect in effects] == [0.22818] * 3
    assert [effect.verdict for effect in effects] == ["matters", "matters", "no effect"]
    assert effects[0].words == "Removing a lowers acc by 0.32 [0.09, 0.55]: a helps."
    assert effects[2].words.startswith("Removing c has no effect on acc larger than 0.5 (difference 0.08 [−0.15, 0.31])")
    assert effects[0].better is False and effects[2].better is None and effects[0].n == 5


def test_a_user_who_knows_the_spreads_can_say_so():
    """A baseline twice as noisy: alike is blocked Dunnett all the same, unlike is Student's pairs under Holm, unknown is the wider of two."""
    table = np.random.default_rng(5).normal(size=(6, 4)) * [2, 1, 1, 1] + [0, 1, 2, 3]
    unknown, alike, unlike = (from_table(table, spreads=one) for one in ("unknown", "alike", "unlike"))
    half = critical_value(15, (3,)) * math.sqrt(2 * additive_residual(table).mean_square / 6)
    assert [(one.high - one.low) / 2 for one in alike.effects] == pytest.approx([half] * 3)
    assert all(one.high - one.low > 2 * half for one in unknown.effects)
    own = [paired_t(table[:, column] - table[:, 0], comparisons=3) for column in (1, 2, 3)]
    assert [one.low for one in unlike.effects] == pytest.approx([one.low for one in own])
    assert {one.method for one in unlike.effects} == {"Holm over paired t"}
    assert ("method switched", "acc") in kinds(unlike) and "the study says that spreads are unlike" in unlike.findings[-1].text
    assert "taken to be equally noisy, as the study says" in alike.notes[0]
    assert not any(kind == "unlike noise" for kind, _ in kinds(alike))


def test_without_a_margin_equality_is_never_claimed():
    effect = from_table(SEEDS).effects[2]
    assert effect.verdict == "cannot tell" and effect.margin is None
    assert effect.seeds_needed > 5 and f"about {effect.seeds_needed - 5} more seeds would" in effect.words
    assert f"({effect.seeds_needed} in all, 80 % power), if the difference is what it seems" in effect.words


def test_a_difference_that_matters_but_is_small():
    """Both claims at once: it is not 0, and it is smaller than the margin."""
    effect = from_table(SEEDS, goals=[maximize("acc", margin=1)]).effects[0]
    assert effect.verdict == "matters" and effect.within_margin and "but by less than 1" in effect.words


def test_the_goal_decides_who_is_better():
    effects = from_table(SEEDS, goals=[minimize("acc")]).effects
    assert effects[0].better is True and effects[0].words.endswith("a hurts.")
    assert effects[0].superiority == 1.0 and 0.47 < effects[0].superiority_low < 0.48
    swapped = [replace("loss", "ce", a=0), change("depth", "one", b=0), C]
    words = [effect.words for effect in from_table(SEEDS, factors=swapped).effects]
    assert words[0].startswith("Replacing loss by ce lowers") and words[0].endswith("loss is better.")
    assert words[1].startswith("Setting depth to one lowers") and words[1].endswith("the baseline's depth is better.")


def test_one_comparison_is_a_paired_t():
    train = noisy(lambda p: 0.1 * p["a"])
    effect = study(train, factors=[A]).effects[0]
    differences = [train({**BASELINE, "a": 0}, b)["acc"] - train(BASELINE, b)["acc"] for b in range(5)]
    assert effect.method == "paired t" and effect.p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)
    assert effect.differences == pytest.approx(differences)


def test_named_configurations_are_compared_and_counted():
    """They share the correction: each interval is wider than without them."""
    train = noisy(lambda p: 0.05 * p["a"])
    alone, beside = study(train), study(train, named={"plain": {"a": 0, "b": 0}})
    assert beside.effects[-1].component == "plain" and "'plain' " in beside.effects[-1].words
    assert all(effect.method == "blocked Dunnett" for effect in beside.effects)
    assert "corrected for 4 comparisons" in " ".join(beside.notes) and "corrected for 3" in " ".join(alone.notes)


def test_unlike_noise_neither_drowns_the_others_nor_is_flattered_and_is_said():
    """One variant is 30 times as noisy: its interval is that of its own spread, corrected, and the others' is without it."""
    rng = np.random.default_rng(0)
    table = np.column_stack(
        [np.zeros(8), 0.5 + rng.normal(size=8) * 0.1, np.resize([3.0, -2.9], 8), np.resize([0.1, -0.08, 0.05], 8)]
    )
    result = from_table(table)
    assert ("unlike noise", "acc") in kinds(result)
    assert [effect.verdict for effect in result.effects] == ["matters", "cannot tell", "cannot tell"]
    own = stats.ttest_1samp(table[:, 2], 0)
    interval = own.confidence_interval(1 - 0.05 / 3)
    assert own.pvalue < result.effects[1].p <= 1
    assert (result.effects[1].low, result.effects[1].high) == pytest.approx((interval.low, interval.high), rel=0.04)
    assert result.effects[0].high - result.effects[0].low < 0.3


def test_one_seed_gives_an_estimate_and_no_interval():
    for effect in from_table(SEEDS[:1]).effects:
        assert effect.verdict == "cannot tell" and effect.n == 1
        assert math.isnan(effect.low) and math.isnan(effect.p) and math.isfinite(effect.estimate)
        assert "one seed" in effect.words


def test_a_component_that_changes_nothing_is_a_no_op():
    """Exactly 0 in every block and in every result metric; times do not count, and are compared apart."""
    rng = np.random.default_rng(1)

    def train(p, block):
        return {"acc": 0.1 * p["a"] * (1 + block % 3), "loss": float(p["a"] * block), "seconds": rng.random()}

    result = study(train, goals=[maximize("acc", margin=0.01), minimize("seconds", measured=True)])
    assert {("no-op", "b"), ("no-op", "c")} <= kinds(result) and ("no-op", "a") not in kinds(result)
    [finding] = [finding for finding in result.findings if finding.about == "b"]
    assert "changed nothing at all" in finding.text
    effects = {(effect.component, effect.metric): effect for effect in result.effects}
    assert effects["b", "acc"].verdict == "no-op" and effects["b", "acc"].estimate == 0 and math.isnan(effects["b", "acc"].p)
    assert effects["b", "seconds"].verdict in ("cannot tell", "matters")


def test_a_component_that_changes_another_metric_is_no_no_op():
    """Exactly 0 in the metric that is asked about is said as such, with what did change; no finding accuses the component."""
    result = study(lambda p, block: {"acc": 0.5 + 0.01 * block, "loss": p["a"] + 0.1 * block})
    assert ("no-op", "a") not in kinds(result) and ("no-op", "b") in kinds(result)
    assert result.effects[0].verdict == "no-op" and "it does change loss" in result.effects[0].words


def test_equal_measurements_are_no_no_op():
    result = study(lambda p, block: {"peak": 100.0}, goals=[minimize("peak", measured=True)])
    assert {effect.verdict for effect in result.effects} == {"exact"}
    assert not any(kind == "no-op" for kind, _ in kinds(result))


def test_a_constant_difference_is_exact():
    """The same in every block up to rounding: the value, no interval, no p-value, nothing divided by zero."""
    result = study(lambda p, block: {"acc": 0.1 * block - 0.3 * (1 - p["a"]) + 1e-16 * p["b"]}, goals=[maximize("acc", margin=0.5)])
    one, tiny, _ = result.effects
    assert one.verdict == "exact" and one.estimate == pytest.approx(-0.3) and one.better is False and one.within_margin
    assert all(map(math.isnan, (one.low, one.high, one.p, one.d_z)))
    assert "exactly so in all 5 seeds" in one.words
    assert tiny.verdict in ("exact", "no-op") and tiny.estimate == 0 and tiny.better is None


def test_an_exact_component_does_not_flatter_the_noise_of_the_others():
    """A copy of the baseline beside a noisy component adds no residual degrees of freedom; the correction still counts both."""
    rng = np.random.default_rng(5)
    base, variant = rng.normal(size=6), rng.normal(size=6)
    result = from_table(np.column_stack([base, variant, base, base + 1]))
    alone = stats.ttest_rel(variant, base)
    assert [effect.verdict for effect in result.effects[1:]] == ["no-op", "exact"]
    low, high = alone.confidence_interval()
    assert result.effects[0].low <= low and result.effects[0].high >= high


def test_a_seed_that_reaches_nothing_is_said():
    result = study(lambda p, block: {"acc": float(p["a"])})
    assert ("seed without effect", "acc") in kinds(result)


def test_failed_and_missing_trials_are_counted_and_drop_only_their_pairs():
    result = study(
        noisy(lambda p: 0.1 * p["a"]), lost=lambda t: "failed" if t.configuration == "without a" and t.block in (0, 3) else None
    )
    assert [effect.n for effect in result.effects] == [3, 5, 5]
    assert ("failed trials", "without a") in kinds(result) and ("incomplete blocks", "acc") in kinds(result)
    [finding] = [finding for finding in result.findings if finding.kind == "failed trials"]
    assert "2 of 5 trials (seeds 0, 3) failed" in finding.text
    assert math.isnan(result.effects[0].differences[0]) and result.effects[0].verdict == "matters"


@pytest.mark.parametrize(
    ("value", "said"), [(math.nan, "NaN"), (math.inf, "infinite"), (-math.inf, "infinite"), (1e300, "too large")]
)
def test_values_that_are_no_numbers_are_never_averaged(value, said):
    clean = noisy(lambda p: 0.1 * p["a"])

    def train(p, block):
        return {"acc": value if block == 2 and not p["b"] else clean(p, block)["acc"]}

    result = study(train)
    assert [effect.n for effect in result.effects] == [5, 4, 5]
    assert all(math.isfinite(effect.estimate) for effect in result.effects)
    [finding] = [finding for finding in result.findings if finding.kind == "not finite"]
    assert said in finding.text and finding.about == "without b" and "seed 2" in finding.text


@pytest.mark.parametrize("design", ["leave-one-out", "full"])
@pytest.mark.parametrize("unit", [5e-324, 1e-160, 1e-12, 1e12, 1e149, 1.7e308])
def test_no_unit_of_a_metric_breaks_the_analysis(unit, design):
    """No warning, no division by zero, no overflow, whatever the size of the numbers."""

    def train(p, block):
        return {"acc": unit * float(np.clip(np.random.default_rng([block, *p.values()]).normal(), -1, 1))}

    for effect in study(train, design=design, goals=[maximize("acc", margin=unit)]).effects:
        assert effect.words and not math.isinf(effect.estimate)


def test_a_baseline_that_failed_once_costs_one_block():
    result = study(
        noisy(lambda p: 0.1 * p["a"]), lost=lambda t: "crashed" if t.configuration == "baseline" and t.block == 1 else None
    )
    assert [effect.n for effect in result.effects] == [4, 4, 4] and result.effects[0].method == "blocked Dunnett"


def test_a_configuration_that_always_fails_leaves_the_others_their_answer():
    result = study(noisy(lambda p: 0.1 * p["a"]), lost=lambda t: "failed" if t.configuration == "without b" else None)
    assert [effect.verdict for effect in result.effects][:2] == ["matters", "cannot tell"]
    assert result.effects[1].n == 0 and math.isnan(result.effects[1].estimate)
    assert result.effects[0].method == "blocked Dunnett"


def test_when_everything_fails_nothing_is_claimed():
    result = study(noisy(lambda p: 0.0), lost=lambda t: "failed")
    assert {effect.verdict for effect in result.effects} == {"cannot tell"}
    assert len([1 for kind, _ in kinds(result) if kind == "failed trials"]) == 4


def test_trials_that_never_ran_are_said():
    plan = make_plan("leave-one-out", BASELINE, [A], 2)
    result = analyse(Asked((A,), (maximize("acc"),)), plan, [])
    assert {finding.text[:33] for finding in result.findings} == {"2 of 2 trials (seeds 0, 1) did no"}


def test_a_metric_that_nobody_reports_names_those_that_are():
    with pytest.raises(UnknownMetric, match="'acc'"):
        study(noisy(lambda p: 0.0), goals=[maximize("acuracy")])


def test_finished_trials_that_report_nothing_at_all_are_an_error():
    plan = make_plan("leave-one-out", BASELINE, [A], 1)
    silent = [Outcome(trial, "run", "finished", {}, None, False, 1.0) for trial in plan.trials]
    with pytest.raises(UnknownMetric, match=r"'acc'.*report none at all"):
        analyse(Asked((A,), (maximize("acc"),)), plan, silent)


def test_outcomes_of_another_plan_are_refused():
    plan, other = make_plan("leave-one-out", BASELINE, [A], 1), make_plan("leave-one-out", BASELINE, [B], 1)
    outcome = Outcome(other.trials[1], "run", "finished", {"acc": 1.0}, None, False, 1.0)
    with pytest.raises(InvalidValue, match="not of this plan"):
        analyse(Asked((A,), (maximize("acc"),)), plan, [outcome])
    mine = Outcome(plan.trials[1], "run", "finished", {"acc": 1.0}, None, False, 1.0)
    with pytest.raises(InvalidValue, match="twice"):
        analyse(Asked((A,), (maximize("acc"),)), plan, [mine, mine])


@pytest.mark.parametrize(("sd", "verdicts"), [(0.01, {"matters"}), (0.0, {"exact"})])
def test_redundancy_is_called_redundant(sd, verdicts):
    """a OR b with gain g: the main effects are g/2 each, the interaction -g/2, and no sentence says that they have no effect."""
    result = study(
        noisy(lambda p: 0.8 + 0.1 * (p["a"] or p["b"]), sd), design="full", seeds=4, goals=[maximize("acc", margin=0.02)]
    )
    assert {effect.verdict for effect in result.effects[:2]} == verdicts
    assert [effect.estimate for effect in result.effects[:2]] == pytest.approx([-0.05, -0.05], abs=2 * sd + 1e-12)
    [found] = [one for one in result.interactions if one.components == ("a", "b")]
    assert found.estimate == pytest.approx(-0.05, abs=2 * sd + 1e-12) and "redundant" in found.words
    assert ("redundant", "a × b on acc") in kinds(result)
    assert all("depends on" in effect.words for effect in result.effects[:2])


def test_redundancy_is_found_beside_leave_one_out_by_a_named_combination():
    result = study(noisy(lambda p: 0.8 + 0.1 * (p["a"] or p["b"]), 0.005), named={"neither": {"a": 0, "b": 0}})
    assert ("redundant", "a × b") in kinds(result)
    assert not any(
        kind == "redundant"
        for kind, _ in kinds(study(noisy(lambda p: 0.05 * (p["a"] + p["b"]), 0.005), named={"neither": {"a": 0, "b": 0}}))
    )


def test_components_that_only_matter_together():
    result = study(noisy(lambda p: 0.1 * (p["a"] and p["b"])), design="full", seeds=4)
    [found] = [one for one in result.interactions if one.components == ("a", "b")]
    assert found.verdict == "matters" and "only matter together" in found.words


def test_a_crossed_interaction_is_not_hidden_by_a_main_effect_of_nil():
    """Exclusive or: on average a does nothing, and the sentence says on what it depends."""
    result = study(noisy(lambda p: 0.1 * (p["a"] != p["b"]), 0.002), design="full", seeds=4, goals=[maximize("acc", margin=0.05)])
    assert result.effects[0].verdict == "no effect" and "It depends on b" in result.effects[0].words
    exact = study(lambda p, block: {"acc": 0.1 * (p["a"] != p["b"]) + block}, design="full", seeds=3)
    assert exact.effects[0].verdict == "exact" and exact.effects[0].estimate == 0 and exact.effects[2].verdict == "no-op"


def test_full_factorial_is_exact_in_its_degrees_of_freedom():
    """Main effects of 2 × 2 in n blocks: pooled residual on 3 (n - 1) df, studentised maximum modulus for two uncorrelated effects."""
    train = noisy(lambda p: 0.03 * p["a"], salt=1)
    result = study(train, design="full", factors=[A, B], seeds=4)
    y = np.array([[train({"a": a, "b": b, "c": 1}, block)["acc"] for a in (1, 0) for b in (1, 0)] for block in range(4)])
    left = y - y.mean(0)
    left -= left.mean(1, keepdims=True)
    error = np.sqrt((left**2).sum() / 9 / 4)
    assert result.effects[0].estimate == pytest.approx(y[:, 2:].mean() - y[:, :2].mean())
    half = (result.effects[0].high - result.effects[0].low) / 2
    assert half / error == pytest.approx(critical_value(9, (1, 1)), rel=1e-9)


def test_a_named_copy_of_a_combination_adds_no_evidence():
    """Its trials are the same trials: the other intervals are as if the correction alone had grown."""
    train = noisy(lambda p: 0.05 * p["a"], salt=1)
    result = study(train, design="full", factors=[A, B], named={"bare": {"a": 0, "b": 0}})
    assert result.effects[-1].method == result.effects[0].method == "simultaneous contrasts in blocks"
    assert not any(kind == "method switched" for kind, _ in kinds(result))


def test_a_combination_that_never_runs_is_left_out_and_said():
    def lost(trial):
        return "failed" if trial.configuration == "without a + without b" else None

    result = study(noisy(lambda p: 0.1 * p["a"]), design="full", factors=[A, B], lost=lost)
    assert result.effects[0].verdict == "matters" and "only the 1 of 2 pairs" in result.effects[0].estimand
    assert result.interactions[0].verdict == "cannot tell" and "never gave a value" in result.interactions[0].words


def test_levels_are_effects_of_their_own():
    factors = [change("size", "small", a=2), change("size", "large", a=3), B]
    result = study(noisy(lambda p: 0.1 * p["a"]), design="full", factors=factors, seeds=3)
    assert [effect.component for effect in result.effects] == ["size: small", "size: large", "b"]
    assert [one.components for one in result.interactions] == [("size: small", "b"), ("size: large", "b")]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (hypothesis("a", raises="acc"), "supported"),
        (hypothesis("a", raises="acc", by=0.05), "supported"),
        (hypothesis("a", raises="acc", by=0.3), "undecided"),
        (hypothesis("a", raises="acc", by=0.6), "refuted"),
        (hypothesis("a", lowers="acc"), "refuted"),
        (hypothesis("c", raises="acc"), "undecided"),
        (hypothesis("c", raises="acc", by=0.5), "refuted"),
    ],
)
def test_hypotheses_are_about_the_component_as_it_stands(asked, expected):
    """Removing a lowers acc by 0.32 [0.09, 0.55]: a raises it by that much."""
    [found] = from_table(SEEDS, hypotheses=[asked]).answers
    assert found.answer == expected and "acc" in found.evidence


@pytest.mark.parametrize(
    ("asked", "ends"),
    [
        (hypothesis("a", raises="acc", by=0.095), " Asked is at least 0.095; found is, in that direction, 0.0918 to 0.548."),
        (hypothesis("a", raises="acc", by=0.6), " Asked is at least 0.6; found is, in that direction, 0.0918 to 0.548."),
        (hypothesis("c", lowers="acc", by=0.1), " Asked is at least 0.1; found is, in that direction, −0.148 to 0.308."),
        (hypothesis("a", raises="acc", by=0.05), "a helps."),
    ],
)
def test_an_amount_that_is_not_supported_stands_beside_what_was_found(asked, ends):
    """A component that helps, by less than was asked or by what may be less, would be a riddle else."""
    [found] = from_table(SEEDS, hypotheses=[asked]).answers
    assert found.evidence.endswith(ends)


def test_a_mean_that_is_0_up_to_rounding_is_0():
    """The differences +0.1 and -0.1 leave a rest in binary, which has no sign to speak of."""
    table = np.array([[0.7, 0.8, 0.7, 0.7], [0.3, 0.2, 0.4, 0.3]])
    assert float(np.mean(table[:, 1] - table[:, 0])) != 0
    effect = from_table(table).effects[0]
    assert effect.estimate == 0 and effect.low < 0 < effect.high


def test_hypotheses_on_exact_levels_and_named_configurations():
    factors = [change("size", "small", a=2), change("size", "large", a=3), B]
    result = study(
        lambda p, block: {"acc": float(p["a"]) + block},
        factors=factors,
        named={"big": {"a": 3, "b": 0}},
        hypotheses=[
            hypothesis("size", lowers="acc", by=1),
            hypothesis("size", lowers="acc", by=1.5),
            hypothesis("size: large", lowers="acc", by=1.5),
            hypothesis("big", raises="acc", by=2),
            hypothesis("b", raises="acc"),
        ],
    )
    assert [found.answer for found in result.answers] == ["supported", "refuted", "supported", "supported", "refuted"]


def test_an_exact_value_reaches_the_threshold_that_it_equals():
    """0.9 - 0.6 is a little less than 0.3 in binary; the hypothesis is about decimal numbers."""
    asked = hypothesis("a", raises="acc", by=0.3)
    [found] = study(lambda p, block: {"acc": 0.9 if p["a"] else 0.6}, hypotheses=[asked]).answers
    assert found.answer == "supported"


def test_a_hypothesis_on_nothing_is_refused():
    with pytest.raises(InvalidStudy):
        from_table(SEEDS, hypotheses=[hypothesis("z", raises="acc")])


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.sampled_from(["leave-one-out", "full"]))
def test_shift_and_scale(seed, shift, scale, design):
    """Differences stretch with the metric's unit and ignore its origin; what is said without unit stays."""

    def train(p, block, unit=1.0, origin=0.0):
        return {"acc": origin + unit * np.random.default_rng([seed, block, p["a"], p["b"]]).normal()}

    before = study(train, design=design, factors=[A, B], seeds=3)
    after = study(lambda p, block: train(p, block, scale, shift), design=design, factors=[A, B], seeds=3)
    for one, other in zip(before.effects, after.effects, strict=True):
        assert (other.estimate, other.low, other.high) == pytest.approx(
            tuple(scale * x for x in (one.estimate, one.low, one.high)), rel=1e-6, abs=1e-6 * scale
        )
        assert (other.verdict, other.seeds_needed) == (one.verdict, one.seeds_needed)
        assert other.superiority == pytest.approx(one.superiority, nan_ok=True)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.sampled_from(["leave-one-out", "full"]))
def test_the_order_of_outcomes_does_not_matter(seed, design):
    train = noisy(lambda p: 0.02 * p["a"])
    straight = study(train, design=design, seeds=3)
    shuffled = study(train, design=design, seeds=3, order=np.random.default_rng(seed))
    assert straight == shuffled


@settings(deadline=None, max_examples=15)
@given(st.permutations([A, B, C]), st.permutations(range(5)))
def test_the_order_of_components_and_seeds_does_not_matter(factors, seeds):
    train = noisy(lambda p: 0.02 * p["a"])
    straight = {effect.component: effect for effect in study(train).effects}
    for effect in study(lambda p, block: train(p, seeds[block]), factors=factors).effects:
        same = straight[effect.component]
        assert (effect.estimate, effect.low, effect.p) == pytest.approx((same.estimate, same.low, same.p))
        assert (effect.words, effect.verdict) == (same.words, same.verdict)


@pytest.mark.parametrize("design", ["leave-one-out", "full"])
def test_false_alarms_are_rare(design):
    """No component does anything, 1,000 seeded studies: at most 5 % raise any alarm, within a 99.9 % binomial bound."""
    alarms = 0
    for repetition in range(1000):
        rng = np.random.default_rng([repetition, 7])
        result = study(lambda p, block, rng=rng: {"acc": rng.normal()}, design=design, factors=[A, B], seeds=4)
        alarms += any(effect.verdict == "matters" for effect in result.effects)
    assert alarms <= stats.binom.ppf(0.999, 1000, 0.05)


def test_planted_effects_are_found():
    """An effect as large as the plan calls detectable is found in about 80 % of 400 seeded studies."""
    size = make_plan("leave-one-out", BASELINE, [A, B, C], 5).detectable * math.sqrt(2)
    found = 0
    for repetition in range(400):
        rng = np.random.default_rng([repetition, 8])
        result = study(lambda p, block, rng=rng: {"acc": size * p["a"] + rng.normal()})
        found += result.effects[0].verdict == "matters"
    assert found >= stats.binom.ppf(0.001, 400, 0.75)
