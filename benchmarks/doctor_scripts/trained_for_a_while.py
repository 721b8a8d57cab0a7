"""Training that stops when its time is up."""
# planted: clock

import time

weight, rounds = 0.0, 0
deadline = time.perf_counter() + 0.05
while time.perf_counter() < deadline:
    weight -= 1e-6 * (weight - 3.0)
    rounds += 1
print(f"loss={(weight - 3.0) ** 2!r}")
print(f"rounds={rounds}")
