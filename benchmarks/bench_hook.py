"""What the injected tracer costs code that opens 100,000 files: open, read 10 KiB, close. Bar: at most 1.08 of the same script bare.

Beside it: the same script under an audit hook that does nothing (what any hook written in Python costs), and under `strace`, where there is
one. The loop alone is measured, in CPU seconds of its process, in files that the page cache holds; so are files that are opened again and
again. What Assay does with the names once the script has ended is shown apart.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from assay.capture.code import CodeCapture
from assay.capture.settle import settle
from assay.capture.trace import collect, injection
from assay.store.store import Store
from measure import medians, python, report

FILES, FOLDERS, SIZE = 100_000, 100, 10 << 10
ROUNDS, STRACE_ROUNDS, TIMES = 25, 1, 5
SCRIPT = f"""
import sys, time
folder, mode, times, hook = sys.argv[1:]
if hook == "idle":
    sys.addaudithook(lambda event, args: None)
names = [f"{{folder}}/{{number % {FOLDERS}:03}}/file{{number}}" for number in range({FILES})]
for _ in range(int(times)):
    started = time.process_time()
    for name in names:
        with open(name, mode) as file:
            file.read()
    print(time.process_time() - started)
"""
BARE, IDLE, TRACED = "bare", "a hook that does nothing", "Assay's tracer"


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(root / "cache")
        # As for users: what is compiled anew in each process lies scattered in its memory, and makes the loop 1.5 % slower.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        make_files(root / "set")
        (root / "project").mkdir()
        (root / "project" / "script.py").write_text(SCRIPT)
        met = True
        for mode, what in (("rb", "bytes"), ("r", "text")):
            figures = medians(candidates(root, mode), ROUNDS)
            met &= report(
                f"100,000 files of 10 KiB read as {what}, CPU of the loop", "s", figures, ours=TRACED, peer=BARE, bar=1.08
            )
            print(f"  {'ratio ' + IDLE + ' / ' + BARE:44} {figures[IDLE] / figures[BARE]:10.3f}")
        again(root)
        under_strace(root)
        afterwards(root)
    return 0 if met else 1


def make_files(folder: Path) -> None:
    text = os.urandom(SIZE + FILES).hex()  # each file is another stretch of it
    for number in range(FILES):
        path = folder / f"{number % FOLDERS:03}" / f"file{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text[number : number + SIZE])
    os.sync()  # or a gigabyte is on its way to the disk while the loops are measured


def candidates(root: Path, mode: str) -> dict[str, Callable[[], float]]:
    return {
        BARE: lambda: loops(root, mode)[0],
        IDLE: lambda: loops(root, mode, hook="idle")[0],
        TRACED: lambda: traced(root, mode)[0],
    }


def loops(root: Path, mode: str, *, times: int = 1, hook: str = "none", before: tuple[str, ...] = (), **env: str) -> list[float]:
    """CPU seconds of each pass over all files."""
    done = subprocess.run(
        [*before, python(), "script.py", str(root / "set"), mode, str(times), hook],
        cwd=root / "project", env={**os.environ, **env}, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return [float(line) for line in done.stdout.split()]


def traced(root: Path, mode: str, times: int = 1) -> list[float]:
    shutil.rmtree(root / "run", ignore_errors=True)
    return loops(root, mode, times=times, **injection(root / "run", seed=None, env=os.environ))


def again(root: Path) -> None:
    """The same files some more times, as in epochs: the report must not grow for ever, and that is part of the price."""
    bare, ours = loops(root, "rb", times=TIMES), traced(root, "rb", TIMES)
    size = sum(path.stat().st_size for path in (root / "run" / "trace").iterdir())
    print(f"the same files {TIMES} times: ratio of each time " + ", ".join(f"{o / b:.3f}" for o, b in zip(ours, bare, strict=True)))
    print(f"  {'its report, reserved':44} {size / 2**20:10.1f} MiB")


def under_strace(root: Path) -> None:
    """Wall seconds, since most of what it costs is in another process."""
    if shutil.which("strace") is None:
        print("strace is not here to compare with")
        return
    watch = ("strace", "-f", "-o", os.devnull, "-e", "trace=openat", "--seccomp-bpf")
    figures = {
        name: statistics.median(wall(root, before) for _ in range(STRACE_ROUNDS))
        for name, before in ((BARE, ()), ("strace", watch))
    }
    print(f"strace, which sees every process: ratio of wall times {figures['strace'] / figures[BARE]:.3f}")


def wall(root: Path, before: tuple[str, ...]) -> float:
    started = time.perf_counter()
    loops(root, "rb", before=before)
    return time.perf_counter() - started


def afterwards(root: Path) -> None:
    """Reading the report and identifying every file: after the script has ended."""
    store = Store.open(root / "project")
    snapshot, since = CodeCapture(store, root / "project").snapshot(), time.time()
    traced(root, "rb")
    started = time.perf_counter()
    observed = collect(root / "run")
    collected = time.perf_counter() - started
    settled = settle(store, root / "project", observed, snapshot=snapshot, since=since)
    hashed = time.perf_counter() - started - collected
    print(f"after the end, wall: report read {collected:.2f} s, {len(settled.trace.read):,} files hashed {hashed:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
