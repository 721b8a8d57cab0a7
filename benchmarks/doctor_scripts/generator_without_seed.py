"""A small network in NumPy whose weights come from a generator without a seed."""
# planted: default_rng

import numpy as np

data = np.linspace(-1, 1, 64).reshape(-1, 1)
target = data**2
rng = np.random.default_rng()
inner, outer = rng.normal(size=(1, 8)), rng.normal(size=(8, 1))
for step in range(20):
    hidden = np.maximum(data * inner, 0)
    error = (hidden * outer.T).sum(axis=1, keepdims=True) - target
    outer -= 0.05 * (hidden * error).mean(axis=0).reshape(-1, 1)
    print(f"step={step} loss={float((error**2).mean())!r}")
