"""A generator that takes the microsecond as its seed."""
# planted: clock

import json
import random
from datetime import datetime

rng = random.Random(datetime.now().microsecond)
walk = [0.0]
for _ in range(20):
    walk.append(walk[-1] + rng.choice((-1, 1)) * rng.random())
with open("walk.json", "w") as file:
    json.dump(walk, file)
