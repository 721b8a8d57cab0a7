"""Where a seed stands in a recipe, and the same recipe with another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.execution.again.reseed import seed_of, with_seed
from assay.records.recipe import Recipe


@pytest.mark.parametrize(
    ("words", "value", "name", "with_nine"),
    [
        ("python t.py --seed 3", 3, "seed", "python t.py --seed 9"),
        ("python t.py --random-state=3 --lr 3", 3, "random-state", "python t.py --random-state=9 --lr 3"),
        ("python t.py train.seed=3", 3, "train.seed", "python t.py train.seed=9"),
        ("python t.py +rng=3", 3, "rng", "python t.py +rng=9"),
        ("python t.py --seed 3 --seed 4", 3, "seed", "python t.py --seed 9 --seed 9"),
    ],
)
def test_a_seed_among_the_arguments(words, value, name, with_nine):
    recipe = Recipe(command=tuple(words.split()), params={name: value, "lr": value})
    assert seed_of(recipe) == (value, name)
    changed = with_seed(recipe, 9)
    assert " ".join(changed.command) == with_nine
    assert changed.params == {name: 9, "lr": value}


@pytest.mark.parametrize(
    "words", ["python t.py", "python t.py --seed", "python t.py --seed auto", "python seed 3", "python t.py --seeds 3"]
)
def test_what_is_no_seed(words):
    recipe = Recipe(command=tuple(words.split()))
    assert seed_of(recipe) is None
    assert with_seed(recipe, 9) == recipe


def test_the_seed_that_assay_was_given_goes_with_its_hash_seed():
    """Unless the user had fixed that; and a seed that is not the arguments' own stays."""
    recipe = Recipe(command=("t",), seed=3, flags={"PYTHONHASHSEED": "3"})
    assert with_seed(recipe, 9) == Recipe(command=("t",), seed=9, flags={"PYTHONHASHSEED": "9"})
    fixed = Recipe(command=("t",), seed=3, flags={"PYTHONHASHSEED": "0"})
    assert with_seed(fixed, 9).flags == {"PYTHONHASHSEED": "0"}
    both = Recipe(command=("t", "--seed", "5"), seed=3)
    assert with_seed(both, 9) == Recipe(command=("t", "--seed", "9"), seed=3)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_back_and_forth_is_the_same_recipe(one, other):
    recipe = Recipe(
        command=("python", "t.py", "--seed", str(one)), seed=one, params={"seed": one}, flags={"PYTHONHASHSEED": str(one)}
    )
    assert with_seed(with_seed(recipe, other), one) == recipe
