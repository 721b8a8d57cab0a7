"""Training that goes through the files of a folder in the order in which they are listed."""
# planted: listing

import json
import os

os.makedirs("shards", exist_ok=True)
for number in range(7):
    with open(f"shards/{number}.json", "w") as file:
        json.dump([number * 0.5, 3 - number], file)
weight = 0.0
for name in os.listdir("shards"):
    with open(f"shards/{name}") as file:
        x, y = json.load(file)
    weight -= 0.1 * (weight * x - y) * x
print(f"weight={weight!r}")
