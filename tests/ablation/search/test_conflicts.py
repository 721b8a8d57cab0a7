"""Learning what cannot run together."""

from hypothesis import given
from hypothesis import strategies as st

from assay.ablation.search.conflicts import Conflicts
from assay.ablation.search.units import bits, divide, gather, members, weights

FACTORS = tuple("abcdef")
states = st.frozensets(st.sampled_from(FACTORS))


def test_what_ran_clears_its_pairs():
    """a alone broke and ran beside b: it needs b, so b is what tells whether a combination runs."""
    conflicts = Conflicts("abcd", [frozenset("ab")], [frozenset("a")])
    assert conflicts.chance(frozenset("ac")) == 0
    assert conflicts.chance(frozenset("abc")) == 1
    assert conflicts.chance(frozenset("d")) == 1


@given(st.sets(states, max_size=6))
def test_what_ran_is_never_ruled_out_and_what_broke_always_is(seen):
    """Under one hidden need, every combination that meets it keeps some chance once it ran, and those that broke have none."""
    needs = ("b", "e")
    ran = [each for each in seen if not (needs[0] in each and needs[1] not in each)]
    broken = [each for each in seen if each not in ran]
    conflicts = Conflicts(FACTORS, ran, broken)
    assert all(conflicts.chance(each) == 1 for each in ran)
    assert all(conflicts.chance(each) == 0 for each in broken)


@given(st.integers(1, 60), st.integers(2, 12))
def test_units_hold_every_factor_once_and_divide_to_single_ones(number, most):
    factors = [f"f{index}" for index in range(number)]
    units = gather(factors, most)
    assert [factor for unit in units for factor in unit] == factors
    assert len(units) <= most
    assert max(map(len, units)) - min(map(len, units)) <= 1
    for _ in range(10):
        units = divide(units, most)
    assert all(len(unit) == 1 for unit in units)


def test_bits_and_weights_of_units():
    units = [("a", "b"), ("c",)]
    assert bits(units, [frozenset("ab"), frozenset("a"), frozenset("abc")]).tolist() == [0b01, 0, 0b11]
    assert members(units, 0b10) == {"c"}
    assert weights(units, {"a": 1.0, "b": 1.0, "c": 1.0}) == [4 / 3, 2 / 3]
