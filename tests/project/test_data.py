"""Data sets as a user holds them: compared with now, put back without loss, split, searched for leaks, described."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.capture.data_split import deal
from assay.errors import InvalidValue, MissingContent
from assay.project.data import DataSets
from assay.project.project import Project
from assay.records.canonical import digest
from assay.store.datasets import Listed


@pytest.fixture
def data(project: Path) -> DataSets:
    """A project with a folder "set" of three files, added once."""
    folder = project / "set"
    (folder / "deep").mkdir(parents=True)
    (folder / "a").write_text("a\n")
    (folder / "run.sh").write_text("exit\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "deep" / "c").write_text("c\n")
    found = Project.open(project, create=True).data
    found.add(folder)
    return found


def state(folder: Path) -> dict[str, str]:
    """Every file and link below a folder with its text."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_text()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_what_lies_there_now_is_compared(data: DataSets) -> None:
    """Added, removed, changed and renamed files are told apart; what is compared is not stored."""
    folder = data.root / "set"
    (folder / "a").write_text("A\n")
    (folder / "new").write_text("new\n")
    (folder / "deep" / "c").rename(folder / "moved")
    (folder / "run.sh").unlink()
    found = [(change.kind, change.path, change.before) for change in data.diff("set").changes]
    assert found == [("changed", "a", ""), ("renamed", "moved", "deep/c"), ("added", "new", ""), ("removed", "run.sh", "")]
    assert digest(b"new\n") not in data.store.objects
    assert data.diff("set@last", "set").changes == []


def test_restore_loses_nothing_and_tells_the_way_back(data: DataSets) -> None:
    """What would be overwritten is a version of its own first; files that the version does not have stay."""
    folder = data.root / "set"
    (folder / "a").write_text("edited\n")
    (folder / "new").write_text("new\n")
    (folder / "run.sh").unlink()
    before = state(folder)
    done = data.restore("set")
    assert (sorted(done.written), done.same, done.others) == (["a", "run.sh"], 1, 1)
    assert state(folder) == {"a": "a\n", "run.sh": "exit\n", "deep/c": "c\n", "new": "new\n"}
    assert os.access(folder / "run.sh", os.X_OK)
    assert done.overwritten is not None
    data.restore(f"{done.overwritten.entry.name}@{done.overwritten.entry.content}", to=folder)
    assert state(folder) == before | {"run.sh": "exit\n"}


def test_restored_again_nothing_is_touched(data: DataSets) -> None:
    """A file that is right already is not written: its times stay, and nothing is kept aside."""
    folder = data.root / "set"
    before = {path: path.stat().st_ctime_ns for path in folder.rglob("*")}
    done = data.restore("set")
    assert (done.written, done.same, done.overwritten) == ([], 3, None)
    assert {path: path.stat().st_ctime_ns for path in folder.rglob("*")} == before


def test_a_part_is_put_into_another_folder(data: DataSets, tmp_path: Path) -> None:
    """A file or a folder by its path; one that is not there is refused before anything is written."""
    data.restore("set", ["deep", "a"], to=tmp_path / "out")
    assert state(tmp_path / "out") == {"deep/c": "c\n", "a": "a\n"}
    with pytest.raises(InvalidValue):
        data.restore("set", ["a", "nowhere"], to=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_nothing_is_written_through_links_or_over_folders(data: DataSets, tmp_path: Path) -> None:
    """A link in place of a folder would lead out of the target; a folder in place of a file holds what nobody asked about."""
    outside, target = tmp_path / "outside", tmp_path / "target"
    outside.mkdir()
    target.mkdir()
    (target / "deep").symlink_to(outside)
    with pytest.raises(InvalidValue):
        data.restore("set", to=target)
    (target / "deep").unlink()
    (target / "a").mkdir()
    with pytest.raises(InvalidValue):
        data.restore("set", to=target)
    assert [*outside.iterdir(), *target.iterdir()] == [target / "a"]


def test_a_link_to_the_content_stays_and_another_is_replaced_not_followed(data: DataSets, tmp_path: Path) -> None:
    """What a link leads to is never written."""
    (tmp_path / "same").write_text("a\n")
    (tmp_path / "other").write_text("mine\n")
    target = tmp_path / "target"
    target.mkdir()
    (target / "a").symlink_to(tmp_path / "same")
    assert "a" not in data.restore("set", to=target).written
    (target / "a").unlink()
    (target / "a").symlink_to(tmp_path / "other")
    assert data.restore("set", to=target).written == ["a"]
    assert not (target / "a").is_symlink()
    assert (tmp_path / "other").read_text() == "mine\n"


def test_a_secret_in_the_way_stays(data: DataSets) -> None:
    """It may not be kept, so it is not overwritten either."""
    token = "key = AKIA" + "IOSFODNN7QWERTY2"
    (data.root / "set" / "a").write_text(token)
    with pytest.raises(InvalidValue):
        data.restore("set")
    assert (data.root / "set" / "a").read_text() == token


def test_what_was_only_hashed_cannot_be_put_back(data: DataSets, tmp_path: Path) -> None:
    """It is said before anything is written; where the content still lies, nothing need be put back."""
    (data.root / "set" / "a").write_text("other\n")
    data.add(data.root / "set", policy="hashed")
    assert data.restore("set").written == []
    with pytest.raises(MissingContent):
        data.restore("set", to=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def table(data: DataSets) -> DataSets:
    """A table "rows.csv" of 300 rows in three classes, some with line ends in a value, two of them twice."""
    with open(data.root / "rows.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "label", "text"])
        writer.writerows([number % 298, number % 298 % 3, f"line\n{number % 298}"] for number in range(300))
    data.add(data.root / "rows.csv")
    return data


def rows(data: DataSets, listed: Listed) -> list[tuple[str, ...]]:
    text = data.store.objects.get(listed.entry.content).decode()
    return [tuple(row) for row in csv.reader(text.splitlines(keepends=True))][1:]


def test_rows_are_dealt_out_by_shares_within_each_class(table: DataSets) -> None:
    """Every row is in one part, the same row never in two; the header is in both; the rule is recorded."""
    train, test = table.split("rows.csv", {"train": 0.8, "test": 0.2}, seed=3, stratify="label")
    assert (train.entry.name, test.entry.name) == ("rows.csv/train.csv", "rows.csv/test.csv")
    both = rows(table, train) + rows(table, test)
    with open(table.root / "rows.csv", newline="") as file:
        assert Counter(both) == Counter(tuple(row) for row in list(csv.reader(file))[1:])
    assert not set(rows(table, train)) & set(rows(table, test))
    assert all(78 <= count <= 82 for count in Counter(row[1] for row in rows(table, train)).values())
    rule = table.version(test).split
    assert rule is not None
    assert (rule.part, rule.seed, rule.unit, rule.stratify) == ("test", 3, "row", "label")
    assert rule.source == table.store.datasets.resolve("rows.csv").entry.content


def test_a_split_is_the_same_again_and_another_with_another_seed(table: DataSets) -> None:
    """The same rule adds no version."""
    first = table.split("rows.csv", {"train": 8, "test": 2})
    assert table.split("rows.csv", {"train": 0.8, "test": 0.2}) == first
    other = table.split("rows.csv", {"train": 0.8, "test": 0.2}, seed=1)
    assert {listed.entry.content for listed in other}.isdisjoint({listed.entry.content for listed in first})


def test_identical_files_go_to_one_part(data: DataSets) -> None:
    """Whatever they are called and wherever they lie; the parts together are the whole."""
    for number in range(40):
        (data.root / "set" / f"file{number}").write_text(f"content {number % 20}")
    data.add(data.root / "set")
    data.split("set", {"train": 0.5, "test": 0.5}, stratify="folder")
    train, test = (data.restore(f"set/{part}", to=data.root / part) for part in ("train", "test"))
    a, b = state(Path(train.folder)), state(Path(test.folder))
    assert a | b == state(data.root / "set")
    assert not set(a.values()) & set(b.values())
    assert data.leaks("set").leaks == []


@given(
    st.lists(st.tuples(st.text(max_size=3), st.integers(1, 5)), min_size=1, unique_by=lambda group: group[0]),
    st.integers(),
)
def test_dealing_keeps_to_the_shares(groups: list[tuple[str, int]], seed: int) -> None:
    """Every content has one part, whatever the order; no part misses its share by more than the largest content."""
    shares = {"train": 0.7, "test": 0.3}
    dealt = deal(groups, shares, seed)
    assert dealt == deal(groups[::-1], shares, seed)
    assert dealt.keys() == {content for content, _ in groups}
    total, largest = sum(count for _, count in groups), max(count for _, count in groups)
    train = sum(count for content, count in groups if dealt[content] == "train")
    assert abs(train - 0.7 * total) <= largest


@pytest.mark.parametrize(
    ("version", "shares", "stratify"),
    [
        ("set", {"a": 1.0}, ""), ("set", {"a": 1.0, "b": 0.0}, ""), ("set", {"a": 1.0, "x/y": 1.0}, ""),
        ("set", {"a": 1.0, "b": float("nan")}, ""), ("set", {"a": 1.0, "b": 1.0}, "label"),
        ("rows.csv", {"a": 1.0, "b": 1.0}, "none"), ("rows.csv", {"a": 1.0, "b": 1e-9}, ""),
    ],
)  # fmt: skip
def test_a_split_that_cannot_be_is_refused(table: DataSets, version: str, shares: dict[str, float], stratify: str) -> None:
    """And adds nothing."""
    before = table.store.datasets.names()
    with pytest.raises(InvalidValue):
        table.split(version, shares, stratify=stratify)
    assert table.store.datasets.names() == before


def test_leaks_are_files_and_rows_that_both_have(data: DataSets) -> None:
    """By content, in files of other names too; a header, an empty file and another line end are no leak of their own."""
    for part, text in (("train", "x,y\n1,2\n3,4\n"), ("test", "x,y\r\n5,6\r\n3,4\r\n")):
        (data.root / part).mkdir()
        (data.root / part / f"{part}.csv").write_text(text, newline="")
        (data.root / part / f"{part}.png").write_bytes(b"picture")
        (data.root / part / "empty").touch()
        data.add(data.root / part)
    files, found = data.leaks("train", "test").leaks
    assert (files.kind, files.shared, files.examples) == ("file", 1, [("train.png", "test.png")])
    assert (found.kind, found.shared, found.of, found.examples) == ("row", 1, 2, [("train.csv:2", "test.csv:2")])
    with pytest.raises(InvalidValue):
        data.leaks("train")


def test_a_card_is_croissant_with_the_sums_of_every_file(table: DataSets) -> None:
    """What was said stays with the data set; what stands in the file beside it counts; SHA-256 and BLAKE3 are those of the bytes."""
    (table.root / "set.card.yaml").write_text("description: Three files\ngeneration: [made, checked]\n")
    card = table.card("set", {"licence": "CC0-1.0", "source": "https://example.org/set", "privacy": "no people"})
    assert json.loads(json.dumps(card)) == card
    assert card["@type"] == "sc:Dataset"
    assert "http://mlcommons.org/croissant/1.0" in card["conformsTo"]
    assert {card[name] for name in ("license", "url", "description", "rai:personalSensitiveInformation")} == {
        "CC0-1.0", "https://example.org/set", "Three files", "no people"
    }  # fmt: skip
    assert card["rai:dataPreprocessingProtocol"] == ["made", "checked"]
    for file in card["distribution"]:
        content = (table.root / "set" / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["identifier"] == f"blake3:{digest(content)}"
        assert file["contentSize"] == f"{len(content)} B"
    assert len(card["distribution"]) == 3
    (table.root / "set.card.yaml").unlink()
    assert table.card("set") | {"dateModified": card["dateModified"]} == card
    (table.root / "set" / "a").write_text("another version")
    table.add(table.root / "set")
    assert table.card("set")["license"] == "CC0-1.0"


def test_a_table_has_its_columns_in_the_card(table: DataSets) -> None:
    """Each field refers to its file and column; ids are unique; a part says which rule made it."""
    card = table.card("rows.csv")
    (records,) = card["recordSet"]
    ids = [card["distribution"][0]["@id"], records["@id"], *(field["@id"] for field in records["field"])]
    assert len(set(ids)) == len(ids) == 5
    assert [field["source"]["extract"]["column"] for field in records["field"]] == ["id", "label", "text"]
    assert {field["source"]["fileObject"]["@id"] for field in records["field"]} == {card["distribution"][0]["@id"]}
    table.split("rows.csv", {"train": 0.8, "test": 0.2}, seed=5)
    assert "seed 5" in table.card("rows.csv/train.csv")["rai:dataPreprocessingProtocol"][0]


@pytest.mark.parametrize("text", ["license: wrong name\n", "- a list\n", "description: [two, texts]\n", "{"])
def test_a_card_file_that_says_something_else_is_refused(data: DataSets, text: str) -> None:
    """By the field, and by what there is."""
    (data.root / "set.card.yaml").write_text(text)
    with pytest.raises(InvalidValue):
        data.card("set")
