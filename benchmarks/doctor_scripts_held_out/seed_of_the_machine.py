"""A seed from the name of the machine."""
# planted: host

import platform
import zlib

import numpy as np

rng = np.random.default_rng(zlib.crc32(platform.node().encode()))
values = rng.normal(size=50)
for step in range(3):
    values = values - 0.5 * values.mean()
    print(f"step={step} spread={float(values.max() - values.min())!r}")
