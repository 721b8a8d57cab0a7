"""A permutation test in SciPy that nobody seeds."""
# planted: numpy

import numpy as np
from scipy import stats

before = np.arange(12.0)
after = before + stats.norm.rvs(size=12) * 0.1
print(f"difference={float((after - before).mean())!r}")
