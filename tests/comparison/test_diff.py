"""Everything in which two runs differ, as one list."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.comparison.diff import differences
from assay.comparison.patch import patch
from assay.records.environment import Determinism, Hardware, Package
from assay.records.run import Parent

A_RUN = {
    "code": {"train.py": b"1", "README": b"x"}, "loaded": {"train.py": b"1"}, "params": {"lr": 0.1}, "read": {"d.csv": b"1"}, "seed": 0,
    "packages": [Package(name="numpy", version="2.4.1")], "flags": {"PYTHONHASHSEED": "0"}, "threads": {"OMP_NUM_THREADS": "1"},
    "environment": {"python": "CPython 3.11.7", "os": "Linux 6.1", "hardware": Hardware(cpu="x", memory=1)},
    "determinism": Determinism(frameworks={"torch": {"threads": "1"}}),
}  # fmt: skip


def found(bench, **changes):
    a, b = bench.run(**A_RUN), bench.run(**{**A_RUN, **changes})
    return [(each.kind, each.name, each.a, each.b) for each in differences(bench.store, a, b)]


def test_equal_runs_differ_in_nothing(bench):
    assert found(bench) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"params": {"lr": 0.2}}, ("param", "lr", "0.1", "0.2")),
        ({"params": {"lr": "0.1"}}, ("param", "lr", "0.1", '"0.1"')),
        ({"params": {"lr": 0.1, "m": {"depth": 2}}}, ("param", "m.depth", None, "2")),
        ({"command": ("python", "eval.py")}, ("param", "command", "", "python eval.py")),
        ({"seed": 1}, ("seed", "seed", "0", "1")),
        ({"seed": None}, ("seed", "seed", "0", None)),
        ({"packages": [Package(name="numpy", version="2.4.3")]}, ("package", "numpy", "2.4.1", "2.4.3")),
        ({"packages": []}, ("package", "numpy", "2.4.1", None)),
        (
            {"packages": [Package(name="numpy", version="2.4.1", origin="vcs", url="https://x/y", commit="ab")]},
            ("package", "numpy", "2.4.1", "2.4.1 (vcs https://x/y at ab)"),
        ),
        ({"flags": {"PYTHONHASHSEED": "1"}}, ("flag", "PYTHONHASHSEED", "0", "1")),
        ({"threads": {}}, ("flag", "OMP_NUM_THREADS", "1", None)),
        ({"determinism": Determinism(frameworks={"torch": {"threads": "2"}})}, ("flag", "torch.threads", "1", "2")),
        (
            {"environment": {**A_RUN["environment"], "python": "CPython 3.12.1"}},
            ("python", "python", "CPython 3.11.7", "CPython 3.12.1"),
        ),
        ({"environment": {**A_RUN["environment"], "os": "Linux 6.2"}}, ("system", "os", "Linux 6.1", "Linux 6.2")),
        ({"environment": {**A_RUN["environment"], "hardware": Hardware(cpu="y", memory=1)}}, ("hardware", "cpu", "x", "y")),
        ({"parents": (Parent(run="a" * 16, by="read", path="m.pt"),)}, ("lineage", "read m.pt", None, "a" * 16)),
    ],
)
def test_each_kind_of_difference(bench, changes, expected):
    """One change, one line, with both values."""
    assert found(bench, **changes) == [expected]


def test_a_reproduction_does_not_differ_by_being_one(bench):
    assert found(bench, parents=(Parent(run="a" * 16, by="reproduction"),)) == []


def test_code_is_listed_by_file_and_what_was_executed_comes_first(bench):
    changed = found(bench, code={"README": b"y", "train.py": b"2", "new.py": b""}, loaded={"train.py": b"2"})
    assert [(kind, name) for kind, name, _, _ in changed] == [("code", "train.py"), ("code", "README"), ("code", "new.py")]
    assert changed[2][2] is None
    assert changed[0][2] == bench.store.objects.put(b"1")


def test_a_module_that_was_loaded_from_outside_the_tree_is_code(bench):
    """Ignored by git, imported all the same."""
    changed = found(bench, loaded={"train.py": b"1", "secret_settings.py": b"x"})
    assert [(kind, name) for kind, name, _, _ in changed] == [("code", "secret_settings.py")]


def test_data_is_what_was_read_or_declared_and_not_code(bench):
    changed = found(bench, read={"d.csv": b"2", "README": b"x"}, data={"images": "f" * 64})
    assert [(kind, name) for kind, name, _, _ in changed] == [("data", "d.csv"), ("data", "images")]


def test_what_acts_most_directly_comes_first(bench):
    changed = found(bench, seed=1, params={"lr": 1}, code={"train.py": b"2"}, loaded={"train.py": b"2"}, packages=[], read={})
    assert list(dict.fromkeys(kind for kind, *_ in changed)) == ["code", "param", "data", "seed", "package"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4), st.one_of(st.integers(0, 3), st.floats(), st.none(), st.text(max_size=3)), max_size=4
    ),
    st.dictionaries(
        st.text(min_size=1, max_size=4), st.one_of(st.integers(0, 3), st.floats(), st.none(), st.text(max_size=3)), max_size=4
    ),
)
def test_the_list_seen_from_the_other_run_has_its_sides_exchanged(bench, one, other):
    """And a run does not differ from itself, NaN included."""
    a, b = bench.run(params=one), bench.run(params=other)
    there = [(each.kind, each.name, each.a, each.b) for each in differences(bench.store, a, b)]
    back = [(each.kind, each.name, each.b, each.a) for each in differences(bench.store, b, a)]
    assert sorted(there, key=repr) == sorted(back, key=repr)
    assert differences(bench.store, a, a) == []


def test_the_patch_of_two_runs_is_that_of_their_trees(bench):
    a, b = (bench.run(code={"train.py": text}) for text in (b"x = 1\n", b"x = 2\n"))
    assert "-x = 1\n+x = 2\n" in patch(bench.store, a, b)
    assert patch(bench.store, a, a) == ""
