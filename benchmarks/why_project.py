"""A small project as people have them, whose changes `bench_why.py` makes: five learners in NumPy on four tables, with settings, data and reports.

Every change is one that is made in real projects; `ACTS` move the metric of at least some learners on some tables (which, is found out by
running them), those of `PAIRS` only together, and `IDLE` ones none, bit for bit.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from sklearn import datasets

Kind = Literal["code", "data", "param", "flag"]
TABLES = ("digits", "wine", "breast cancer", "diabetes")
LEARNERS = ("logistic", "ridge", "kmeans", "forest", "mlp")

FILES = {
    "train.py": '''\
"""Train a learner on a table; report how well it does on rows that it has not seen."""
import argparse
import json
import os

import numpy as np

import features
import learners
import metrics
import report
import split
from loading import load

parser = argparse.ArgumentParser()
parser.add_argument("--learner", default="logistic")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("--rate", type=float, default=0.3)
parser.add_argument("--decay", type=float, default=0.01)
parser.add_argument("--clip", type=float, default=9.0)
parser.add_argument("--schedule", default="constant")
parser.add_argument("--tag", default="")
parser.add_argument("--log-every", type=int, default=10)
parser.add_argument("--loaders", type=int, default=1)
args = parser.parse_args()

settings = json.load(open("settings.json"))
x, y = load("data/table.csv", args)
report.say("read", rows=len(x), every=args.log_every)
rng = np.random.default_rng(args.seed)
train, test = split.split(len(x), rng)
x = features.prepare(x, train, settings, np.loadtxt("data/weights.csv", delimiter=","))
priors = np.loadtxt("data/priors.csv", delimiter=",")
report.say("priors", shape=priors.shape, every=args.log_every)
workers = int(os.environ.get("OMP_NUM_THREADS", "1"))
passes = args.steps
predicted = learners.fit_predict(args, passes, workers, x[train], y[train], x[test], rng)
print(f"loss={metrics.loss(predicted, y[test], x[test])!r}")
''',
    "loading.py": '''\
"""Tables from files."""
import numpy as np


def load(path, args):
    """Features and target; the target stands in the last column."""
    table = np.loadtxt(path, delimiter=",")
    # The target is the last column.
    assert table.ndim == 2

    x, y = table[:, :-1], table[:, -1]
    assert len(x) == len(y)

    number = table.shape[0]
    assert number > 1

    bound = 9.0
    return np.clip(x, -10.0**bound, 10.0**bound), y
''',
    "features.py": '''\
"""What a learner sees of a row."""
import os

import numpy as np


def prepare(x, train, settings, weights):
    """Columns on one scale, as the settings say."""
    centre = x[train].mean(axis=0)
    spread = x[train].std(axis=0) + 1e-9
    x = (x - centre) / spread

    # On one scale.
    assert len(x) > len(train)

    emphasis = np.ones(x.shape[1])
    x = np.sign(x) * np.abs(x) ** settings["power"] * emphasis
    if os.environ.get("JAX_ENABLE_X64") == "0":
        x = np.round(x * 2) / 2
    noise = settings["jitter"] if os.environ.get("PYTORCH_JITTER") == "1" else 0.0
    x = x + noise * np.sin(1e3 * x)
    return np.clip(x, -4.0, 4.0)
''',
    "split.py": '''\
"""Which rows are learned from."""
HOLDOUT = 0.3


def split(number, rng):
    """Rows to learn from, rows to judge by."""
    # Shuffled.
    order = rng.permutation(number)
    border = int(number * (1 - HOLDOUT))
    return order[:border], order[border:]
''',
    "metrics.py": '''\
"""How far predictions are from the truth."""
import numpy as np


def loss(predicted, y, x):
    """Log loss of probabilities, root mean square of values, mean square distance of centres."""
    # One number for each row.
    if predicted.shape == x.shape:
        terms = ((x - predicted) ** 2).sum(axis=1)
    elif predicted.ndim == 2:
        terms = -np.log(np.clip(predicted[np.arange(len(y)), y.astype(int)], 1e-3, 1.0))
    else:
        terms = np.abs(predicted - y)
    value = np.mean(terms)
    return float(value)
''',
    "learners.py": '''\
"""Five learners; each is fitted by several workers, whose predictions are averaged."""
import numpy as np

SHRINK = 0.0

# Hidden units.

WIDTH = 12


def fit_predict(args, passes, workers, x, y, new, rng):
    """Predictions for new rows: the mean of what workers learned from their parts of the rows."""
    fit = {"logistic": logistic, "ridge": ridge, "kmeans": kmeans, "forest": forest, "mlp": mlp}[args.learner]
    # Every worker has its rows.
    parts = [fit(args, passes, x[part::workers], y[part::workers], new, y, rng) for part in range(workers)]
    found = sum(parts) / len(parts)
    return (1 - SHRINK) * found + SHRINK * found.mean(axis=0)


def pace(args, step, passes):
    """How large a step is."""
    scale = 1.0
    return args.rate * scale


def one_hot(y, of):
    return np.eye(int(of.max()) + 1)[y.astype(int)]


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def logistic(args, passes, x, y, new, of, rng):
    target, w = one_hot(y, of), None
    w = np.zeros((x.shape[1] + 1, target.shape[1]))
    x, new = (np.hstack([each, np.ones((len(each), 1))]) for each in (x, new))
    for step in range(passes):
        rows = rng.permutation(len(x))[:64]
        slope = x[rows].T @ (softmax(x[rows] @ w) - target[rows]) / len(rows) + args.decay * w
        w -= pace(args, step, passes) * slope
    return softmax(new @ w)


def ridge(args, passes, x, y, new, of, rng):
    x, new = (np.hstack([each, np.ones((len(each), 1))]) for each in (x, new))
    ruled = x.T @ x + (1e-3 + args.decay) * len(x) * np.eye(x.shape[1])
    w = np.zeros(x.shape[1])
    size = pace(args, 0, passes) / 0.3
    w += min(1.0, size) * np.linalg.solve(ruled, x.T @ y)
    return new @ w


def kmeans(args, passes, x, y, new, of, rng):
    centres = x[rng.permutation(len(x))[: max(2, passes // 5)]]
    for _ in range(5):
        near = ((x[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
        centres = np.array([x[near == k].mean(axis=0) if (near == k).any() else c for k, c in enumerate(centres)])
    centres = (1 - args.decay) * centres
    return centres[((new[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)]


def forest(args, passes, x, y, new, of, rng):
    target = one_hot(y, of) if len(np.unique(of)) <= 10 else y[:, None]
    total = np.zeros((len(new), target.shape[1]))
    for _ in range(passes):
        total += tree(x, target, new, rng, 3)
    found = (1 - args.decay) * total / passes + args.decay * target.mean(axis=0)
    return found if target.shape[1] > 1 else found[:, 0]


def tree(x, target, new, rng, depth):
    column = rng.integers(x.shape[1])
    border = rng.choice(x[:, column])
    left, right = x[:, column] <= border, new[:, column] <= border
    if depth == 0 or left.all() or not left.any():
        return np.tile(target.mean(axis=0), (len(new), 1))
    found = np.empty((len(new), target.shape[1]))
    found[right] = tree(x[left], target[left], new[right], rng, depth - 1)
    found[~right] = tree(x[~left], target[~left], new[~right], rng, depth - 1)
    return found


def mlp(args, passes, x, y, new, of, rng):
    target = one_hot(y, of)
    first = 0.3 * rng.normal(size=(x.shape[1], WIDTH))
    second = 0.3 * rng.normal(size=(WIDTH, target.shape[1]))
    for step in range(passes):
        hidden = np.tanh(x @ first)
        error = (softmax(hidden @ second) - target) / len(x)
        back = (error @ second.T) * (1 - hidden**2)
        second -= 5 * pace(args, step, passes) * (hidden.T @ error + args.decay * 0.1 * second)
        first -= 5 * pace(args, step, passes) * (x.T @ back + args.decay * 0.1 * first)
    return softmax(np.tanh(new @ first) @ second)
''',
    "report.py": '''\
"""What is said while it runs."""


def say(what, every=10, **values):
    """One line."""
    # One line.
    print(what, *(f"{name} is {value}" for name, value in values.items()))
''',
    "settings.json": """{
 "title": "first",
 "about": {"version": 1,
           "by": "us"},
 "power": 1.0,
 "of": {"what": "features",
        "each": "column"},
 "jitter": 0.0,
 "and": {"more": 0,
         "less": 0},
 "contact": "a"
}
""",
    "notes.md": "Notes.\n",
}


class Change(NamedTuple):
    """One difference between a good and a bad state.

    Attributes:
        name: what it does, for people.
        factor: what `assay why` calls it where files are not divided: a path, an argument, a variable.
        kind: of what it is a difference.
        edit: for code, the line that is replaced and what by; for arguments and variables, the value in the good and in the bad state
            (empty: absent); for data, empty.
        learners: those on which it can act; empty: all.
    """

    name: str
    factor: str
    kind: Kind
    edit: tuple[str, str] = ("", "")
    learners: tuple[str, ...] = ()


_STEPS = ("logistic", "mlp")

ACTS = (
    Change("half the steps", "train.py", "code", ("passes = args.steps", "passes = args.steps // 2"), ("logistic", "mlp", "kmeans")),
    Change("a column is lost", "loading.py", "code", ("x, y = table[:, :-1], table[:, -1]", "x, y = table[:, 4:-1], table[:, -1]")),
    Change(
        "min-max scale", "features.py", "code",
        ("spread = x[train].std(axis=0) + 1e-9", "spread = x[train].max(axis=0) - x[train].min(axis=0) + 1e-9"),
    ),
    Change("narrow clip", "features.py", "code", ("return np.clip(x, -4.0, 4.0)", "return np.clip(x, -0.5, 0.5)")),
    Change("smaller training set", "split.py", "code", ("HOLDOUT = 0.3", "HOLDOUT = 0.6")),
    Change("median for mean", "metrics.py", "code", ("value = np.mean(terms)", "value = np.median(terms)")),
    Change("shrunken predictions", "learners.py", "code", ("SHRINK = 0.0", "SHRINK = 0.3")),
    Change("fewer hidden units", "learners.py", "code", ("WIDTH = 12", "WIDTH = 2"), ("mlp",)),
    Change("smaller steps", "learners.py", "code", ("scale = 1.0", "scale = 0.25"), _STEPS),
    Change("another power", "settings.json", "code", ('"power": 1.0,', '"power": 0.4,')),
    Change("more decay", "decay", "param", ("0.01", "0.3")),
    Change("lower rate", "rate", "param", ("0.3", "0.05"), _STEPS),
    Change("fewer steps", "steps", "param", ("40", "15"), ("logistic", "mlp", "kmeans")),
    Change("spoilt rows", "data/table.csv", "data"),
    Change("workers", "OMP_NUM_THREADS", "flag", ("1", "4")),
    Change("low precision", "JAX_ENABLE_X64", "flag", ("1", "0")),
)  # fmt: skip

PAIRS = (
    (
        Change("a schedule", "schedule", "param", ("constant", "decaying")),
        Change(
            "schedules are obeyed", "learners.py", "code",
            ("scale = 1.0", 'scale = 1.0 if args.schedule == "constant" else (1 - step / passes) ** 8'), _STEPS,
        ),
    ),
    (
        Change("a bound", "clip", "param", ("9.0", "-0.3")),
        Change("the bound is obeyed", "loading.py", "code", ("bound = 9.0", "bound = args.clip")),
    ),
    (
        Change("other weights", "data/weights.csv", "data"),
        Change("weights are obeyed", "features.py", "code", ("emphasis = np.ones(x.shape[1])", "emphasis = weights")),
    ),
    (
        Change("jitter is on", "PYTORCH_JITTER", "flag", ("", "1")),
        Change("how much jitter", "settings.json", "code", ('"jitter": 0.0,', '"jitter": 2.0,')),
    ),
)  # fmt: skip

IDLE = (
    Change("imports in another order", "train.py", "code", ("import metrics", "import metrics as metrics  # first")),
    Change("a comment", "loading.py", "code", ("# The target is the last column.", "# Last: the target.")),
    Change("an equal expression", "loading.py", "code", ("number = table.shape[0]", "number = len(table)")),
    Change("a comment of features", "features.py", "code", ("# On one scale.", "# All columns on one scale.")),
    Change("a comment of splits", "split.py", "code", ("# Shuffled.", "# Shuffled, by the generator that is passed.")),
    Change("a doc string", "metrics.py", "code", ("# One number for each row.", "per_row = terms = None  # one number for each row")),
    Change("a local name", "learners.py", "code", ("# Every worker has its rows.", "rows = len(x)  # every worker has its rows")),
    Change("more is said", "report.py", "code", ("# One line.", 'print("at", every)')),
    Change("a title", "settings.json", "code", ('"title": "first",', '"title": "second",')),
    Change("a contact", "settings.json", "code", ('"contact": "a"', '"contact": "b"')),
    Change("a word", "tag", "param", ("", "second")),
    Change("how often it says", "log-every", "param", ("10", "25")),
    Change("an unused number", "loaders", "param", ("1", "4")),
    Change("priors that are not used", "data/priors.csv", "data"),
    Change("threads of another library", "MKL_DYNAMIC", "flag", ("TRUE", "FALSE")),
    Change("a variable of another library", "NCCL_DEBUG", "flag", ("", "WARN")),
    Change("a switch of another library", "TF_ENABLE_ONEDNN_OPTS", "flag", ("1", "0")),
)  # fmt: skip
UNUSED = Change("notes", "notes.md", "code", ("Notes.", "More notes."))
"""A file that nothing reads: it is ruled out without a run."""


def table(name: str, rows: int = 240) -> np.ndarray:
    """Rows of a bundled set with the target last."""
    x, y = getattr(datasets, "load_" + name.replace(" ", "_"))(return_X_y=True)
    if name == "digits":
        x = x.reshape(-1, 8, 4, 2).mean(axis=3).reshape(-1, 32)
    if name == "diabetes":
        y = (y - y.mean()) / y.std()
    chosen = np.random.default_rng(7).permutation(len(x))[:rows]
    return np.round(np.column_stack([x[chosen], y[chosen]]), 6)


def spoil(name: str, good: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """The data of the bad state."""
    bad = good.copy()
    if name == "data/table.csv":
        rows = rng.permutation(len(bad))[: int(strength * len(bad))]
        bad[rows, -1] = bad[np.roll(rows, 1), -1]
        return bad
    return np.round(rng.uniform(0.0, 2.5, size=good.shape), 3)


def lines_of(array: np.ndarray) -> str:
    rows = array if array.ndim == 2 else array[None]
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())
