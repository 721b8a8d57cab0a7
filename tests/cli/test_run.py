"""`assay run` is as if Assay were not there, and leaves a run behind."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]


def test_output_and_exit_code_are_the_command_s(assay: Assay) -> None:
    """Standard output, standard error and the code pass through; nothing is added where nobody looks."""
    done = assay("run", sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")
    assert done == (7, "out\n", "err\n")
    assert assay("show", "last", "--json").document["run"]["state"] == "failed"


def test_standard_input_reaches_the_command(assay: Assay) -> None:
    assert assay("run", sys.executable, "-c", "print(input()[::-1])", stdin="abc\n").out == "cba\n"


def test_a_signal_is_128_and_its_number(assay: Assay) -> None:
    assert assay("run", sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)").code == 128 + 15


def test_arguments_after_the_command_are_its_own(assay: Assay) -> None:
    """Options of the command that are also Assay's, a second --, and --help are passed on untouched."""
    script = "import sys; print(sys.argv[1:])"
    wanted = ["--name", "x", "--", "--json", "--help", "-h"]
    for separator in ([], ["--"]):
        assert assay("run", *separator, sys.executable, "-c", script, *wanted).out == f"{wanted}\n"


def test_options_are_recorded(assay: Assay, folder: Path) -> None:
    (folder / "data.csv").write_text("1,2\n")
    done = assay(
        "run", "--name", "n", "--tag", "a", "--tag", "b", "--param", "lr=1e-3", "--param", "note=x=y", "--seed", "7", "--data", "data.csv",
        "--", sys.executable, "-c", "import random; print(f'metric={random.random()}')",
    )  # fmt: skip
    assert done.code == 0
    run = assay("show", "n", "--json").document["run"]
    assert run["tags"] == ["a", "b"] and run["params"]["lr"] == 0.001 and run["params"]["note"] == "x=y"
    assert list(run["data"]) == ["data.csv"]
    assert run["determinism"]["recipe"]["seed"] == 7


def test_a_seed_makes_two_runs_the_same(assay: Assay) -> None:
    """--seed reaches a script that sets none."""
    outputs = {
        assay("run", "--seed", "3", sys.executable, "-c", "import random; print(random.random(), hash('a'))").out for _ in range(2)
    }
    assert len(outputs) == 1


def test_a_command_that_does_not_exist_is_127(assay: Assay, folder: Path) -> None:
    done = assay("run", "no-such-command-here")
    assert done.code == 127
    assert "no-such-command-here" in done.err and "Traceback" not in done.err
    assert runs_of(folder) == []


@pytest.mark.parametrize(
    "wrong", [["run"], ["run", "--nmae", "x", "true"], ["run", "--param", "novalue", "true"], ["run", "--seed", "-1", "true"]]
)
def test_what_assay_cannot_start_is_125(assay: Assay, folder: Path, wrong: list[str]) -> None:
    done = assay(*wrong)
    assert done.code == 125
    assert done.err.startswith("assay: ") and "Traceback" not in done.err
    assert runs_of(folder) == []


def runs_of(folder: Path) -> list[Path]:
    """What stands in the store's folder of runs."""
    runs = folder / ".assay" / "runs"
    return list(runs.iterdir()) if runs.exists() else []
