"""A model that speaks the protocol of `perform_ablation_study`, in which the effect of every part is known beforehand.

Its score is 0.75, plus uniform noise of at most 0.02 from the global `random`, plus 0.05, 0.015 and 0.016 for its three parts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

PARTS = {"a": ("A", 0.1), "b": ("B", 0.05), "c": ("C", 0.08)}
SAMPLES = [f"sample {number}" for number in range(100)]


class Toy:
    def __init__(self, parts: tuple[str, ...] = tuple(PARTS)) -> None:
        self.parts = list(parts)
        self.state = {"A": 0.5, "B": 0.3, "C": 0.2}

    def clone(self) -> Toy:
        return Toy(tuple(self.parts))

    def state_dict(self) -> dict[str, float]:
        return self.state

    def load_state_dict(self, state: dict[str, float]) -> None:
        self.state = state

    def train(self, samples: list[str]) -> None:
        """Nothing to learn."""

    def evaluate(self, samples: list[str]) -> float:
        score = 0.75 + random.uniform(-0.02, 0.02)
        for part, (key, factor) in PARTS.items():
            if part in self.parts:
                score += self.state[key] * factor
        return min(1.0, score)


class Learner(Toy):
    """Its training changes the very state that it was given, and a clone shares the state of the base."""

    def clone(self) -> Learner:
        twin = Learner(tuple(self.parts))
        twin.state = self.state
        return twin

    def train(self, samples: list[str]) -> None:
        for key in self.state:
            self.state[key] += 1.0


def without(*parts: str) -> Callable[[Toy], Toy]:
    def edit(model: Toy) -> Toy:
        model.parts = [part for part in model.parts if part not in parts]
        return model

    return edit


CONFIGURATIONS: dict[str, Callable[[Any], Any]] = {
    "Baseline": lambda model: model,
    "Without a": without("a"),
    "Without b": without("b"),
    "Without c": without("c"),
    "Without all": without("a", "b", "c"),
}


def plain_loop(configurations: dict[str, Callable[[Any], Any]], n_runs: int, random_seed: int) -> dict[str, dict[str, object]]:
    """What the protocol says, without any engine."""
    found = {}
    for name, edit in configurations.items():
        scores = []
        for run in range(n_runs):
            random.seed(random_seed + run)
            np.random.seed(random_seed + run)
            scores.append(edit(Toy()).evaluate(SAMPLES))
        found[name] = {"mean_score": np.mean(scores), "std_dev": np.std(scores), "individual_scores": scores}
    return found
