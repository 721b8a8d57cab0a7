"""From a content back to who wrote it, whatever the file is called and wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import InvalidValue
from assay.lineage.origin import origin
from assay.store.store import Store

RecordRun = Callable[..., str]


def test_a_file_leads_to_the_runs_that_wrote_its_content(store: Store, record_run: RecordRun, tmp_path: Path) -> None:
    """Renamed and moved out of the project, by its content alone; the newest run first."""
    first = record_run(wrote={"model.pt": b"weights"})
    second = record_run(wrote={"out/best.pt": b"weights", "log": b"text"})
    (tmp_path / "from-a-colleague.bin").write_bytes(b"weights")
    found = origin(store, tmp_path / "from-a-colleague.bin")
    assert found.written == ((second, "out/best.pt"), (first, "model.pt"))
    assert origin(store, found.content) == found
    assert origin(store, str(tmp_path / "from-a-colleague.bin")) == found


def test_a_content_that_no_run_wrote_has_no_origin(store: Store, record_run: RecordRun) -> None:
    """An answer, not an error."""
    record_run(wrote={"model.pt": b"weights"})
    assert origin(store, "0" * 64).written == ()


@pytest.mark.parametrize("what", ["missing.pt", "abc", "", "a\0b", "0" * 63])
def test_what_is_neither_file_nor_id_is_told(store: Store, what: str) -> None:
    """With what was given."""
    with pytest.raises(InvalidValue, match="neither a file") as caught:
        origin(store, what)
    assert caught.value.value == what


def test_a_folder_is_no_file(store: Store, tmp_path: Path) -> None:
    """And says so."""
    with pytest.raises(InvalidValue, match="directory"):
        origin(store, tmp_path)


def test_the_first_digits_of_an_id_are_enough(store: Store, record_run: RecordRun) -> None:
    """As long as no other content that a run wrote begins with them; what was only read does not count."""
    run = record_run(wrote={"model.pt": b"weights"}, read={"data": b"d"})
    content = store.objects.put(b"weights")
    assert origin(store, content[:6]).written == ((run, "model.pt"),)
    with pytest.raises(InvalidValue, match="neither a file"):
        origin(store, store.objects.put(b"d")[:6])


def test_digits_that_begin_two_contents_are_told(store: Store, record_run: RecordRun) -> None:
    """With both of them."""
    by_beginning: dict[str, bytes] = {}
    for number in range(2000):
        data = str(number).encode()
        beginning = store.objects.put(data)[:4]
        if beginning in by_beginning:
            break
        by_beginning[beginning] = data
    else:
        pytest.fail("two thousand contents have different beginnings")
    record_run(wrote={"a": by_beginning[beginning], "b": data})
    with pytest.raises(InvalidValue, match="several contents") as caught:
        origin(store, beginning)
    assert store.objects.put(data)[:16] in caught.value.expected


def test_a_file_stands_before_digits(store: Store, record_run: RecordRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has a file called `beef` means the file."""
    run = record_run(wrote={"model.pt": b"weights"})
    monkeypatch.chdir(tmp_path)
    Path("beef").write_bytes(b"weights")
    assert origin(store, "beef").written == ((run, "model.pt"),)
