"""Metrics in printed output: found where they are meant, and nowhere else."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.tracking.sources.output import read_output

FOUND = [
    ("epoch 3 loss=0.12 acc: 91.2%", 3, {"loss": 0.12, "acc": 91.2}),
    ("step=10 loss = 1e-3", 10, {"loss": 0.001}),
    ("Epoch [3/10], Step [100/600], Loss: 0.2521", 100, {"Loss": 0.2521}),
    ("Epoch 3 Train Loss: 0.5 | Val Loss: 0.6", 3, {"Train Loss": 0.5, "Val Loss": 0.6}),
    ("Test set: Average loss: 0.0265, Accuracy: 9916/10000 (99%)", None, {"Average loss": 0.0265, "Accuracy": 99.0}),
    ("Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.282550", 1, {"Loss": 2.28255}),
    ("{'loss': 0.3, 'grad_norm': 1.2, 'epoch': 2.0}", 2, {"loss": 0.3, "grad_norm": 1.2}),
    ('{"step": 5, "loss": 0.5, "note": "x", "ok": true}', 5, {"loss": 0.5}),
    ("INFO:root:loss=0.3", None, {"loss": 0.3}),
    ("2026-11-21 10:00:00,123 INFO train: val loss: 0.25", None, {"val loss": 0.25}),
    ("loss: tensor(0.3120, grad_fn=<NllLossBackward0>)", None, {"loss": 0.312}),
    ("step 0: train loss 4.28, val loss 4.30", 0, {"train loss": 4.28, "val loss": 4.30}),
    ("step 33 loss 0.1858, accuracy 95.0%", 33, {"loss": 0.1858, "accuracy": 95.0}),
    ("iter_dt 2033.26ms; iter 30: train loss 1.91890", 30, {"train loss": 1.9189}),
    ("[10]\tvalidation_0-logloss:0.55\tvalid-auc:0.9", 10, {"validation_0-logloss": 0.55, "valid-auc": 0.9}),
    ("Iteration 1, loss = 2.3", 1, {"loss": 2.3}),
    ("10/10 [====] - 0s 1ms/step - loss: 0.5 - accuracy: 0.9", None, {"loss": 0.5, "accuracy": 0.9}),
    ("Mean squared error on test set: 0.25.", None, {"Mean squared error on test set": 0.25}),
    ("\x1b[1;32maccuracy: 0.75\x1b[0m", None, {"accuracy": 0.75}),
    ("parameters: 1,234,567", None, {"parameters": 1234567.0}),
    ("The mean squared error (MSE) on test set: 3031.9908", None, {"The mean squared error (MSE) on test set": 3031.9908}),
    ("Loss: 0.000925 after 294 batches", None, {"Loss": 0.000925}),
]

NOTHING = [
    "Using device: cuda:0",
    "TensorBoard at http://localhost:6006/?a=1&b=2",
    "Namespace(lr=0.1, epochs=10)",
    "Adam(lr=0.1, betas=(0.9, 0.999))",
    "LogisticRegression(C=1.0, class_weight=None,\n                   max_iter=100, tol=0.0001)",
    "Version: 1.2.3",
    "torch==2.1.0 numpy>=1.26",
    "saved checkpoint-epoch=3-val_loss=0.25.ckpt",
    "writing /tmp/run=3/x",
    "elapsed: 12:30:45, ETA: 0:01:02",
    "UserWarning: 3 things went wrong",
    "Found: 3 files",
    "train.py:10: error",
    "2026-11-21T10:00:00 started",
    "2026-11-21 10:00:00,123 - INFO - starting epoch 3",
    "seed: 42",
    "pid=1234 port=8080",
    "100%|██████████| 10/10 [00:01<00:00, 9.93it/s, loss=0.3]",
    '  File "train.py", line 10, in <module>',
    "timestamp: 1732186800.123",
    "==> Actual function:\ty = +2.28 x^1 -1.46 x^2 +4.31",
    "y = 2 * x",
    "system:\n    seed: 3407\n    work_dir: ./out\nmodel:\n    n_embd: None\n    attn_pdrop: 0.1",
    "epoch 3 took 2.5",
    "lr_decay_iters = 5000 # make equal to max_iters usually",
    "[rank: 0] Received SIGTERM: 15",
]


def metrics(text: str, params: dict[str, object] | None = None) -> list[tuple[int | None, dict[str, float]]]:
    return [(line.step, line.values) for line in read_output(text.encode(), [(10**9, 5.0)], params or {})]


@pytest.mark.parametrize(("text", "step", "values"), FOUND)
def test_a_metric_is_found_with_its_step(text: str, step: int | None, values: dict[str, float]) -> None:
    """The lines of common trainers give their metrics."""
    assert metrics(text) == [(step, values)]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_metric_gives_nothing(text: str) -> None:
    """Settings, versions, paths, clocks, bars and warnings are not metrics."""
    assert metrics(text) == []


def test_nan_and_infinities_are_values() -> None:
    """A run that diverged says so."""
    ((_, values),) = metrics("loss=nan val_loss: -inf acc=NaN")
    assert math.isnan(values["loss"]) and values["val_loss"] == -math.inf and math.isnan(values["acc"])


def test_of_a_line_that_is_rewritten_only_the_last_state_counts() -> None:
    """Keras rewrites its line with a carriage return; the states between are no points."""
    assert metrics("\r1/2 [=>..] - loss: 0.9\r2/2 [====] - loss: 0.5\n") == [(None, {"loss": 0.5})]


def test_a_printed_parameter_is_no_metric() -> None:
    """`lr=0.1` printed by a script that was started with it says nothing new; another value does."""
    assert metrics("lr=0.1 loss=0.5", {"lr": 0.1}) == [(None, {"loss": 0.5})]
    assert metrics("lr=0.05", {"lr": 0.1}) == [(None, {"lr": 0.05})]


def test_a_report_of_a_classifier_gives_what_it_says_of_all_classes() -> None:
    """As scikit-learn prints it; a second report in the same output goes on, and rows of classes are passed over."""
    pytest.importorskip("sklearn")
    script = (
        "from sklearn.metrics import classification_report as r\n"
        "print('Report:\\n%s\\n' % r([0, 1, 1, 2], [0, 1, 1, 1], zero_division=0))\n"
        "print(r([[0, 1], [1, 1]], [[0, 1], [1, 0]], zero_division=0))\n"
        "print('accuracy 3 of 7')\nprint('done: 3 rows')\n"
    )
    text = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    values = [row for _, row in metrics(text)]
    assert {"accuracy": 0.75} in values
    assert {"macro avg precision": 0.56, "macro avg recall": 0.67, "macro avg f1-score": 0.6} in values
    assert {name for row in values for name in row} == {
        "accuracy", *(f"{avg} avg {column}" for avg in ("micro", "macro", "weighted", "samples")
                      for column in ("precision", "recall", "f1-score")),
    }  # fmt: skip


def test_each_line_has_the_time_at_which_it_came() -> None:
    """Marks tell by when how many bytes had come."""
    data = b"a=1\nb=2\n"
    assert [line.time for line in read_output(data, [(4, 10.0), (8, 20.0)], {})] == [10.0, 20.0]


def test_what_libraries_print_holds_no_metric() -> None:
    """The real words of pip, tqdm, torch and scikit-learn, without a result among them."""
    code = (
        "import sys, warnings, torch, sklearn\n"
        "from tqdm import tqdm\n"
        "for _ in tqdm(range(3)): pass\n"
        "print(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(p=0.5)))\n"
        "print(torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.1))\n"
        "print(torch.__config__.parallel_info())\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.datasets import load_digits\n"
        "x, y = load_digits(return_X_y=True)\n"
        "print(LogisticRegression(max_iter=2, C=0.5, tol=1e-3).fit(x, y))\n"
        "sklearn.show_versions()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    pip = subprocess.run([sys.executable, "-m", "pip", "list", "--disable-pip-version-check"], capture_output=True, check=True)
    found = {name for data in (done.stdout, done.stderr, pip.stdout) for line in read_output(data, [], {}) for name in line.values}
    assert found == set()


@given(st.text())
def test_no_output_raises(text: str) -> None:
    """Whatever is printed, reading it ends."""
    metrics(text)


@given(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.floats(allow_nan=False))
def test_a_printed_float_is_read_back_exactly(name: str, value: float) -> None:
    """`name=repr(value)` gives the same float, for every name that is not reserved."""
    found = metrics(f"x_{name}_loss={value!r}")
    assert found == [(None, {f"x_{name}_loss": value})]


BAR = "\r 90%|█████████ | 9/10 [00:01<00:00, 9.93it/s]\r100%|██████████| 10/10 [00:01<00:00, 9.93it/s, loss=0.9]"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (f"{BAR}loss=0.3\n", {"loss": 0.3}),
        (f"{BAR}\rloss=0.3\n", {"loss": 0.3}),
        (f"loss=0.3{BAR}\n", {"loss": 0.3}),
        (f"{BAR}\x1b[A\nloss=0.3\n", {"loss": 0.3}),
        (f"{BAR * 100}loss=0.3\n", {"loss": 0.3}),
        ("\r5it [00:01, 4.95it/s]loss=0.3\n", {"loss": 0.3}),
        (f"{BAR}epoch 3: val loss: 0.25\n", {"val loss": 0.25}),
    ],
)
def test_what_is_printed_on_the_line_of_a_bar_is_found(text: str, values: dict[str, float]) -> None:
    """In a terminal a bar and what the script prints share a line; the numbers of the bar itself are none."""
    assert [found for _, found in metrics(text)] == [values]


def test_a_bar_of_tqdm_and_a_print_between_share_their_terminal() -> None:
    """The bytes of the real library, with standard output and standard error as one."""
    code = (
        "from tqdm import tqdm\n"
        "for step in tqdm(range(3), ascii=True, mininterval=0):\n"
        "    print(f'step={step} loss={1 / (step + 1)}', flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    assert [(step, values) for step, values in metrics(done.stdout.decode())] == [
        (0, {"loss": 1.0}), (1, {"loss": 0.5}), (2, {"loss": 1 / 3})
    ]  # fmt: skip


def test_a_line_without_end_is_passed_over_in_no_time() -> None:
    """Megabytes of digits behind a carriage return are data."""
    assert metrics("\r" + "1" * (1 << 22) + "%|") == []


def test_an_outline_of_results_is_none_of_settings() -> None:
    """Nor does one of settings hide what follows it."""
    text = b"results:\n  model: resnet\n  accuracy: 0.9\nmodel:\n  width: 3.5\n  bias: None\nloss: 0.5\n"
    assert [line.values for line in read_output(text, [], {})] == [{"accuracy": 0.9}, {"loss": 0.5}]
