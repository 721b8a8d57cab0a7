"""How often each interval that Assay prints holds the truth, over 10,000 simulated studies a cell, beside Student's t on the same studies.

Noise is normal, skewed, heavy-tailed or bounded, seeds are 3, 5 and 10, and what a seed shares with all configurations is half of the variance.
Intervals of several comparisons are judged both ways: together (all hold at once) and, against Student's t, each alone.

    python benchmarks/bench_coverage.py [--studies 10000] [--seed 2026] [--only NAME] [--write]

Bars: where noise is normal and 95 % is claimed exactly, 93 to 97 %, and at least 93 % where a rule is on the safe side; elsewhere at most 1 point
below Student's t on the same studies (of a variance, below chi-squared; 95 % where there is neither). What takes long for one study has fewer of
them, and is judged with their error. `--write` puts the table into docs/statistics.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from math import isnan, sqrt

import numpy as np
from scipy.special import stdtrit

from assay.stats.blocks import Contrast, equal_pairs, interaction, main_effect, of_weights
from assay.stats.designs import weights
from assay.stats.indices import index_weights
from assay.stats.simultaneous import Array, critical_value
from assay.stats.unlike import is_unlike
from covered import Covered, Interval, holds
from generated import put
from noise_shapes import COVERED, noise
from other_intervals import others
from simulated import judge

SEEDS = (3, 5, 10)
FULL = np.array(list(product((0, 1), repeat=3)))


def paired(tables: Array) -> Covered:
    judged = judge(tables)
    return holds(judged.mean, judged.half, judged.student)


def bonferroni(tables: Array) -> Covered:
    """Where the pooled noise cannot be had: paired t, corrected."""
    judged = judge(tables)
    blocks, asked = tables.shape[1], tables.shape[2] - 1
    corrected = judged.student * (stdtrit(blocks - 1, 1 - 0.025 / asked) / stdtrit(blocks - 1, 0.975))
    return holds(judged.mean, corrected, judged.student)


def contrasts(chosen: Sequence[Contrast]) -> Callable[[Array], Covered]:
    """Effects that average over several configurations, under the residual of all."""

    def covers(tables: Array) -> Covered:
        _, blocks, configurations = tables.shape
        left = tables - tables.mean(axis=1, keepdims=True)
        left = left - left.mean(axis=2, keepdims=True)
        total, df = np.sum(left**2, axis=(1, 2)), (blocks - 1) * (configurations - 1)
        off, half, student = [], [], []
        for contrast in chosen:
            share = np.full(len(contrast.plus), 1 / len(contrast.plus)) if contrast.weights is None else contrast.weights
            values = (tables[:, :, contrast.plus] - tables[:, :, contrast.minus]) @ share
            own, weight = values.var(axis=1, ddof=1), equal_pairs(contrast)
            pooled = critical_value(df, (1,) * len(chosen)) * np.sqrt(2 * total / df / (weight * blocks))
            part = own * (blocks - 1) * weight / 2
            unlike = is_unlike((configurations - 2) * part / (total - part), blocks)
            corrected = stdtrit(blocks - 1, 1 - 0.025 / len(chosen)) * np.sqrt(own / blocks)
            off.append(values.mean(axis=1))
            half.append(np.maximum(pooled, np.where(unlike, corrected, 0)))
            student.append(stdtrit(blocks - 1, 0.975) * np.sqrt(own / blocks))
        return holds(*(np.stack(each, axis=1) for each in (off, half, student)))

    return covers


def equivalence(tables: Array) -> Covered:
    """A true difference at the margin: the share of studies in which the test does not call it smaller."""
    margin = 2.0
    judged = judge(tables)
    blocks = tables.shape[1]
    bound = judged.student * (stdtrit(blocks - 1, 0.95) / stdtrit(blocks - 1, 0.975))
    kept = abs(judged.mean + margin) + bound > margin
    one_sided = judged.mean + bound > 0
    return Covered(float(kept.mean()), float(kept.mean()), float(one_sided.mean()))


def _linear_model() -> list[Contrast]:
    """Main effects of the half fraction D = ABC."""
    rows = np.array([[*row, sum(row) % 2] for row in FULL]) - 0.5
    return [of_weights(row) for row in weights(np.column_stack([np.ones(8), rows]))[1:]]


def _shapley() -> list[Contrast]:
    """Shapley values of three components: 1/3, 1/6, 1/6, 1/3 of what each adds to 0, 1, 1 and 2 others."""
    found = []
    for unit in range(3):
        plus = [row for row in range(8) if FULL[row, unit]]
        minus = [row - (4, 2, 1)[unit] for row in plus]
        share = np.array([(1 / 3, 1 / 6, 1 / 3)[FULL[row].sum()] for row in minus])
        found.append(Contrast(np.array(plus), np.array(minus), share))
    return found


def _indices() -> list[Contrast]:
    """Shapley interaction indices of every two of three components."""
    return [of_weights(index_weights(3, pair)) for pair in (0b011, 0b101, 0b110)]


def intervals() -> tuple[Interval, ...]:
    pairs = [interaction(FULL, (a, 1), (b, 1)) for a, b in ((0, 1), (0, 2), (1, 2))]
    mains = [main_effect(FULL, factor, 1) for factor in range(3)]
    return (
        Interval("paired t, one comparison", 2, paired, True),
        Interval("blocked Dunnett, 4 comparisons", 5, paired, False),
        Interval("blocked Dunnett, 8 comparisons", 9, paired, False),
        Interval("Bonferroni over paired t, 4 comparisons", 5, bonferroni, False),
        Interval("main effects, full 2^3", 8, contrasts(mains), False),
        Interval("interactions, full 2^3", 8, contrasts(pairs), False),
        Interval("linear model, half of 2^4", 8, contrasts(_linear_model()), False),
        Interval("Shapley values, 3 components", 8, contrasts(_shapley()), False),
        Interval("interaction indices (Shapley), 3 components", 8, contrasts(_indices()), False),
        Interval("equivalence, true difference at the margin", 2, equivalence, False),
        *others(),
    )


def simulate(studies: int, seed: int, only: str) -> Iterator[tuple[Interval, str, list[Covered]]]:
    for interval in (one for one in intervals() if only in one.name):
        random = np.random.default_rng([seed, *interval.name.encode()])  # the same numbers with and without the others
        for shape in COVERED:
            found = []
            for blocks in SEEDS:
                number = max(20, int(interval.share * studies))
                tables = noise(shape, random, (number, blocks, interval.configurations))
                shared = random.normal(size=(number, blocks, 1)) if interval.seeds else 0
                found.append(interval.covers(tables + shared))
            yield interval, shape, found


def meets(interval: Interval, shape: str, one: Covered) -> bool:
    if isnan(one.claimed):
        return True
    # Few studies are judged with their own error.
    error = 0.0 if interval.share == 1 else 3 * sqrt(0.05 * 0.95 / (interval.share * 10_000))
    if shape == "normal":
        return one.claimed >= 0.93 - error and (one.claimed <= 0.97 + error or not interval.exact)
    beside = 0.95 if isnan(one.student) else one.student  # on the same studies
    return one.alone >= beside - 0.01 - error


def percent(share: float) -> str:
    return "-" if isnan(share) else f"{100 * share:.1f}"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", default="", help="intervals whose name has this in it")
    parser.add_argument("--write", action="store_true", help="put the table into docs/statistics.md")
    given = parser.parse_args()
    lines = ["| interval | noise | 3 seeds | 5 seeds | 10 seeds | each alone / Student's t |", "|---|---|---|---|---|---|"]
    print(*lines, sep="\n")
    met = True
    for interval, shape, found in simulate(given.studies, given.seed, given.only):
        shares = " | ".join(percent(one.claimed) for one in found)
        beside = ", ".join(f"{percent(one.alone)} / {percent(one.student)}" for one in found)
        lines.append(f"| {interval.name} | {shape} | {shares} | {beside} |")
        good = all(meets(interval, shape, one) for one in found)
        print(lines[-1] + ("" if good else "   MISSED"), flush=True)
        met = met and good
    if given.write and not given.only:
        put("coverage", lines)
    print(f"bars: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
