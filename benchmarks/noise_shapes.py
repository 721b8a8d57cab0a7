"""Noise of simulated studies: tables without any effect, in shapes that metrics have. Shared by the benchmarks of intervals."""

from __future__ import annotations

import numpy as np

from assay.stats.simultaneous import Array

SHAPES = (
    *("normal", "skewed", "heavy-tailed", "bounded"),
    *("one 2 x", "one 3 x", "one 5 x", "two 3 x", "half 3 x", "baseline 2 x", "baseline 3 x", "baseline 5 x"),
    *("half share 1 x", "half share 2 x"),
)
"""One variant (two, half of them, the baseline) with so many times the spread of the others; the first four are alike in all configurations.

Of the last two, half of the variants share noise beside their own that the others do not have, with so many times its spread.
"""

COVERED = (*SHAPES[:4], "skewed differences")
"""Those under which the coverage of intervals is claimed against Student's t."""


def noise(shape: str, random: np.random.Generator, size: tuple[int, int, int]) -> Array:
    """Studies x blocks x configurations with mean 0 and, where all are alike, standard deviation 1; what a seed shares is not in it.

    Skewed: exponential, so that differences are symmetric where all are alike; skewed differences: the same with a tenth of it in the baseline.
    Heavy-tailed: Student's t with 3 degrees of freedom. Bounded: beta(1/2, 1/2), most of it near its two ends.
    """
    if shape == "skewed":
        return random.exponential(size=size) - 1
    if shape == "skewed differences":
        values = random.exponential(size=size) - 1
        values[:, :, 0] *= 0.1
        return values
    if shape == "heavy-tailed":
        return np.asarray(random.standard_t(3, size=size) / np.sqrt(3))
    if shape == "bounded":
        return np.asarray((random.beta(0.5, 0.5, size=size) - 0.5) * np.sqrt(8))
    values = random.normal(size=size)
    first, *_, times, _ = ("none", "1", "x") if shape == "normal" else shape.split()
    half = slice(1, 1 + size[2] // 2)
    if shape.startswith("half share"):
        values[:, :, half] += float(times) * random.normal(size=(*size[:2], 1))
        return values
    which = {"one": slice(1, 2), "two": slice(1, 3), "half": half, "baseline": slice(0, 1)}.get(first, slice(0, 0))
    values[:, :, which] *= float(times)
    return values
