"""What a command line says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.tracking.command import parameters, portable, scalar

COMMANDS: list[tuple[str, dict[str, Any]]] = [
    ("python train.py", {}),
    ("python train.py --lr 0.1", {"lr": 0.1}),
    ("python train.py --lr=0.1 -n 5 --amp", {"lr": 0.1, "n": 5, "amp": True}),
    ("python3.11 -u -X dev -W ignore train.py --no-amp", {"no-amp": True}),
    ("python -m pkg.train --lr 1e-3", {"lr": 0.001}),
    ("python -c code --x -5", {"x": -5}),
    ("python train.py model.lr=0.1 +new=a name=", {"model.lr": 0.1, "new": "a", "name": ""}),
    ("python train.py --layers 64 32 data.csv", {"layers": [64, 32]}),
    ("python train.py --tag a --tag b", {"tag": ["a", "b"]}),
    ("python train.py --flag --lr 1", {"flag": True, "lr": 1}),
    ("./train.sh --seed 3 -- --not 4", {"seed": 3}),
    ("python train.py --config none.yaml", {"config": "none.yaml"}),
    ("python train.py --tasks qa ner --lr 1", {"tasks": ["qa", "ner"], "lr": 1}),
    ("python train.py --tasks qa -1 --files a b x=1", {"tasks": "qa", "files": ["a", "b"], "x": 1}),
    ("torchrun --nnodes 2 --module-path src lib train.py --lr 1", {"nnodes": 2, "module-path": ["src", "lib"], "lr": 1}),
    ("python", {}),
    ("bash -c exit", {}),
    ("sh -ec code name --lr 1", {"lr": 1}),
    ("/bin/bash -eu -o pipefail run.sh --lr 1", {"lr": 1}),
    ("bash", {}),
]


@pytest.mark.parametrize(("command", "expected"), COMMANDS)
def test_parameters_of_a_command(command: str, expected: dict[str, Any]) -> None:
    """Options, pairs and flags are parameters; program, interpreter options, script and loose words are not."""
    assert parameters(command.split()) == expected


@pytest.mark.parametrize("text", ["no", "yes", "on", "1_000", "1.2.3", "0b1", "1e", "", "9" * 30, "inf", "nan"])
def test_what_yaml_1_2_calls_text_stays_text(text: str) -> None:
    """The traps of YAML 1.1 are none, and what no record can hold is text."""
    assert scalar(text) == text


@given(st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_back(number: float) -> None:
    """What Python writes for a number is that number, of the same type."""
    found = scalar(repr(number))
    assert found == number and type(found) is type(number)


def test_a_portable_command_does_not_name_the_machine() -> None:
    """Paths below the root are relative to the working directory; others stay."""
    root = Path("/home/me/p")
    command = ["/opt/py/bin/python3", "/home/me/p/sub/train.py", "--out=/home/me/p", "/data/x", "/home/me/pq"]
    assert portable(command, root, root) == ("python", "sub/train.py", "--out=.", "/data/x", "/home/me/pq")
    assert portable(["./a", "/home/me/p/d/x.csv"], root, root / "sub") == ("./a", "../d/x.csv")
