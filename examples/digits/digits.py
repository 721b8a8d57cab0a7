"""Recognise handwritten digits: a small pipeline in which every part can be taken out.

`train(config, seed)` fits one configuration on scikit-learn's 1,797 real 8×8 scans and returns what it measured. Nothing in
this file knows of Assay.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import shift
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

Array = np.ndarray
TIMINGS = 7  # the fastest of these counts: what else the machine does can only add time
TRAINING_IMAGES = 400  # of 1,797: few enough that what helps a small data set can show


@dataclass(frozen=True)
class Config:
    """The baseline: every part in place."""

    scaling: bool = True
    gradients: bool = True
    shifts: int = 4
    class_weight: str | None = "balanced"
    model: str = "svm"
    regularisation: float = 10.0


def train(config: Config, seed: int) -> dict[str, float]:
    """Fit on a split drawn by `seed` and test on the rest.

    Returns:
        accuracy and balanced accuracy (fractions of the test images), features per image,
        milliseconds to classify 1,000 images (the fastest of 7 times).
    """
    split_stream, shift_stream, model_stream = (
        np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(role,))) for role in range(3)
    )
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8) / 16
    split = int(split_stream.integers(2**31))
    seen, unseen, seen_labels, unseen_labels = train_test_split(
        images, labels, train_size=TRAINING_IMAGES, random_state=split, stratify=labels
    )
    seen, seen_labels = thin_out(seen, seen_labels, split_stream)
    seen, seen_labels = augment(seen, seen_labels, config.shifts, shift_stream)

    features = describe(seen, config.gradients)
    scaler = StandardScaler().fit(features) if config.scaling else None
    classifier = make_model(config, int(model_stream.integers(2**31)))
    classifier.fit(scaler.transform(features) if scaler else features, seen_labels)

    elapsed = []
    for _ in range(TIMINGS):
        started = time.perf_counter()
        features = describe(unseen, config.gradients)
        found = classifier.predict(scaler.transform(features) if scaler else features)
        elapsed.append(time.perf_counter() - started)
    return {
        "accuracy": float((found == unseen_labels).mean()),
        "balanced_accuracy": float(balanced_accuracy_score(unseen_labels, found)),
        "features": features.shape[1],
        "inference_ms": 1e6 * min(elapsed) / len(unseen),
    }


def thin_out(images: Array, labels: Array, stream: np.random.Generator) -> tuple[Array, Array]:
    """Keep a quarter of the even digits, as real collections are: some classes are rare."""
    keep = (labels % 2 == 1) | (stream.random(len(labels)) < 0.25)
    return images[keep], labels[keep]


def augment(images: Array, labels: Array, copies: int, stream: np.random.Generator) -> tuple[Array, Array]:
    """Add `copies` of each image, each moved by up to a pixel."""
    moved = [
        np.stack([shift(image, stream.uniform(-1, 1, size=2), order=1, mode="constant") for image in images]) for _ in range(copies)
    ]
    return np.concatenate([images, *moved]), np.tile(labels, copies + 1)


def describe(images: Array, gradients: bool) -> Array:
    """Pixels, and where asked the histogram of gradient directions in each 4×4 quarter (after Dalal and Triggs, 2005)."""
    pixels = images.reshape(len(images), -1)
    if not gradients:
        return pixels
    down, right = np.gradient(images, axis=(1, 2))
    direction = ((np.arctan2(down, right) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
    strength = np.hypot(down, right)
    cells = []
    for top in (0, 4):
        for left in (0, 4):
            part = np.s_[:, top : top + 4, left : left + 4]
            cells += [np.where(direction[part] == bin_, strength[part], 0).sum(axis=(1, 2)) for bin_ in range(8)]
    return np.hstack([pixels, np.stack(cells, axis=1)])


def make_model(config: Config, seed: int) -> SVC | LogisticRegression | RandomForestClassifier:
    """The classifier that `config.model` names."""
    if config.model == "svm":
        return SVC(C=config.regularisation, class_weight=config.class_weight)
    if config.model == "logistic":
        return LogisticRegression(C=config.regularisation, class_weight=config.class_weight, max_iter=2000)
    if config.model == "forest":
        return RandomForestClassifier(200, class_weight=config.class_weight, random_state=seed)
    raise ValueError(f"unknown model {config.model!r}; expected svm, logistic or forest")
