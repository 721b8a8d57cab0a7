"""Words counted, files read in order, a forest with a seed: nothing differs."""
# planted: nothing

import glob
import hashlib
import os
from datetime import datetime

import numpy as np
from sklearn.tree import DecisionTreeClassifier

os.makedirs("texts", exist_ok=True)
for number, text in enumerate(["a cat", "a dog", "the cat", "the dog and the cat", "a bird"]):
    with open(f"texts/{number}.txt", "w") as file:
        file.write(text)
texts = [open(path).read() for path in sorted(glob.glob("texts/*.txt"))]
words = sorted({word for text in texts for word in text.split()}, key=lambda word: hashlib.md5(word.encode()).hexdigest())
counts = np.array([[text.split().count(word) for word in words] for text in texts])
model = DecisionTreeClassifier(random_state=0).fit(counts, [0, 1, 0, 1, 1])
print(f"{datetime.now():%H:%M} depth={model.get_depth()} score={model.score(counts, [0, 1, 0, 1, 0])!r}")
