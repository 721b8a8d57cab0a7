"""Journals: what was acknowledged is there, whatever ended the writer and whatever befell the file."""

from __future__ import annotations

import math
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidValue, StoreUnusable
from assay.records.journal import Entry, Noted, Params, Point, Saved, Sums
from assay.store.journal import MAGIC, JournalWriter, read_journal

FORMATS = Path(__file__).parent.parent / "fixtures" / "formats"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIME = st.floats(0, 2e9)
ENTRY: st.SearchStrategy[Entry] = st.one_of(
    st.builds(
        Point,
        TIME,
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=5),
        st.booleans(),
        TEXT,
    ),
    st.builds(Params, TIME, st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXT, max_size=3)),
    st.builds(Saved, TIME, TEXT, TEXT, st.integers(0, 2**60)),
    st.builds(Noted, TIME, TEXT, TEXT, TEXT),
    st.builds(
        Sums,
        TIME,
        st.none() | st.integers(0, 2**63 - 1),
        st.dictionaries(TEXT, st.tuples(st.binary(min_size=16, max_size=16), st.floats(allow_nan=False)), max_size=3),
        st.integers(0, 8),
    ),
)


def written(path: Path, entries: list[Entry]) -> list[int]:
    """Write a journal; where each frame ends."""
    journal = JournalWriter(path)
    ends = []
    for entry in entries:
        journal.append(entry)
        ends.append(path.stat().st_size)
    journal.close()
    return ends


def read(path: Path) -> tuple[list[Entry], list[str]]:
    """Entries and reports."""
    reports: list[str] = []
    return list(read_journal(path, reports.append)), reports


@given(st.lists(ENTRY, max_size=20), st.data())
def test_a_journal_cut_anywhere_gives_every_whole_entry_before_the_cut(entries: list[Entry], data: st.DataObject) -> None:
    """The torn last frame was never acknowledged: it is no damage, and nothing else is lost."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.journal"
        ends = written(path, entries)
        cut = data.draw(st.integers(0, path.stat().st_size))
        os.truncate(path, cut)
        assert read(path) == (entries[: sum(end <= cut for end in ends)], [])


@given(st.lists(ENTRY, min_size=2, max_size=12), st.data())
def test_damage_in_the_middle_costs_what_it_hit(entries: list[Entry], data: st.DataObject) -> None:
    """Bytes overwritten within one frame, its length included: the others are found, and the damage is told."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.journal"
        ends = [len(MAGIC), *written(path, entries)]
        hit = data.draw(st.integers(0, len(entries) - 2))
        begin = data.draw(st.integers(ends[hit], ends[hit + 1] - 1))
        noise = data.draw(st.binary(min_size=1, max_size=ends[hit + 1] - begin))
        raw = bytearray(path.read_bytes())
        before = bytes(raw)
        raw[begin : begin + len(noise)] = noise
        path.write_bytes(raw)
        found, reports = read(path)
        if raw == before:
            assert (found, reports) == (entries, [])
        else:
            assert found == entries[:hit] + entries[hit + 1 :]
            assert len(reports) == 1


@given(st.binary(max_size=300))
def test_garbage_gives_no_entry_and_no_crash(data: bytes) -> None:
    """A file that is no journal is told; behind a good beginning, noise is passed over."""
    with tempfile.TemporaryDirectory() as folder:
        for beginning in (b"", MAGIC):
            path = Path(folder) / "noise.journal"
            path.write_bytes(beginning + data)
            assert read(path)[0] == []


def test_zeros_of_a_power_cut_are_no_entries(tmp_path: Path) -> None:
    """A length of 0 with a sum of 0 would be a whole frame otherwise."""
    entries: list[Entry] = [Point(1.0, 1, {"loss": 0.5})]
    written(tmp_path / "a.journal", entries)
    with (tmp_path / "a.journal").open("ab") as file:
        file.write(bytes(4096))
    assert read(tmp_path / "a.journal") == (entries, [])


def test_numbers_that_are_none_survive(tmp_path: Path) -> None:
    """NaN and the infinities are logged as what they are."""
    written(tmp_path / "a.journal", [Point(1.0, None, {"a": math.nan, "b": math.inf, "c": -math.inf})])
    ((found,), _) = read(tmp_path / "a.journal")
    assert isinstance(found, Point)
    assert math.isnan(found.values["a"])
    assert (found.values["b"], found.values["c"], found.step) == (math.inf, -math.inf, None)


def test_frames_are_as_documented(tmp_path: Path) -> None:
    """Magic, then length and CRC-32 little-endian, then the payload."""
    written(tmp_path / "a.journal", [Saved(0.0, "p", "i", 1)])
    payload = bytes.fromhex("95a173cb0000000000000000a170a16901")
    assert (tmp_path / "a.journal").read_bytes() == b"assayj1\n" + struct.pack("<II", len(payload), 0xD21F1A02) + payload


def test_an_old_journal_is_read(tmp_path: Path) -> None:
    """The golden file of format 1, with an entry of each kind."""
    assert read(FORMATS / "journal-1.journal") == (
        [
            Point(1789000000.5, 1, {"loss": 0.25, "Loss/test": math.inf}, True, "tensorboard"),
            Point(1789000001.5, None, {"accuracy": 0.5}),
            Params(1789000002.5, {"lr": 0.1, "layers": [1, 2]}),
            Saved(1789000003.5, "out/model.pt", "ab" * 32, 1234),
            Noted(1789000004.5, "no-op", "x", "nothing changed"),
        ],
        [],
    )


def test_checksums_of_layers_are_read() -> None:
    """The golden file of the entries that came with `assay.checkpoint_sums`."""
    (first, second), reports = read(FORMATS / "journal-1-sums.journal")
    assert isinstance(first, Sums)
    assert (first.time, first.step, first.rank, list(first.layers)) == (1789000005.5, 3, 1, ["fc.weight", "fc.bias"])
    assert first.layers["fc.weight"] == (bytes(range(16)), 0.5)
    assert math.isnan(first.layers["fc.bias"][1])
    assert second == Sums(1789000006.5, None, {"w": (b"\xff" * 16, 2.0)})
    assert reports == []


def test_a_journal_of_a_newer_format_is_told(tmp_path: Path) -> None:
    """And costs only itself."""
    (tmp_path / "a.journal").write_bytes(b"assayj2\nwhatever")
    found, reports = read(tmp_path / "a.journal")
    assert found == []
    assert reports == ["a.journal: this is no journal that this version of Assay can read"]


def test_an_entry_of_an_unknown_kind_costs_only_itself(tmp_path: Path) -> None:
    """A newer writer may say things that this reader has never heard of."""
    path = tmp_path / "a.journal"
    written(path, [Saved(0.0, "p", "i", 1)])
    payload = b"\x92\xa1z\x01"
    with path.open("ab") as file:
        file.write(struct.pack("<II", len(payload), zlib.crc32(payload)) + payload)
    found, reports = read(path)
    assert found == [Saved(0.0, "p", "i", 1)]
    assert len(reports) == 1


def test_what_cannot_be_logged_is_refused(tmp_path: Path) -> None:
    """By name, and the journal goes on."""
    journal = JournalWriter(tmp_path / "a.journal")
    for value in (object(), 2**70, "\ud800"):
        with pytest.raises(InvalidValue, match="cannot be logged"):
            journal.append(Params(0.0, {"x": value}))
    journal.append(Params(0.0, {"x": 1}))
    journal.close()
    assert read(tmp_path / "a.journal") == ([Params(0.0, {"x": 1})], [])


def test_a_closed_journal_writes_nowhere(tmp_path: Path) -> None:
    """Its descriptor may belong to the user's file by now."""
    journal = JournalWriter(tmp_path / "a.journal")
    journal.close()
    journal.close()
    with (tmp_path / "users").open("wb") as file:
        with pytest.raises(StoreUnusable):
            journal.append(Params(0.0, {}))
        file.write(b"mine")
    assert (tmp_path / "users").read_bytes() == b"mine"


def test_a_journal_that_is_let_go_gives_its_descriptor_back(tmp_path: Path) -> None:
    """What was appended stays."""
    journal = JournalWriter(tmp_path / "j")
    journal.append(Point(1.0, 1, {"x": 1.0}))
    before = len(list(Path("/proc/self/fd").iterdir()))
    del journal
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 1
    assert read(tmp_path / "j") == ([Point(1.0, 1, {"x": 1.0})], [])


def test_a_journal_belongs_to_one_writer(tmp_path: Path) -> None:
    """A second one under the same name is refused."""
    JournalWriter(tmp_path / "a.journal").close()
    with pytest.raises(StoreUnusable):
        JournalWriter(tmp_path / "a.journal")


def test_threads_share_a_journal(tmp_path: Path) -> None:
    """Every entry of every thread is there, each thread's in its order."""
    journal = JournalWriter(tmp_path / "a.journal")

    def log(thread: int) -> None:
        for step in range(300):
            journal.append(Point(0.0, step, {str(thread): 1.0}))

    threads = [threading.Thread(target=log, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    found, reports = read(tmp_path / "a.journal")
    assert reports == []
    for number in range(8):
        assert [point.step for point in found if isinstance(point, Point) and str(number) in point.values] == list(range(300))


def test_a_forked_child_may_go_on_logging(tmp_path: Path) -> None:
    """Even where another thread held the lock at the fork."""
    journal = JournalWriter(tmp_path / "a.journal")
    with journal._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            journal.append(Point(0.0, 1, {}))
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    journal.append(Point(0.0, 2, {}))
    assert read(tmp_path / "a.journal") == ([Point(0.0, 1, {}), Point(0.0, 2, {})], [])


LOG_FOR_EVER = """
import os, sys
from pathlib import Path
from assay.records.journal import Point
from assay.store.journal import JournalWriter
journal = JournalWriter(Path(sys.argv[1]))
step = 0
while True:
    step += 1
    journal.append(Point(float(step), step, {"loss": 1 / step, "accuracy": 0.5, "f1": 0.25, "auc": 0.75}))
    os.write(1, b"%d\\n" % step)
"""


def test_every_acknowledged_point_survives_sigkill(tmp_path: Path) -> None:
    """20 processes are killed at random moments while they log; what `append` returned for is there each time."""
    dice = random.Random(20)
    for number in range(20):
        path = tmp_path / f"{number}.journal"
        child = subprocess.Popen([sys.executable, "-c", LOG_FOR_EVER, str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(dice.randrange(3000)):
            child.stdout.readline()
        heard = child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        heard += child.stdout.read()
        child.wait()
        child.stdout.close()
        acknowledged = int(heard[: heard.rindex(b"\n")].splitlines()[-1])
        found, reports = read(path)
        steps = [point.step for point in found if isinstance(point, Point)]
        assert reports == []
        assert steps == list(range(1, len(steps) + 1))
        assert len(steps) >= acknowledged > 0
