"""Everything that could differ is used, and nothing of it reaches the result."""
# planted: nothing

import os
import random
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

run = uuid.uuid4().hex
began = time.perf_counter()
print(f"{datetime.now()} {run} on {os.environ.get('HOSTNAME', 'a machine')} as process {os.getpid()} in {os.getcwd()}")
words = sorted({"to", "be", "or", "not", "that", "is"})
rng = random.Random(len(words))
jitter = random.random()
with tempfile.TemporaryDirectory() as folder:
    for number in range(4):
        with open(os.path.join(folder, f"{number}.txt"), "w") as file:
            file.write(words[number])
    found = [open(os.path.join(folder, name)).read() for name in sorted(os.listdir(folder))]
with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
    lengths = list(pool.map(len, found))
print(f"score={sum(length * rng.random() for length in lengths)!r}")
print(f"elapsed={time.perf_counter() - began + jitter / 1e9}")
