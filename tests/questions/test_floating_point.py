"""Facts of floating point, seen through `assay why`: a sum depends on how threads and kernels divide it, and on nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import numpy as np
rng = np.random.default_rng(0)
x, y = rng.normal(size=500_000), rng.normal(size=500_000)
print(f"dot={float(x @ y)!r}")
print(f"single={float(x.astype(np.float32) @ y.astype(np.float32))!r}")
"""


@pytest.fixture
def place(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose script multiplies two vectors, in which the test stands; no variable of this shell divides its work."""
    for name in [name for name in os.environ if name.startswith(("OMP_", "OPENBLAS_", "MKL_", "GOTO_"))]:
        monkeypatch.delenv(name)
    (project / "train.py").write_text(SCRIPT)
    monkeypatch.chdir(project)
    return project


def values(**env: str) -> dict[str, float]:
    done = subprocess.run([sys.executable, "train.py"], env={**os.environ, **env}, capture_output=True, text=True, check=True)
    return {name: float(value) for name, value in (line.split("=") for line in done.stdout.split())}


def record(name: str, tag: str, **env: str) -> None:
    command = [sys.executable, "-m", "assay", "run", "--name", name, "--", sys.executable, "train.py", "--tag", tag]
    subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=True)


def why(metric: str) -> dict[str, object]:
    command = [sys.executable, "-m", "assay", "why", "good", "bad", "--metric", metric, "--json"]
    document: dict[str, object] = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    return document


def differences(document: dict[str, object]) -> list[tuple[str, str, str]]:
    return [(each["factor"], each["from"], each["to"]) for each in document["causes"]]  # type: ignore[attr-defined]


def test_the_number_of_threads_changes_a_sum(place: Path) -> None:
    """By its last digits, and that is found; the same number gives the same bits, every time."""
    one, two = values(OPENBLAS_NUM_THREADS="1"), values(OPENBLAS_NUM_THREADS="2")
    if one["dot"] == two["dot"]:
        pytest.skip(
            "here NumPy's BLAS divides a product of vectors in the same way for one thread and two: another BLAS, or one core"
        )
    assert [values(OPENBLAS_NUM_THREADS="2") for _ in range(3)] == [two] * 3
    record("good", "x", OPENBLAS_NUM_THREADS="1")
    record("bad", "y", OPENBLAS_NUM_THREADS="2")
    document = why("dot")
    assert differences(document) == [("OPENBLAS_NUM_THREADS", "1", "2")]
    assert document["gap"] == two["dot"] - one["dot"] and document["noise"] == 0
    assert [each["factor"] for each in document["ruled_out"]] == ["tag"]  # type: ignore[attr-defined]


def test_the_kernels_of_a_library_change_a_sum(place: Path) -> None:
    """OpenBLAS chooses its kernels by the processor; told to take those of another, it adds in another order."""
    usual, other = values(OPENBLAS_NUM_THREADS="1"), values(OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Prescott")
    if usual["single"] == other["single"]:
        pytest.skip("here NumPy's BLAS has no kernels to choose from: it is no OpenBLAS, or is made for one processor")
    record("good", "x", OPENBLAS_NUM_THREADS="1")
    record("bad", "y", OPENBLAS_NUM_THREADS="1", OPENBLAS_CORETYPE="Prescott")
    document = why("single")
    assert differences(document) == [("OPENBLAS_CORETYPE", None, "Prescott")]
