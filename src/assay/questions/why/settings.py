"""Differences of settings: thread counts, flags, variables, and a seed that only one run had."""

from __future__ import annotations

import fnmatch

import msgspec

from assay.capture.environment import FLAGS, THREADS
from assay.execution.again import Original
from assay.questions.why.flips import Flip, Variant

# What names a place, a job or a process of one machine; setting it elsewhere would only break what reads it.
_OF_THE_MACHINE = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED", "RANK", "LOCAL_RANK", "MASTER_*"),
    *("SLURM_*", "RAY_ADDRESS", "HF_HOME", "TRANSFORMERS_CACHE", "CUDA_VISIBLE_DEVICES", "NVIDIA_*", "HIP_VISIBLE_DEVICES"),
)
_SELDOM = 0.3
"""Weight of a variable that is no part of a recipe."""


class SettingsPart:
    """Variables of the recipe that differ, other recorded variables, and a seed that one of the runs was started without."""

    def __init__(self, good: Original, bad: Original) -> None:
        self._bad = bad
        self.flips = [
            *self._seed(good),
            *_differing(good.recipe.threads, bad.recipe.threads),
            *_differing(good.recipe.flags, bad.recipe.flags),
            *self._variables(good),
        ]

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """The variant with the settings of the combination."""
        original = variant.original
        recipe, other = original.recipe, self._bad.recipe
        changed = msgspec.structs.replace(
            recipe,
            threads=_mixed(recipe.threads, other.threads, bad),
            flags=_mixed(recipe.flags, other.flags, bad),
            seed=other.seed if "seed seed" in bad else recipe.seed,
        )
        free = [flip.name for flip in self.flips if flip.weight == _SELDOM and flip.is_open]
        theirs = self._bad.environment.variables
        ours = original.environment.variables
        variables = {name: (theirs if f"flag {name}" in bad else ours).get(name) for name in free}
        return variant._replace(original=original._replace(recipe=changed, variables={**original.variables, **variables}))

    def _seed(self, good: Original) -> list[Flip]:
        a, b = good.recipe.seed, self._bad.recipe.seed
        if (a is None) == (b is None):
            return []  # two seeds are two draws of the same noise, which blocks measure
        return [Flip("seed", "seed", None if a is None else str(a), None if b is None else str(b))]

    def _variables(self, good: Original) -> list[Flip]:
        a, b = (
            {
                name: value
                for name, value in side.environment.variables.items()
                if name not in THREADS
                and name not in FLAGS
                and not any(fnmatch.fnmatchcase(name, each) for each in _OF_THE_MACHINE)
            }
            for side in (good, self._bad)
        )
        return [flip._replace(weight=_SELDOM) for flip in _differing(a, b)]


def _differing(a: dict[str, str], b: dict[str, str]) -> list[Flip]:
    return [Flip("flag", name, a.get(name), b.get(name)) for name in sorted(a.keys() | b.keys()) if a.get(name) != b.get(name)]


def _mixed(a: dict[str, str], b: dict[str, str], bad: frozenset[str]) -> dict[str, str]:
    names = dict.fromkeys([*a, *b])
    sides = {name: b if f"flag {name}" in bad else a for name in names}
    return {name: side[name] for name, side in sides.items() if name in side}
