"""The adaptive design with components of several levels: how often it says something false, and when it finds what was planted.

A system has a component of three alternatives, one of two and four flags. *Nothing* acts in the first case. In the second one of the three
alternatives and a flag move the response by 1.5, and do another 1.5 together; everything else does nothing, and any statement on it is false.
Noise has a deviation of about 1: normal; skewed (exponential); of two kinds (0, or rarely 5); unequal (three times as large at one alternative and
at one flag); or it is heavy (Student's t with 2 degrees of freedom, which has none). Four trials at a time under one of five seeds, which move all
values by a normal amount. A course is looked at after every 12 trials and goes on to its end, 96 trials where nothing acts and 240 else: so it has
more occasions to be wrong than a study that stops. Where something acts, a tenth of the courses is simulated.

    python benchmarks/bench_adaptive_levels.py [--courses 2000] [--start 9000]
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the arrays are small: threads only wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import sys
from functools import partial
from itertools import pairwise
from multiprocessing import Pool
from typing import NamedTuple

import numpy as np

from assay.ablation.adaptive.course import Course
from assay.ablation.adaptive.order import BATCH, first_look
from assay.stats.factorial_levels import centred, levelled, signs
from bench_adaptive import bound

ALTERNATIVES = (3, 2, 1, 1, 1, 1)
SEEDS, LOOKS = 5, 3 * BATCH
ACTS, FLAG = 1, 5
"""Numbers of the alternative and of the flag that act, among all alternatives."""
KINDS = ("normal", "heavy", "skewed", "two kinds", "unequal")


class Score(NamedTuple):
    false: bool
    held: bool
    found: bool
    trials: int


def noise(kind: str, codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = len(codes)
    if kind == "heavy":
        return rng.standard_t(2, n)
    if kind == "skewed":
        return rng.exponential(1, n) - 1
    if kind == "two kinds":
        return 5.0 * (rng.random(n) < 0.04)
    if kind == "unequal":
        return rng.normal(0, np.where((codes[:, 0] == 3) | (codes[:, 3] == 1), 3.0, 1.0))
    return rng.normal(0, 1, n)


def measure(seed: int, kind: str, effect: float, trials: int) -> Score:
    """A course of so many trials: whether it said something false, its intervals hold the truth, and from when all that acts was found."""
    rng = np.random.default_rng([seed, KINDS.index(kind), int(effect * 10)])
    of = levelled(ALTERNATIVES)
    codes = np.column_stack([rng.integers(0, 1 + most, trials) for most in ALTERNATIVES])
    codes[0] = 0
    columns, sides = of.columns(centred(codes, ALTERNATIVES)), of.columns(signs(codes, ALTERNATIVES))
    pair = int(np.flatnonzero((of.first == ACTS) & (of.second == FLAG))[0])
    truth = np.zeros(of.terms)
    truth[[ACTS, FLAG, pair]] = effect
    blocks = np.arange(trials) // BATCH % SEEDS
    values = columns @ truth / 2 + noise(kind, codes, rng) + rng.normal(0, 1, SEEDS)[blocks]
    free = sides != 0
    free[0] = False
    course, found = Course(of), trials + LOOKS
    edges = [0, *range(first_look(of.factors), trials, LOOKS), trials]
    for begin, end in pairwise(edges):
        course.tell(columns[begin:end], values[begin:end], blocks[begin:end], free[begin:end], sides[begin:end])
        if found > trials and course.matters[truth != 0].all():
            found = end
    held = bool(((course.low <= truth) & (truth <= course.high)).all())
    return Score(bool(course.matters[truth == 0].any()), held, found <= trials, found)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--courses", type=int, default=2000)
    parser.add_argument("--start", type=int, default=9000)
    given = parser.parse_args()
    print("acts        noise        courses  false, % (95 % bound)  all intervals hold, %  all found, %  after trials (median)")
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        for effect, trials, part in ((0.0, 96, 1), (1.5, 240, 10)):
            for kind in KINDS:
                task = partial(measure, kind=kind, effect=effect, trials=trials)
                scores = pool.map(task, range(given.start, given.start + given.courses // part), chunksize=4)
                false, held, found, when = np.array(scores, dtype=float).T
                n = len(scores)
                told = f"{100 * found.mean():12.1f}  {np.median(when):12.0f}" if effect else ""
                print(
                    f"{'nothing' if not effect else 'three terms':11} {kind:12} {n:6}  {100 * false.mean():8.2f} "
                    f"({bound(int(false.sum()), n, lower=False):.2f})  {100 * held.mean():18.2f}  {told}",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
