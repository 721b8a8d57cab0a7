"""`assay why` over real scripts on real data, with known causes: recorded by `assay run`, changed, recorded again, and asked.

Bars, over all cases of a generator seed: the causes named and no other >= 90 % (cannot tell is wrong), a false cause in <= 5 %, and the
median of the runs that were carried out <= 1.5 x the optimum. The optimum of a case is that of `bench_why_search.py`: how deep its
hypothesis stands in the best decision tree over noise-free values, for as many differences as runs have to decide; both ends once more, to
know that nothing is random; and, where seeds matter, the repeats that noise of half the effect demands of anyone. Every loss that a run
reported is compared with that of the same combination in this process.

    python benchmarks/bench_why.py [--seeds 1001,1002,1003] [--every 1] [--shape noise] [--workers 2] [--list]

Generator seeds 0 to 9 were used in development; 1001 to 1003 are scored.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the arrays are small: threads only wait for each other

import argparse
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple, get_args

from scipy.special import ndtr
from scipy.stats import nct, t

from assay.project.project import Project
from assay.questions.why import Limits
from assay.records.attribution import Attribution
from bench_why_search import depth
from why_cases import NUMBERS, Case, Script, Shape, case_of
from why_peers import Found, bisection, has_mlbisect, mlbisect
from why_project import UNUSED

NOISE = 0.5  # standard deviation of one run over the effect


class Score(NamedTuple):
    case: Case
    ours: Found
    verdict: str
    strangers: int
    optimum: float
    peers: tuple[Found, ...]
    seconds: float
    note: str


def record(case: Case, name: str, bad: frozenset[int], root: Path) -> None:
    """`assay run` of a state of the project, as a user types it."""
    env = {key: value for key, value in os.environ.items() if key not in {c.factor for c in case.changes} | {"OMP_NUM_THREADS"}}
    kept = [word for path in case.contents for word in ("--data", path)] if _apart(case) else []
    command = ["assay", "run", "--name", name, *kept, "--", sys.executable, "train.py", *case.words(bad)]
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=root, env={**env, **case.variables(bad)}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr[-2000:]}")


def _apart(case: Case) -> bool:
    """Whether the data stands apart from the code: ignored by git, and declared."""
    return len(case.changes) % 2 == 0 or case.split == "commits"


def write(case: Case, bad: frozenset[int], root: Path) -> None:
    for path, text in case.files(bad).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if not (root / path).exists() or (root / path).read_text() != text:
            (root / path).write_text(text)


def git(root: Path, *words: str) -> str:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    return subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True, text=True).stdout


def make(case: Case, root: Path) -> None:
    """The project in its good state, recorded; then changed, in commits where they are asked about, and recorded again."""
    nothing = frozenset[int]()
    write(case, nothing, root)
    if _apart(case):
        (root / ".gitignore").write_text("data/\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    record(case, "good", nothing, root)
    if case.split == "commits":
        done = nothing
        for index, change in enumerate(case.changes):
            done |= {index}
            write(case, done, root)
            if change.kind == "code":
                git(root, "commit", "-qam", change.name)
    write(case, case.everything, root)
    record(case, "bad", case.everything, root)


def indices(case: Case, names: Sequence[str]) -> frozenset[int]:
    """Which changes are meant by what `assay why` named; -1 for a name of none of them."""
    found = set()
    for name in names:
        subject = name.split(" ", 2)[2] if name.startswith("commit ") else name
        found.add(next((at for at in range(len(case.changes)) if case.factor(at) == subject), -1))
    return frozenset(found)


def strangers(case: Case, script: Script, found: Attribution) -> int:
    """Runs whose loss is not that of the combination which they were to be."""
    wrong = 0
    for tried in found.tried:
        bad = indices(case, [key.split(" ", 1)[1] for key in tried.bad])
        if tried.value is not None:
            wrong += -1 in bad or not math.isclose(script(bad, tried.seed or 0), tried.value, rel_tol=1e-9)
    return wrong


def optimum(case: Case) -> float:
    """Fewest runs beside the recorded ends; see the head of this file."""
    large_first = tuple(sorted(case.causes))
    kinds = {"single": "single", "herring": "single", "noise": "single", "together": "together"}
    steps = depth(case.open, (kinds.get(case.shape, "two"), _renumbered(case, large_first)))
    if not case.seeded:
        return steps + 2
    pairs = next(n for n in range(2, 200) if 1 - nct.cdf(t.ppf(0.975, n - 1), n - 1, math.sqrt(n) / (math.sqrt(2) * NOISE)) >= 0.95)
    # One state but the ends differs in effect from them: none, since a single cause stands at one end or the other.
    return 2 * (pairs - 1) + steps


def repeats(case: Case) -> int:
    if not case.seeded:
        return 1
    return next(r for r in range(1, 200) if 2 * ndtr(-math.sqrt(r) / (2 * NOISE)) <= 0.05 / 6)


def _renumbered(case: Case, chosen: tuple[int, ...]) -> tuple[int, ...]:
    """Indices among the changes that runs have to decide."""
    unused = [at for at, change in enumerate(case.changes) if change == UNUSED]
    return tuple(at - sum(other < at for other in unused) for at in chosen)


def measure(task: tuple[int, Shape, int]) -> Score:
    seed, _, number = task
    case = case_of(*task)
    root, script = Path(tempfile.mkdtemp(prefix="case-")), Script(case)
    try:
        started = time.monotonic()
        make(case, root)
        os.chdir(root)
        split = "hunks" if case.split == "hunks" else "auto" if case.split == "commits" else "files"
        found = Project.open(root).why("good", "bad", "loss", split=split, limits=Limits(runs=150))
        seconds = time.monotonic() - started
        names = [name for cause in found.causes for name in cause.factor.split(", ")]
        ours = Found(indices(case, names), found.verdict == "decided", sum(not tried.reused for tried in found.tried))
        peers = (bisection(script, repeats(case), 1000 * seed + number), *((mlbisect(script),) if has_mlbisect() else ()))
        note = f"named {sorted(names)}, {found.verdict}" if ours.named != case.causes or not ours.decided else ""
        return Score(case, ours, found.verdict, strangers(case, script, found), optimum(case), peers, seconds, note)
    finally:
        os.chdir("/")
        script.close()
        shutil.rmtree(root)


def right(case: Case, found: Found) -> bool:
    return found.decided and found.named == case.causes


def row(name: str, scores: Sequence[Score]) -> tuple[float, float, float]:
    """Print one line of the table; correct %, false %, ratio."""

    def figures(found: Sequence[Found]) -> tuple[float, float, float]:
        pairs = list(zip(scores, found, strict=True))
        correct = 100 * statistics.mean(right(score.case, each) for score, each in pairs)
        false = 100 * statistics.mean(bool(each.named - score.case.causes) for score, each in pairs)
        return correct, false, statistics.median(each.runs for each in found)

    correct, false, runs = figures([score.ours for score in scores])
    cannot = 100 * statistics.mean(not score.ours.decided for score in scores)
    best = statistics.median(score.optimum for score in scores)
    peers = "".join(
        " |{:6.1f}{:6.1f}{:6.1f}".format(*figures([score.peers[at] for score in scores])) for at in range(len(scores[0].peers))
    )
    print(
        f"{name:10}{len(scores):5} |{correct:6.1f}{false:6.1f}{cannot:6.1f}{runs:6.1f}{best:6.1f}{runs / best:6.2f}{peers}",
        flush=True,
    )
    return correct, false, runs / best


def table(title: str, scores: Sequence[Score]) -> bool:
    """Print the table of a generator seed; True where the bars are met."""
    print(f"\n{title}: correct %, false %, cannot tell %, median runs, optimum, ratio | bisection: correct, false, runs", end="")
    print(" | mlbisect: the same" if has_mlbisect() else " (mlbisect is not installed)")
    for shape in get_args(Shape):
        if of := [score for score in scores if score.case.shape == shape]:
            row(shape, of)
    correct, false, ratio = row("all", scores)
    wrong = sum(score.strangers for score in scores)
    print(
        f"{wrong} runs had another loss than the same combination in this process; {sum(s.seconds for s in scores):.0f} s of work"
    )
    met = correct >= 90 and false <= 5 and ratio <= 1.5 and not wrong
    print(f"bars (>= 90 %, <= 5 %, <= 1.5): {'met' if met else 'MISSED'}")
    return met


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", default="1001,1002,1003")
    parser.add_argument("--every", type=int, default=1, help="only every so manieth case of each shape")
    parser.add_argument("--shape", action="append", choices=get_args(Shape))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="say of every case what came of it")
    given = parser.parse_args()
    met = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        for seed in map(int, given.seeds.split(",")):
            tasks = [(seed, shape, index) for shape in given.shape or NUMBERS for index in range(0, NUMBERS[shape], given.every)]
            scores = []
            with ProcessPoolExecutor(given.workers) as pool:
                for score in pool.map(measure, tasks):
                    scores.append(score)
                    if given.list or score.note or score.strangers:
                        print(_line(score), file=sys.stderr, flush=True)
            met.append(table(f"generator seed {seed}", scores))
    return 0 if all(met) else 1


def _line(score: Score) -> str:
    case = score.case
    causes = ", ".join(case.factor(at) for at in sorted(case.causes))
    return (
        f"{case.shape} {case.split} {case.learner} {case.table}, {case.open} open, {causes}: {score.ours.runs} runs "
        f"(optimum {score.optimum:.0f}), {score.seconds:.0f} s, strangers {score.strangers}. {score.note}"
    )


if __name__ == "__main__":
    sys.exit(main())
