"""Workers are given seeds by the id of their process; here there is one."""
# planted: process

import os

import numpy as np

rng = np.random.default_rng(os.getpid())
estimate = 0.0
for step in range(5):
    estimate += 0.5 * (rng.normal() - estimate)
    print(f"step={step} estimate={estimate!r}")
