"""Words numbered in the order of a set, and weights drawn by number."""
# planted: hash seed

import random

texts = ["the model learns", "the data has noise", "a seed fixes the order", "a set has none", "noise hides the effect"]
labels = [1, 0, 1, 0, 0]
numbers = {word: number for number, word in enumerate({word for text in texts for word in text.split()})}
rng = random.Random(0)
weights = [rng.gauss(0, 1) for _ in numbers]
for epoch in range(5):
    loss = 0.0
    for text, label in zip(texts, labels, strict=True):
        score = sum(weights[numbers[word]] for word in text.split())
        loss += (score - label) ** 2
        for word in text.split():
            weights[numbers[word]] -= 0.05 * (score - label)
    print(f"epoch={epoch} loss={loss!r}")
