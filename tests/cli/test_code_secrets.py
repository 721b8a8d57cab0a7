"""A script with a secret in it, from the command line: nothing of it is stored, and the run can be repeated where the script is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Assay = Callable[..., Any]

SCRIPT = "import part\npassword = 'hunter2'\nprint(f'length={len(password) + len(part.api_key)}')\n"
PART = "api_key = 'Zq8Kd3mXv7Lw2Rt9Yb4Nc6'\n"


def test_a_script_with_a_secret(assay: Assay, folder: Path) -> None:
    """The finding names file, line and kind; the same file gives it back, another does not and is not written over."""
    (folder / "train.py").write_text(SCRIPT)
    (folder / "part.py").write_text(PART)
    assert assay("run", "--name", "first", sys.executable, "train.py").code == 0
    run = assay("show", "first", "--json").document["run"]
    assert run["metrics"]["length"] == 29
    assert [finding["about"] for finding in run["findings"]] == ["part.py", "train.py"]
    assert "the value of password (line 2)" in run["findings"][1]["text"]
    assert {gap["what"] for gap in run["fidelity"]["missing"]} == {"part.py", "train.py"}
    assert all(use["kept"] for use in run["trace"]["loaded"])
    held = [path.read_bytes() for path in (folder / ".assay").rglob("*") if path.is_file()]
    assert not [data for data in held if b"hunter2" in data or b"Zq8Kd3mXv7" in data]

    assert assay("reproduce", "first").code == 0
    assert "2 files were there already" in assay("restore", "first").out
    assert (folder / "train.py").read_text() == SCRIPT

    (folder / "train.py").write_text(SCRIPT + "x = 1\n")
    again = assay("reproduce", "first", "--json")
    assert again.code == 1 and "secret missing" in {finding["kind"] for finding in again.document["findings"]}
    refused = assay("restore", "first")
    assert refused.code == 2 and "holds a secret" in refused.err
    assert assay("restore", "first", "--to", folder / "out").code == 0
    assert "password = 'REDACTED-BY-ASSAY'" in (folder / "out" / "train.py").read_text()


def test_parameters_that_are_secrets(assay: Assay, folder: Path) -> None:
    """Given to the command or by the script itself: their names are kept, their values are not."""
    script = "import assay\nassay.run().param(password='hunter2', db={'api_key': 'Zq8Kd3mXv7', 'host': 'here'})\n"
    (folder / "train.py").write_text(script.replace("hunter2", "hun' + 'ter2").replace("Zq8Kd3mXv7", "Zq8Kd3' + 'mXv7"))
    given = ("--param", "token=Tk9Wq4Lm", "--param", "lr=0.1")
    assert assay("run", "--name", "first", *given, sys.executable, "train.py").code == 0
    run = assay("show", "first", "--json").document["run"]
    expected = {"token": "***", "lr": 0.1, "password": "***", "db": {"api_key": "***", "host": "here"}}
    assert run["params"] == expected
    assert [finding["about"] for finding in run["findings"]] == ["token"]
    held = [path.read_bytes() for path in (folder / ".assay").rglob("*") if path.is_file()]
    assert not [data for data in held if b"hunter2" in data or b"Zq8Kd3mXv7" in data or b"Tk9Wq4Lm" in data]
