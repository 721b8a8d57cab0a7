"""Layers that are sorted by id, and rounded one after the other."""
# planted: memory addresses

layers = sorted(([number / 7] * (number % 5 + 1) for number in range(30)), key=id)
total = 0.0
for layer in layers:
    total = total * 0.75 + sum(layer)
print(f"total={total!r}")
