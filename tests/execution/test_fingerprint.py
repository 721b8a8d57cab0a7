"""Fingerprints: equal for functions that do the same, in whichever process; different where anything that they use differs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidValue
from assay.execution.fingerprint import fingerprint, is_local
from assay.execution.shipping import function_name

SCRIPT = """
from dataclasses import dataclass
from assay.execution.fingerprint import fingerprint

@dataclass
class Config:
    kinds: frozenset = frozenset({"a", "b", "c", "d"})

FACTOR = 3

def helper(text):
    return text in {"x", "y", "z"} and FACTOR

def train(config, seed):
    return {"y": helper("x"), "again": train, "c": Config()}

print(fingerprint(train))
"""

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=12,
)


def run(script: str, seed: int, folder: Path) -> str:
    env = {**os.environ, "PYTHONHASHSEED": str(seed)}
    return subprocess.run([sys.executable, "-c", script], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


TENSORS = """
import torch
from assay.execution.fingerprint import fingerprint

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

torch.manual_seed(0)
net, data, empty = Net(), torch.arange(5, dtype=torch.bfloat16), torch.zeros(0)
half = torch.ones(3, requires_grad=True)

def train(config, seed):
    return net(data), empty, half, torch.float32

print(fingerprint(train))
"""


def test_tensors_and_models_count_by_their_values(tmp_path: Path) -> None:
    first, second = (run(TENSORS, seed, tmp_path) for seed in (0, 1))
    assert first == second
    assert first != run(TENSORS.replace("manual_seed(0)", "manual_seed(1)"), 0, tmp_path)


def test_the_order_of_sets_and_the_process_do_not_matter(tmp_path: Path) -> None:
    """Pickles of these differ from process to process: hash seeds order the sets, and classes get random ids."""
    assert len({run(SCRIPT, seed, tmp_path) for seed in (0, 1, 2)}) == 1


@pytest.mark.parametrize(
    "edit",
    [
        ('"x", "y"', '"x", "w"'),
        ("FACTOR = 3", "FACTOR = 4"),
        ('helper("x")', 'helper("y")'),
        ('"c", "d"', '"c", "e"'),
        (" and ", " or "),
    ],
)
def test_a_change_anywhere_that_the_function_reaches_is_seen(edit: tuple[str, str], tmp_path: Path) -> None:
    assert SCRIPT.count(edit[0]) >= 1
    assert run(SCRIPT, 0, tmp_path) != run(SCRIPT.replace(*edit), 0, tmp_path)


@pytest.mark.parametrize("edit", [("FACTOR = 3", "UNUSED = 1\nFACTOR = 3"), ("def helper", "# a remark\n\n\ndef helper")])
def test_what_changes_nothing_is_not_seen(edit: tuple[str, str], tmp_path: Path) -> None:
    assert run(SCRIPT, 0, tmp_path) == run(SCRIPT.replace(*edit), 0, tmp_path)


@given(plain, plain)
def test_values_have_the_same_digest_exactly_when_they_are_the_same(first: Any, second: Any) -> None:
    assert fingerprint(first) == fingerprint(first)
    assert (fingerprint(first) == fingerprint(second)) == (repr(first) == repr(second))


@given(st.dictionaries(st.text(), st.integers()), st.integers())
def test_closures_differ_by_what_they_close_over(values: dict[str, int], number: int) -> None:
    def made(closed: object) -> Any:
        return lambda config, seed: closed

    assert fingerprint(made(values)) == fingerprint(made(dict(values)))
    assert fingerprint(made(number)) != fingerprint(made(number + 1))


def test_defaults_count() -> None:
    def made(default: int) -> Any:
        def inner(config: object, seed: int, rate: int = default) -> int:
            return rate

        return inner

    assert fingerprint(made(1)) != fingerprint(made(2))


def test_what_contains_itself_has_a_fingerprint() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    other: list[Any] = [2]
    other.append(other)
    assert fingerprint(loop) == fingerprint(loop)
    assert fingerprint(loop) != fingerprint(other)


def test_what_a_module_has_is_named_and_what_none_has_is_local() -> None:
    assert function_name(os.path.join) == "posixpath:join"
    assert not is_local({"model": os.path.join, "depth": 3})
    assert is_local({"model": lambda x: x})


def test_an_open_file_has_no_content_that_could_be_compared(tmp_path: Path) -> None:
    with open(tmp_path / "file", "w") as file, pytest.raises(InvalidValue, match="TextIOWrapper"):
        fingerprint(lambda: file)
