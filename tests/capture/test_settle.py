"""From observation to trace: which file was an input, which an artifact, and what is said where it cannot be known."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assay.capture.code import CodeCapture, Snapshot
from assay.capture.injected import aside
from assay.capture.settle import Settled, listing_digest, settle
from assay.capture.trace import collect, injection, trace_here
from assay.records.canonical import digest
from assay.records.trace import FileUse
from assay.store.store import Store


class Bench:
    """A project with a store, in which scripts are run and settled."""

    def __init__(self, root: Path, aside: Path) -> None:
        self.root = root
        self.aside = aside
        self.store = Store.open(root)

    def snapshot(self) -> Snapshot:
        return CodeCapture(self.store, self.root).snapshot()

    def run(self, source: str, *, keep_below: int = 100 << 20, python: tuple[str, ...] = ()) -> Settled:
        (self.root / "script.py").write_text(source)
        snapshot = self.snapshot()
        since = time.time()
        env = {**os.environ, **injection(self.aside / str(time.time_ns()), seed=None, env=os.environ)}
        subprocess.run([sys.executable, *python, "script.py"], cwd=self.root, env=env, check=True)
        observed = collect(Path(env["ASSAY_TRACE"]).parent)
        return settle(self.store, self.root, observed, snapshot=snapshot, since=since, keep_below=keep_below)


@pytest.fixture
def bench(project: Path, tmp_path: Path) -> Bench:
    return Bench(project, tmp_path / "aside")


def by_path(files: tuple[FileUse, ...]) -> dict[str, FileUse]:
    return {file.path: file for file in files}


def test_inputs_code_and_artifacts(bench: Bench) -> None:
    """The script and its module are loaded, data is read, what it made is written: each once, with the id of its content."""
    (bench.root / "part.py").write_text("X = 1\n")
    (bench.root / "data.csv").write_bytes(b"1,2\n")
    trace = bench.run("import part\nopen('out.txt', 'w').write(open('data.csv').read())\n").trace
    assert list(by_path(trace.loaded)) == ["part.py", "script.py"]
    assert {path: file.id for path, file in by_path(trace.read).items()} == {"data.csv": digest(b"1,2\n")}
    assert {path: file.id for path, file in by_path(trace.written).items()} == {"out.txt": digest(b"1,2\n")}
    assert bench.store.objects.get(trace.written[0].id or "") == b"1,2\n"
    assert all(file.kept and (file.id or "") in bench.store.objects for file in trace.loaded)
    assert trace.processes == 1


def test_a_file_outside_the_root_is_absolute(bench: Bench, tmp_path: Path) -> None:
    """Data elsewhere on the machine stands under its absolute path."""
    data = tmp_path / "elsewhere.bin"
    data.write_bytes(b"far")
    trace = bench.run(f"open({str(data)!r}).read()\n").trace
    assert [(file.path, file.id) for file in trace.read] == [(str(data), digest(b"far"))]


def test_the_root_reached_through_a_link(bench: Bench, tmp_path: Path) -> None:
    """A file below the root is named relative to it, by whatever way the script got there; a link inside the root keeps its own name."""
    (bench.root / "data.csv").write_text("1")
    (tmp_path / "way").symlink_to(bench.root)
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "x.csv").write_text("2")
    (bench.root / "far").symlink_to(tmp_path / "far")
    trace = bench.run(f"open({str(tmp_path / 'way' / 'data.csv')!r}).read()\nopen('far/x.csv').read()\n").trace
    assert list(by_path(trace.read)) == ["data.csv", "far/x.csv"]


def test_what_the_run_wrote_is_no_input(bench: Bench) -> None:
    """A file that the run wrote and then read is an artifact alone; one that it read and then wrote over is both."""
    (bench.root / "state.txt").write_text("before")
    settled = bench.run(
        "open('own.txt', 'w').write('x'); open('own.txt').read()\nopen('state.txt').read(); open('state.txt', 'w').write('after')\n"
    )
    assert "own.txt" not in by_path(settled.trace.read)
    assert set(by_path(settled.trace.written)) == {"own.txt", "state.txt"}
    state = by_path(settled.trace.read)["state.txt"]
    assert (state.id, state.kept, state.note) == (digest(b"before"), True, "the run changed it after reading it")
    assert bench.store.objects.get(digest(b"before")) == b"before"
    assert not settled.gaps


@pytest.mark.parametrize(
    "writing",
    [
        "open('state.bin', 'wb').write(b'after')",
        "open('state.bin', 'ab').write(b'after')",
        "open('state.bin', 'rb+').write(b'after')",
        "open('tmp', 'wb').write(b'after'); os.replace('tmp', 'state.bin')",
        "os.remove('state.bin'); open('state.bin', 'wb').write(b'after')",
        "os.truncate('state.bin', 2)",
        "os.chdir('..'); open(here + '/state.bin', 'wb').write(b'after')",
    ],
)
def test_what_was_read_before_it_was_written_over_is_known(bench: Bench, writing: str) -> None:
    """However it was written over, and though nobody had seen the content before: it is identified, kept, and no gap."""
    held = b"\0" + os.urandom(64)
    (bench.root / "state.bin").write_bytes(held)
    settled = bench.run(f"import os\nhere = os.getcwd()\nopen('state.bin', 'rb').read()\n{writing}\n")
    state = by_path(settled.trace.read)["state.bin"]
    assert (state.id, state.kept) == (digest(held), True)
    assert bench.store.objects.get(digest(held)) == held
    assert by_path(settled.trace.written)["state.bin"].id != digest(held)
    assert not settled.gaps and not settled.findings


def test_what_costs_too_much_to_set_aside_is_a_gap(bench: Bench) -> None:
    """A process copies so much and no more before it writes over what it read; of the rest it is said that it is not known."""
    size = aside.MOST_BYTES // 2 + 1
    for name in ("one.bin", "two.bin"):
        with (bench.root / name).open("wb") as file:
            file.truncate(size)  # sparse
    settled = bench.run(
        "for name in ('one.bin', 'two.bin'):\n    open(name, 'rb').read(1)\n    open(name, 'wb').write(b'x')\n", keep_below=1
    )
    assert {path: file.id is None for path, file in by_path(settled.trace.read).items()} == {"one.bin": False, "two.bin": True}
    assert [gap.what for gap in settled.gaps if gap.why == "the run changed it after reading it"] == ["two.bin"]


def test_a_live_run_sets_aside_what_it_writes_over(bench: Bench) -> None:
    """The same where the run is one of Assay's own process; nothing of it is left below the run."""
    state = bench.root / "state.bin"
    state.write_bytes(b"\0before")
    snapshot, since = bench.snapshot(), time.time()
    trace = trace_here(bench.aside)
    trace.start()
    state.read_bytes()
    state.write_bytes(b"\0after")
    settled = settle(bench.store, bench.root, trace.stop(), snapshot=snapshot, since=since)
    trace.forget()
    assert by_path(settled.trace.read)["state.bin"].id == digest(b"\0before")
    assert not (bench.aside / "trace").exists()


def test_written_in_one_process_and_read_in_another(bench: Bench) -> None:
    """What a child wrote and its parent read is the run's own work too."""
    settled = bench.run(
        "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'open(\"c.txt\", \"w\")'])\nopen('c.txt').read()\n"
    )
    assert "c.txt" not in by_path(settled.trace.read)
    assert "c.txt" in by_path(settled.trace.written)


def test_native_writes_are_found_by_scan(bench: Bench) -> None:
    """A file that another program wrote, unseen, is found by its time; read afterwards, it is still no input."""
    settled = bench.run(
        "import subprocess\nsubprocess.run(['cp', 'train.py', 'copy.bin'])\nsubprocess.run(['touch', 'b.bin'])\nopen('copy.bin')\n"
    )
    written = by_path(settled.trace.written)
    assert {path: file.by for path, file in written.items()} == {"copy.bin": "scan", "b.bin": "scan"}
    assert "copy.bin" not in by_path(settled.trace.read)


def test_temporary_files_leave_no_trace(bench: Bench) -> None:
    """Files that are gone at the end, and files that were opened for writing and left alone, are no artifacts."""
    (bench.root / "db.bin").write_text("same")
    settled = bench.run("import os\nopen('t', 'w'); os.remove('t')\nopen('db.bin', 'r+').close()\n")
    assert settled.trace.written == ()
    assert by_path(settled.trace.read)["db.bin"].id == digest(b"same")


def test_an_input_that_another_program_changed_meanwhile(bench: Bench, tmp_path: Path) -> None:
    """The content that was read is gone: no id is claimed, and the gap is named."""
    data = tmp_path / "data.bin"
    data.write_bytes(b"first")
    settled = bench.run(f"import subprocess\nopen({str(data)!r}).read()\nsubprocess.run('echo second > {data}', shell=True)\n")
    (use,) = settled.trace.read
    assert (use.id, use.note) == (None, "changed while the run read it")
    assert [gap.what for gap in settled.gaps if "child" not in gap.what] == [str(data)]
    (finding,) = settled.findings
    assert (finding.kind, finding.about) == ("data changed", str(data))
    assert digest(b"second\n") in finding.text


def test_an_input_in_the_snapshot_keeps_its_id(bench: Bench) -> None:
    """Where the code tree holds the content as it was read, its id is known although the file has changed since."""
    (bench.root / "config.json").write_text("{}")
    os.utime(bench.root / "config.json", (1_000_000_000, 1_000_000_000))
    bench.snapshot()
    settled = bench.run("import subprocess\nopen('config.json').read()\nsubprocess.run('echo 1 > config.json', shell=True)\n")
    assert by_path(settled.trace.read)["config.json"].id == digest(b"{}")


def test_code_that_changes_under_the_run(bench: Bench) -> None:
    """A source file that is edited after it was loaded is a finding that names both contents, and both are kept."""
    (bench.root / "part.py").write_text("X = 1\n")
    settled = bench.run("import part, subprocess\nsubprocess.run('echo X = 22 > part.py', shell=True)\n")
    assert [(finding.kind, finding.about) for finding in settled.findings] == [("code changed", "part.py")]
    both_kept(bench, settled, b"X = 1\n", b"X = 22\n")
    assert by_path(settled.trace.loaded)["part.py"].id == digest(b"X = 1\n")


def both_kept(bench: Bench, settled: Settled, *contents: bytes) -> None:
    """Some finding names each content, and the store has it."""
    for content in contents:
        assert any(digest(content) in finding.text for finding in settled.findings), settled.findings
        assert bench.store.objects.get(digest(content)) == content


def test_a_script_that_edits_its_own_module(bench: Bench) -> None:
    """What was imported stands in the trace, though the script has written over it and the snapshot knew yet another content."""
    (bench.root / "part.py").write_text("X = 1\n")
    write = "open('part.py', 'w').write('X = {}\\n')\n"
    settled = bench.run(write.format(22) + "import part\nassert part.X == 22\n" + write.format(333))
    assert by_path(settled.trace.loaded)["part.py"].id == digest(b"X = 22\n")
    both_kept(bench, settled, b"X = 1\n", b"X = 22\n", b"X = 333\n")


def test_an_edit_between_snapshot_and_load(bench: Bench) -> None:
    """The trace has what was loaded; the finding names what the snapshot has and what was loaded."""
    (bench.root / "part.py").write_text("X = 1\n")
    settled = bench.run("import subprocess\nsubprocess.run('echo X = 22 > part.py', shell=True)\nimport part\n")
    assert by_path(settled.trace.loaded)["part.py"].id == digest(b"X = 22\n")
    both_kept(bench, settled, b"X = 1\n", b"X = 22\n")


def test_a_module_that_is_gone_by_the_end(bench: Bench) -> None:
    """A module that was made, loaded and removed is kept all the same: the interpreter reported its content."""
    settled = bench.run("import os\nopen('part.py', 'w').write('X = 5\\n')\nimport part\nos.remove('part.py')\n")
    part = by_path(settled.trace.loaded)["part.py"]
    assert (part.id, part.kept, part.note) == (digest(b"X = 5\n"), True, "vanished")
    assert bench.store.objects.get(digest(b"X = 5\n")) == b"X = 5\n"


def test_a_secret_in_a_module_that_changed_is_not_kept(bench: Bench) -> None:
    """What an interpreter reported is scanned like every file."""
    quotes = '"' * 3
    key = "-----BEGIN RSA PRIVATE " + "KEY-----\n" + "MIIEow" * 12 + "\n-----END RSA PRIVATE " + "KEY-----"
    key = f"K = {quotes}{key}{quotes}\n"
    (bench.root / "part.py").write_text(key)
    bench.run("import part\nopen('part.py', 'w').write('X = 22\\n')\n")
    assert digest(key.encode()) not in bench.store.objects


def test_a_module_edited_after_a_live_process_had_started(bench: Bench) -> None:
    """A run of a process that has been up for a while says which of its modules may be older than their files."""
    (bench.root / "old.py").write_text("X = 1\n")
    (bench.root / "same.py").write_text("X = 1\n")
    script = "import old, same, assay\nopen('old.py', 'a').write('# edited')\nwith assay.run() as run: pass\nprint(run.id)\n"
    (bench.root / "live.py").write_text(script)
    for name in ("same.py", "live.py"):
        os.utime(bench.root / name, (1_000_000_000, 1_000_000_000))
    done = subprocess.run([sys.executable, "live.py"], cwd=bench.root, check=True, capture_output=True, text=True)
    result = bench.store.runs.read(done.stdout.strip()).result
    assert result is not None
    assert [(finding.kind, finding.about) for finding in result.findings] == [("code changed", "old.py")]


def test_large_files_are_hashed_and_not_kept(bench: Bench) -> None:
    """Above the limit an artifact has its id and a note; the store does not grow."""
    settled = bench.run("open('big.bin', 'wb').write(b'0' * 5000)\n", keep_below=4999)
    (big,) = settled.trace.written
    assert big.id == digest(b"0" * 5000)
    assert not big.kept and big.note.startswith("too large") and big.id not in bench.store.objects
    assert [gap.what for gap in settled.gaps] == ["big.bin"]


def test_assay_itself_is_no_part_of_the_run(bench: Bench) -> None:
    """A script that uses Assay has neither Assay's modules nor its store and caches among its files."""
    settled = bench.run("import assay\nassay.set_deterministic_seed\nopen('.assay/note', 'w')\n")
    assert [file.path for file in settled.trace.loaded] == ["script.py"]
    assert (settled.trace.read, settled.trace.written) == ((), ())


def test_secrets_are_not_kept(bench: Bench) -> None:
    """A written file whose name or content says that it is a secret is named, and its content stays out of the store."""
    key = "-----BEGIN RSA PRIVATE " + "KEY-----\n" + "MIIEow" * 12 + "\n-----END RSA PRIVATE " + "KEY-----\n"
    settled = bench.run(
        f"open('.env', 'w').write('TOKEN=abc')\nopen('notes.txt', 'w').write('-----BEGIN RSA PRIV' + {key[19:]!r})\n"
    )
    assert [(file.path, file.kept) for file in settled.trace.written] == [(".env", False), ("notes.txt", False)]
    assert digest(b"TOKEN=abc") not in bench.store.objects
    assert digest(key.encode()) not in bench.store.objects
    assert {gap.what for gap in settled.gaps} == {".env", "notes.txt"}


def test_names_that_are_not_utf_8_are_readable(bench: Bench) -> None:
    """Invalid bytes of a name stand as \\xNN."""
    settled = bench.run("open(b'a\\xff.txt', 'w').write('x')\n")
    assert [file.path for file in settled.trace.written] == ["a\\xff.txt"]


def test_listed_folders_without_what_the_run_added(bench: Bench) -> None:
    """The digest of a listed folder is that of its names when the run looked, though it wrote there afterwards."""
    (bench.root / "data").mkdir()
    (bench.root / "data" / "one").write_text("1")
    settled = bench.run("import os\nos.listdir('data'); os.listdir('.'); open('data/two', 'w')\n")
    root = listing_digest(iter([".git", "data", "script.py", "train.py"]))
    assert settled.trace.listed == {"data": listing_digest(iter(["one"])), ".": root}


def test_native_readers_and_hosts_are_gaps(bench: Bench) -> None:
    """A library that opens files unseen and a host that was contacted are named as what is missing; this machine itself is not."""
    (bench.root / "h5py.py").write_text("__version__ = '9.9'\n")
    settled = bench.run(
        "import h5py, sys\n"
        "try: import polars\nexcept ImportError: pass\n"
        "for host in ('198.51.100.7', '127.0.0.1'): sys.audit('socket.connect', None, (host, 80))\n"
    )
    assert {gap.what for gap in settled.gaps} == {"reads by h5py", "network"}
    assert any("9.9" in gap.why for gap in settled.gaps)


def test_a_store_that_is_lost_is_a_gap_and_no_error(bench: Bench) -> None:
    """When the store cannot take an artifact, its id is still known and the reason is said."""
    (bench.root / "script.py").write_text("open('out.txt', 'w').write('x')\n")
    snapshot = bench.snapshot()
    since = time.time()
    env = {**os.environ, **injection(bench.aside, seed=None, env=os.environ)}
    subprocess.run([sys.executable, "script.py"], cwd=bench.root, env=env, check=True)
    shutil.rmtree(bench.store.path)
    settled = settle(bench.store, bench.root, collect(bench.aside), snapshot=snapshot, since=since)
    assert by_path(settled.trace.written)["out.txt"].id == digest(b"x")
    assert not by_path(settled.trace.written)["out.txt"].kept
    assert "out.txt" in {gap.what for gap in settled.gaps}


def test_large_inputs_are_hashed_once(bench: Bench, tmp_path: Path) -> None:
    """A large file that has not changed is not opened again to settle the next run; one that has changed is."""
    data = tmp_path / "large.bin"
    data.write_bytes(b"1" * (2 << 20))
    os.utime(data, ns=(10**18 + 1, 10**18 + 1))
    # The change time of a new file lies too near to its reading to prove anything; wait until the clock has moved on.
    while time.time_ns() - data.stat().st_ctime_ns < 100_000_000:
        os.sched_yield()

    def settle_watched() -> tuple[str | None, bool]:
        watch = trace_here()
        watch.start()
        settled = bench.run(f"open({str(data)!r}).read(1)\n")
        return settled.trace.read[0].id, str(data) in watch.stop().reads

    assert settle_watched() == (digest(b"1" * (2 << 20)), True)
    assert settle_watched() == (digest(b"1" * (2 << 20)), False)
    data.write_bytes(b"2" * (2 << 20))
    assert settle_watched() == (digest(b"2" * (2 << 20)), True)


def test_what_hashing_has_no_time_for_is_said(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without time for hashing, inputs and artifacts are known by name, size and time, and each is a gap; code has its ids all the same."""
    data = tmp_path / "data.bin"
    data.write_bytes(b"in")
    monkeypatch.setenv("ASSAY_HASH_SECONDS", "0")
    settled = bench.run(f"open('out.bin', 'w').write(open({str(data)!r}).read() + 'out')\n")
    used = [*settled.trace.read, *settled.trace.written]
    assert [(file.path, file.id, file.size, file.kept, file.note) for file in used] == [
        (str(data), None, 2, False, "not hashed"),
        ("out.bin", None, 5, False, "not hashed"),
    ]
    assert all(file.mtime for file in used)
    assert [gap.what for gap in settled.gaps] == [str(data), "out.bin"]
    assert all("ASSAY_HASH_SECONDS" in gap.why for gap in settled.gaps)
    assert [file.kept for file in settled.trace.loaded] == [True]


def test_a_huge_sparse_file_delays_no_end(bench: Bench) -> None:
    """A file of a tebibyte that a run made is not begun, and takes no time from what else it wrote."""
    settled = bench.run("open('a.bin', 'wb').truncate(1 << 40)\nopen('b.bin', 'w').write('b')\n")
    written = by_path(settled.trace.written)
    assert (written["a.bin"].id, written["a.bin"].size) == (None, 1 << 40)
    assert written["b.bin"].id == digest(b"b")
    assert [gap.what for gap in settled.gaps] == ["a.bin"]


def test_caches_that_libraries_make_once_are_no_inputs(bench: Bench, tmp_path: Path) -> None:
    """matplotlib's list of fonts, which the first run of a user makes, makes that run no ancestor of the others."""
    fonts = tmp_path / "matplotlib" / "fontlist-v390.json"
    fonts.parent.mkdir()
    trace = bench.run(f"open({str(fonts)!r}, 'w').write('{{}}')\n").trace
    assert not trace.written
    assert not bench.run(f"open({str(fonts)!r}).read()\n").trace.read
