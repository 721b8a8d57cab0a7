"""A split whose seed is made of the name of who runs it."""
# planted: host

import getpass
import random
import zlib

rng = random.Random(zlib.crc32(getpass.getuser().encode()))
values = [number**2 % 17 for number in range(50)]
rng.shuffle(values)
print(f"test_mean={sum(values[:10]) / 10!r}")
