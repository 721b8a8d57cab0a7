"""A seed made of where the script lies."""
# planted: working folder

import os
import random
import zlib

rng = random.Random(zlib.crc32(os.path.abspath(__file__).encode()))
loss = 1.0
for step in range(5):
    loss *= rng.random()
    print(f"step={step} loss={loss!r}")
