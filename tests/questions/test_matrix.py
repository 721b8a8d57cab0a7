"""One run under many versions of a package, each in an environment that is really built: where its result holds, and where it is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# six got ensure_str in 1.12.0; python-dateutil asks for six 1.5 at least.
SCRIPT = """
import dateutil, six  # no part of dateutil: those need six.moves, which old versions of six lack on new Pythons
print("loss=%s" % (0.5 if hasattr(six, "ensure_str") else 0.9))
print("year=%s" % (2001 if dateutil.__name__ else 0))
"""
Document = dict[str, object]


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every test has a home of its own; what uv fetched for one is there for the next."""
    return tmp_path_factory.mktemp("uv")


@pytest.fixture
def recorded(project: Path, tmp_path: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which a run was recorded in a virtual environment with six 1.17.0, in which the test stands."""
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    monkeypatch.chdir(project)
    python = tmp_path / "venv" / "bin" / "python"
    base = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    uv("venv", "-q", "--python", base, tmp_path / "venv")
    uv("pip", "install", "-q", "--python", python, "six==1.17.0", "python-dateutil==2.9.0.post0")
    (project / "train.py").write_text(SCRIPT)
    assert assay("run", "--name", "good", "--tag", "baseline", "--", str(python), "train.py").returncode == 0
    return project


def uv(*words: object) -> None:
    subprocess.run([Path(sys.executable).with_name("uv"), *words], check=True, capture_output=True, text=True)


def assay(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "assay", *words], capture_output=True, text=True, check=False)


def verdicts(document: Document, *, between: bool = False) -> dict[str, object]:
    """Version of six to the verdict of its cell."""
    cells = [cell for cell in document["cells"] if cell["between"] == between]  # type: ignore[attr-defined]
    return {cell["levels"]["six"]: cell["verdict"] for cell in cells}


def test_the_version_that_broke_it_is_found_and_watched(recorded: Path) -> None:
    """Cells, control, bisection of the versions between; a baseline file notices a change, either way, until it is accepted."""
    asked = ("matrix", "good", "--vary", "six==1.10.0,1.17.0")
    watching = (*asked, "--watch", "six.json", "--to", "six.html")
    first = assay(*watching, "--json")
    document = json.loads(first.stdout)
    assert first.returncode == 0, first.stderr  # the baseline was written
    assert document["control"]["verdict"] == "identical" and document["control"]["levels"] == {}
    assert verdicts(document) == {"1.10.0": "not reproduced", "1.17.0": "identical"}
    (found,) = document["breaks"]
    assert (found["last_good"], found["first_bad"], found["adjacent"]) == ("1.12.0", "1.11.0", True)
    looked_at = verdicts(document, between=True)
    assert {"1.11.0", "1.12.0"} <= looked_at.keys() and looked_at["1.12.0"] == "identical"
    # Carried out once; asked again, the runs stand for the cells.
    again = assay(*watching, "--json")
    assert again.returncode == 0 and json.loads(again.stdout)["cells"] == document["cells"]
    assert assay(*asked).returncode == 1  # without a baseline, a lost result is a no
    shown = assay(*asked)
    assert "six 1.11.0 is the first with which it is not reproduced; with 1.12.0 it is identical" in shown.stdout
    baseline = Path("six.json").read_text()
    Path("six.json").write_text(baseline.replace('"not reproduced"', '"identical"'))
    changed = assay(*watching, "--json")
    assert changed.returncode == 1
    assert json.loads(changed.stdout)["changed"] == ["six 1.10.0: was identical, is not reproduced"]
    assert assay(*watching, "--update").returncode == 0 and Path("six.json").read_text() == baseline
    page = Path("six.html").read_text()
    assert "1.12.0" in page and "is the first with which it is not reproduced" in page


def test_cells_that_cannot_run_are_answers(recorded: Path) -> None:
    """Versions that do not go together, that no index has, and a Python that is not here: each with its reason, and the rest goes on."""
    done = assay("matrix", "good", "--vary", "six==1.4.1,0.0.99,1.17.0", "--vary", "python-dateutil==2.9.0.post0", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert verdicts(document) == {"1.4.1": None, "0.0.99": None, "1.17.0": "identical"}
    reasons = {cell["levels"]["six"]: cell["why"] for cell in document["cells"]}
    assert "do not go together" in reasons["1.4.1"] and "0.0.99" in reasons["0.0.99"]
    assert document["breaks"] == []
    done = assay("matrix", "good", "--vary", "python=3.2", "--json")
    (cell,) = json.loads(done.stdout)["cells"]
    assert done.returncode == 1 and cell["verdict"] is None and "3.2" in cell["why"]


def test_what_a_version_forces_along_is_named(recorded: Path) -> None:
    """An old six moves what asks for a newer one."""
    done = assay("matrix", "good", "--vary", "six==1.4.1", "--no-bisect", "--json")
    (cell,) = json.loads(done.stdout)["cells"]
    assert done.returncode == 1 and cell["verdict"] == "not reproduced"
    assert any(each.startswith("python-dateutil 2.9.0.post0 → ") for each in cell["forced"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--vary", "numpy==1.26.4"), "numpy"),
        (("--vary", "six"), "this is no axis of a matrix"),
        (("--vary", "six==1.16.0,1.16.0"), "each version once"),
        (("--vary", "six==1.16.0", "--vary", "six==1.17.0"), "an axis is given twice"),
        (("--vary", "six==1.16.0", "--update"), "there is no baseline to update"),
    ],
)
def test_what_cannot_be_asked(recorded: Path, words: tuple[str, ...], said: str) -> None:
    """A mistake is told before anything is built, with what was expected."""
    done = assay("matrix", "good", *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert said in done.stderr


def test_a_file_that_is_no_baseline(recorded: Path) -> None:
    """It is not written over."""
    Path("mine.json").write_text("[1]")
    done = assay("matrix", "good", "--vary", "six==1.17.0", "--watch", "mine.json")
    assert done.returncode == 2 and "no baseline" in done.stderr and Path("mine.json").read_text() == "[1]"


def test_a_package_is_the_cause(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`assay why` names it among other differences, also where the environments of both runs are gone."""
    old = tmp_path / "old" / "bin" / "python"
    uv(
        "venv",
        "-q",
        "--python",
        Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}"),
        tmp_path / "old",
    )
    uv("pip", "install", "-q", "--python", old, "six==1.10.0", "python-dateutil==2.9.0.post0")
    (recorded / "notes.md").write_text("x\n")
    assert assay("run", "--name", "bad", "--", str(old), "train.py", "--tag", "x").returncode == 0
    for name in ("old", "venv"):
        os.rename(tmp_path / name, tmp_path / f"{name} is gone")  # noqa: PTH104
    done = assay("why", "good", "bad", "--metric", "loss", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert [(each["factor"], each["from"], each["to"]) for each in document["causes"]] == [("six", "1.17.0", "1.10.0")]
