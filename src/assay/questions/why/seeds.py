"""The seed of a run as a handle: what a block of a comparison is made of."""

from __future__ import annotations

import msgspec

from assay.execution.again import Original
from assay.questions.why.words import SEED_NAMES, arguments_of
from assay.tracking.command import own_arguments, parameters

_LARGEST = 2**31 - 1
"""Largest seed that every library takes."""


class SeedHandle:
    """Where both runs take their seed from, and what it was.

    Attributes:
        argument: name of the argument that is the seed; None where the runs were started with `--seed`, or are trials.
        good, bad: the seeds of the two runs.
    """

    def __init__(self, argument: str | None, good: int, bad: int) -> None:
        self.argument = argument
        self.good = good
        self.bad = bad

    def seeds(self, count: int) -> list[int]:
        """The first `count` seeds of the blocks: the good run's, the bad one's where it is another, then the next free integers."""
        found = list(dict.fromkeys([self.good, self.bad]))
        candidate = 0
        while len(found) < count:
            if candidate not in found:
                found.append(candidate)
            candidate += 1
        return found[:count]

    def set(self, original: Original, seed: int) -> Original:
        """The same run under another seed."""
        recipe = original.recipe
        if self.argument is None:
            flags = dict(recipe.flags)
            # The hash seed went with the seed, and goes with it again.
            if flags.get("PYTHONHASHSEED") == str(recipe.seed):
                flags["PYTHONHASHSEED"] = str(seed)
            return original._replace(recipe=msgspec.structs.replace(recipe, seed=seed, flags=flags))
        words: list[str] = list(recipe.command[: len(recipe.command) - len(own_arguments(recipe.command))])
        for each in arguments_of(own_arguments(recipe.command)):
            words += _with_value(each.words, seed) if each.name == self.argument else each.words
        given = {name: value for name, value in recipe.params.items() if name not in parameters(recipe.command)}
        changed = msgspec.structs.replace(recipe, command=tuple(words), params=parameters(words) | given)
        return original._replace(recipe=changed)


def seed_handle(good: Original, bad: Original) -> SeedHandle | None:
    """The seed that both runs can be given; None where they have none in common."""
    a, b = good.recipe.seed, bad.recipe.seed
    if a is not None and b is not None:
        return SeedHandle(None, a, b)
    one, other = (_seeds(side) for side in (good, bad))
    name = next((name for name in one if name in other), None)
    return None if name is None else SeedHandle(name, one[name], other[name])


def _seeds(side: Original) -> dict[str, int]:
    """Arguments of a command that are seeds, by their name and value."""
    if side.recipe.function is not None:
        return {}
    found = {}
    for each in arguments_of(own_arguments(side.recipe.command)):
        value = each.value
        if each.name.replace("-", "_").lower() in SEED_NAMES and value.isdigit() and int(value) <= _LARGEST:
            found[each.name] = int(value)
    return found


def _with_value(words: tuple[str, ...], seed: int) -> tuple[str, ...]:
    if "=" in words[0]:
        return (f"{words[0].partition('=')[0]}={seed}",)
    return (words[0], str(seed))
