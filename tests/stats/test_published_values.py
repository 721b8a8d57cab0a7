"""Certified and published values, to the digits that are printed; docs/statistics.md lists their sources."""

from itertools import combinations, product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import stdtr
from scipy.stats import tests as scipy_tests

from assay.ablation.generators.hadamard import plackett_burman
from assay.stats.designs import weights
from assay.stats.equivalence import tost
from assay.stats.paired import paired_t, standardised
from assay.stats.power import seeds_needed
from assay.stats.resampling import overlap_inflation
from assay.stats.simultaneous import critical_value

NIST = Path(scipy_tests.__file__).parent / "data" / "nist_anova"

# Montgomery, Design and Analysis of Experiments, example 6.2 and its table of effects: the filtration rate of a 2^4, in Yates' order.
RATE = np.array([45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96.0])
RATE_EFFECTS = {
    "A": 21.625, "B": 3.125, "C": 9.875, "D": 14.625, "AB": 0.125, "AC": -18.125, "AD": 16.625, "BC": 2.375, "BD": -0.375, "CD": -1.125,
    "ABC": 1.875, "ABD": 4.125, "ACD": -1.625, "BCD": -2.625, "ABCD": 1.375,
}  # fmt: skip
# The same book, example 8.1: the half of it with D = ABC.
HALF_EFFECTS = {"A": 19.0, "B": 1.5, "C": 14.0, "D": 16.5, "AB": -1.0, "AC": -18.5, "AD": 19.0}
SIGNS = np.array([row[::-1] for row in product((-1.0, 1.0), repeat=4)])

# R: power.t.test(delta = d, power = p, type = "paired")$n, rounded up; G*Power 3 gives the same.
PAIRED_SEEDS = {
    (0.2, 0.8): 199, (0.3, 0.8): 90, (0.3, 0.9): 119, (0.5, 0.8): 34, (0.5, 0.9): 44, (0.8, 0.8): 15, (0.8, 0.9): 19, (1.0, 0.8): 10,
    (1.0, 0.9): 13, (1.5, 0.8): 6, (1.5, 0.9): 7, (2.0, 0.8): 5,
}  # fmt: skip

# Dunnett 1964, two-sided 5 % points against a control: df to the values for 1 to 9 treatments.
DUNNETT = {
    10: [2.23, 2.57, 2.76, 2.89, 2.99, 3.07, 3.14, 3.19, 3.24],
    20: [2.09, 2.38, 2.54, 2.65, 2.73, 2.80, 2.86, 2.90, 2.95],
    60: [2.00, 2.27, 2.41, 2.51, 2.58, 2.64, 2.69, 2.73, 2.77],
}

# Student 1908, hours of sleep gained with one drug less those with the other.
SLEEP = [-1.2, -2.4, -1.3, -1.3, 0.0, -1.0, -1.8, -0.8, -4.6, -1.4]

# Plackett and Burman 1946, the first row of their designs with 8, 12, 20 and 24 runs; the others are its turns, and one of minus signs.
FIRST_ROWS = {8: "+++-+--", 12: "++-+++---+-", 20: "++--++++-+-+----++-", 24: "+++++-+-++--++--+-+----"}

UNEVEN = [("SmLs07", 2), ("SmLs08", 2), ("SmLs09", 2)]
"""Sets with 13 digits before the point, of which a double holds 3 behind it."""


class Certified(NamedTuple):
    """A data set of NIST's StRD with its certified F and residual standard deviation."""

    group: np.ndarray
    response: np.ndarray
    f: float
    deviation: float


def certified(name: str) -> Certified:
    lines = (NIST / f"{name}.dat").read_text().splitlines()
    f = next(float(line.split()[-1]) for line in lines if line.startswith("Between"))
    deviation = next(float(line.split()[-1]) for line in lines if "Standard Deviation" in line)
    group, response = np.array([line.split() for line in lines[60:] if line.strip()], dtype=np.float64).T
    return Certified(group, response, f, deviation)


@pytest.mark.parametrize(
    ("name", "digits"),
    [
        ("SiRstv", 10),
        ("AtmWtAg", 8),
        ("SmLs01", 12),
        ("SmLs02", 12),
        ("SmLs03", 11),
        ("SmLs04", 8),
        ("SmLs05", 8),
        ("SmLs06", 8),
        *UNEVEN,
    ],
)
def test_certified_one_way_analysis_of_variance(name, digits):
    """By the least squares that linear models use."""
    data = certified(name)
    groups = np.unique(data.group)
    columns = (data.group[:, None] == groups).astype(np.float64)
    moved = data.response - data.response[0]
    fitted = columns @ (weights(columns) @ moved)
    within = float(np.sum((moved - fitted) ** 2)) / (len(moved) - len(groups))
    between = float(np.sum((fitted - moved.mean()) ** 2)) / (len(groups) - 1)
    assert between / within == pytest.approx(data.f, rel=10.0**-digits)
    assert np.sqrt(within) == pytest.approx(data.deviation, rel=10.0**-digits)


def effects(signs: np.ndarray, rate: np.ndarray, names: dict[str, float]) -> dict[str, float]:
    terms = np.column_stack(
        [np.ones(len(rate)), *(np.prod(signs[:, ["ABCD".index(one) for one in name]], axis=1) for name in names)]
    )
    return dict(zip(names, (2 * (weights(terms) @ rate)[1:]).tolist(), strict=True))


def test_montgomerys_filtration_rate_has_all_fifteen_effects():
    assert len(RATE_EFFECTS) == sum(1 for size in range(1, 5) for _ in combinations("ABCD", size))
    assert effects(SIGNS, RATE, RATE_EFFECTS) == pytest.approx(RATE_EFFECTS, abs=1e-9)


def test_montgomerys_half_of_it():
    half = np.prod(SIGNS, axis=1) == 1
    assert effects(SIGNS[half], RATE[half], HALF_EFFECTS) == pytest.approx(HALF_EFFECTS, abs=1e-9)


@pytest.mark.parametrize(("size", "power"), PAIRED_SEEDS)
def test_seeds_of_a_paired_t_are_those_of_r(size, power):
    assert seeds_needed(size, power=power) == PAIRED_SEEDS[size, power]


@pytest.mark.parametrize("df", DUNNETT)
def test_dunnetts_table(df):
    assert [round(critical_value(df, (k,)), 2) for k in range(1, 10)] == DUNNETT[df]


def test_students_sleep():
    """Student 1908; R: t.test(extra ~ group, paired = TRUE)."""
    one = paired_t(SLEEP)
    assert (round(one.t, 4), round(one.p, 6), round(one.low, 4), round(one.high, 4)) == (-4.0621, 0.002833, -2.4599, -0.7001)


def test_hedges_correction_of_ten_differences():
    """Hedges 1981: with 9 degrees of freedom the factor is 0.9139."""
    values = np.arange(10.0)
    assert round(standardised(values) / (values.mean() / values.std(ddof=1)), 4) == 0.9139


def test_two_one_sided_tests_of_sleep_are_those_of_r():
    """R, TOSTER: t_TOST(extra ~ group, data = sleep, paired = TRUE, low_eqbound = -1, high_eqbound = 1)."""
    values = np.array(SLEEP)
    se = values.std(ddof=1) / np.sqrt(len(values))
    assert (round(values.mean(), 2), round(se, 7)) == (-1.58, 0.3889587)
    assert round(tost(values.mean(), se, 9, 1.0), 7) == 0.9149441


@pytest.mark.parametrize(("se", "df", "p"), [(0.3945124, 27.91398, 0.32587), (0.1628789, 173.4654, 0.13532)])
def test_two_one_sided_tests_of_lakens(se, df, p):
    """Lakens, Improving Your Statistical Inferences, chapter on equivalence: means 4.55 and 4.87, margin 0.5, 15 and 88 a group."""
    assert round(tost(4.55 - 4.87, se, df, 0.5), 5) == p


def test_the_correction_of_nadeau_and_bengio_is_that_of_scikit_learns_example():
    """Its statistical comparison of models: 10 x 10 folds of 100 rows turn t = 2.611 into 0.750, and one-sided p = 0.005 into 0.227."""
    corrected = 2.611 / overlap_inflation(100, 0.1)
    assert (round(corrected, 3), round(float(stdtr(99, -corrected)), 3), round(float(stdtr(99, -2.611)), 3)) == (0.75, 0.227, 0.005)


@pytest.mark.parametrize("runs", FIRST_ROWS)
def test_plackett_and_burmans_rows(runs):
    """Ours is theirs with its columns in another order: the same turns of the same row."""
    row = [int(sign == "+") for sign in FIRST_ROWS[runs]]
    size = len(row)
    theirs = {tuple(row[turn:] + row[:turn]) for turn in range(size)}
    ours = plackett_burman(size)
    assert len(ours) == runs and not any(ours[0])
    orders = ([step * column % size for column in range(size)] for step in range(1, size))
    assert any({tuple(one[column] for column in order) for one in ours[1:]} == theirs for order in orders)
