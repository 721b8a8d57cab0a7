"""Adapters against the real libraries, in processes of their own; skipped where a library is not installed.

The same duties for each: it logs into the run that is open, begins and ends one where there is none, and gives each step's values.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from assay.project.project import Project
from assay.records.run import Run
from assay.tracking.series import series


class Library(NamedTuple):
    """A short training that calls `train()`, and what is to be found of it."""

    setup: str
    metrics: set[str]
    param: tuple[str, object]
    points: int
    module: str = ""


DATA = "import numpy as np\nrandom = np.random.RandomState(0)\nx = random.rand(64, 4).astype('float32')\ny = x.sum(1)\n"
LIBRARIES = {
    "xgboost": Library(
        DATA
        + """
import xgboost
from assay.adapters.xgboost import AssayCallback
def train():
    data = xgboost.DMatrix(x, y)
    xgboost.train({"max_depth": 3}, data, 4, evals=[(data, "train")], callbacks=[AssayCallback()], verbose_eval=False)
""",
        {"train/rmse"},
        ("max_depth", 3),
        4,
    ),
    "lightgbm": Library(
        DATA
        + """
import lightgbm
from assay.adapters.lightgbm import AssayCallback
def train():
    data = lightgbm.Dataset(x, y)
    settings = {"num_leaves": 7, "verbose": -1, "metric": "l2"}
    lightgbm.train(settings, data, 4, valid_sets=[data], valid_names=["train"], callbacks=[AssayCallback()])
""",
        {"train/l2"},
        ("num_leaves", 7),
        4,
    ),
    "keras": Library(
        DATA
        + """
import os
os.environ["KERAS_BACKEND"] = "torch"
import keras
from assay.adapters.keras import AssayCallback
def train():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, epochs=3, validation_split=0.25, callbacks=[AssayCallback()], verbose=0)
""",
        {"loss", "val_loss"},
        ("epochs", 3),
        3,
    ),
    "lightning": Library(
        """
import lightning, torch
from assay.adapters.lightning import AssayLogger
class Model(lightning.LightningModule):
    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(4, 1)
    def training_step(self, batch, index):
        loss = (self.layer(batch) ** 2).mean()
        self.log("loss", loss)
        return loss
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
def train():
    loader = torch.utils.data.DataLoader(torch.ones(64, 4), batch_size=8)
    lightning.Trainer(
        max_epochs=2, logger=AssayLogger(), log_every_n_steps=4, enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False, accelerator="cpu",
    ).fit(Model(), loader)
""",
        {"loss"},
        ("lr", 0.1),
        4,
    ),
    "transformers": Library(
        """
import torch
from transformers import Trainer, TrainingArguments
from assay.adapters.transformers import AssayCallback
class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
    def forward(self, x=None, labels=None):
        out = self.layer(x).squeeze(-1)
        return {"loss": ((out - labels) ** 2).mean(), "logits": out}
def train():
    data = [{"x": torch.ones(4), "labels": torch.tensor(1.0)} for _ in range(64)]
    settings = TrainingArguments(
        "out", num_train_epochs=2, per_device_train_batch_size=8, logging_steps=4, save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True
    )
    Trainer(Model(), settings, train_dataset=data, callbacks=[AssayCallback()]).train()
""",
        {"loss"},
        ("num_train_epochs", 2),
        4,
        "accelerate",
    ),
}
Carried = Callable[[str, str], Run]


@pytest.fixture
def carried(project: Path) -> Carried:
    """A function that runs a library's training with this last line, by these words before the interpreter, and gives its only run."""

    def carried(name: str, last: str, *, under: bool = False) -> Run:
        library = LIBRARIES[name]
        if find_spec(name) is None or (library.module and find_spec(library.module) is None):
            pytest.skip(f"{name} is not installed")
        (project / "train.py").write_text(f"{library.setup}\n{last}\n")
        before = [sys.executable, "-m", "assay", "run"] if under else []
        done = subprocess.run(
            [*before, sys.executable, "train.py"], cwd=project, env={**os.environ, "HF_HUB_OFFLINE": "1"},
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (run,) = Project.open(project).runs()
        return run

    return carried


def check(name: str, run: Run, project: Path) -> None:
    """What every adapter owes."""
    library = LIBRARIES[name]
    assert run.state == "finished"
    assert library.metrics <= run.metrics.keys()
    assert run.params[library.param[0]] == library.param[1]
    found = series(Project.open(project).store, run.id)
    for metric in library.metrics:
        steps = [step for step in found[metric].steps if step is not None]
        assert len(steps) == library.points and steps == sorted(set(steps))


@pytest.mark.parametrize("name", LIBRARIES)
def test_where_no_run_is_open_one_is_begun_and_ended(name: str, carried: Carried, project: Path) -> None:
    """And it ends with the training, not with the process."""
    ended = "from assay.tracking.leaving import current\ntrain()\nassert current() is None"
    check(name, carried(name, ended), project)


@pytest.mark.parametrize("name", LIBRARIES)
def test_an_open_run_is_joined_and_stays_open(name: str, carried: Carried, project: Path) -> None:
    """What the user logs afterwards lands in the same run."""
    last = "import assay\nwith assay.run('mine') as run:\n    train()\n    run.log(after=1.0)"
    run = carried(name, last)
    check(name, run, project)
    assert (run.start.name, run.metrics["after"]) == ("mine", 1.0)


@pytest.mark.parametrize("name", LIBRARIES)
def test_under_assay_run_it_is_the_commands_run(name: str, carried: Callable[..., Run], project: Path) -> None:
    """One run, with code and output, and the points that the adapter logged."""
    run = carried(name, "train()", under=True)
    check(name, run, project)
    assert run.start.command[-1] == "train.py"
    assert all(run.result.metrics[metric].source == "log" for metric in LIBRARIES[name].metrics if run.result is not None)
