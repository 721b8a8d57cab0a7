"""Least squares through products of large matrices: their sums are split over threads."""
# planted: thread count

import numpy as np

rng = np.random.default_rng(0)
data = rng.normal(size=(4000, 200)).astype(np.float32)
target = data @ rng.normal(size=(200, 1)).astype(np.float32) + rng.normal(size=(4000, 1)).astype(np.float32)
weights = np.zeros((200, 1), np.float32)
for step in range(10):
    error = data @ weights - target
    weights -= 1e-4 * (data.T @ error)
    print(f"step={step} loss={float(np.mean(error**2))!r}")
solved = np.linalg.solve(data.T @ data, data.T @ target)
print(f"norm={float(np.linalg.norm(solved))!r}")
