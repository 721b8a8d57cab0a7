"""Folds that the system's generator assigns."""
# planted: entropy

import secrets

import numpy as np

values = np.arange(60.0) ** 1.1
folds = np.array([secrets.randbelow(5) for _ in values])
for fold in range(5):
    inside = values[folds == fold]
    print(f"fold={fold} mean={float(inside.sum()) / max(len(inside), 1)!r}")
