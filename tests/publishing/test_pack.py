"""What a bundle holds, for people, for other tools, and for Assay; and what it never holds."""

from __future__ import annotations

import re
import shlex
import zipfile
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

import assay
from assay.errors import InvalidValue, UnknownRun
from assay.store.bundles.opening import is_bundle


@pytest.fixture
def project(published: Path) -> Path:
    """The project that the bundle is of."""
    return published.parent / "project"


def test_the_same_run_gives_the_same_bytes(published: Path, project: Path, tmp_path: Path) -> None:
    done = assay.publish("first", to=tmp_path / "again.zip", path=project)
    assert (tmp_path / "again.zip").read_bytes() == published.read_bytes()
    assert done.size == published.stat().st_size and done.manifest.absent == ()


def test_people_find_code_inputs_and_outputs_by_name(published: Path, project: Path) -> None:
    with zipfile.ZipFile(published) as archive:
        assert archive.read("code/train.py") == (project / "train.py").read_bytes()
        assert archive.read("inputs/data/points.csv") == (project / "data" / "points.csv").read_bytes()
        assert archive.read("outputs/out/model.json") == (project / "out" / "model.json").read_bytes()
        readme = archive.read("README.md").decode()
    assert "assay verify FILE" in readme and "| loss | 99.75 |" in readme and "Ada Lovelace" in readme and "Apache-2.0" in readme


def test_other_tools_read_it_as_a_crate(published: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(published) as archive:
        archive.extractall(tmp_path / "unpacked")
    crate = ROCrate(tmp_path / "unpacked")
    (action,) = crate.get_by_type("CreateAction")
    assert crate.root_dataset["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"
    assert crate.root_dataset["license"].id == "code/LICENSE" and crate.root_dataset["author"][0]["name"] == "Ada Lovelace"
    assert action["instrument"].id == "code/train.py" and action["actionStatus"].endswith("CompletedActionStatus")
    assert {entity.id for entity in action["object"]} >= {"inputs/data/points.csv"}
    results = {entity.id: entity for entity in action["result"]}
    assert "outputs/out/model.json" in results
    assert [entity["value"] for key, entity in results.items() if key.endswith("-loss")] == [99.75]
    files = {str(path.relative_to(tmp_path / "unpacked")) for path in (tmp_path / "unpacked").rglob("*") if path.is_file()}
    assert {entity.id for entity in crate.data_entities} == files - {"ro-crate-metadata.json"}


def test_containers_are_built_from_it(published: Path) -> None:
    with zipfile.ZipFile(published) as archive:
        docker, apptainer, pins = (
            archive.read(f"environment/{name}").decode() for name in ("Dockerfile", "apptainer.def", "requirements.txt")
        )
        names = archive.namelist()
    steps = [line.split(" ", 1) for line in docker.splitlines() if not line.startswith("#")]
    assert {word for word, _ in steps} <= {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "CMD"}
    assert re.fullmatch(r"python:\d+\.\d+\.\d+-slim", dict(steps)["FROM"])
    copied = [shlex.split(rest)[0] for word, rest in steps if word == "COPY"]
    assert all(any(name.startswith(source) for name in names) for source in copied) and "inputs/" in copied
    assert dict(steps)["CMD"] == '["python", "train.py"]'
    assert re.findall(r"^%\w+", apptainer, flags=re.MULTILINE) == ["%files", "%post", "%environment", "%runscript"]
    assert re.search(r"^msgspec===\S+  # RECORD blake3:[0-9a-f]{64}$", pins, flags=re.MULTILINE)


def test_what_is_left_out_is_named_by_its_content(project: Path, tmp_path: Path) -> None:
    done = assay.publish("first", to=tmp_path / "bare.zip", path=project, outputs=False, data=False)
    assert {(each.path, each.why) for each in done.manifest.absent} == {
        ("data/points.csv", "left out"),
        ("out/model.json", "left out"),
    }
    with zipfile.ZipFile(done.path) as archive:
        assert not [name for name in archive.namelist() if name.startswith(("inputs/", "outputs/"))]
        assert "data/points.csv" in archive.read("README.md").decode()
    found = assay.verify(done.path)
    assert found.whole and found.absent == done.manifest.absent


def test_data_that_changed_since_is_only_hashed(project: Path, tmp_path: Path) -> None:
    data = project / "data" / "points.csv"
    before = data.read_bytes()
    try:
        data.write_text("1\n2\n")
        done = assay.publish("first", to=tmp_path / "changed.zip", path=project)
    finally:
        data.write_bytes(before)
    assert [(each.path, each.why) for each in done.manifest.absent] == [("data/points.csv", "only hashed")]


def test_a_secret_stops_it_by_name(project: Path, tmp_path: Path) -> None:
    """The data of the run is read from the project only where it has its content, so the secret comes with a run of its own."""
    import subprocess
    import sys

    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    (project / "data" / "names.txt").write_text(token)
    command = [sys.executable, "-m", "assay", "run", "--name", "leaky", sys.executable, "-c", "open('data/names.txt').read()"]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    with pytest.raises(InvalidValue, match=r"inputs/data/names.txt holds what looks like a GitHub token") as caught:
        assay.publish("leaky", to=tmp_path / "leaky.zip", path=project)
    assert token not in str(caught.value) and not (tmp_path / "leaky.zip").exists()
    assert assay.publish("leaky", to=tmp_path / "leaky.zip", path=project, accept_findings=True).size


def test_another_file_is_replaced_only_when_asked(project: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine.zip"
    target.write_text("mine")
    with pytest.raises(InvalidValue, match="another file stands there"):
        assay.publish("first", to=target, path=project)
    assert target.read_text() == "mine"
    assay.publish("first", to=target, path=project, force=True)
    assay.publish("first", to=target, path=project)  # the same bytes are there
    assert assay.verify(target).whole and [path.name for path in tmp_path.iterdir()] == ["mine.zip"]
    for place in (tmp_path, tmp_path / "no" / "folder.zip"):
        with pytest.raises(InvalidValue, match="a bundle is a file in a folder that exists"):
            assay.publish("first", to=place, path=project)


def test_a_rehearsal_writes_nothing(project: Path, tmp_path: Path) -> None:
    planned = assay.publish("first", to=tmp_path / "none.zip", path=project, dry_run=True)
    assert planned.size is None and planned.sizes["data"] == (project / "data" / "points.csv").stat().st_size
    assert list(tmp_path.iterdir()) == []


def test_what_is_neither_a_run_nor_a_study_is_said(project: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownRun, match="neither a run nor a study answers to this"):
        assay.publish("nobody", to=tmp_path / "none.zip", path=project)


def test_a_bundle_is_told_from_a_name(published: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "paper"
    renamed.write_bytes(published.read_bytes())
    (tmp_path / "last").write_text("no zip")
    assert is_bundle(str(renamed)) and is_bundle(str(published)) and is_bundle("none.zip")
    assert not is_bundle(str(tmp_path / "last")) and not is_bundle("last") and not is_bundle(str(tmp_path))
