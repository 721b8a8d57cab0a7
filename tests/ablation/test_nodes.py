"""Configurations of the libraries that people keep them in, the real ones."""

import copy
from collections import namedtuple
from dataclasses import dataclass

import attrs
import pydantic
import pytest
from omegaconf import OmegaConf

from assay.ablation.components import remove
from assay.ablation.configurations import check_settings, configure, plain
from assay.ablation.plans import make_plan
from assay.errors import InvalidStudy, UnknownParameter
from assay.records.canonical import canonical


@attrs.frozen
class Model:
    depth: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    _secret: int = 3
    size: int = attrs.field(init=False)

    def __attrs_post_init__(self):
        object.__setattr__(self, "size", self.depth * 2)


class Layer(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    width: int = 8


class Config(pydantic.BaseModel):
    layer: Layer = Layer()
    rate: float = pydantic.Field(default=0.1, alias="learning-rate", gt=0)
    names: list[str] = ["a", "b"]


@dataclass
class Structured:
    lr: float = 0.1


def test_attrs_classes_are_rebuilt_with_what_follows():
    baseline = {"model": Model()}
    changed = configure(baseline, {"model.depth": 1, "model._secret": 5})
    assert (changed["model"].depth, changed["model"].size, changed["model"]._secret) == (1, 2, 5)
    assert baseline == {"model": Model()} and plain(changed)["model"] == {"depth": 1, "_secret": 5, "size": 2}
    with pytest.raises(InvalidStudy, match="refuses"):
        configure(baseline, {"model.depth": 0})


def test_pydantic_classes_are_validated_again():
    baseline = Config()
    changed = configure(baseline, {"layer.width": 2, "rate": "0.5", "names.1": "c"})
    assert (changed.layer.width, changed.rate, changed.names) == (2, 0.5, ["a", "c"]) and type(changed) is Config
    assert baseline == Config() and plain(changed) == {"layer": {"width": 2}, "rate": 0.5, "names": ["a", "c"]}
    with pytest.raises(InvalidStudy, match="refuses"):
        configure(baseline, {"rate": -1})
    with pytest.raises(UnknownParameter, match=r"Did you mean 'layer\.width'"):
        configure(baseline, {"layer.widht": 2})


def test_omegaconf_keeps_interpolations_and_types():
    baseline = OmegaConf.create({"model": {"depth": 4, "heads": "${model.depth}"}, "layers": [{"width": 1}, {"width": 2}]})
    OmegaConf.set_readonly(baseline, True)
    changed = configure(baseline, {"model.depth": 1, "layers.1.width": 5})
    assert (changed.model.heads, changed.layers[1].width) == (1, 5) and OmegaConf.is_readonly(changed)
    assert baseline.model.heads == 4
    assert plain(changed) == {"model": {"depth": 1, "heads": 1}, "layers": [{"width": 1}, {"width": 5}]}
    canonical(plain(changed))
    typed = OmegaConf.structured(Structured)
    assert configure(typed, {"lr": 0.5}).lr == 0.5
    with pytest.raises(InvalidStudy, match="refuses"):
        configure(typed, {"lr": "fast"})


def test_a_missing_value_of_omegaconf_is_said_and_may_be_set():
    baseline = OmegaConf.create({"path": "???", "lr": 0.1})
    assert configure(baseline, {"path": "data"}).path == "data"
    with pytest.raises(InvalidStudy, match="cannot be read"):
        plain(baseline)


def test_lists_and_tuples_are_reached_by_index():
    Point = namedtuple("Point", "x y")
    baseline = {"layers": [{"width": 1}, {"width": 2}], "size": (1, 2), "at": Point(1, 2)}
    before = copy.deepcopy(baseline)
    changed = configure(baseline, {"layers.0.width": 9, "size.1": 7, "at.0": 5})
    assert changed == {"layers": [{"width": 9}, {"width": 2}], "size": (1, 7), "at": Point(5, 2)} and baseline == before


def test_a_pattern_stands_for_every_path_that_fits():
    baseline = {"blocks": {"one": {"dropout": 0.1}, "two": {"dropout": 0.2, "rate": 1}}, "dropout": 0.3, "a*": 1, "ab": 1}
    changed = configure(baseline, {"blocks.*.dropout": 0.0})
    assert changed["blocks"] == {"one": {"dropout": 0.0}, "two": {"dropout": 0.0, "rate": 1}} and changed["dropout"] == 0.3
    assert configure(baseline, {"a*": 2})["ab"] == 1  # a key that is written so is no pattern


def test_a_pattern_that_fits_nothing_or_changes_nothing_is_an_error_before_anything_runs():
    baseline = {"blocks": {"one": {"dropout": 0.0}, "two": {"dropout": 0.0}}}
    with pytest.raises(UnknownParameter):
        make_plan("leave-one-out", baseline, [remove("x", {"blocks.*.drop": 1})], 1)
    with pytest.raises(InvalidStudy, match="change nothing"):
        check_settings(baseline, {"blocks.*.dropout": 0.0}, component="x")
    baseline["blocks"]["two"]["dropout"] = 0.1
    check_settings(baseline, {"blocks.*.dropout": 0.0}, component="x")
