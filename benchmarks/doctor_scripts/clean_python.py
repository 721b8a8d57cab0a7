"""Seeded, plain Python."""
# planted: nothing

import json
import random

random.seed(7)
weights = [random.gauss(0, 1) for _ in range(10)]
for step in range(10):
    index = random.randrange(10)
    weights[index] *= 0.5
    print(f"step={step} loss={sum(weight * weight for weight in weights)!r}")
with open("weights.json", "w") as file:
    json.dump(weights, file)
