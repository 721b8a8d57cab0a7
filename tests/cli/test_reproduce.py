"""`assay reproduce` where something stands in the way: each case with its clear answer, in real processes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Record = Callable[..., None]


@pytest.fixture
def record(assay, folder: Path) -> Record:
    """Writes a script and records a run of it; `stdin` is what it is told."""

    def call(script: str, *words: str, stdin: str = "") -> None:
        (folder / "script.py").write_text(script)
        assert assay("run", sys.executable, "script.py", *words, stdin=stdin).code == 0

    return call


def plain(text: str) -> str:
    return " ".join(text.split())


def test_a_file_that_is_gone_or_has_changed_is_named_and_nothing_runs(assay, folder, record):
    data = folder / "data.csv"
    data.write_text("0.5")
    (folder / ".gitignore").write_text("data.csv\n")
    record("print('loss=' + open('data.csv').read())")
    data.write_text("0.6")
    done = assay("reproduce", "last", "--json")
    assert (done.code, done.document["error"]["value"]) == (3, "data.csv")
    assert "has another content now" in done.document["error"]["message"]
    data.unlink()
    done = assay("reproduce", "last")
    assert done.code == 3
    assert "a file that the run read is missing: 'data.csv'" in done.err
    assert "keep inputs with --data" in plain(done.err)
    assert assay("ls", "--json").document["total"] == 1


def test_a_file_that_nobody_saw_it_need_is_named_by_the_run_itself(assay, folder, record, tmp_path):
    """It was read by another program; the run fails, and what it said is in the answer."""
    outside = tmp_path / "config.txt"
    outside.write_text("0.5")
    record(f"import os\nos.system('grep . {outside} > /dev/null') and exit('config.txt is missing')\nprint('loss=0.5')")
    outside.unlink()
    done = assay("reproduce", "last")
    assert done.code == 1
    assert "said: config.txt is missing" in plain(done.out)


def test_a_command_that_asks_for_input_says_so_and_takes_it_from_a_pipe(assay, record):
    record("print('loss=' + input('which? '))", stdin="3\n")
    done = assay("reproduce", "last", stdin="")
    assert done.code == 1
    assert "the command asked for input, and there was none" in plain(done.out)
    assert assay("reproduce", "last~1", stdin="3\n").code == 0


def test_an_endless_run_is_ended_where_a_time_is_given(assay, record, tmp_path):
    gate = tmp_path / "gate"
    record(f"import os, time\nprint('loss=1')\nwhile os.path.exists({str(gate)!r}): time.sleep(.05)")
    gate.write_text("")
    done = assay("reproduce", "last", "--timeout", "1.5")
    assert (done.code, done.out.startswith("not reproduced")) == (1, True)
    assert "the command was ended after" in plain(done.out)
    assert "give it longer with --timeout" in plain(done.out)
    for wrong in ("0", "-1", "soon"):
        assert assay("reproduce", "last", "--timeout", wrong).code == 2


def test_a_metric_that_only_one_run_has_is_named(assay, record):
    record("import os\nprint('loss=1')\nif os.environ.get('MORE'): print('extra=2')")
    done = assay("reproduce", "last", env={"MORE": "1"})
    assert done.code == 1
    line = next(line for line in done.out.splitlines() if line.startswith("extra"))
    assert line.split()[:3] == ["extra", "—", "2.0"]
    assert "only in b" in line


def test_several_runs_and_a_margin_in_one_call(assay, record):
    """The recorded seeds are paired; the answer has the test, every run, and is 0 only where that much was asked."""
    script = (
        "import os, sys\nseed = int(sys.argv[2])\nprint(f'loss={seed + float(os.environ.get(\"SHIFT\", 0)) * (1 + seed / 10)}')"
    )
    for seed in range(3):
        record(script, "--seed", str(seed))
    command = ["reproduce", "last", "--level", "statistical", "--margin", "loss=0.1"]
    done = assay(*command, env={"SHIFT": "0.01"})
    assert (done.code, done.out.partition(":")[0]) == (0, "statistical"), done
    assert "equivalent: loss is the same up to 0.1: +0.011 [" in plain(done.out)
    document = assay("reproduce", "last~3", "--runs", "2", "--json", env={"SHIFT": "0.01"}).document
    assert [each["verdict"] for each in document["runs"]] == ["not reproduced"] * 2
    assert document["run"] == document["runs"][0]["run"]


REFUSED = [
    (["--level", "statistical"], "a margin that is given beforehand"),
    (["--margin", "loss=0.1"], "Add --level statistical"),
    (["--seeds", "3"], "Add --level statistical"),
    (["--level", "statistical", "--margin", "loss=0.1", "--seeds", "3"], "no seed that could be varied"),
    (["--level", "statistical", "--margin", "loss=0.1", "--seeds", "3", "--runs", "2"], "were both given"),
    (["--level", "statistical", "--margin", "los=0.1"], "no metric has this name"),
    (["--level", "statistical", "--margin", "loss=-1"], "this is no margin"),
    (["--level", "statistical", "--margin", "loss"], "this is no margin"),
    (["--level", "statistical", "--margin", "loss=learned"], "can be learned"),
    (["--runs", "0"], "--runs"),
]


def test_what_does_not_go_together_is_refused(assay, record):
    record("print('loss=1')")
    for options, said in REFUSED:
        done = assay("reproduce", "last", *options)
        assert done.code == 2, options
        assert said in plain(done.err)


def test_a_diff_of_different_scripts_says_so(assay, folder, record):
    record("print('loss=1')")
    (folder / "evaluate.py").write_text("print('accuracy=1')")
    assay("run", sys.executable, "evaluate.py")
    done = assay("diff", "last~1", "last")
    assert "They ran different scripts: python script.py and python evaluate.py." in plain(done.out)
    assert "part first" not in done.out
