"""Bundles as files: what strangers could send is refused, and what is killed leaves nothing half there."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import pytest

from assay.errors import InvalidValue, StoreDamaged, StoreTooNew
from assay.records.canonical import canonical, digest
from assay.records.recipe import Recipe
from assay.records.run import Host, Start
from assay.store.bundles.opening import open_bundle
from assay.store.bundles.reading import BundleFile
from assay.store.bundles.unused import UNUSED, remove, unused_bundles
from assay.store.bundles.writing import MANIFEST, new_bundle

RUN = "a" * 16


def manifest(**fields: object) -> bytes:
    return json.dumps({"assay": "bundle/1", "kind": "run", "subject": RUN, "runs": [RUN], **fields}).encode()


def archive_of(path: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    """A zip with a manifest and further members, made by the standard library as anybody could."""
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # of a name that is there twice
        archive.writestr(MANIFEST, manifest())
        for info, data in members:
            archive.writestr(info, data)
    return path


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("code/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "problem"),
    [
        ("../outside.txt", "leads out of a folder"),
        ("/etc/outside.txt", "leads out of a folder"),
        ("code/../../outside.txt", "leads out of a folder"),
        ("code\\..\\outside.txt", "leads out of a folder"),
        ("code//a", "leads out of a folder"),
        ("code/\x1b[31m", "leads out of a folder"),
        (link(), "is a link or a device"),
        (MANIFEST, "two members named"),
    ],
)
def test_names_and_kinds_that_no_bundle_has_are_refused(tmp_path: Path, member: zipfile.ZipInfo | str, problem: str) -> None:
    path = archive_of(tmp_path / "evil.zip", (member, b"/etc/passwd"))
    with pytest.raises(StoreDamaged, match=problem):
        BundleFile(path)
    with pytest.raises(StoreDamaged, match=problem):
        open_bundle(path, tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["evil.zip"]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("outputs/zeros")
    info.compress_type = zipfile.ZIP_DEFLATED
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, manifest())
        with archive.open(info, "w") as member:
            member.write(b"0")
    # What it says of its size is all that is believed before anything is read, so a lie is as good as a bomb.
    raw = bytearray(path.read_bytes())
    place = raw.rindex(b"PK\x01\x02") + 24
    raw[place : place + 4] = (0xFFFFFFFE).to_bytes(4, "little")
    path.write_bytes(raw)
    with pytest.raises(StoreDamaged, match="implausible"):
        BundleFile(path)


def test_a_content_that_was_changed_never_reaches_a_store(tmp_path: Path) -> None:
    objects = {digest(b"right"): "outputs/a"}
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MANIFEST, manifest(objects=objects))
        archive.writestr("outputs/a", b"wrong")
    with pytest.raises(StoreDamaged, match="a content of this bundle was changed: outputs/a"):
        open_bundle(path, tmp_path)


def test_a_bundle_of_a_newer_assay_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    for tag, kind in (("bundle/2", StoreTooNew), ("bundel/1", StoreDamaged)):
        with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
            archive.writestr(MANIFEST, manifest(assay=tag))
        with pytest.raises(kind):
            BundleFile(tmp_path / "new.zip")
    for strange in (manifest(objects={"../x": "a"}), manifest(runs=[]), b"[" * 100_000, b"\xff"):
        with zipfile.ZipFile(tmp_path / "strange.zip", "w") as archive:
            archive.writestr(MANIFEST, strange)
        with pytest.raises(StoreDamaged):
            BundleFile(tmp_path / "strange.zip")


def test_members_that_compress_beyond_measure_are_stored(tmp_path: Path) -> None:
    """What `assay publish` writes is never taken for a bomb."""
    with new_bundle(tmp_path / "zeros.zip") as writer:
        writer.add(MANIFEST, [manifest()])
        writer.add("outputs/zeros", [bytes(1 << 20)] * 3, 3 << 20)
        writer.add("outputs/text", [b"loss=0.25 step=12\n" * 2 + bytes(range(256))])
    assert (tmp_path / "zeros.zip").stat().st_size > 3 << 20
    with BundleFile(tmp_path / "zeros.zip") as bundle:
        assert bundle.is_sealed() and bundle.read("outputs/zeros") == bytes(3 << 20)


WRITER = """\
import sys
from pathlib import Path
from assay.store.bundles.writing import new_bundle
with new_bundle(Path(sys.argv[1])) as writer:
    writer.add("a", [b"x" * 1000])
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_writer_that_is_killed_leaves_no_half_bundle(tmp_path: Path) -> None:
    target = tmp_path / "bundle.zip"
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        assert not target.exists() and len(list(tmp_path.iterdir())) == 1
        child.kill()
    assert not target.exists()
    with new_bundle(target) as writer:
        writer.add("a", [b"y"])
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.zip"]


def test_a_body_that_fails_changes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "bundle.zip"
    target.write_text("mine")
    with pytest.raises(KeyboardInterrupt), new_bundle(target, force=True) as writer:
        writer.add("a", [b"x"])
        raise KeyboardInterrupt
    assert target.read_text() == "mine" and [path.name for path in tmp_path.iterdir()] == ["bundle.zip"]
    with pytest.raises(InvalidValue, match="another file stands there"), new_bundle(target) as writer:
        writer.add("a", [b"x"])


def test_an_unpacked_bundle_is_unused_after_thirty_days_and_only_then_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was opened in the meantime stays, as does one into which a run came."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path, later = crashed(tmp_path / "crashed.zip"), time.time() + UNUSED + 60
    place = open_bundle(path, tmp_path).path
    assert unused_bundles() == []
    (found,) = unused_bundles(later)
    assert (found.path, found.has_more) == (place, False) and found.bytes > 0
    os.utime(place, (later, later))
    assert not remove(found) and open_bundle(path, tmp_path).runs.ids() == [RUN]
    (place / "runs" / RUN / "note").write_text("later")
    assert unused_bundles(later)[0].has_more
    (place / "runs" / RUN / "note").unlink()
    (found,) = unused_bundles(later)
    assert remove(found) and unused_bundles(later) == [] and list(place.parent.iterdir()) == []
    assert open_bundle(path, tmp_path).runs.ids() == [RUN]


def crashed(path: Path) -> Path:
    """A bundle of one run that has no result."""
    recipe = canonical(Recipe(command=("true",)))
    start = Start(id=RUN, recipe=digest(recipe), started=1.0, host=Host(name="elsewhere", boot="another", pid=1))
    with new_bundle(path) as writer:
        writer.add(MANIFEST, [manifest(objects={digest(recipe): "store/recipe"})])
        writer.add("store/recipe", [recipe])
        writer.add(f"store/runs/{RUN}/start", [canonical(start)])
    return path


def test_a_run_that_crashed_is_no_running_one_where_it_is_unpacked(tmp_path: Path) -> None:
    """The times of its files are signs of life, and unpacking must give none."""
    assert open_bundle(crashed(tmp_path / "crashed.zip"), tmp_path).runs.read(RUN).state == "crashed"
