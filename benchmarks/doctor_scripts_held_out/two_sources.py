"""A network whose weights have no seed, over examples in an order that has none either."""
# planted: default_rng, random

import random

import numpy as np

data = [(x / 10, (x / 10) ** 2) for x in range(-10, 11)]
random.shuffle(data)
weights = np.random.default_rng().normal(size=2)
for step, (x, y) in enumerate(data):
    error = weights[0] * x + weights[1] - y
    weights -= 0.1 * error * np.array([x, 1.0])
    print(f"step={step} error={float(error)!r}")
