"""`assay doctor` as a command: what it prints, its document, and its exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Assay

UNSEEDED = "import random\nfor step in range(3):\n    print(f'step={step} loss={random.random()}')\n"


def test_a_seeded_script_is_identical_and_an_unseeded_one_is_not(assay: Assay, folder: Path) -> None:
    seeded = assay("doctor", "--json", "--", sys.executable, "train.py")
    assert (seeded.code, seeded.document["grade"], seeded.document["causes"]) == (0, "identical", [])
    (folder / "unseeded.py").write_text(UNSEEDED)
    done = assay("doctor", "--json", sys.executable, "unseeded.py")
    document = done.document
    assert (done.code, document["grade"], document["after"], document["unknown"]) == (1, "statistical", "identical", False)
    (cause,) = document["causes"]
    assert cause["source"] == "random"
    assert cause["places"] == [{"file": "unseeded.py", "line": 3, "call": "random.random()"}]
    assert cause["divergence"]["step"] == 0
    assert assay("diff", cause["reference"], cause["run"]).code == 1


@pytest.mark.parametrize("columns", [80, 200])
def test_what_is_printed_fits_the_terminal_and_names_the_line(assay: Assay, folder: Path, columns: int) -> None:
    (folder / "unseeded.py").write_text(UNSEEDED)
    done = assay("doctor", sys.executable, "unseeded.py", env={"COLUMNS": str(columns)})
    assert done.code == 1
    assert done.out.startswith("statistical only")
    assert "unseeded.py:3 random.random()" in done.out
    assert max(map(len, done.out.splitlines())) <= columns


def test_a_command_that_cannot_be_diagnosed_gets_an_error_and_no_traceback(assay: Assay, folder: Path) -> None:
    (folder / "fails.py").write_text("raise ValueError('no data')\n")
    (folder / "silent.py").write_text("pass\n")
    (folder / "endless.py").write_text("import time\nwhile True:\n    time.sleep(1)\n")
    failing = assay("doctor", "--json", sys.executable, "fails.py")
    assert (failing.code, failing.document["error"]["code"]) == (3, "trials_failed")
    assert "no data" in failing.document["error"]["message"]
    assert assay("doctor", sys.executable, "silent.py").code == 2
    assert assay("doctor", "no-such-program").code == 2
    endless = assay("doctor", "--timeout", "1", sys.executable, "endless.py")
    assert endless.code == 3
    assert "was ended after" in endless.err
    assert "Traceback" not in failing.err + endless.err
