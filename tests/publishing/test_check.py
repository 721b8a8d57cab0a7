"""A bundle is whole, or it is said what of it is not."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay
from assay.errors import InvalidValue
from assay.store.bundles.writing import CRATE, MANIFEST, BundleWriter, new_bundle

Change = Callable[[dict[str, bytes]], object]


def packed_anew(bundle: Path, target: Path, change: Change) -> Path:
    """The members of a bundle, changed, in a bundle with a seal of its own: what somebody does on purpose."""
    with zipfile.ZipFile(bundle) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with new_bundle(target, force=True) as writer:
        for name, data in members.items():
            writer.add(name, [data])
    return target


def test_a_bundle_is_whole_as_it_was_published(published: Path) -> None:
    found = assay.verify(published)
    assert (found.whole, found.problems, found.kind, found.name, found.runs) == (True, (), "run", "first", 1)
    assert found.absent == () and found.objects > 5 and found.references > found.objects


@settings(max_examples=60)
@given(data=st.data())
def test_no_byte_can_be_another(published: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole = bytearray(published.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    changed = tmp_path_factory.getbasetemp() / "changed.zip"
    changed.write_bytes(whole)
    found = assay.verify(changed)
    assert not found.whole and found.problems


@settings(max_examples=15)
@given(share=st.floats(0, 0.999))
def test_no_end_can_be_missing(published: Path, tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    whole = published.read_bytes()
    cut = tmp_path_factory.getbasetemp() / "cut.zip"
    cut.write_bytes(whole[: int(len(whole) * share)])
    assert not assay.verify(cut).whole


def test_a_file_that_another_program_added_is_seen(published: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.zip"
    shutil.copy(published, copy)
    with zipfile.ZipFile(copy, "a") as archive:
        archive.writestr("outputs/extra.json", "{}")
    problems = assay.verify(copy).problems
    assert any("sealed" in problem for problem in problems)
    assert "outputs/extra.json is in the file, and the crate does not name it" in problems


def put(name: str, old: bytes, new: bytes) -> Change:
    """A change of one member."""

    def change(members: dict[str, bytes]) -> None:
        assert old in members[name]
        members[name] = members[name].replace(old, new)

    return change


def take(name: str) -> Change:
    return lambda members: members.pop(name)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (put("code/train.py", b"points", b"pixels"), "code/train.py has other bytes than were published"),
        (take("inputs/data/points.csv"), "should be inputs/data/points.csv, which is not there"),
        (take(CRATE), "is not there, or no RO-Crate"),
        (take(MANIFEST), "so `assay publish` did not write it"),
        (put(CRATE, b'"value": 99.75', b'"value": 12.5'), "the crate says 12.5 of loss"),
        (put(CRATE, b'"contentSize": "10"', b'"contentSize": "11"'), "another size or hash of code/LICENSE"),
        (put(MANIFEST, b'"bundle/1"', b'"bundel/1"'), "bundle.json cannot be read"),
    ],
)  # fmt: skip
def test_what_was_changed_and_sealed_again_is_named(published: Path, tmp_path: Path, change: Change, problem: str) -> None:
    found = assay.verify(packed_anew(published, tmp_path / "changed.zip", change))
    assert not found.whole and problem in " ".join(found.problems), found.problems


def test_a_content_that_nothing_speaks_of_any_more_is_named(published: Path, tmp_path: Path) -> None:
    """Without the trace's own entry, the files that only it names are still in the file; without a file's entry, it is missing."""

    def forget(members: dict[str, bytes]) -> None:
        manifest = json.loads(members[MANIFEST])
        (content,) = [key for key, name in manifest["objects"].items() if name == "outputs/out/model.json"]
        del manifest["objects"][content]
        members[MANIFEST] = json.dumps(manifest).encode()

    found = assay.verify(packed_anew(published, tmp_path / "changed.zip", forget))
    assert "needed for artifacts is neither there nor said to be absent" in " ".join(found.problems)


def test_a_run_of_another_record_is_named(published: Path, tmp_path: Path) -> None:
    def swap(members: dict[str, bytes]) -> None:
        (name,) = [name for name in members if name.endswith("/start")]
        members[name.replace(name.split("/")[2], "a" * 16)] = members.pop(name)

    problems = " ".join(assay.verify(packed_anew(published, tmp_path / "changed.zip", swap)).problems)
    assert "is not there" in problems and "holds another run" in problems


def test_what_is_no_bundle_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    assert "no zip" in assay.verify(tmp_path / "text.zip").problems[0]
    assert "`assay publish` did not write it" in assay.verify(tmp_path / "other.zip").problems[0]
    for path in (tmp_path, tmp_path / "none.zip"):
        with pytest.raises(InvalidValue, match="there is no such file"):
            assay.verify(path)


def test_a_member_is_written_once(tmp_path: Path) -> None:
    with new_bundle(tmp_path / "a.zip") as writer:
        assert isinstance(writer, BundleWriter)
        assert writer.add("a", [b"x" * 100, b"y"]).size == 101
    assert list(writer.members) == ["a"]
