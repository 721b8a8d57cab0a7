"""XGBoost: `xgboost.train(…, callbacks=[AssayCallback()])` records the metrics of every round."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import xgboost

from assay.project.following import Following


class AssayCallback(xgboost.callback.TrainingCallback):
    """Writes the evaluations of each round into the open run of Assay, or begins one: `DATA/METRIC`, the mean where it cross-validates.

    Args:
        name: of the run, where one is begun.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._following = Following(name)

    def before_training(self, model: Any) -> Any:
        """Record the booster's parameters, as far as it knows them; of a cross-validation there is no one booster."""
        save_config = getattr(model, "save_config", None)
        if save_config is not None:
            learner = json.loads(save_config())["learner"]
            self._following.params({"objective": learner["objective"]["name"], **_booster(learner["gradient_booster"])})
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Mapping[str, Sequence[Any]]]) -> bool:
        """Record the last value of every metric on every data set; never asks for an end."""
        values = {f"{data}/{metric}": _last(series) for data, metrics in evals_log.items() for metric, series in metrics.items()}
        self._following.log(values, epoch)
        return False

    def after_training(self, model: Any) -> Any:
        """End the run, where this callback began it."""
        self._following.finish()
        return model


def _last(series: Sequence[Any]) -> Any:
    # In a cross-validation each value is a pair of mean and standard deviation.
    value = series[-1]
    return value[0] if isinstance(value, tuple | list) else value


def _booster(found: Mapping[str, Any]) -> dict[str, Any]:
    settings = found.get("tree_train_param") or found.get("linear_train_param") or {}
    return {"booster": found.get("name", ""), **{name: _number(value) for name, value in settings.items()}}


def _number(text: str) -> Any:
    """XGBoost gives every setting as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
