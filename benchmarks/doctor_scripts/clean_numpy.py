"""NumPy with a seeded generator, and arithmetic that no library splits or approximates."""
# planted: nothing

import numpy as np

rng = np.random.default_rng(5)
data, weights = rng.integers(-5, 5, size=(100, 3)), np.zeros(3)
target = data[:, 0] * 2 - data[:, 2]
for step in range(20):
    for row, wanted in zip(data, target, strict=True):
        error = row[0] * weights[0] + row[1] * weights[1] + row[2] * weights[2] - wanted
        weights -= 0.01 * error * row
    print(f"step={step} error={float(error)!r}")
np.save("weights.npy", weights)
