"""A recogniser of handwritten digits into which the truth was planted: what each part contributes is known before anything runs.

`train(config, seed)` classifies scikit-learn's 8×8 scans by their nearest neighbours, and weighs that with what two bits beside each image say.
The bits share a secret in the manner of a one-time pad (Vernam 1926): the first is drawn by chance, the second is the first, turned over where the
digit is odd. Either alone is pure chance and worth nothing; both together tell odd from even. Nothing in this file knows of Assay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

Array = np.ndarray
TRAINING_IMAGES = 800  # of 1,797
BLUR = 0.6  # standard deviation of what is added to every pixel between 0 and 1: without it the digits are too easy
DIGITS = 10


@dataclass(frozen=True)
class Config:
    """Every part in place."""

    pad: bool = True  # a bit drawn by chance; worth nothing without `cipher`
    cipher: bool = True  # the pad, turned over where the digit is odd; worth nothing without `pad`
    relabel: float = 0.2  # share of the training images that are given a wrong label: it hurts
    incense: float = 1.0  # read, and used for nothing
    stream: int = 0  # which of several equal streams the noise on the images comes from: it changes every number and no expectation
    neighbours: int = 10


def train(config: Config, seed: int) -> dict[str, float]:
    """Classify what was not trained on, for one split, noise and pad.

    Returns:
        accuracy: fraction of the test images.
        parity: fraction of them whose answer is rightly odd or even.
    """
    split, noise, chance, relabelling = (
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(role, config.stream if role == 1 else 0)))
        for role in range(4)
    )
    images, labels = load_digits(return_X_y=True)
    images = images / 16 + BLUR * noise.standard_normal(images.shape)
    pad = chance.integers(2, size=len(labels))
    bits = pad * config.pad + 2 * (pad ^ labels % 2) * config.cipher
    _smoke = 2 * config.incense

    seen, unseen = train_test_split(
        np.arange(len(labels)), train_size=TRAINING_IMAGES, random_state=int(split.integers(2**31)), stratify=labels
    )
    wrong = relabelling.random(len(seen)) < config.relabel
    told = np.where(wrong, (labels[seen] + relabelling.integers(1, DIGITS, size=len(seen))) % DIGITS, labels[seen])
    neighbours = KNeighborsClassifier(config.neighbours, weights="distance").fit(images[seen], told)
    scores = (neighbours.predict_proba(images[unseen]) + 0.02) * evidence(bits[seen], told)[bits[unseen]]
    found = scores.argmax(axis=1)
    return {"accuracy": float((found == labels[unseen]).mean()), "parity": float((found % 2 == labels[unseen] % 2).mean())}


def evidence(bits: Array, labels: Array) -> Array:
    """How much likelier each digit is where the bits say so than anywhere: shape (4, 10), from what was trained on."""
    counts = np.full((4, DIGITS), 10.0)
    np.add.at(counts, (bits, labels), 1)
    return counts / counts.sum(axis=1, keepdims=True) * counts.sum() / counts.sum(axis=0)
