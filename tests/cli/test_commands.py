"""Commands over recorded runs: what a person reads, and the document that a program reads."""

from __future__ import annotations

import json
import math
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from assay.project.project import runs
from assay.records.run import Parent, Result
from assay.report.document import plain, to_json
from assay.store.runs import new_run_id
from assay.store.store import Store

Assay = Callable[..., Any]
Two = tuple[str, str]


def test_ls_shows_what_distinguishes_runs(assay: Assay, two_runs: Two) -> None:
    done = assay("ls")
    head, _, newest, oldest = done.out.splitlines()
    assert head.split() == ["id", "name", "state", "age", "loss", "lr", "seed"]
    assert newest.startswith(two_runs[1][:8]) and oldest.startswith(two_runs[0][:8])
    assert "second" in newest and "0.3" in newest


@pytest.mark.parametrize("width", ["80", "200"])
def test_ls_fits_the_terminal(assay: Assay, two_runs: Two, width: str) -> None:
    many = [argument for index in range(40) for argument in ("--param", f"parameter_{index}={index}")]
    assert assay("run", *many, sys.executable, "-c", "pass").code == 0
    done = assay("ls", env={"COLUMNS": width})
    assert max(map(len, done.out.splitlines())) <= int(width)
    assert "not shown for want of space: " in done.err


def test_ls_filters_sorts_and_limits(assay: Assay, two_runs: Two) -> None:
    def ids(*options: str) -> list[str]:
        return [run["id"] for run in assay("ls", "--json", *options).document["runs"]]

    assert ids("--where", "params.lr == .3") == [two_runs[1]]
    assert ids("--where", "'paper' in tags") == [two_runs[1]]
    assert ids("--sort", "started") == list(two_runs)
    assert ids("--limit", "1") == [two_runs[1]]
    assert assay("ls", "--json", "--limit", "1").document["total"] == 2
    assert ids("--where", "metrics.loss > 1e9") == []


def test_show_has_its_sections(assay: Assay, two_runs: Two) -> None:
    out = assay("show", "first").out
    for heading in ("Parameters", "Metrics", "Code", "Files written", "Environment", "Resources", "Fidelity"):
        assert f"\n{heading}" in out
    assert "model.json" in out and "train.py" in out and two_runs[0] in out


def test_show_as_json_has_the_long_fields(assay: Assay, two_runs: Two) -> None:
    run = assay("show", two_runs[0][:6], "--json").document["run"]
    assert {
        "command",
        "code",
        "data",
        "trace",
        "environment",
        "determinism",
        "resources",
        "host",
        "fidelity",
        "findings",
    } <= run.keys()
    assert {"loaded", "read", "written"} == run["trace"].keys()


def test_log_draws_series_and_lists_points(assay: Assay, two_runs: Two) -> None:
    assert "█" in assay("log", "last").out
    points = assay("log", "last", "loss").out.splitlines()
    assert len(points) == 2 + 5
    series = assay("log", "last", "--json").document["series"]["loss"]
    assert series["step"] == [0, 1, 2, 3, 4] and len(series["value"]) == len(series["time"]) == 5


def test_values_that_are_not_finite_are_text_in_json(assay: Assay) -> None:
    assay("run", sys.executable, "-c", "print('loss=nan'); print('gain=inf')")
    metrics = assay("ls", "--json").document["runs"][0]["metrics"]
    assert metrics == {"loss": "NaN", "gain": "Infinity"}
    assert "NaN" in assay("ls").out


def test_diff_says_what_differs_and_returns_1(assay: Assay, two_runs: Two) -> None:
    done = assay("diff", "first", "second")
    assert done.code == 1
    assert "Parameters" in done.out and "0.1" in done.out and "0.3" in done.out
    document = assay("diff", "first", "second", "--json").document
    assert {"kind": "param", "name": "lr", "a": "0.1", "b": "0.3"}.items() <= next(
        found for found in document["differences"] if found["name"] == "lr"
    ).items()
    assert document["metrics"]["loss"]["a"] != document["metrics"]["loss"]["b"]


def test_a_run_does_not_differ_from_itself(assay: Assay, two_runs: Two) -> None:
    done = assay("diff", "first", "first")
    assert (done.code, "Nothing that determines a result differs." in done.out) == (0, True)


def test_diff_gives_a_patch_that_git_applies(assay: Assay, folder: Path, two_runs: Two) -> None:
    before = (folder / "train.py").read_text()
    (folder / "train.py").write_text(before.replace("range(5)", "range(6)"))
    assay("run", "--name", "longer", sys.executable, "train.py")
    after = (folder / "train.py").read_text()
    done = assay("diff", "first", "longer", "--patch")
    assert done.code == 1
    (folder / "train.py").write_text(before)
    subprocess.run(["git", "apply", "-"], cwd=folder, input=done.out, text=True, check=True)
    assert (folder / "train.py").read_text() == after


def test_origin_names_the_run_that_made_a_file_wherever_it_lies(assay: Assay, folder: Path, two_runs: Two, tmp_path: Path) -> None:
    elsewhere = tmp_path / "found.bin"
    shutil.copy(folder / "model.json", elsewhere)
    done = assay("origin", str(elsewhere))
    assert done.code == 0 and done.out.startswith(two_runs[1][:8])
    assert assay("origin", str(elsewhere), "--json").document["runs"][0]["id"] == two_runs[1]
    elsewhere.write_text("nobody made this")
    assert assay("origin", str(elsewhere)).code == 1


def test_lineage_leads_from_a_run_to_what_it_read(assay: Assay, two_runs: Two) -> None:
    assay("run", "--name", "eval", sys.executable, "-c", "print('size=%d' % len(open('model.json').read()))")
    first, edge_line, second = assay("lineage", "eval").out.splitlines()
    assert "eval" in first and edge_line == "│ read model.json from" and second.startswith(two_runs[1][:8])
    edge = assay("lineage", "eval", "--json").document["edges"][0]
    assert (edge["from"], edge["by"], edge["path"]) == (two_runs[1], "read", "model.json")


def test_restore_puts_code_beside_what_is_there(assay: Assay, folder: Path, two_runs: Two) -> None:
    recorded = (folder / "train.py").read_text()
    (folder / "train.py").write_text("print('edited')\n")
    target = folder / "back"
    assert assay("restore", "first", "--to", str(target)).code == 0
    assert (target / "train.py").read_text() == recorded
    assert (folder / "train.py").read_text() == "print('edited')\n"
    assert assay("restore", "first", "--to", str(target)).code == 2


def test_reproduce_gives_the_verdict_first(assay: Assay, folder: Path, two_runs: Two) -> None:
    """The code is edited since, and yet the recorded one runs: the result comes back, bit for bit."""
    (folder / "train.py").write_text("print('loss=5')\n")
    done = assay("reproduce", "first")
    assert (done.code, done.out.splitlines()[0].split(":")[0]) == (0, "identical")
    document = assay("reproduce", "first", "--json").document
    assert document["verdict"] == "identical" and document["divergence"] is None
    assert {"metrics", "files", "run"} <= document.keys()


def test_what_does_not_come_back_is_1_and_named(assay: Assay) -> None:
    assay("run", sys.executable, "-c", "import os\nfor i in range(3): print(f'step={i} loss={i if i < 2 else os.getpid()}')")
    done = assay("reproduce", "last")
    assert (done.code, done.out.startswith("not reproduced")) == (1, True)
    assert "part first in metric loss at step 2" in done.out


def test_a_tolerance_turns_a_no_into_a_yes(assay: Assay) -> None:
    script = "import time; print(f'loss={1 + time.time_ns() % 1000003 * 1e-12}')"
    assay("run", "--name", "wobbly", sys.executable, "-c", script)
    done = assay("reproduce", "wobbly", "--tol", "loss=1e-3")
    assert (done.code, done.out.startswith("numerical")) == (0, True)
    assert assay("reproduce", "wobbly", "--tol", "loss=1e-3", "--level", "identical").code == 1


def test_a_run_without_results_does_not_come_back_bit_for_bit(assay: Assay, folder: Path) -> None:
    """There was nothing to compare but how it ended, and the verdict says so."""
    (folder / "quiet.py").write_text("pass\n")
    assay("run", sys.executable, "quiet.py")
    done = assay("reproduce", "last")
    assert done.code == 0
    assert done.out.startswith("identical: both runs ended alike, and left no metric and no file to compare")


def test_what_is_known_before_the_start_is_said_before_it(assay: Assay, folder: Path, tmp_path: Path) -> None:
    """So that nobody waits for hours to learn that the environment is another one."""
    (folder / "speak.py").write_text("import sys\nprint('started', file=sys.stderr)\n")
    assay("run", sys.executable, "speak.py")
    package = tmp_path / "site" / "newcomer-1.0.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Name: newcomer\nVersion: 1.0\n")
    said = assay("reproduce", "last", env={"PYTHONPATH": str(package.parent)}).err.splitlines()
    assert "speak.py" in said[0]
    assert any("newcomer: absent then, 1.0 now" in line for line in said[1 : said.index("started")])


def test_output_into_a_closed_pipe_is_silent(assay: Assay, folder: Path, two_runs: Two) -> None:
    """`assay ls | true`, and a reader that leaves after a line."""
    for reader in ("true", "head -n 1"):
        done = subprocess.run(
            f"{sys.executable} -m assay show last --all --json | {reader}",
            shell=True,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""


def test_colours_are_for_terminals_that_want_them(folder: Path, two_runs: Two) -> None:
    assert "\x1b[32m" in in_terminal(folder, {})
    assert "\x1b" not in in_terminal(folder, {"NO_COLOR": "1"})
    assert "\x1b" not in in_terminal(folder, {"TERM": "dumb"})


def in_terminal(folder: Path, env: dict[str, str]) -> str:
    """Output of `assay ls` on a pseudo-terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "assay", "ls"],
        cwd=folder,
        stdout=follower,
        stderr=follower,
        env={"TERM": "xterm", **os.environ, **env},
    )
    os.close(follower)
    output = b""
    try:
        while chunk := os.read(leader, 65536):
            output += chunk
    except OSError:  # Linux ends a terminal whose other side is closed with EIO
        pass
    os.close(leader)
    assert process.wait() == 0
    return output.decode()


def test_text_that_the_terminal_cannot_show_is_escaped(assay: Assay) -> None:
    assay("run", "--name", "größe…", sys.executable, "-c", "print('loss=1')")
    done = assay("ls", env={"PYTHONIOENCODING": "ascii"})
    assert done.code == 0 and "gr\\xf6\\xdfe" in done.out


HELP = """
import sys
from assay.cli.main import assay
assay.main(["--help"], standalone_mode=False)
heavy = ("assay.project", "assay.store", "assay.report", "rich", "numpy", "jinja2", "sqlite3")
print([name for name in sys.modules if name.startswith(heavy)])
"""


def test_help_lists_every_command_without_loading_one(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HELP], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_json_is_finite_numbers_only() -> None:
    document = json.loads(to_json(plain({"a": [math.nan, -math.inf, 1.5]})), parse_constant=pytest.fail)
    assert document == {"a": ["NaN", "-Infinity", 1.5]}


def test_ls_shows_metrics_that_vary_first(assay: Assay, folder: Path) -> None:
    """One that is the same in all runs says nothing about them; a single run's stand by name."""
    (folder / "two.py").write_text("import sys\nprint('depth=3')\nprint('loss=0.' + sys.argv[1])\n")
    for value in ("1", "2"):
        assert assay("run", sys.executable, "two.py", value).code == 0
    assert assay("ls").out.split("\n")[0].split()[-2:] == ["loss", "depth"]
    assert assay("ls", "--limit", "1").out.split("\n")[0].split()[3:5] == ["depth", "loss"]


def test_ls_leaves_variants_out(folder: Path, assay: Assay, two_runs: tuple[str, str]) -> None:
    """Runs that were made of others to answer a question are counted, and listed with --all."""
    store = Store.open(folder)
    first = store.runs.read(two_runs[0]).start
    start = msgspec.structs.replace(
        first, id=new_run_id(), name="", parents=(Parent(run=first.id, by="variant"),), started=first.started + 9
    )
    store.runs.create(start).finish(Result(state="finished", ended=start.started + 1))
    done = assay("ls")
    assert start.id[:8] not in done.out and "1 run that was made of others left out (--all shows them)" in done.err
    assert [run["id"] for run in assay("ls", "--json").document["runs"]] == [two_runs[1], two_runs[0]]
    assert start.id[:8] in assay("ls", "--all").out and assay("ls", "--all", "--json").document["total"] == 3
    assert [run.id for run in runs(path=folder)] == [two_runs[1], two_runs[0]]
    assert [run.id for run in runs("metrics.loss > 0", limit=1, path=folder)] == [two_runs[1]]
    assert [run.id for run in runs(variants=True, path=folder)] == [start.id, two_runs[1], two_runs[0]]
    assert assay("show", "last", "--json").document["run"]["id"] == two_runs[1]
