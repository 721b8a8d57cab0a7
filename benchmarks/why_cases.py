"""Cases with known causes, drawn by a seed: which changes lie between a good and a bad state of the project, and which of them moved the loss.

The truth holds by construction and is checked on the script itself, in this process: the causes alone move the loss as far as all changes
do, and all others move nothing, under every seed. Where there is noise, what is left between is checked to have no part by the same.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
import sys
import tempfile
import traceback
from itertools import count
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from why_project import ACTS, FILES, IDLE, LEARNERS, PAIRS, TABLES, UNUSED, Change, lines_of, spoil, table

Shape = Literal["single", "two", "opposite", "together", "herring", "noise"]
Split = Literal["files", "hunks", "commits"]
NUMBERS: dict[Shape, int] = {"single": 18, "two": 9, "opposite": 9, "together": 10, "herring": 10, "noise": 10}
STRENGTHS = (0.08, 0.15, 0.25, 0.4, 0.6)
_SEEDS = 24
_STEPPED = ("logistic", "mlp")


class Case(NamedTuple):
    """A good state, the changes to a bad one, and which of them are causes.

    Attributes:
        shape: how the causes act.
        split: how code is to be divided.
        learner, table: what is trained on what.
        changes: all differences, in the order in which they were made.
        causes: indices of those that move the loss.
        strength: share of the rows that are spoilt, where data is among the changes.
        seeded: whether the runs have a seed that matters.
        contents: of the data, in the good and in the bad state.
    """

    shape: Shape
    split: Split
    learner: str
    table: str
    changes: tuple[Change, ...]
    causes: frozenset[int]
    strength: float
    seeded: bool
    contents: dict[str, tuple[str, str]]

    @property
    def open(self) -> int:
        """How many of the changes runs have to decide."""
        return sum(change != UNUSED for change in self.changes)

    @property
    def everything(self) -> frozenset[int]:
        return frozenset(range(len(self.changes)))

    def files(self, bad: frozenset[int]) -> dict[str, str]:
        """The project in which these changes are made."""
        found = dict(FILES) | {path: sides[0] for path, sides in self.contents.items()}
        for index in sorted(bad):
            change = self.changes[index]
            if change.kind == "code":
                old, new = change.edit
                assert found[change.factor].count(old) == 1, change
                found[change.factor] = found[change.factor].replace(old, new)
            elif change.kind == "data":
                found[change.factor] = self.contents[change.factor][1]
        return found

    def words(self, bad: frozenset[int], seed: int = 0) -> list[str]:
        """The script's arguments."""
        words = ["--learner", self.learner, *(("--seed", str(seed)) if self.seeded else ())]
        for index, change in enumerate(self.changes):
            if change.kind == "param" and (value := change.edit[index in bad]):
                words += [f"--{change.factor}", value]
        return words

    def variables(self, bad: frozenset[int]) -> dict[str, str]:
        pairs = [(change.factor, change.edit[index in bad]) for index, change in enumerate(self.changes) if change.kind == "flag"]
        return {name: value for name, value in pairs if value}

    def factor(self, index: int) -> str:
        """What `assay why` is to call a change; of a commit, the end of it."""
        change = self.changes[index]
        if change.kind != "code" or self.split == "files":
            return change.factor
        if self.split == "commits":
            return change.name
        lines = FILES[change.factor].splitlines()
        number = next(number for number, line in enumerate(lines, 1) if change.edit[0] in line)
        several = sum(other.kind == "code" and other.factor == change.factor for other in self.changes) > 1
        return f"{change.factor}:{number}" if several else change.factor


class Script:
    """The project of a case, run in forks of this process: what the loss of every combination is."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.folder = Path(tempfile.mkdtemp(prefix="why-"))
        self._known: dict[tuple[frozenset[int], int], float] = {}

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def __call__(self, bad: frozenset[int], seed: int = 0) -> float:
        seed = seed if self.case.seeded else 0
        if (bad, seed) not in self._known:
            self._known[bad, seed] = self._run(bad, seed)
        return self._known[bad, seed]

    def over(self, bad: frozenset[int], seeds: int = _SEEDS) -> np.ndarray:
        return np.array([self(bad, seed) for seed in range(seeds)])

    def _run(self, bad: frozenset[int], seed: int) -> float:
        place = self.folder / "-".join(["at", *map(str, sorted(bad))])
        if not place.exists():
            for path, text in self.case.files(bad).items():
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                (place / path).write_text(text)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.dup2(write, 1)
                os.chdir(place)
                for name in (change.factor for change in self.case.changes if change.kind == "flag"):
                    os.environ.pop(name, None)
                os.environ.update(self.case.variables(bad))
                sys.path.insert(0, str(place))
                sys.argv = ["train.py", *self.case.words(bad, seed)]
                runpy.run_path("train.py", run_name="__main__")
                sys.stdout.flush()
                os._exit(0)
            except BaseException:  # noqa: BLE001 - nothing may pass the end of a fork
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(write)
        with os.fdopen(read) as output:
            text = output.read()
        os.waitpid(child, 0)
        found = re.search(r"^loss=(.*)$", text, re.MULTILINE)
        return float(found[1]) if found else float("nan")


def case_of(seed: int, shape: Shape, index: int) -> Case:
    """One of the cases of a generator seed: the first draw that holds."""
    for attempt in count():
        rng = np.random.default_rng([seed, *shape.encode(), index, attempt])
        case = _drawn(shape, index, rng)
        if case is None:
            continue
        script = Script(case)
        try:
            if _holds(script):
                return case
        finally:
            script.close()
    raise AssertionError


def _drawn(shape: Shape, index: int, rng: np.random.Generator) -> Case | None:
    learner = str(rng.choice(LEARNERS))
    name = str(rng.choice(TABLES[:3] if learner in _STEPPED else TABLES))
    causes = _causes(shape, index, learner, rng)
    if causes is None:
        return None
    number = 10 if shape == "herring" else int(rng.integers(4, 9))
    split: Split = ("files", "files", "hunks", "commits")[index % 4]  # type: ignore[assignment]
    if split == "commits" and sum(change.kind == "code" for change in causes) == 0:
        split = "files"
    others = _others(causes, number - len(causes), split, rng)
    if rng.random() < 0.5:
        others.append(UNUSED)
    changes = [*causes, *others]
    order = rng.permutation(len(changes))
    strength = float(rng.choice(STRENGTHS))
    chosen = tuple(changes[at] for at in order)
    return Case(
        shape, split, learner, name, chosen, frozenset(int(at) for at in np.argsort(order)[: len(causes)]), strength, shape == "noise",
        _contents(name, strength, rng),
    )  # fmt: skip


def _contents(name: str, strength: float, rng: np.random.Generator) -> dict[str, tuple[str, str]]:
    good = table(name)
    width = good.shape[1] - 1
    sides = {
        "data/table.csv": (good, spoil("data/table.csv", good, strength, rng)),
        "data/weights.csv": (np.ones(width), spoil("data/weights.csv", np.ones(width), strength, rng)),
        "data/priors.csv": (np.ones(5), rng.uniform(size=5).round(3)),
    }
    return {path: (lines_of(one), lines_of(other)) for path, (one, other) in sides.items()}


def _causes(shape: Shape, index: int, learner: str, rng: np.random.Generator) -> list[Change] | None:
    if shape == "together":
        pairs = [pair for pair in PAIRS if all(not change.learners or learner in change.learners for change in pair)]
        return list(pairs[int(rng.integers(len(pairs)))])
    acts = [change for change in ACTS if not change.learners or learner in change.learners]
    if shape in ("two", "opposite"):
        one, other = (acts[at] for at in rng.permutation(len(acts))[:2])
        return None if one.factor == other.factor else [one, other]
    # Every kind of difference in its turn.
    kind = ("code", "param", "data", "flag", "code")[index % 5]
    among = [change for change in acts if change.kind == kind]
    return [among[int(rng.integers(len(among)))]]


def _others(causes: list[Change], number: int, split: Split, rng: np.random.Generator) -> list[Change]:
    """Changes that do nothing; where files are not divided, at most one of each file."""
    taken = {change.factor for change in causes}
    found: list[Change] = []
    for at in rng.permutation(len(IDLE)):
        change = IDLE[at]
        if len(found) < number and (change.factor not in taken or (split != "files" and change.kind == "code")):
            found.append(change)
            taken.add(change.factor)
    return found


def _holds(script: Script) -> bool:
    """Whether the causes are the causes, and act as the shape says."""
    case = script.case
    if case.split == "commits" and sum(change.kind == "code" for change in case.changes) < 2:
        return False
    nothing, rest = frozenset[int](), case.everything - case.causes
    seeds = 3 if case.seeded else 1
    if not _acts_in_shape(script):
        return False
    good, bad = script.over(nothing, seeds), script.over(case.everything, seeds)
    alone, idle = script.over(case.causes, seeds), script.over(rest, seeds)
    if not (np.isfinite([good, bad]).all() and (alone == bad).all() and (idle == good).all()):
        return False
    gap = float(np.mean(bad - good))
    if abs(gap) < 0.02 * abs(float(good.mean())):
        return False
    return case.shape != "noise" or _is_noisy(script)


def _acts_in_shape(script: Script) -> bool:
    """Whether two causes add up, or do nothing apart; asked first, since most draws fail here."""
    case = script.case
    if len(case.causes) == 1:
        return True
    good, both = script(frozenset()), script(case.causes)
    effects = [script(frozenset([cause])) - good for cause in sorted(case.causes)]
    if case.shape == "together":
        return effects == [0.0, 0.0]
    gap, (smaller, larger) = both - good, sorted(map(abs, effects))
    additive = smaller >= 0.3 * larger and abs(gap - sum(effects)) <= 0.25 * smaller
    return additive and (effects[0] * effects[1] > 0) == (case.shape == "two") and abs(gap) >= 0.25 * larger


def _is_noisy(script: Script) -> bool:
    """Whether the loss of one recipe varies over seeds with half the effect as its standard deviation."""
    for seeds in (6, _SEEDS):
        good, bad = script.over(frozenset(), seeds), script.over(script.case.causes, seeds)
        noise = float(np.sqrt((good.var(ddof=1) + bad.var(ddof=1)) / 2)) / abs(float(np.mean(bad - good)))
        if not 0.2 <= noise <= 1.2:
            return False
    return 0.4 <= noise <= 0.6
