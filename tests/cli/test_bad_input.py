"""Bad input: a message that names the value, what was expected and the next step; the right exit code; nothing half-written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Assay = Callable[..., Any]
COMMANDS_WITH_A_RUN = [["show"], ["log"], ["lineage"], ["reproduce"], ["restore"]]


def contents(folder: Path) -> set[str]:
    """Every path below a folder, as long as nothing is added or taken away."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("command", COMMANDS_WITH_A_RUN)
def test_an_unknown_run_is_named(assay: Assay, two_runs: tuple[str, str], folder: Path, command: list[str]) -> None:
    before = contents(folder)
    done = assay(*command, "frist")
    assert done.code == 2
    assert "'frist'" in done.err and "expected" in done.err and "first" in done.err
    assert done.out == "" and contents(folder) == before


def test_an_error_is_a_document_where_one_was_asked_for(assay: Assay, two_runs: tuple[str, str]) -> None:
    done = assay("show", "frist", "--json")
    assert (done.code, done.err) == (2, "")
    error = done.document["error"]
    assert error["code"] == "unknown_run" and error["value"] == "frist" and error["expected"] and error["next"] and error["message"]


def test_an_ambiguous_prefix_names_its_runs(assay: Assay, folder: Path) -> None:
    """Ids begin with one of 32 characters: of 33 runs two must share one."""
    code = "import assay\nfor _ in range(33):\n    with assay.run():\n        pass"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    ids = [run["id"] for run in assay("ls", "--json").document["runs"]]
    first = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)
    done = assay("show", first)
    assert done.code == 2
    assert all(run in done.err for run in [one for one in ids if one[0] == first][:6])


@pytest.mark.parametrize(
    ("arguments", "named", "near"),
    [
        (["shwo", "last"], "'shwo'", "'show'"),
        (["ls", "--lmit", "3"], "--lmit", "--limit"),
        (["study", "paln", "x"], "'paln'", "'plan'"),
    ],
)
def test_misspelled_commands_and_options_get_the_nearest(assay: Assay, arguments: list[str], named: str, near: str) -> None:
    done = assay(*arguments)
    assert done.code == 2
    assert named in done.err and f"Did you mean {near}?" in done.err


def test_a_misspelled_option_is_a_document_too(assay: Assay) -> None:
    done = assay("ls", "--json", "--lmit", "3")
    assert done.code == 2
    error = done.document["error"]
    assert error["value"] == "--lmit" and error["next"].startswith("Did you mean --limit?")


@pytest.mark.parametrize("arguments", [[], ["study"]])
def test_no_arguments_get_the_help(assay: Assay, arguments: list[str]) -> None:
    done = assay(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: assay") and "Commands:" in done.err


@pytest.mark.parametrize("expression", ["metrics.loss <", "loss < 3", "__import__('os').system('touch hacked')"])
def test_an_expression_that_cannot_be_read_is_refused(
    assay: Assay, two_runs: tuple[str, str], folder: Path, expression: str
) -> None:
    done = assay("ls", "--where", expression)
    assert done.code == 2 and "expected" in done.err
    assert not (folder / "hacked").exists()


def test_an_unknown_metric_names_those_there_are(assay: Assay, two_runs: tuple[str, str]) -> None:
    for arguments in (["log", "last", "lss"], ["show", "min:lss"]):
        done = assay(*arguments)
        assert done.code == 2 and "'lss'" in done.err and "loss" in done.err


@pytest.mark.parametrize("text", ["loss", "=1", "loss=x", "loss=-1", "loss=1,2,3", "loss=nan"])
def test_a_tolerance_of_the_wrong_form_is_refused_before_anything_runs(assay: Assay, two_runs: tuple[str, str], text: str) -> None:
    done = assay("reproduce", "first", "--tol", text)
    assert done.code == 2 and "RTOL" in done.err
    assert assay("ls", "--json").document["total"] == 2


def test_reading_where_nothing_was_recorded_makes_nothing(assay: Assay, folder: Path) -> None:
    before = contents(folder)
    done = assay("ls")
    assert done.code == 3 and "assay run" in done.err
    assert contents(folder) == before


def test_a_store_that_cannot_be_made_stops_a_run_before_its_start(assay: Assay, folder: Path) -> None:
    """A file stands where the store would be; the command does not start."""
    (folder / ".assay").write_text("not a store")
    done = assay("run", sys.executable, "-c", "open('started', 'w')")
    assert done.code == 125 and ".assay" in done.err
    assert not (folder / "started").exists() and (folder / ".assay").read_text() == "not a store"
    assert assay("ls").code == 3


def test_a_store_that_cannot_be_written_stops_a_run_before_its_start(assay: Assay, two_runs: tuple[str, str], folder: Path) -> None:
    """What is written first has a file in its place (permissions do not stop root)."""
    shutil.rmtree(folder / ".assay" / "tmp")
    (folder / ".assay" / "tmp").write_text("")
    done = assay("run", sys.executable, "-c", "open('started', 'w')")
    assert done.code == 125 and ".assay" in done.err
    assert not (folder / "started").exists()
    assert len(list((folder / ".assay" / "runs").iterdir())) == 2


def test_a_store_of_a_newer_format_is_left_alone(assay: Assay, two_runs: tuple[str, str], folder: Path) -> None:
    (folder / ".assay" / "format").write_text("99\n")
    before = contents(folder)
    for arguments, code in ((["ls"], 3), (["run", sys.executable, "-c", "pass"], 125)):
        done = assay(*arguments)
        assert done.code == code and "99" in done.err and "pgrade" in done.err
    assert contents(folder) == before


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own without any room left."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs the right to mount a file system")
    try:
        with open(disk / "filler", "wb", buffering=0) as filler:
            while True:
                try:
                    filler.write(b"x" * 4096)
                except OSError:
                    break
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_full_disk_stops_a_run_before_its_start(assay: Assay, folder: Path, full_disk: Path) -> None:
    done = assay("run", sys.executable, "-c", "open('started', 'w')", env={"ASSAY_HOME": str(full_disk / "store")})
    assert done.code == 125
    assert "the disk is full" in done.err and str(full_disk) in done.err and "Traceback" not in done.err
    assert not (folder / "started").exists()
    assert not [path for path in contents(full_disk) if "/runs/" in path]


def test_a_file_size_limit_stops_a_run_before_its_start(assay: Assay, folder: Path) -> None:
    """The disk that is full, where nothing may be mounted: no file may grow."""
    script = f"ulimit -f 0; trap '' XFSZ; exec {sys.executable} -m assay run {sys.executable} -c pass"
    done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 125 and done.stderr.startswith("assay: ") and "Traceback" not in done.stderr


def test_a_fault_of_assay_s_own_is_told_with_the_place_of_its_traceback(folder: Path, own_home: Path) -> None:
    code = (
        "import sys; sys.argv = ['assay', 'ls']\n"
        "import click; from assay.cli.boundary import guarded\n"
        "@click.command()\n"
        "def broken(): raise ZeroDivisionError('a bug')\n"
        "sys.exit(guarded(broken, []))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "ZeroDivisionError: a bug" in done.stderr and "Traceback" not in done.stderr
    (kept,) = (own_home / ".cache" / "assay").glob("traceback-*.txt")
    assert str(kept) in done.stderr and "Traceback" in kept.read_text()


def test_standard_output_that_is_full_or_closed_is_no_fault_of_assay_s(
    folder: Path, two_runs: tuple[str, str], own_home: Path
) -> None:
    def shell(redirection: str) -> tuple[int, str]:
        line = f"{sys.executable} -m assay ls {redirection}"
        done = subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    code, told = shell(">/dev/full")
    assert code == 3 and "standard output cannot be written" in told and "No space left" in told and told.count("\n") == 1
    assert shell(">&-") == (0, "")
    assert not (own_home / ".cache" / "assay").exists() or not list((own_home / ".cache" / "assay").glob("traceback-*"))


def test_a_command_runs_the_same_where_assay_has_no_streams(folder: Path) -> None:
    line = f"{sys.executable} -m assay run {sys.executable} -c 'raise SystemExit(5)' >&- 2>&-"
    assert subprocess.run(line, shell=True, cwd=folder, check=False).returncode == 5
