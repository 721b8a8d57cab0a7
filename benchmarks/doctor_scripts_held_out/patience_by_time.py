"""A search that takes as many tries as fit into a moment."""
# planted: clock

import random
import time

rng, best = random.Random(3), 0.0
end = time.monotonic() + 0.02
while time.monotonic() < end:
    best = max(best, rng.random())
with open("best.txt", "w") as file:
    file.write(f"{best!r}\n")
