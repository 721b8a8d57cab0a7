"""A perceptron over examples in an order that `random` gives, though NumPy is seeded."""
# planted: random

import json
import random

import numpy as np

rng = np.random.default_rng(0)
examples = [(float(x), float(y), int(x > y)) for x, y in rng.normal(size=(200, 2))]
weights = [0.0, 0.0]
for epoch in range(3):
    random.shuffle(examples)
    wrong = 0
    for x, y, label in examples:
        guess = int(weights[0] * x + weights[1] * y > 0)
        wrong += guess != label
        weights[0] += 0.1 * (label - guess) * x
        weights[1] += 0.1 * (label - guess) * y
    print(f"epoch={epoch} error={wrong / len(examples)}")
with open("weights.json", "w") as file:
    json.dump(weights, file)
