"""The adaptive design over made systems with known effects: trials until its search ends, how often the set is exactly right, and what is confirmed.

A system has 12 components, 3 main effects and 2 interactions that touch an active main effect, where nothing else is said; effects lie between 1
and 2, the smallest is exactly 1, signs are random. `fixed N` asks the search once, after N trials. `stopped` looks as a study does, after 24 trials
and then after each one (from 40 on, after a twentieth more), and stops where hardly a wrong term is expected, which is where a study ends that is
told `until: found`; `confirmed` goes on until each term is confirmed at any-time error rates, which is where it stops otherwise. Five seeds take
turns, four trials at a time. Rates stand with their lower (right) or upper (false) 95 % bound (Clopper and Pearson). Beside it, on the same
trials: forward selection by EBIC. More peers: `adaptive_peers.py`.

    python benchmarks/bench_adaptive.py [--systems 1000] [--start 40000] [--search] [--case "sd 1"]...

`--search` leaves the tests out, which take much of the time: then `confirmed` says the same as `stopped`; with `--fixed`, which asks once, both say
the same as `fixed`. Generator seeds below 40000 were used in
development or looked at before the last constant was chosen; scores begin at 40000.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the arrays are small: threads only wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import sys
from itertools import pairwise
from math import comb, log
from multiprocessing import Pool
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv

from assay.ablation.adaptive.course import Course, settled
from assay.ablation.adaptive.order import BATCH, first_look, looks
from assay.stats.factorial_models import Space, space
from assay.stats.factorial_search import believe

SEEDS = 5


class Case(NamedTuple):
    name: str
    sd: float
    fixed: int
    most: int
    bar: float
    factors: int = 12
    mains: int = 3
    pairs: int = 2
    shared: float = 0.0
    heredity: bool = True


CASES = (
    Case("sd 1", 1.0, 112, 300, 93),
    Case("sd .5", 0.5, 38, 160, 30),
    Case("sd .25", 0.25, 30, 120, 26),
    Case("sd 1, half of it the seed's", 1.0, 72, 240, 72, shared=0.5),
    Case("sd 1, no effect", 1.0, 112, 300, float("nan"), mains=0, pairs=0),
    Case("sd 1, 6 effects", 1.0, 112, 300, float("nan"), mains=4, pairs=2),
    Case("sd 1, no heredity", 1.0, 112, 300, float("nan"), heredity=False),
    Case("sd 1, 50 components", 1.0, 150, 260, 150, factors=50),
)


class Score(NamedTuple):
    fixed_right: bool
    fixed_false: bool
    forward_right: bool
    stopped: int
    stopped_right: bool
    stopped_false: bool
    confirmed: int
    confirmed_right: bool
    confirmed_false: bool


def coefficients(case: Case, of: Space, rng: np.random.Generator) -> np.ndarray:
    """Of every term; half an effect."""
    number = case.mains + case.pairs
    sizes = rng.uniform(1, 2, number) * rng.choice([-1, 1], number)
    if number:
        place = rng.integers(number)
        sizes[place] /= abs(sizes[place])
    active = rng.permutation(case.factors)[: case.mains]
    products = np.arange(of.factors, of.terms)
    touching = products[np.isin(of.first[products], active) | np.isin(of.second[products], active)]
    chosen = rng.permutation(touching if case.heredity else products)[: case.pairs]
    found = np.zeros(of.terms)
    found[active], found[chosen] = sizes[: case.mains] / 2, sizes[case.mains :] / 2
    return found


def forward(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Forward selection by the extended BIC with gamma 1 (Chen and Chen 2008)."""
    n, terms = columns.shape
    chosen: list[int] = []
    best = n * log(np.var(values))
    while len(chosen) < 12:
        base = np.column_stack([np.ones(n), columns[:, chosen]])
        q = np.linalg.qr(base)[0]
        left, rest = values - q @ (q.T @ values), columns - q @ (q.T @ columns)
        gain = (rest.T @ left) ** 2 / np.maximum(np.sum(rest**2, axis=0), 1e-9)
        term, size = int(np.argmax(gain)), len(chosen) + 1
        score = n * log(max(float(left @ left - gain[term]), 1e-300) / n) + size * log(n) + 2 * log(comb(terms, size))
        if score >= best:
            break
        best = score
        chosen.append(term)
    return np.isin(np.arange(terms), chosen)


class System(NamedTuple):
    """A made system, with the trials that coins give it.

    Attributes:
        of: its terms.
        true: coefficient of every term.
        columns: values of the terms, shape (trials, terms).
        blocks: of the trials.
        values: responses.
        rng: for more noise.
    """

    of: Space
    true: np.ndarray
    columns: np.ndarray
    blocks: np.ndarray
    values: np.ndarray
    rng: np.random.Generator


def made(case: Case, seed: int) -> System:
    rng = np.random.default_rng([seed, *case.name.encode()])
    of = space(case.factors)
    true = coefficients(case, of, rng)
    rows = rng.choice([-1.0, 1.0], (case.most, case.factors))
    rows[0] = -1
    columns, blocks = of.columns(rows), np.arange(case.most) // BATCH % SEEDS
    noise = rng.normal(0, case.sd * (1 - case.shared) ** 0.5, case.most)
    values = columns @ true + noise + rng.normal(0, case.sd * case.shared**0.5, SEEDS)[blocks]
    return System(of, true, columns, blocks, values, rng)


def measure(task: tuple[Case, int, bool]) -> Score:
    case, seed, search = task
    of, true, columns, blocks, values, _ = made(case, seed)
    right, n = true != 0, case.fixed
    asked = believe(of, columns[:n], values[:n], blocks[:n])
    other = forward(columns[:n], values[:n])
    course, stop = Course(of, until="found" if search else "confirmed"), None
    coins = np.ones(columns.shape, dtype=bool)
    coins[0] = False
    for begin, end in pairwise([0, *looks(first_look(case.factors), case.most)]):
        course.tell(columns[begin:end], values[begin:end], blocks[begin:end], coins[begin:end])
        chosen = course.belief.chosen
        if stop is None and (settled(course.belief) or end == case.most):
            stop = (end, bool((chosen == right).all()), bool((chosen & ~right).any()))
        if course.decided:
            break
    said = course.belief.chosen if search else course.matters
    return Score(
        bool((asked.chosen == right).all()), bool((asked.chosen & ~right).any()), bool((other == right).all()), *(stop or (end, False, False)),
        end, bool((said == right).all()), bool((said & ~right).any()),
    )  # fmt: skip


def ask(task: tuple[Case, int, bool]) -> Score:
    """As `measure`, where the search is asked once and nothing is stopped."""
    case, seed, _ = task
    of, true, columns, blocks, values, _ = made(case, seed)
    right, n = true != 0, case.fixed
    chosen = believe(of, columns[:n], values[:n], blocks[:n]).chosen
    said = (bool((chosen == right).all()), bool((chosen & ~right).any()))
    return Score(*said, bool((forward(columns[:n], values[:n]) == right).all()), n, *said, n, *said)


def bound(hits: int, n: int, *, lower: bool) -> float:
    """One-sided 95 % bound of a rate (Clopper and Pearson 1934), in per cent."""
    if lower:
        return 100 * float(betaincinv(hits, n - hits + 1, 0.05)) if hits else 0.0
    return 100 * float(betaincinv(hits + 1, n - hits, 0.95)) if hits < n else 100.0


def row(case: Case, scores: list[Score]) -> None:
    n = len(scores)
    table = np.array(scores, dtype=float)

    def rate(name: str, *, lower: bool) -> str:
        hits = int(table[:, Score._fields.index(name)].sum())
        return f"{100 * hits / n:5.1f} ({bound(hits, n, lower=lower):.1f})"

    runs = {name: table[:, Score._fields.index(name)] for name in ("stopped", "confirmed")}
    error = 1.96 * runs["stopped"].std() / n**0.5
    print(
        f"{case.name:28}{n:6} | {case.fixed:4} {rate('fixed_right', lower=True)} {rate('fixed_false', lower=False)}"
        f" EBIC {rate('forward_right', lower=True)}"
        f" | {runs['stopped'].mean():5.1f} ± {error:.1f} (bar {case.bar:g}) {rate('stopped_right', lower=True)} {rate('stopped_false', lower=False)}"
        f" | {runs['confirmed'].mean():5.1f} {rate('confirmed_right', lower=True)} {rate('confirmed_false', lower=False)}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--systems", type=int, default=1000)
    parser.add_argument("--start", type=int, default=40000)
    parser.add_argument("--fixed", action="store_true", help="ask once, after the fixed number of trials, and nothing else")
    parser.add_argument("--search", action="store_true", help="end with the search, without tests")
    parser.add_argument("--case", action="append", help="a case by its whole name; may be repeated")
    given = parser.parse_args()
    print(
        "case                       systems | fixed: trials, right %, false % | stopped: mean trials, right %, false % | confirmed: the same"
    )
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        for case in CASES:
            if not given.case or any(case.name == one for one in given.case):
                row(
                    case,
                    pool.map(
                        ask if given.fixed else measure,
                        [(case, given.start + index, given.search) for index in range(given.systems)],
                        chunksize=4,
                    ),
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
