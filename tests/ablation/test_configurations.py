"""Configurations by path: nothing alters the baseline, and what cannot be set is said by name."""

import copy
import dataclasses
import enum
from collections import OrderedDict
from pathlib import PurePosixPath
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.ablation.configurations import check_settings, configure, overlap, plain
from assay.errors import InvalidStudy, InvalidValue, UnknownParameter
from assay.records.canonical import canonical


@dataclasses.dataclass(frozen=True)
class Model:
    depth: int = 4
    width: int = 8
    size: int = dataclasses.field(init=False, default=0)

    def __post_init__(self):
        if self.depth < 1:
            raise ValueError("depth must be 1 or more")
        object.__setattr__(self, "size", self.depth * self.width)


@dataclasses.dataclass
class Config:
    model: Model = dataclasses.field(default_factory=Model)
    extra: dict = dataclasses.field(default_factory=lambda: {"layers": [1, 2], "a.b": 1})
    lr: float = 0.1


class Kind(enum.Enum):
    SMALL = "small"


def test_a_frozen_dataclass_inside_a_dataclass_is_rebuilt():
    """Derived fields follow, and the baseline keeps its own."""
    baseline = Config()
    changed = configure(baseline, {"model.depth": 1, "extra.layers": [9]})
    assert (changed.model.depth, changed.model.size, changed.extra["layers"]) == (1, 8, [9])
    assert baseline == Config()


def test_nothing_is_shared_with_the_baseline():
    baseline = {"model": {"layers": [1, 2]}, "other": {"deep": [3]}}
    value = [5]
    changed = configure(baseline, {"model.layers": value})
    changed["other"]["deep"].append(4)
    changed["model"]["layers"].append(6)
    assert baseline == {"model": {"layers": [1, 2]}, "other": {"deep": [3]}}
    assert value == [5]


def test_a_key_that_holds_a_dot_is_found_first():
    assert configure(Config(), {"extra.a.b": 2}).extra["a.b"] == 2
    assert configure({"a.b": 1, "a": {"b": 2}}, {"a.b": 3}) == {"a.b": 3, "a": {"b": 2}}


def test_mappings_keep_their_kind():
    assert isinstance(configure(OrderedDict(a=1), {"a": 2}), OrderedDict)


def test_an_unknown_key_names_component_nearest_and_available():
    with pytest.raises(UnknownParameter) as unknown:
        configure(Config(), {"model.dept": 1}, component="depth")
    text = str(unknown.value)
    assert all(part in text for part in ("'depth'", "'model.dept'", "Did you mean 'model.depth'?", "lr"))


@pytest.mark.parametrize("path", ["lr.x", "model.depth.x", "model.", ".lr", "zzz", "model..depth"])
def test_a_path_that_leads_nowhere_is_unknown(path):
    with pytest.raises(UnknownParameter):
        configure(Config(), {path: 1})


def test_a_baseline_without_parameters_says_what_is_expected():
    with pytest.raises(UnknownParameter, match="mapping or a dataclass"):
        configure(object(), {"x": 1})


def test_a_value_that_the_dataclass_refuses_is_the_users_mistake():
    with pytest.raises(InvalidStudy, match="depth must be 1 or more"):
        configure(Config(), {"model.depth": 0}, component="depth")


def test_what_cannot_be_copied_is_refused():
    with pytest.raises(InvalidStudy, match="cannot be copied"):
        configure({"stream": (i for i in range(3)), "x": 1}, {"x": 2})
    with pytest.raises(InvalidStudy, match="cannot be copied"):
        configure(MappingProxyType({"a": 1}), {"a": 2})


@pytest.mark.parametrize("value", [4, 4.0, np.int64(4)])
def test_the_baselines_own_value_would_be_a_silent_no_op(value):
    with pytest.raises(InvalidStudy, match="would change nothing"):
        check_settings(Config(), {"model.depth": value}, component="depth")


def test_equality_knows_arrays_and_nan():
    baseline = {"weights": np.array([1.0, 2.0]), "fill": float("nan")}
    for same in ({"weights": np.array([1.0, 2.0])}, {"fill": float("nan")}):
        with pytest.raises(InvalidStudy, match="would change nothing"):
            check_settings(baseline, same, component="x")
    check_settings(baseline, {"weights": np.array([1.0, 3.0]), "fill": 0.0}, component="x")
    check_settings(baseline, {"weights": np.array([1.0, 3.0, 4.0])}, component="x")


def test_paths_within_one_another_overlap():
    baseline = {"model": {"depth": 1}, "model2": 1}
    assert overlap(baseline, {"model": None}, {"model.depth": 2}) == ("model", "model.depth")
    assert overlap(baseline, {"model": None}, {"model2": 2}) is None
    with pytest.raises(InvalidStudy, match="one lies in the other"):
        check_settings(baseline, {"model": {"depth": 3}, "model.depth": 2}, component="x")


def test_plain_form_of_what_configurations_hold():
    value = {
        "kind": Kind.SMALL,
        "path": PurePosixPath("a/b"),
        "array": np.arange(3),
        "scalar": np.float32(0.5),
        "flag": np.bool_(True),
        "set": {3, 1},
        "tuple": (1, (2,)),
        "class": Model,
        "function": np.linalg.norm,
        7: None,
        "model": Model(),
    }
    held = plain(value)
    assert held["kind"] == "small" and held["path"] == "a/b" and held["array"] == [0, 1, 2] and held["scalar"] == 0.5
    assert held["flag"] is True and held["set"] == [1, 3] and held["tuple"] == [1, [2]] and held["class"].endswith(":Model")
    assert held["7"] is None and held["model"] == {"depth": 4, "width": 8, "size": 32}
    assert canonical(held)


def test_an_object_is_named_by_its_content():
    assert plain(complex(1, 2)) == plain(complex(1, 2)) != plain(complex(1, 3))


@pytest.mark.parametrize("value", [lambda: 1, {"a": open}.items(), {1: "a", "1": "b"}])
def test_what_has_no_stored_form_is_refused(value):
    with pytest.raises(InvalidValue):
        plain(value)


nested = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text("abc.", min_size=1, max_size=3), inner, min_size=1, max_size=3),
    max_leaves=8,
)


def leaves(node, prefix=""):
    if not isinstance(node, dict):
        return [prefix] if prefix else []
    return [path for key, item in node.items() for path in leaves(item, f"{prefix}.{key}" if prefix else key)]


@given(st.dictionaries(st.text("abc", min_size=1, max_size=2), nested, min_size=1, max_size=3), st.data())
def test_setting_a_leaf_changes_that_leaf_alone(baseline, data):
    """Whatever the nesting: the value is there, the baseline is as before, and setting it back gives the baseline's plain form."""
    known = leaves(baseline)
    if not known or len(set(known)) != len(known):
        return
    before = copy.deepcopy(baseline)
    path = data.draw(st.sampled_from(known))
    try:
        changed = configure(baseline, {path: "new value"})
    except UnknownParameter:
        # A key with dots at either end can shadow another, so the path of a leaf is then not its own.
        assert "." in path
        return
    assert canonical(plain(baseline)) == canonical(plain(before))
    assert canonical(plain(changed)) != canonical(plain(baseline))
    assert "new value" in str(changed)
