"""The seed of a recorded run: where it stands, and the same run with another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from assay.execution.again.original import Original
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.store.store import Store
from assay.tracking.recipe import HASH_SEED

# What scripts call it; the last word of a dotted name counts (`train.seed=3`).
_NAMES = frozenset({"seed", "random_seed", "random_state", "rng", "rng_seed", "manual_seed", "global_seed"})
_WORD = re.compile(r"(?P<sign>--?|\+{0,2})(?P<name>[A-Za-z_][\w./-]*)(?:=(?P<value>\d+))?")


class Seed(NamedTuple):
    """The seed of a recipe: its value, and the parameter that bears it; None where it was given to `assay run --seed` alone."""

    value: int
    name: str | None = None


def seed_of(recipe: Recipe) -> Seed | None:
    """The seed that can be varied, of the command's own arguments or of `assay run --seed`; None where there is none."""
    placed = next(_places(recipe.command), None)
    if placed is not None:
        return Seed(placed.value, placed.name)
    return None if recipe.seed is None else Seed(recipe.seed)


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """The recipe with another seed, wherever it stands; a recipe that has none is given as it is.

    Where `assay run --seed` gave another number than the command's own arguments, it stays.
    """
    words, params = list(recipe.command), dict(recipe.params)
    for place in _places(recipe.command):
        words[place.at] = place.before + str(seed)
        if params.get(place.name) == place.value:
            params[place.name] = seed
    before = seed_of(recipe)
    if before is None or recipe.seed != before.value:
        return msgspec.structs.replace(recipe, command=tuple(words), params=params)
    # A seed that Assay was given fixes the hash seed too, where the user had not fixed it.
    flags = {name: str(seed) if name == HASH_SEED and value == str(before.value) else value for name, value in recipe.flags.items()}
    return msgspec.structs.replace(recipe, command=tuple(words), params=params, seed=seed, flags=flags)


def reseeded(original: Original, seed: int) -> Original:
    """The run with another seed, to be carried out."""
    return original._replace(recipe=with_seed(original.recipe, seed))


def sisters(store: Store, run: Run) -> dict[int, list[Run]]:
    """Finished runs of the same recipe but for its seed, by seed, the newest of each first; `run` itself is the first of its own.

    Runs that repeat another, or vary it, are not among them: they say how it is now, not how it was then.
    """
    recipe = store.objects.record(run.start.recipe, Recipe)
    seed = seed_of(recipe)
    if seed is None:
        return {}
    found: dict[int, list[Run]] = {seed.value: [run]}
    recipes: dict[str, int | None] = {run.start.recipe: seed.value}
    for each in store.catalogue.runs(where="state == 'finished'"):
        if each.id == run.id or not _is_recorded(each) or len(each.start.command) != len(run.start.command):
            continue
        if each.start.recipe not in recipes:
            recipes[each.start.recipe] = _sister_seed(recipe, store.objects.record(each.start.recipe, Recipe))
        other = recipes[each.start.recipe]
        if other is not None:
            found.setdefault(other, []).append(each)
    return found


def equals(store: Store, run: Run) -> list[Run]:
    """Finished runs of the very same recipe, without `run` itself and without those that repeat or vary another; the newest first."""
    found = (store.runs.read(run_id) for run_id in store.catalogue.with_recipe(run.start.recipe) if run_id != run.id)
    return [each for each in found if _is_recorded(each)]


def _is_recorded(run: Run) -> bool:
    return not any(parent.by in ("reproduction", "variant") for parent in run.start.parents)


def _sister_seed(recipe: Recipe, other: Recipe) -> int | None:
    seed = seed_of(other)
    return seed.value if seed is not None and with_seed(recipe, seed.value) == other else None


class _Place(NamedTuple):
    at: int
    before: str
    name: str
    value: int


def _places(words: tuple[str, ...]) -> Iterator[_Place]:
    """Where in a command a seed stands: `--seed 3`, `--seed=3` or `seed=3`."""
    for index, word in enumerate(words):
        found = _WORD.fullmatch(word)
        if found is None or not _is_seed(found["name"]):
            continue
        name = found["name"]
        if found["value"] is not None:
            yield _Place(index, word[: found.start("value")], name, int(found["value"]))
        elif found["sign"].startswith("-") and index + 1 < len(words) and words[index + 1].isdecimal():
            yield _Place(index + 1, "", name, int(words[index + 1]))


def _is_seed(name: str) -> bool:
    return re.split(r"[./]", name)[-1].replace("-", "_").lower() in _NAMES
