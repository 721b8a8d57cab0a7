"""Runs, studies and content move between stores: whole, checked, only what is missing, and never half-seen."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import pytest

from assay.errors import InvalidValue, RemoteUnusable, StoreDamaged, UnknownRun, UsageError
from assay.project.sharing import clone, pull, push
from assay.records.canonical import canonical, digest
from assay.records.dataset import DataEntry, DataVersion
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.journal import Point, Saved
from assay.records.plan import Plan
from assay.records.recipe import Recipe
from assay.records.run import Result, Start, TrialOf
from assay.records.trace import FileUse, Trace
from assay.store.fsck import fsck
from assay.store.inventory import inventory, object_path
from assay.store.remotes.address import Bucket, parse, without_credentials
from assay.store.runs import RunWriter, new_run_id, this_process
from assay.store.store import Store
from assay.store.tree import read_tree, restore_tree, write_tree

LARGE = os.urandom(5 << 20)  # kept in parts


class Bench:
    """Makes runs with code, data, output and artifacts in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.code: dict[str, bytes] = {}

    def begin(self, text: str = "print(1)\n", *, study: str | None = None) -> RunWriter:
        objects = self.store.objects
        tree = write_tree(
            objects, {b"train.py": ("file", objects.put(text.encode())), b"src/model.py": ("exec", objects.put(b"x = 1\n"))}
        )
        recipe = objects.put_record(Recipe(code=tree, data={"data.bin": objects.put(b"data" + text.encode())}))
        trial = TrialOf(study=study, configuration="c") if study else None
        run_id = new_run_id()
        self.code[run_id] = text.encode()
        return self.store.runs.create(
            Start(id=run_id, recipe=recipe, name=text.strip(), started=1.0, host=this_process(), trial=trial)
        )

    def end(self, writer: RunWriter, artifact: bytes = b"model") -> str:
        objects = self.store.objects
        saved = objects.put(artifact)
        journal = writer.journal()
        journal.append(Point(1.0, 1, {"loss": 0.5}))
        journal.append(Saved(1.5, "model.bin", saved, len(artifact)))
        trace = Trace(
            read=(FileUse(path="elsewhere.bin", id="f" * 64, kept=False),),
            written=(FileUse(path="model.bin", id=saved, size=len(artifact), kept=True),),
        )
        writer.finish(
            Result(
                state="finished", ended=2.0, trace=objects.put_record(trace), output={"stdout": objects.put(b"out " + artifact[:9])}
            )
        )
        return writer.id

    def run(self, text: str = "print(1)\n", artifact: bytes = b"model", *, study: str | None = None) -> str:
        return self.end(self.begin(text, study=study), artifact)


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


@pytest.fixture(params=["folder", "bucket"])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address with nothing at it yet."""
    return str(tmp_path / "shared") if request.param == "folder" else f"s3://{request.getfixturevalue('bucket')}/team/project"


def whole(store: Store, run_id: str) -> None:
    """The run is there with all that it needs, and its code can be put back."""
    run = store.runs.read(run_id)
    tree = store.objects.record(run.start.recipe, Recipe).code
    assert tree is not None
    for _, content in read_tree(store.objects, tree).values():
        store.objects.get(content)
    assert run.result is not None and run.result.trace is not None
    for use in store.objects.record(run.result.trace, Trace).written:
        assert use.id is not None and store.objects.get(use.id)
    assert [type(entry) for entry in store.runs.entries(run_id)] == [Point, Saved]


def test_what_was_pushed_comes_back_in_a_clone(bench: Bench, remote: str, tmp_path: Path) -> None:
    small, large = bench.run(), bench.run("print(2)\n", LARGE)
    moved = push(bench.store, remote)
    assert sorted(moved.runs) == sorted([small, large]) and not moved.refused and not moved.missing
    folder, got = clone(remote, tmp_path / "clone")
    copy = Store.open(folder, create=False)
    assert sorted(got.runs) == sorted([small, large]) and fsck(copy).problems == []
    for run_id in (small, large):
        whole(copy, run_id)
        assert copy.runs.stored(run_id) == bench.store.runs.stored(run_id)
    assert copy.objects.parts(bench.store.objects.put(LARGE))
    assert not list((copy.path / "tmp").iterdir()) and [path.name for path in folder.iterdir()] == [".assay"]


def test_only_what_is_missing_moves(bench: Bench, remote: str) -> None:
    bench.run()
    first = push(bench.store, remote)
    again = push(bench.store, remote)
    assert (again.runs, again.objects, again.present) == ([], 0, 1) and first.objects > 0
    second = bench.run("print(2)\n")
    more = push(bench.store, remote)
    # Three files of its own (script, data, …), two trees, a recipe; artifact, output, model.py and trace are the first run's.
    assert more.runs == [second] and more.objects == 4


def test_two_stores_that_both_grew_merge(bench: Bench, remote: str, tmp_path: Path) -> None:
    first = bench.run()
    push(bench.store, remote)
    other = Bench(Store.open(clone(remote, tmp_path / "other")[0]))
    here, there = bench.run("print('here')\n"), other.run("print('there')\n")
    assert push(other.store, remote).runs == [there]
    assert push(bench.store, remote).runs == [here]
    assert pull(bench.store, remote).runs == [there] and pull(other.store, remote).runs == [here]
    assert bench.store.runs.ids() == other.store.runs.ids() == sorted([first, here, there])
    assert fsck(bench.store).problems == fsck(other.store).problems == []


def test_a_run_that_goes_on_is_pushed_again_when_it_has_grown(bench: Bench, remote: str, tmp_path: Path) -> None:
    writer = bench.begin()
    journal = writer.journal()
    journal.append(Point(1.0, 1, {"loss": 0.5}))
    assert push(bench.store, remote).runs == [writer.id]
    assert push(bench.store, remote).grown == []
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    journal.append(Point(2.0, 2, {"loss": 0.4}))
    assert push(bench.store, remote).grown == [writer.id]
    assert pull(copy, remote).grown == [writer.id]
    assert [entry.time for entry in copy.runs.entries(writer.id)] == [1.0, 2.0] and copy.runs.read(writer.id).result is None
    writer.finish(Result(state="finished", ended=3.0))
    assert push(bench.store, remote).grown == [writer.id] and pull(copy, remote).grown == [writer.id]
    assert copy.runs.read(writer.id).state == "finished"


def test_an_older_state_of_a_run_takes_nothing_back(bench: Bench, remote: str, tmp_path: Path) -> None:
    writer = bench.begin()
    journal = writer.journal()
    journal.append(Point(1.0, 1, {"loss": 0.5}))
    push(bench.store, remote)
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    journal.append(Point(2.0, 2, {"loss": 0.4}))
    writer.finish(Result(state="finished", ended=3.0))
    push(bench.store, remote)
    assert push(copy, remote).grown == []
    assert Store.open(clone(remote, tmp_path / "new")[0]).runs.read(writer.id).state == "finished"


def test_a_chosen_run_moves_with_what_it_needs_and_nothing_else(bench: Bench, remote: str, tmp_path: Path) -> None:
    bench.run("print('secret')\n")
    chosen = bench.run("print('public')\n")
    assert push(bench.store, remote, [chosen]).runs == [chosen]
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    whole(copy, chosen)
    assert copy.runs.ids() == [chosen]
    assert not any(b"secret" in copy.objects.get(content) for content in inventory(copy.path))
    with pytest.raises(UnknownRun, match="zzzz"):
        pull(copy, remote, ["zzzz"])
    assert pull(copy, remote, ["print('public')"]).present == 1


def test_studies_move_and_the_fuller_evidence_wins_on_both_sides(bench: Bench, remote: str, tmp_path: Path) -> None:
    study = bench.store.studies.put(Recipe(params={"any": "definition"}))
    run = bench.run(study=study)
    _evidence(bench.store, study, finished=1)
    assert push(bench.store, remote).studies == [study]
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    _evidence(bench.store, study, finished=2)
    _evidence(copy, study, finished=3)
    for store in (bench.store, copy, bench.store):
        push(store, remote)
        pull(store, remote)
    fullest = [(store.path / "studies" / study / "evidence").read_bytes() for store in (bench.store, copy)]
    assert fullest[0] == fullest[1] and len(msgspec.msgpack.decode(fullest[0])["rows"]) == 3
    # A run that is chosen takes the study's question along, not the evidence on other runs.
    push(bench.store, single := str(tmp_path / "single"), [run])
    alone = Store.open(clone(single, tmp_path / "alone")[0])
    assert alone.studies.ids() == [study] and not (alone.path / "studies" / study / "evidence").exists()


def _evidence(store: Store, study: str, *, finished: int) -> None:
    rows = tuple(TrialResult(index=index, configuration="c", block=0, seed=0, state="finished") for index in range(finished))
    plan = Plan(design="full", estimand="", configurations=(), blocks=(), trials=(), comparisons=0)
    path = store.path / "studies" / study / "evidence"
    path.unlink(missing_ok=True)
    path.write_bytes(msgspec.msgpack.encode(StudyEvidence(study=study, plan=plan, rows=rows)))


def test_data_sets_and_what_was_said_about_runs_move_too(bench: Bench, remote: str, tmp_path: Path) -> None:
    store, objects = bench.store, bench.store.objects
    first, second = bench.run(), bench.run("print(2)\n")
    tree = write_tree(objects, {b"rows.csv": ("file", objects.put(b"1,2")), b"hashed.csv": ("file", "e" * 64)})
    version = objects.put_record(DataVersion(content=tree, sizes=(3, 9), not_kept={"hashed.csv": "secret"}))
    entry = store.datasets.add(DataEntry(name="rows", path="rows", version=version, content=tree, added=1.0))
    (store.path / "marks").mkdir()
    marks = {
        run: canonical({"assay": "mark/1", "run": run, "time": 1.0, "kind": "tag", "text": "paper"}) for run in (first, second)
    }
    for data in marks.values():
        (store.path / "marks" / digest(data)).write_bytes(data)
    assert push(store, single := f"{remote}-single", [first]).marks == [digest(marks[first])]
    moved = push(store, remote)
    assert moved.data == [entry] and len(moved.marks) == 2 and not moved.missing
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    assert [listed.id for listed in copy.datasets.listed()] == [entry] and copy.objects.get(objects.put(b"1,2")) == b"1,2"
    assert sorted(path.name for path in (copy.path / "marks").iterdir()) == sorted(map(digest, marks.values()))
    assert fsck(copy).problems == [] and push(store, remote).marks == [] and pull(copy, single).marks == []


def _spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_damaged_object_here_is_refused_and_named_and_the_rest_moves(bench: Bench, remote: str, tmp_path: Path) -> None:
    sound, hurt = bench.run(), bench.run("print('hurt')\n")
    content = bench.store.objects.put(bench.code[hurt])
    _spoil(object_path(bench.store.path, content))
    moved = push(bench.store, remote)
    assert moved.runs == [sound] and list(moved.refused) == [hurt]
    assert content in moved.refused[hurt] and str(bench.store.path) in moved.refused[hurt]
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    assert copy.runs.ids() == [sound] and fsck(copy).problems == []
    object_path(bench.store.path, content).unlink()
    bench.store.objects.put(bench.code[hurt])
    assert push(bench.store, remote).runs == [hurt]


def test_a_damaged_object_in_a_folder_is_refused_by_a_pull_and_named(bench: Bench, tmp_path: Path) -> None:
    sound, hurt = bench.run(), bench.run("print('hurt')\n")
    push(bench.store, shared := str(tmp_path / "shared"))
    content = bench.store.objects.put(bench.code[hurt])
    _spoil(object_path(tmp_path / "shared" / ".assay", content))
    copy = Store.open(tmp_path / "copy")
    moved = pull(copy, shared)
    assert moved.runs == [sound] and content in moved.refused[hurt] and shared in moved.refused[hurt]
    assert fsck(copy).problems == []


def test_a_damaged_part_of_a_large_object_is_refused(bench: Bench, tmp_path: Path) -> None:
    hurt = bench.run("print('large')\n", LARGE)
    part = bench.store.objects.parts(bench.store.objects.put(LARGE))[1]
    _spoil(object_path(bench.store.path, part))
    moved = push(bench.store, shared := str(tmp_path / "shared"))
    assert moved.runs == [] and part in moved.refused[hurt]
    assert fsck(Store.at(tmp_path / "shared", Path(shared) / ".assay")).problems == []


def test_damage_in_a_bucket_is_refused_and_named(bench: Bench, bucket: str, tmp_path: Path) -> None:
    import boto3

    sound, hurt, cut = bench.run(), bench.run("print('hurt')\n"), bench.run("print('cut')\n")
    push(bench.store, remote := f"s3://{bucket}/damage")
    content = bench.store.objects.put(bench.code[hurt])
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    client.put_object(Bucket=bucket, Key=f"damage/objects/{content[:2]}/{content[2:]}", Body=b"print('evil')\n")
    listed = client.list_objects_v2(Bucket=bucket, Prefix=f"damage/runs/{cut}/result")["Contents"]
    client.put_object(Bucket=bucket, Key=listed[0]["Key"], Body=b"other")
    copy = Store.open(tmp_path / "copy")
    moved = pull(copy, remote)
    assert moved.runs == [sound] and set(moved.refused) == {hurt, cut} and content in moved.refused[hurt]
    assert fsck(copy).problems == []


def test_an_object_of_a_bucket_that_was_cut_short_is_put_back_by_a_push_that_looks_again(
    bench: Bench, bucket: str, tmp_path: Path
) -> None:
    import boto3

    hurt = bench.run("print('hurt')\n")
    push(bench.store, remote := f"s3://{bucket}/cut")
    content = bench.store.objects.put(bench.code[hurt])
    client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    client.put_object(Bucket=bucket, Key=f"cut/objects/{content[:2]}/{content[2:]}", Body=b"pri")
    assert push(bench.store, remote).objects == 0
    assert push(bench.store, remote, check=True).objects == 1
    assert push(bench.store, remote, check=True).objects == 0
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    assert copy.runs.ids() == [hurt] and copy.objects.get(content) == bench.code[hurt]


def test_a_run_whose_content_is_gone_moves_and_says_what_is_missing(bench: Bench, remote: str) -> None:
    hurt = bench.run("print('gone')\n")
    content = bench.store.objects.put(bench.code[hurt])
    object_path(bench.store.path, content).unlink()
    moved = push(bench.store, remote)
    assert moved.runs == [hurt] and moved.missing == {hurt: [content]}
    bench.store.objects.put(bench.code[hurt])
    assert push(bench.store, remote).objects == 0
    assert push(bench.store, remote, check=True).objects == 1
    assert push(bench.store, remote, check=True).objects == 0


def test_what_the_remote_had_already_is_not_collected_there_before_the_run_arrives(bench: Bench, tmp_path: Path) -> None:
    """Content that nothing leads to any more in the remote, and that is old, is young again as soon as a push counts on it."""
    shared = Store.open(tmp_path / "shared")
    content = shared.objects.put(b"print('again')\n")
    os.utime(object_path(shared.path, content), (1.0, 1.0))
    run = bench.run("print('again')\n")
    assert content == bench.store.objects.put(bench.code[run])
    push(bench.store, str(tmp_path / "shared"))
    assert object_path(shared.path, content).stat().st_mtime > 1.0


def test_what_else_lies_in_a_runs_folder_stays_there(bench: Bench, remote: str, tmp_path: Path) -> None:
    run = bench.run()
    folder = bench.store.runs.folder(run)
    (folder / "heartbeat").write_bytes(b"")
    (folder / os.fsdecode(b"caf\xe9 .swp")).write_bytes(b"x")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "recovered").write_bytes(canonical({"assay": "trace/1"}))
    push(bench.store, remote)
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    assert {path.suffix or path.name for path in copy.runs.folder(run).iterdir()} == {"start", "result", ".journal", "recovered"}


def test_journals_that_contradict_each_other_are_refused(bench: Bench, tmp_path: Path) -> None:
    writer = bench.begin()
    writer.journal().append(Point(1.0, 1, {"loss": 0.5}))
    push(bench.store, shared := str(tmp_path / "shared"))
    (journal,) = (tmp_path / "shared" / ".assay" / "runs" / writer.id).glob("*.journal")
    _spoil(journal)
    with (bench.store.runs.folder(writer.id) / journal.name).open("ab") as file:
        file.write(b"more")
    with pytest.raises(StoreDamaged, match="differs here and there"):
        push(bench.store, shared)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("", "no remote"),
        ("ftp://host/folder", "no remote"),
        ("s3://", "no remote"),
        ("s3://bucket/../up", "no remote"),
        ("s3://key:secret@bucket/prefix", "no place for credentials"),
        ("s3://bucket/prefix?token=secret", "no place for credentials"),
    ],
)
def test_what_is_no_address_is_refused_without_its_secrets(store: Store, address: str, problem: str) -> None:
    with pytest.raises(InvalidValue, match=problem) as caught:
        push(store, address)
    assert "secret" not in str(caught.value)


def test_addresses_are_read_as_they_are_meant(tmp_path: Path) -> None:
    assert parse("s3://bucket//a/b/") == Bucket("bucket", "a/b") and parse("s3://bucket").shown == "s3://bucket"  # type: ignore[union-attr]
    assert parse(f"file://{tmp_path}/a%20b") == tmp_path / "a b" and parse("./s3:/x") == Path.cwd() / "s3:" / "x"
    assert without_credentials("https://user:secret@host:9/p?X-Amz-Signature=s") == "https://host:9/p"


def test_a_folder_that_is_no_store_is_told_apart(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for address, problem in (("nowhere", "no such folder"), ("empty", "no store in this folder"), ("file", "this is a file")):
        with pytest.raises(RemoteUnusable, match=problem):
            pull(store, str(tmp_path / address))
    with pytest.raises(RemoteUnusable, match="folder above this one"):
        push(store, str(tmp_path / "not" / "mounted"))
    with pytest.raises(InvalidValue, match="the store itself"):
        push(store, str(store.root))


def test_a_bucket_that_cannot_be_used_says_why(store: Store, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RemoteUnusable, match="no such bucket"):
        push(store, "s3://no-such-bucket/prefix")
    with pytest.raises(RemoteUnusable, match="nothing was pushed to this address yet"):
        pull(store, f"s3://{bucket}/empty")
    push(store, f"s3://{bucket}/used/deep")
    with pytest.raises(RemoteUnusable, match="holds other things"):
        push(store, f"s3://{bucket}/used")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:secret@127.0.0.1:9")
    with pytest.raises(RemoteUnusable, match="cannot be reached") as caught:
        push(store, f"s3://{bucket}/used/deep")
    assert "secret" not in str(caught.value)


def test_restored_code_of_a_clone_is_the_code_that_ran(bench: Bench, remote: str, tmp_path: Path) -> None:
    run = bench.run("print('restored')\n")
    push(bench.store, remote)
    copy = Store.open(clone(remote, tmp_path / "copy")[0])
    tree = copy.objects.record(copy.runs.read(run).start.recipe, Recipe).code
    assert tree is not None
    restore_tree(copy.objects, tree, tmp_path / "code")
    assert (tmp_path / "code" / "train.py").read_text() == "print('restored')\n" and os.access(
        tmp_path / "code/src/model.py", os.X_OK
    )


def test_without_the_extra_a_bucket_says_what_to_install(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "assay.store.remotes.bucket", raising=False)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(UsageError, match=r"assay\[s3\]"):
        push(store, "s3://bucket/prefix")
