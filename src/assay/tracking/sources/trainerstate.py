"""What a Hugging Face `Trainer` leaves: its state in every checkpoint, all that it has logged since its start, and summaries at the end."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

FILE = "trainer_state.json"
SUMMARY = "all_results.json"  # of `Trainer.save_metrics`, which adds each of the parts to it
_PARTS = ("train_results.json", "eval_results.json", "test_results.json", "predict_results.json")
_CHECKPOINT = re.compile(r"checkpoint-\d+")


def read_trainer_state(text: str) -> list[dict[str, Any]]:
    """The rows of the history, each with its step; none where the document is torn or is another one."""
    try:
        state = json.loads(text)
    except (ValueError, RecursionError):
        return []
    history = state.get("log_history") if isinstance(state, dict) else None
    return [row for row in history if isinstance(row, dict)] if isinstance(history, list) else []


def training_of(path: str) -> str:
    """The folder of the training that a state belongs to: every checkpoint's state repeats those of the checkpoints before.

    >>> training_of("out/checkpoint-500/trainer_state.json"), training_of("out/trainer_state.json")
    ('out', 'out')
    """
    folder = PurePosixPath(path).parent
    return str(folder.parent if _CHECKPOINT.fullmatch(folder.name) else folder)


def furthest(paths_with_rows: Iterable[tuple[str, int]]) -> set[str]:
    """Of each training the path of the state that has the most rows; among equals the one in the training's own folder."""
    best: dict[str, tuple[int, int, str]] = {}
    for path, rows in paths_with_rows:
        training = training_of(path)
        best[training] = max(best.get(training, (-1, 0, "")), (rows, -len(path), path))
    return {path for _, _, path in best.values()}


def is_part(path: str, places: Iterable[str]) -> bool:
    """Whether a file repeats a part of the summary beside it, which is among `places`.

    >>> is_part("out/eval_results.json", ["out/all_results.json"]), is_part("out/eval_results.json", ["all_results.json"])
    (True, False)
    """
    file = PurePosixPath(path)
    return file.name in _PARTS and str(file.with_name(SUMMARY)) in places
