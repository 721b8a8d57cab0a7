"""Starts of runs are read once, however often a study looks at them."""

from __future__ import annotations

from pathlib import Path

from assay.ablation.components import maximize, remove
from assay.execution.functions import Callables, FunctionExecutor
from assay.questions.study.definition import define, plan_study
from assay.questions.study.running import run_study
from assay.questions.study.starts import Starts
from assay.store.store import Store


def one_value(config: dict[str, int], seed: int) -> dict[str, float]:
    return {"y": float(config["a"] + seed)}


def test_a_start_is_read_once_and_one_that_was_removed_is_none(project: Path) -> None:
    store = Store.open(project)
    asked = define(
        name="", subject="s", baseline={"a": 1}, components=[remove("a", a=0)], metrics=[maximize("y")], seeds=[0], design="full",
        configurations={}, hypotheses=[],
    )  # fmt: skip
    executor = FunctionExecutor(store, project, Callables(one_value, lambda one: one.params))
    first, second = (row.run for row in run_study(store, asked, plan_study(asked), executor).rows)
    starts = Starts(store)
    known = starts.of(first)
    for run in (first, second):
        store.runs.remove(run)
    assert known is not None and known.id == first and starts.of(first) is known
    assert starts.of(second) is None
