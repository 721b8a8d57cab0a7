"""Checksums of arrays, of the real libraries."""

import numpy as np
import pytest
import torch

from assay.errors import InvalidValue
from assay.tracking.sums import checksum, named_arrays


def test_a_module_gives_its_layers_in_order_and_its_gradients_first():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    assert list(named_arrays(model))[:3] == ["0.weight", "0.bias", "1.weight"]
    assert "1.running_mean" in named_arrays(model)
    model(torch.ones(4, 3)).sum().backward()
    names = list(named_arrays(model, gradients=True))
    assert names[0] == "0.weight (gradient)"
    assert names.index("1.bias (gradient)") < names.index("0.weight")


def test_mappings_and_lists_are_named_by_their_path():
    state = {"layers": [np.ones(2), {"w": torch.ones(1)}], "epoch": 3, "note": "x", "none": None}
    assert list(named_arrays(state)) == ["layers.0", "layers.1.w", "epoch"]
    optimizer = torch.optim.Adam(torch.nn.Linear(2, 1).parameters())
    assert "param_groups.0.lr" in named_arrays(optimizer.state_dict())
    assert list(named_arrays(np.ones(2))) == ["array"]


def test_weights_of_keras_are_named_by_their_path(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="head")])
    found = named_arrays(model)
    assert [name.rpartition("head/")[2] for name in found] == ["kernel", "bias"]
    kernel = next(iter(found.values()))
    assert checksum(kernel) == checksum(np.asarray(kernel.numpy()))


@pytest.mark.parametrize("thing", [None, "text", {}, [], {"a": object()}, {"a": np.array([object()])}, 3 + 0j, torch.nn.Identity()])
def test_what_has_no_arrays_is_refused(thing):
    """A lone number is an array of one."""
    if isinstance(thing, complex):
        assert list(named_arrays(thing)) == ["number"]
        return
    with pytest.raises(InvalidValue):
        named_arrays(thing)


def test_gradients_of_what_has_none_are_refused():
    with pytest.raises(InvalidValue, match="Hand the gradients over by name"):
        named_arrays({"w": torch.ones(2)}, gradients=True)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8", "bool", "complex64"])
def test_a_tensor_and_an_array_of_the_same_bytes_have_the_same_checksum(dtype):
    """Whatever their layout in memory; and every bit, the shape and the type count."""
    array = np.array([[1, 0, 3], [0, 5, 6]]).astype(dtype)
    tensor = torch.from_numpy(array.copy())
    assert {checksum(each)[0] for each in (tensor, np.asfortranarray(array), tensor.T.contiguous().T)} == {checksum(array)[0]}
    other = array.copy()
    other[0, 0] = 0
    sums = {checksum(each)[0] for each in (array, other, array.ravel(), array.reshape(3, 2))}
    assert len(sums) == 4
    assert checksum(array)[1] == pytest.approx(np.linalg.norm(np.abs(array).astype(float)), rel=1e-6)
    assert checksum(tensor)[1] == pytest.approx(checksum(array)[1], rel=1e-6)


def test_unusual_tensors():
    """bfloat16 has no NumPy type, some tensors have no elements, some are sparse, conjugated or need gradients."""
    assert checksum(torch.tensor([3.0, 4.0], dtype=torch.bfloat16))[1] == 5.0
    assert checksum(torch.empty(0, 3)) == checksum(np.empty((0, 3), "f4"))
    assert checksum(torch.tensor(2.0, requires_grad=True))[1] == 2.0
    assert checksum(torch.eye(3).to_sparse()) == checksum(torch.eye(3))
    conjugated = torch.tensor([1 + 2j]).conj()
    assert checksum(conjugated)[0] == checksum(np.array([1 - 2j], "c8"))[0]
    assert np.isnan(checksum(np.array([np.nan]))[1])
