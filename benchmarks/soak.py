"""SIGKILL at random instants of `assay run`, `data add`, `push` and `gc`: nothing acknowledged lost, nothing half there.

After each kill the store is read whole (`fsck`), what had been acknowledged is looked for, and the same command is given again and must
complete. Ends with 1, and keeps the folder, at the first thing that is wrong.

    python benchmarks/soak.py [KILLS] [SEED] [KIND]...     200 kills in all where none is said, of all kinds; make soak
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from assay.records.recipe import Recipe
from assay.records.run import Result, Start
from assay.records.trace import FileUse, Trace
from assay.store.fsck import fsck
from assay.store.remotes.opening import open_place
from assay.store.runs import new_run_id, this_process
from assay.store.store import Store
from assay.tracking.series import series

TRAIN = """\
import os, sys, assay
told = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
with assay.run() as run:
    for step in range(300):
        run.log(loss=1 / (step + 1), step=step)
        os.write(told, b"%d\\n" % step)
        if step % 100 == 99:
            open("model.bin", "wb").write(os.urandom(200_000))
            run.save("model.bin")
"""
FILES = 150


class Lab:
    """A project, and what was done in it. `round` counts the attempts of one kind."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.folder = folder
        self.dice = dice
        self.root = folder / "project"
        self.root.mkdir()
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        (self.root / "train.py").write_text(TRAIN)
        (self.root / ".gitignore").write_text("*.bin\nset*/\ntold*\n")
        self.store = Store.open(self.root)
        self.round = 0
        self.seen: Counter[str] = Counter()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command of Assay in a session of its own."""
        command = [sys.executable, "-m", "assay", *arguments]
        return subprocess.Popen(command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def complete(self, *arguments: str) -> bytes:
        """Its answer. Raises AssertionError where it fails."""
        process = self.start(*arguments)
        out, err = process.communicate()
        assert process.returncode == 0, f"assay {' '.join(arguments)} ended with {process.returncode}: {err.decode()}"
        return out

    def sound(self, store: Store | None = None) -> None:
        """Nothing that can be seen is damaged, or lacks anything."""
        problems = fsck(store or self.store).problems
        assert problems == [], problems

    def files(self, count: int, size: int) -> Path:
        """A folder of new content."""
        folder = self.root / f"set{self.round}"
        folder.mkdir()
        for number in range(count):
            (folder / f"file{number}").write_bytes(self.dice.randbytes(size))
        (folder / "large").write_bytes(self.dice.randbytes(5 << 20))
        return folder

    def runs(self, count: int) -> list[str]:
        """Finished runs with content of their own, recorded without a process."""
        made = []
        for _ in range(count):
            artifact = self.store.objects.put(self.dice.randbytes(100_000))
            trace = self.store.objects.put_record(Trace(written=(FileUse(path="model.bin", id=artifact, kept=True),)))
            recipe = self.store.objects.put_record(Recipe(seed=self.dice.randrange(1 << 60)))
            writer = self.store.runs.create(Start(id=new_run_id(), recipe=recipe, started=time.time(), host=this_process()))
            writer.finish(Result(state="finished", ended=time.time(), trace=trace))
            made.append(writer.id)
        return made


Attempt = tuple[list[str], Callable[[], None], Callable[[], None]]
"""A command; what must hold after a kill; what must hold once it has completed."""


def a_run(lab: Lab) -> Attempt:
    """`assay run`: what was logged is there, and no run is taken for one that goes on, or has a result that it did not reach."""
    told = lab.root / f"told{lab.round}"
    before = set(lab.store.runs.ids())

    def killed() -> None:
        count = len(told.read_bytes().splitlines()) if told.exists() else 0
        new = set(lab.store.runs.ids()) - before
        assert len(new) == 1 or (not new and not count), f"{len(new)} runs, {count} points"
        for run_id in new:
            run = lab.store.runs.read(run_id)
            lab.seen[run.state] += 1
            assert run.state == "crashed" or count == 300, f"{run.state} after {count} points"
            steps = series(lab.store, run_id)["loss"].steps if count else ()
            assert steps[:count] == tuple(range(count)), f"{count} points were acknowledged, {len(steps)} are there"
        told.unlink(missing_ok=True)

    def completed() -> None:
        (run_id,) = [one for one in lab.store.runs.ids() if one not in before and lab.store.runs.read(one).state == "finished"][-1:]
        assert len(series(lab.store, run_id)["loss"].steps) == 300
        shutil.rmtree(lab.folder / "back", ignore_errors=True)
        lab.complete("restore", run_id, "model.bin", "--to", str(lab.folder / "back"))

    return ["run", sys.executable, "train.py", str(told)], killed, completed


def a_data_set(lab: Lab) -> Attempt:
    """`assay data add`: a version is there whole, or not at all."""
    folder = lab.files(FILES, 20_000)
    known = len(lab.store.datasets.listed())

    def killed() -> None:
        new = len(lab.store.datasets.listed()) - known
        lab.seen["version" if new else "no version"] += 1
        assert new in (0, 1)

    def completed() -> None:
        lab.complete("data", "restore", folder.name, "--to", str(lab.folder / f"back{lab.round}"))
        compared = subprocess.run(["diff", "-r", str(folder), str(lab.folder / f"back{lab.round}")], check=False)
        assert compared.returncode == 0
        shutil.rmtree(lab.folder / f"back{lab.round}")
        shutil.rmtree(folder)

    return ["data", "add", folder.name], killed, completed


def a_push(lab: Lab) -> Attempt:
    """`assay push`: what can be seen at the remote is whole, and by the second attempt all of it is there."""
    lab.runs(15)
    remote = str(lab.folder / "remote")

    def there() -> Store:
        place = open_place(remote, create=True)  # it may have been killed before it made the remote
        store: Store = place.store  # type: ignore[attr-defined]
        return store

    def killed() -> None:
        lab.sound(there())
        missing = set(lab.store.runs.ids()) - set(there().runs.ids())
        lab.seen["all there" if not missing else "part there" if len(missing) < 15 else "nothing new there"] += 1

    def completed() -> None:
        lab.sound(there())
        assert there().runs.ids() == lab.store.runs.ids()

    return ["push", remote], killed, completed


def a_collection(lab: Lab) -> Attempt:
    """`assay gc`: nothing that anybody needs is taken, and by the second attempt nothing is left of the rest."""
    kept = lab.runs(3)
    gone = lab.runs(40)
    for run_id in gone:
        shutil.rmtree(lab.store.runs.folder(run_id))
    keep = set(lab.store.runs.ids())

    def killed() -> None:
        assert set(lab.store.runs.ids()) == keep and set(kept) <= keep
        trash = sum(1 for path in (lab.store.path / "tmp").iterdir() if path.name.startswith("trash-"))
        lab.seen["amid the removal" if trash else "before or after it"] += 1

    def completed() -> None:
        left = json.loads(lab.complete("gc", "--grace", "0", "--json"))
        assert (left["objects"], left["temporary"]) == (0, 0), left

    return ["gc", "--delete", "--grace", "0"], killed, completed


KINDS = {"run": a_run, "data add": a_data_set, "push": a_push, "gc": a_collection}


def kill_at(process: subprocess.Popen[bytes], seconds: float, everything: bool) -> bool:
    """Kill the command after so long, alone or with all that it started, which then ends too; whether it was still running."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        if not everything:
            process.kill()
            time.sleep(0.02)  # what it started lives a little longer than it
        with_group(process)
        process.communicate()
    return process.returncode == -signal.SIGKILL


def with_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and all of its group, and wait until none of them is left."""
    try:
        while True:
            os.killpg(process.pid, signal.SIGKILL)
            process.poll()
            time.sleep(0.01)
    except ProcessLookupError:
        return


def soak(folder: Path, kills: int, seed: int, kinds: list[str]) -> None:
    """Kill each kind of command `kills` times, and print what was met."""
    for name in kinds:
        kind = KINDS[name]
        dice = random.Random(f"{seed} {name}")
        (folder / name).mkdir()
        lab = Lab(folder / name, dice)
        arguments, _, completed = kind(lab)
        began = time.monotonic()
        lab.complete(*arguments)
        lasts = time.monotonic() - began
        completed()
        hit = 0
        for _ in range(kills):
            lab.round += 1
            arguments, killed, completed = kind(lab)
            hit += kill_at(lab.start(*arguments), dice.uniform(0.25, 1.0) * lasts, dice.random() < 0.5)
            lab.sound()
            killed()
            began = time.monotonic()
            lab.complete(*arguments)
            lasts = 0.7 * lasts + 0.3 * (time.monotonic() - began)
            lab.sound()
            completed()
        states = ", ".join(f"{count} {state}" for state, count in sorted(lab.seen.items()))
        print(
            f"{name:9} {kills:4} kills, {hit:4} before its end: {states}; sound each time, and completed when asked again",
            flush=True,
        )
        shutil.rmtree(folder / name)


if __name__ == "__main__":
    asked = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    kinds = sys.argv[3:] or list(KINDS)
    print(f"{asked} kills, seed {chosen} (the instants depend on the machine)", flush=True)
    made = Path(tempfile.mkdtemp(prefix="assay-soak-"))
    os.environ["XDG_CACHE_HOME"] = str(made / "cache")
    try:
        soak(made, max(1, asked // len(kinds)), chosen, kinds)
    except AssertionError as error:
        raise SystemExit(f"WRONG: {error}\nWhat was met is kept in {made}.") from error
    shutil.rmtree(made)
