"""Reports collected, damaged ones included; the same watcher in this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.capture.injected import tracer
from assay.capture.trace import collect, injection, trace_here
from assay.capture.trace_reports import END, merge


def test_variables_that_are_added(tmp_path: Path) -> None:
    """The tracer's folder comes first on PYTHONPATH; a seed fixes the hash seed unless the user has fixed it."""
    added = injection(tmp_path, seed=None, env={"PYTHONPATH": "/a:/b"})
    assert added["PYTHONPATH"].endswith(":/a:/b")
    assert sorted(added) == ["ASSAY_TRACE", "PYTHONPATH"]
    seeded = injection(tmp_path, seed=3, env={})
    assert (seeded["ASSAY_SEED"], seeded["PYTHONHASHSEED"]) == ("3", "3")
    assert os.pathsep not in seeded["PYTHONPATH"]
    assert "PYTHONHASHSEED" not in injection(tmp_path, seed=3, env={"PYTHONHASHSEED": "0"})


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the cache folder is a file, the tracer enters from the run's own folder."""
    (tmp_path / "cache").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    added = injection(tmp_path / "run", seed=None, env={})
    assert Path(added["PYTHONPATH"]) == tmp_path / "run" / "inject"
    subprocess.run([sys.executable, "-c", "pass"], env={**os.environ, **added}, check=True)
    assert len(collect(tmp_path / "run").interpreters) == 1


def test_nothing_reported(tmp_path: Path) -> None:
    """A folder that does not exist is an observation of nothing."""
    seen = collect(tmp_path / "none")
    assert (seen.interpreters, dict(seen.reads)) == ((), {})


def test_a_torn_record_is_ignored(tmp_path: Path) -> None:
    """Records before a torn one stand; reserved zeros say nothing."""
    folder = tmp_path / "trace"
    folder.mkdir()
    (folder / "1.2.0000").write_bytes(b"r1.0 - /a" + END + b"r2.0 - /b\0" + b"\0" * 100)
    assert set(collect(tmp_path).reads) == {"/a"}


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([b"r1 1,2", b"s{", b"mx", b"q", b"t!", b"e[1]", b"v0", b"v(1,2)", b"u9.9 1,2,3,4,5,6 /x"]),
        )
    )
)
@example([b"k0"])
@example([b"s{'rank': 0}", b"o0", b"o(1, 2)", b"o('x', 1, 2)"])
@example([b"s{'time': []}", b"s{'began': None}"])
@example([b"e{'native': 1}", b"e{'blas': 1}", b"e{'compiled': 1}", b"e{'threads': 1}", b"e{'seeded': 1}", b"e{'used': {'x': 'y'}}"])
def test_garbage_is_no_error(items: list[bytes]) -> None:
    """Whatever bytes a report holds, merging gives an observation, and a good record among them is found."""
    seen = merge([END.join([*items, b"r1.5 - /good", b""])])
    assert "/good" in seen.reads or any(END in item or item.endswith(b"\0") for item in items)


def test_the_earliest_use_counts_across_processes() -> None:
    """Of two processes that read one file, the first in time gives the stat record."""
    late, early = b"r2.0 33188,2,2,2,2,2 /f" + END, b"r1.0 33188,1,1,1,1,1 /f" + END
    stat = merge([late, early]).reads["/f"].stat
    assert stat is not None and stat.size == 1


def test_paths_are_made_plain() -> None:
    """A name with "." and ".." is the file that it leads to."""
    assert set(merge([b"r1.0 - /a/./b/../c//d" + END]).reads) == {"/a/c/d"}


def test_this_process(tmp_path: Path) -> None:
    """Reads, writes and loaded files of this process between start and stop, and nothing outside."""
    for name in ("before", "during", "after"):
        (tmp_path / name).write_text("x")
    trace = trace_here()
    (tmp_path / "before").read_text()
    trace.start()
    (tmp_path / "during").read_text()
    (tmp_path / "out").write_text("y")
    seen = trace.stop()
    (tmp_path / "after").read_text()
    assert {path for path in seen.reads if path.startswith(str(tmp_path))} == {str(tmp_path / "during")}
    assert str(tmp_path / "out") in seen.writes
    assert __file__ in seen.loaded
    assert [facts["pid"] for facts in seen.interpreters] == [os.getpid()]


def test_traces_one_after_another(tmp_path: Path) -> None:
    """Each trace sees its own reads again; one that is started inside another sees nothing and disturbs nothing."""
    (tmp_path / "data").write_text("x")
    for _ in range(3):
        trace = trace_here()
        trace.start()
        inner = trace_here()
        inner.start()
        (tmp_path / "data").read_text()
        assert inner.stop().reads == {}
        assert str(tmp_path / "data") in trace.stop().reads


def test_a_trace_goes_on_from_the_inputs_of_another(tmp_path: Path) -> None:
    """What was read counts for the next trace, what was written does not; nothing counts twice."""
    (tmp_path / "a.txt").write_text("a")
    first, second, third = trace_here(), trace_here(), trace_here()
    first.start()
    (tmp_path / "a.txt").read_text()
    (tmp_path / "b.txt").write_text("b")
    first.stop()
    second.start(first.inputs())
    seen = second.stop()
    third.start(first.inputs())
    assert str(tmp_path / "a.txt") in seen.reads and str(tmp_path / "b.txt") not in seen.writes
    assert str(tmp_path / "a.txt") not in third.stop().reads


def test_forked_children_of_this_process(tmp_path: Path) -> None:
    """A forked child reports into the folder that the trace was given; its parent's records stay the parent's."""
    (tmp_path / "data").write_text("x")
    trace = trace_here(tmp_path / "run")
    trace.start()
    subprocess.run([sys.executable, "-c", "pass"], check=True, preexec_fn=(tmp_path / "data").read_text)
    seen = trace.stop()
    assert str(tmp_path / "data") in seen.reads
    assert len(seen.interpreters) == 3, "the parent, the fork and the interpreter that it became"


def test_the_first_that_reports_makes_the_folder_until_the_run_has_ended(tmp_path: Path) -> None:
    """No interpreter adds anything to a run that has a result, or makes a run's folder that is not there."""
    run, script = tmp_path / "run", [sys.executable, "-c", "open('data')"]
    (tmp_path / "data").write_text("x")
    env = {**os.environ, **injection(run, seed=None, env=os.environ, late=True)}
    subprocess.run(script, cwd=tmp_path, env=env, check=True)
    assert not run.exists()
    run.mkdir()
    for _ in range(2):
        subprocess.run(script, cwd=tmp_path, env=env, check=True)
    seen = collect(run)
    assert str(tmp_path / "data") in seen.reads and len(seen.interpreters) == 2
    shutil.rmtree(run / "trace")
    (run / "result").write_bytes(b"ended")
    subprocess.run(script, cwd=tmp_path, env=env, check=True)
    assert [path.name for path in run.iterdir()] == ["result"]


def test_a_report_that_cannot_grow_says_so(tmp_path: Path) -> None:
    """When no further segment can be made, the loss is in the report, and appending stays without error."""
    (tmp_path / "trace").mkdir()
    report = tracer.Report(str(tmp_path / "trace"))
    report.append(b"r1.0 - /a" + END)
    (tmp_path / "trace").rename(tmp_path / "away")
    for _ in range(2):
        report.append(b"r1.0 - /" + b"b" * tracer.SEGMENT + END)
    (tmp_path / "away").rename(tmp_path / "trace")
    seen = collect(tmp_path)
    assert set(seen.reads) == {"/a"}
    assert seen.lost == ("no space left for the report",)


def test_names_that_are_read_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of many names that repeat stops growing, and has each of them, by whichever folder it is relative to."""
    monkeypatch.setattr(tracer, "SEGMENT", 1 << 12)
    monkeypatch.setattr(tracer, "SEGMENTS", 2)
    (tmp_path / "trace").mkdir()
    report = tracer.Report(str(tmp_path / "trace"))
    write = _Given(report)
    sizes = []
    for turn in range(60):
        report.append(b"f/%d" % (turn % 3) + END + b"t%d.0" % turn + END)
        for number in range(500):
            write(b"name%d" % number + tracer.READ.encode())
        report.append(b"w%d.5 - /written%d" % (turn, turn) + END)
        sizes.append(len(list((tmp_path / "trace").iterdir())))
    seen = collect(tmp_path)
    assert {f"/{folder}/name{number}" for folder in range(3) for number in range(500)} == set(seen.reads)
    assert {f"/written{turn}" for turn in range(60)} == set(seen.writes)
    assert seen.reads["/1/name7"].time == 1.0
    assert sizes[-1] == sizes[20]


def test_more_names_than_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that reads more different files than that says so once, and reports no more names."""
    for name, value in (("SEGMENT", 1 << 12), ("SEGMENTS", 1), ("NAMES", 1000), ("BURST", 1)):
        monkeypatch.setattr(tracer, name, value)
    (tmp_path / "many").mkdir()
    trace = trace_here()
    trace.start()
    for number in range(20_000):
        sys.audit("open", f"/nowhere/{number:050}", "r", 0)
    seen = trace.stop()
    assert seen.lost == ("more than 1000 files were opened in one process",)
    assert 1000 <= len(seen.reads) < 20_000


class _Given:
    """Appends as the audit hook does: by what the report gave last, and by the report itself where that is full."""

    def __init__(self, report: tracer.Report) -> None:
        self._report = report
        report.share(self._take)

    def _take(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def __call__(self, record: bytes) -> None:
        try:
            self._write(record)
        except ValueError:
            self._report.append(record)
