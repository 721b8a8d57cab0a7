"""Peers of the adaptive design's search, over the systems of `bench_adaptive`: how often each finds exactly the right terms.

On the same trials by coins: the search, forward selection by EBIC, and lasso by cross-validation (scikit-learn's `LassoCV`, ten folds; the terms
whose coefficients are not 0). On runs of their own with noise of the same size: Plackett-Burman in 24 runs and its mirror image, repeated until
there are at least as many, with the search; and the 128 runs of Nordstrom and Robinson with least squares and Holm's correction.

    python benchmarks/adaptive_peers.py [--systems 200] [--start 30000]
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the arrays are small: threads only wait for each other
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import sys
import warnings

import numpy as np
from scipy.stats import t as student
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV

from assay.ablation.generators.fractions import nordstrom_robinson
from assay.ablation.generators.hadamard import folded, plackett_burman
from assay.stats.factorial_models import Space
from assay.stats.factorial_search import believe
from bench_adaptive import CASES, Case, System, bound, forward, made

FOLDS, LEVEL = 10, 0.05
NAMES = ("the search", "EBIC", "lasso", "Plackett-Burman + search", "Nordstrom-Robinson + Holm")


def searched(of: Space, columns: np.ndarray, values: np.ndarray, blocks: np.ndarray) -> np.ndarray:
    return believe(of, columns, values, blocks).chosen


def lasso(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LassoCV(cv=FOLDS).fit(columns, values).coef_ != 0


def holm(columns: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Terms of the full model of two-way interactions that Holm's step-down procedure keeps at 5 %."""
    design = np.column_stack([np.ones(len(values)), columns])
    inverse = np.linalg.inv(design.T @ design)
    found = inverse @ design.T @ values
    left, degrees = values - design @ found, len(values) - design.shape[1]
    error = np.sqrt(np.diagonal(inverse) * (left @ left) / degrees)
    p = 2 * student.sf(np.abs(found / error)[1:], degrees)
    order = np.argsort(p)
    kept = np.cumprod(p[order] <= LEVEL / np.arange(len(p), 0, -1)).astype(bool)
    chosen = np.zeros(len(p), dtype=bool)
    chosen[order[kept]] = True
    return chosen


def own(case: Case, one: System, runs: list[tuple[int, ...]], least: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns and responses of these runs, repeated until there are at least so many."""
    rows = np.array([row[: case.factors] for row in runs], dtype=float) * 2 - 1
    columns = np.tile(one.of.columns(rows), (-(-least // len(rows)), 1))
    return columns, columns @ one.true + one.rng.normal(0, case.sd, len(columns))


def measure(case: Case, seed: int, plackett: list[tuple[int, ...]], robinson: list[tuple[int, ...]]) -> list[bool]:
    one, n = made(case, seed), case.fixed
    columns, values, blocks = one.columns[:n], one.values[:n], one.blocks[:n]
    runs, responses = own(case, one, plackett, n)
    said = (
        searched(one.of, columns, values, blocks), forward(columns, values), lasso(columns, values),
        searched(one.of, runs, responses, np.zeros(len(runs), dtype=np.intp)), holm(*own(case, one, robinson, 128)),
    )  # fmt: skip
    return [bool((chosen == (one.true != 0)).all()) for chosen in said]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--systems", type=int, default=200)
    parser.add_argument("--start", type=int, default=30000)
    given = parser.parse_args()
    plackett, robinson = folded(plackett_burman(23)), nordstrom_robinson()
    for case in CASES[:3]:
        hits = np.sum([measure(case, given.start + index, plackett, robinson) for index in range(given.systems)], axis=0)
        runs = (case.fixed, case.fixed, case.fixed, -(-case.fixed // len(plackett)) * len(plackett), len(robinson))
        for name, number, right in zip(NAMES, runs, hits.tolist(), strict=True):
            rate = f"{100 * right / given.systems:5.1f} ({bound(right, given.systems, lower=True):.1f})"
            print(f"{case.name:8}{given.systems:5} systems  {name:28}{number:4} runs  exactly right {rate} %", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
