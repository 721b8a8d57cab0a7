"""Processes that are asked in order, each with a seed of its own."""
# planted: nothing

import os
import random
from concurrent.futures import ProcessPoolExecutor


def trial(seed):
    """A mean that depends on its seed alone."""
    rng = random.Random(seed)
    return sum(rng.random() for _ in range(1000)) / 1000


if __name__ == "__main__":
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        print(f"mean={sum(pool.map(trial, range(8))) / 8!r}")
