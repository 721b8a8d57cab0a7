"""Run folders: whole from their first instant, ended once, and dead when their process is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from assay.errors import InvalidValue, StoreDamaged, StoreTooNew, StoreUnusable, UnknownRun
from assay.records.canonical import canonical
from assay.records.journal import Params, Point
from assay.records.run import Host, Metric, Result, Start
from assay.store.process import lives, owned_name, surely_dead
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store

ENDED = Result(state="finished", ended=2.0)


def start(run_id: str | None = None, host: Host | None = None, heartbeat: float = 30.0) -> Start:
    """A start of this process, unless another is named."""
    return Start(id=run_id or new_run_id(), recipe="0" * 64, started=1.0, host=host or this_process(), heartbeat=heartbeat)


def elsewhere(**changes: object) -> Host:
    """This process, seen from somewhere else."""
    here = this_process()
    fields = {"name": here.name, "boot": here.boot, "namespace": here.namespace, "pid": here.pid, "started": here.started}
    return Host(**{**fields, **changes})  # type: ignore[arg-type]


def test_ids_are_16_characters_that_never_repeat() -> None:
    """80 random bits."""
    ids = {new_run_id() for _ in range(2000)}
    assert len(ids) == 2000
    assert all(re.fullmatch("[a-z2-7]{16}", run_id) for run_id in ids)


def test_a_run_is_running_until_it_has_a_result(store: Store) -> None:
    """Then it is what the result says."""
    begun = start()
    writer = store.runs.create(begun)
    assert store.runs.read(writer.id).state == "running"
    writer.finish(ENDED)
    found = store.runs.read(writer.id)
    assert (found.state, found.start, found.result) == ("finished", begun, ENDED)


def test_a_run_ends_once(store: Store) -> None:
    """Also where another process ends it; the first result stays."""
    writer = store.runs.create(start())
    other = store.runs.open_writer(writer.id)
    writer.finish(ENDED)
    for late in (writer, other):
        with pytest.raises(InvalidValue, match=r"already ended.*" + writer.id):
            late.finish(Result(state="failed", ended=3.0))
    assert store.runs.read(writer.id).result == ENDED
    assert list((store.path / "tmp").iterdir()) == []


def test_one_of_many_that_end_a_run_at_once_wins(store: Store) -> None:
    """The others are told."""
    writer = store.runs.create(start())
    outcomes: list[str] = []
    barrier = threading.Barrier(8)

    def end(number: int) -> None:
        barrier.wait()
        try:
            store.runs.open_writer(writer.id).finish(Result(state="finished", ended=float(number)))
            outcomes.append("won")
        except InvalidValue:
            outcomes.append("told")

    threads = [threading.Thread(target=end, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["told"] * 7 + ["won"]


def test_an_id_is_taken_once(store: Store) -> None:
    """The first run with it stays as it was."""
    first = start("a" * 16)
    store.runs.create(first).finish(ENDED)
    with pytest.raises(InvalidValue, match="exists"):
        store.runs.create(start("a" * 16))
    assert store.runs.read("a" * 16).start == first
    assert list((store.path / "tmp").iterdir()) == []


@pytest.mark.parametrize("bad", ["", "..", "../../etc", "A" * 16, "a" * 15, "a" * 17, "1" * 16, "a" * 15 + "/"])
def test_only_ids_name_folders(store: Store, bad: str) -> None:
    """Nothing that a person types leads out of the store."""
    with pytest.raises(InvalidValue):
        store.runs.create(Start(id=bad, recipe=""))
    for ask in (store.runs.folder, store.runs.read, store.runs.open_writer):
        with pytest.raises(UnknownRun):
            ask(bad)
    with pytest.raises(UnknownRun):
        list(store.runs.entries(bad))


def test_strangers_in_the_folder_are_passed_over(store: Store) -> None:
    """Files of a desktop or of a network file system are no runs."""
    (store.path / "runs" / ".DS_Store").write_bytes(b"")
    (store.path / "runs" / "lost+found").mkdir()
    writer = store.runs.create(start())
    assert store.runs.ids() == [writer.id]


def test_a_dead_process_means_crashed(store: Store) -> None:
    """From the moment it is gone, waited for or not."""
    script = (
        "import sys, time; from pathlib import Path; from assay.records.run import Start; from assay.store.store import Store\n"
        "from assay.store.runs import new_run_id, this_process\n"
        "runs = Store.open(Path(sys.argv[1])).runs\n"
        "print(runs.create(Start(id=new_run_id(), recipe='', started=1.0, host=this_process())).id, flush=True)\n"
        "time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(store.root)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    run_id = child.stdout.readline().strip()
    assert store.runs.read(run_id).state == "running"
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert store.runs.read(run_id).state == "crashed"
    child.communicate()
    assert store.runs.read(run_id).state == "crashed"


def test_a_reused_process_id_is_another_process(store: Store) -> None:
    """This very process has the id, but it did not start then."""
    writer = store.runs.create(start(host=elsewhere(started=this_process().started - 1)))
    assert store.runs.read(writer.id).state == "crashed"


def test_a_restarted_machine_has_ended_its_runs(store: Store) -> None:
    """Same name, other boot."""
    writer = store.runs.create(start(host=elsewhere(boot="another")))
    assert store.runs.read(writer.id).state == "crashed"


@pytest.mark.parametrize(
    "host", [elsewhere(name="another", boot="another"), elsewhere(namespace="pid:[1]")], ids=["machine", "container"]
)
def test_elsewhere_the_heartbeat_decides(store: Store, host: Host) -> None:
    """Three missing heartbeats are a crash; one sign of life, a heartbeat or a point, takes it back."""
    writer = store.runs.create(start(host=host, heartbeat=10.0))
    assert store.runs.read(writer.id).state == "running"
    journal = writer.journal()
    for sign in (writer.beat, lambda: journal.append(Point(1.0, 1, {}))):
        sign()
        assert store.runs.read(writer.id).state == "running"
        long_ago = time.time() - 31
        for path in writer.folder.iterdir():
            os.utime(path, (long_ago, long_ago))
        assert store.runs.read(writer.id).state == "crashed"


def test_journals_are_read_in_the_order_of_time(store: Store) -> None:
    """Several writers of one run never share a file."""
    writer = store.runs.create(start())
    one, two = writer.journal(), store.runs.open_writer(writer.id).journal()
    assert one.path != two.path
    for step in range(6):
        (two if step % 2 else one).append(Point(float(step), step, {"loss": 1.0}))
    assert [entry.time for entry in store.runs.entries(writer.id)] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_clock_that_was_set_back_changes_no_order(store: Store) -> None:
    """What one writer said first stays first."""
    writer = store.runs.create(start())
    journal = writer.journal()
    for number, when in enumerate((5.0, 1.0, 3.0)):
        journal.append(Params(when, {"n": number}))
    assert [entry.values["n"] for entry in store.runs.entries(writer.id) if isinstance(entry, Params)] == [0, 1, 2]


def test_a_run_without_journals_has_no_entries(store: Store) -> None:
    """Neither before nor after its end."""
    writer = store.runs.create(start())
    assert list(store.runs.entries(writer.id)) == []


def test_what_was_known_at_the_end_alone_is_told_by_the_result(store: Store) -> None:
    """Of each metric with one value, that value, results and measurements apart; of one with more only its journal can tell."""
    writer = store.runs.create(start())
    known = {
        "loss": Metric(last=1.0, minimum=1.0, maximum=1.0, mean=1.0, step=3),
        "seconds": Metric(last=2.0, minimum=2.0, maximum=2.0, mean=2.0, measured=True),
        "lost": Metric(last=1.0, minimum=0.0, maximum=1.0, mean=0.5, n=2),
    }
    writer.finish(Result(state="finished", ended=9.0, metrics=known))
    assert list(store.runs.entries(writer.id)) == [Point(9.0, 3, {"loss": 1.0}), Point(9.0, None, {"seconds": 2.0}, measured=True)]


def test_a_journal_stands_before_the_result(store: Store) -> None:
    """Its points are not told twice."""
    writer = store.runs.create(start())
    writer.journal().append(Point(1.0, None, {"loss": 1.0}))
    writer.finish(Result(state="finished", ended=2.0, metrics={"loss": Metric(last=1.0, minimum=1.0, maximum=1.0, mean=1.0)}))
    assert list(store.runs.entries(writer.id)) == [Point(1.0, None, {"loss": 1.0})]


def test_the_end_closes_the_journals(store: Store) -> None:
    """A run that has ended does not change: a late point is refused."""
    writer = store.runs.create(start())
    journal = writer.journal()
    journal.append(Point(1.0, 1, {}))
    writer.finish(ENDED)
    with pytest.raises(StoreUnusable):
        journal.append(Point(2.0, 2, {}))
    assert len(list(store.runs.entries(writer.id))) == 1


def test_a_damaged_result_is_told_by_its_path(store: Store) -> None:
    """And is never taken for a run that still runs."""
    writer = store.runs.create(start())
    (writer.folder / "result").write_bytes(b"\x80")
    with pytest.raises(StoreDamaged, match=str(writer.folder / "result")):
        store.runs.read(writer.id)


def test_an_empty_result_is_a_crash(store: Store) -> None:
    """A power cut left its name without its bytes."""
    writer = store.runs.create(start(host=elsewhere(boot="before")))
    (writer.folder / "result").write_bytes(b"")
    assert store.runs.read(writer.id).state == "crashed"


def test_a_renamed_machine_knows_its_own(store: Store) -> None:
    """A laptop changes its name with the network; the boot id says it is the same."""
    writer = store.runs.create(start(host=elsewhere(name="cafe")))
    assert store.runs.read(writer.id).state == "running"


def test_a_result_of_a_newer_format_is_told(store: Store) -> None:
    """By its version."""
    writer = store.runs.create(start())
    (writer.folder / "result").write_bytes(canonical({"assay": "result/9"}))
    with pytest.raises(StoreTooNew, match="result/9"):
        store.runs.read(writer.id)


def test_a_folder_under_another_runs_name_is_damaged(store: Store) -> None:
    """A copy made by hand is not two runs."""
    writer = store.runs.create(start())
    writer.folder.rename(writer.folder.with_name("b" * 16))
    with pytest.raises(StoreDamaged, match="holds another run"):
        store.runs.read("b" * 16)


CREATE_FOR_EVER = """
import sys
from pathlib import Path
from assay.records.run import Result, Start
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
runs = Store.open(Path(sys.argv[1])).runs
print("ready", flush=True)
while True:
    writer = runs.create(Start(id=new_run_id(), recipe="0" * 64, started=1.0, host=this_process(), command=("python",) * 50))
    writer.finish(Result(state="finished", ended=2.0))
"""


def test_a_kill_leaves_no_half_run(root: Path) -> None:
    """Every folder that can be seen is a whole run, ended or crashed; what was being made is removed at the next opening."""
    store = Store.open(root)
    for delay in (0.0, 0.003, 0.011, 0.019, 0.027):
        child = subprocess.Popen([sys.executable, "-c", CREATE_FOR_EVER, str(root)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        threading.Event().wait(delay)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert {store.runs.read(run_id).state for run_id in store.runs.ids()} <= {"finished", "crashed"}
        Store.open(root)
        assert list((store.path / "tmp").iterdir()) == []


WRITE_RUNS = """
import sys
from pathlib import Path
from assay.records.journal import Point
from assay.records.recipe import Recipe
from assay.records.run import Metric, Result, Start
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
me = int(sys.argv[2])
sys.stdin.readline()
store = Store.open(Path(sys.argv[1]))
for number in range(25):
    recipe = store.objects.put_record(Recipe(params={"number": number}))
    writer = store.runs.create(Start(id=new_run_id(), recipe=recipe, name=f"{me}", started=float(number), host=this_process()))
    journal = writer.journal()
    for step in range(20):
        journal.append(Point(float(step), step, {"loss": float(me)}))
    loss = Metric(last=float(me), minimum=0.0, maximum=1.0, mean=0.5)
    writer.finish(Result(state="finished", ended=1.0, metrics={"loss": loss}, params={"number": number}))
    if number % 5 == 0:
        store.catalogue.count()
"""


def test_eight_processes_write_runs_at_once(root: Path) -> None:
    """Into a store that none of them finds ready: every run of each is there, with every point, and no error is seen."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE_RUNS, str(root), str(me)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for me in range(8)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    errors = [child.communicate()[1] for child in children]
    assert errors == [""] * 8
    assert [child.returncode for child in children] == [0] * 8
    store = Store.open(root)
    assert store.catalogue.count() == 200
    for me in range(8):
        mine = store.catalogue.runs(where=f"name == '{me}' and metrics.loss == {me}")
        assert sorted(run.params["number"] for run in mine) == list(range(25))
        assert all(len(list(store.runs.entries(run.id))) == 20 for run in mine)


def test_a_forked_child_is_another_process() -> None:
    """The identity is asked anew after a fork."""
    here = this_process()
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(sender, f"{this_process().pid} {this_process().started}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    pid, started = map(int, os.read(receiver, 100).split())
    os.close(receiver)
    os.close(sender)
    assert pid == child != here.pid
    assert lives(elsewhere(pid=pid, started=started)) is False
    assert lives(here) is True


def test_names_tell_who_made_them() -> None:
    """Only what a process on this machine left is ever taken for dead."""
    mine = owned_name()
    assert mine != owned_name()
    assert not surely_dead(mine)
    parts = mine.split("-")
    assert surely_dead("-".join([*parts[:4], "1", parts[5]]))
    for position in range(3):
        foreign = ["00" if index == position else part for index, part in enumerate(parts)]
        assert not surely_dead("-".join([*foreign[:4], "1", foreign[5]]))
    for other in ("", "notes.txt", "a-b-c-d-e-f", "-".join([*parts[:3], "x", "1", "0"])):
        assert not surely_dead(other)


@pytest.mark.parametrize("ahead", [86400.0, -86400.0])
def test_a_reader_whose_clock_is_wrong_tells_the_living_from_the_dead(
    store: Store, ahead: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is the clock of the disk, which stamps the signs of life of other machines."""
    living, dead = (store.runs.create(start(host=elsewhere(name="another", boot="another"), heartbeat=10.0)) for _ in range(2))
    for path in (dead.folder / "start", dead.folder):
        os.utime(path, (time.time() - 31, time.time() - 31))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + ahead)
    assert [store.runs.read(writer.id).state for writer in (living, dead)] == ["running", "crashed"]
    assert list((store.path / "tmp").iterdir()) == []
