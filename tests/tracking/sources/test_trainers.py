"""What trainers leave behind: Hugging Face's state, Lightning's table of sparse rows, Keras' log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.records.trace import FileUse
from assay.tracking.sources.csvlog import read_csv_log
from assay.tracking.sources.harvest import Output, harvest
from assay.tracking.sources.trainerstate import read_trainer_state
from assay.tracking.summary import summarise


def state(*history: dict[str, float]) -> str:
    """The document that a trainer writes."""
    return json.dumps({"best_metric": None, "epoch": 2.0, "global_step": 16, "log_history": list(history), "max_steps": 16})


FIRST = {"epoch": 1.0, "loss": 0.9, "grad_norm": 2.0, "learning_rate": 5e-5, "step": 8}
EVALUATED = {"epoch": 1.0, "eval_loss": 1.4, "eval_runtime": 0.2, "eval_samples_per_second": 40.0, "step": 8}
LAST = {"epoch": 2.0, "loss": 0.5, "step": 16}


def found(root: Path, files: dict[str, str], printed: str = "") -> dict[str, list[tuple[int | None, float]]]:
    """Steps and values by name, of the source that counts."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    outputs = [Output(printed.encode(), [(len(printed), 1.0)])] if printed else []
    points = harvest(root, [FileUse(path=name) for name in files], outputs, {}).points
    chosen = summarise(points)
    return {
        name: [(point.step, point.values[name]) for point in points if name in point.values and point.source == metric.source]
        for name, metric in chosen.items()
    }


def test_a_trainers_state_is_read_once(tmp_path: Path) -> None:
    """Every checkpoint repeats what those before it hold; the furthest one counts, and names stay as they are."""
    files = {
        "out/checkpoint-8/trainer_state.json": state(FIRST, EVALUATED),
        "out/checkpoint-16/trainer_state.json": state(FIRST, EVALUATED, LAST),
    }
    metrics = found(tmp_path, files)
    assert metrics["loss"] == [(8, 0.9), (16, 0.5)]
    assert metrics["eval_loss"] == [(8, 1.4)]
    assert set(metrics) == {"loss", "grad_norm", "learning_rate", "eval_loss", "eval_runtime", "eval_samples_per_second"}


def test_two_trainings_are_told_apart(tmp_path: Path) -> None:
    """By the folders they wrote to."""
    metrics = found(tmp_path, {"a/checkpoint-8/trainer_state.json": state(FIRST), "b/checkpoint-8/trainer_state.json": state(LAST)})
    assert {name for name in metrics if name.endswith("loss")} == {
        "a/checkpoint-8/trainer_state/loss",
        "b/checkpoint-8/trainer_state/loss",
    }


def test_summaries_at_the_end_repeat_nothing(tmp_path: Path) -> None:
    """What the state and the output have is not there again under the name of each summary's file; the rest has its plain name."""
    files = {
        "out/trainer_state.json": state(FIRST, EVALUATED, {"train_loss": 0.7, "total_flos": 3.0, "step": 16}),
        "out/all_results.json": json.dumps({"train_loss": 0.7, "total_flos": 3.0, "eval_loss": 1.1, "perplexity": 3.0}),
        "out/train_results.json": json.dumps({"train_loss": 0.7, "total_flos": 3.0}),
        "out/eval_results.json": json.dumps({"eval_loss": 1.1, "perplexity": 3.0}),
    }
    metrics = found(tmp_path, files, "{'eval_loss': 1.4, 'epoch': 1.0}\n{'eval_loss': 1.1, 'epoch': 2.0}\n")
    assert metrics["perplexity"] == [(None, 3.0)]
    assert [value for _, value in metrics["eval_loss"]] == [1.4, 1.1]
    assert metrics["train_loss"] == [(16, 0.7)]
    assert not [name for name in metrics if "/" in name]


def test_what_was_printed_after_the_last_checkpoint_counts(tmp_path: Path) -> None:
    """The last evaluation comes after the last checkpoint, and stands in no state."""
    printed = "{'eval_loss': 1.4, 'epoch': 1.0}\n{'eval_loss': 1.1, 'epoch': 2.0}\n{'loss': 0.9, 'epoch': 1.0}\n"
    metrics = found(tmp_path, {"out/checkpoint-16/trainer_state.json": state(FIRST, EVALUATED, LAST)}, printed)
    assert [value for _, value in metrics["eval_loss"]] == [1.4, 1.1]
    assert metrics["loss"] == [(8, 0.9), (16, 0.5)]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"log_history": 3}', '{"log_history": [1, null]}', "[" * 100_000])
def test_what_is_no_state_holds_nothing(text: str) -> None:
    """Torn, of another kind, or hostile."""
    assert read_trainer_state(text) == []


def test_lightnings_rows_are_sparse(tmp_path: Path) -> None:
    """Training and validation stand in rows of their own, with the same step."""
    table = "epoch,step,train_loss,val_loss\n0,7,0.9,\n0,7,,1.5\n1,15,0.4,\n1,15,,nan\n"
    metrics = found(tmp_path, {"logs/version_0/metrics.csv": table})
    assert metrics["train_loss"] == [(7, 0.9), (15, 0.4)]
    assert [step for step, _ in metrics["val_loss"]] == [7, 15]


def test_keras_calls_its_table_a_log(tmp_path: Path) -> None:
    """Of whatever name; what could not be computed is left out."""
    metrics = found(tmp_path, {"training.log": "epoch,loss,val_loss\n0,0.9,NA\n1,0.4,0.5\n"})
    assert metrics == {"loss": [(0, 0.9), (1, 0.4)], "val_loss": [(1, 0.5)]}


@pytest.mark.parametrize("text", ["", "INFO, started\n1, 2\n", "epoch 1 loss 2\n", "loss,epoch\n1,2\n", "epoch\n1\n", "\0\0\n"])
def test_other_logs_are_no_tables(text: str) -> None:
    """Even where a comma stands in their first line."""
    assert list(read_csv_log(text)) == []
