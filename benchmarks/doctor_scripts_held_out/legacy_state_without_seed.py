"""K-means whose start comes from a RandomState that nobody gave a seed."""
# planted: default_rng

import numpy as np

rng = np.random.RandomState()
points = np.concatenate([np.arange(20.0), np.arange(20.0) + 50, np.arange(20.0) + 200])
centres = rng.choice(points, 3, replace=False)
for step in range(2):
    nearest = np.abs(points[:, None] - centres).argmin(axis=1)
    centres = np.array([points[nearest == k].mean() for k in range(3)])
    print(f"step={step} inertia={float(((points - centres[nearest]) ** 2).sum())!r}")
