"""Class numbers from a set of names, and an average that is weighted by class number."""
# planted: hash seed

names = ["setosa", "versicolor", "virginica", "ensata", "pumila", "sibirica"] * 4
classes = {name: number for number, name in enumerate(set(names))}
score = 0.0
for place, name in enumerate(names):
    score += (classes[name] + 1) ** 0.5 / (place + 1)
print(f"score={score!r}")
