"""PyTorch Lightning: `Trainer(logger=AssayLogger())` records hyperparameters and metrics."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from lightning.pytorch.loggers.logger import Logger
from lightning.pytorch.utilities import rank_zero_only

from assay.project.following import Following
from assay.records.run import State


class AssayLogger(Logger):
    """A logger of Lightning that writes into the open run of Assay, or begins one. Only rank 0 writes.

    Args:
        name: of the run, where one is begun.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._name = name
        self._following = Following(name)

    @property
    def name(self) -> str:
        """The name of the run, as Lightning asks for it when it chooses folders."""
        return self._name or "assay"

    @property
    def version(self) -> str:
        """The id of the run."""
        return self._following.run.id

    @rank_zero_only
    def log_hyperparams(self, params: Mapping[str, Any] | Namespace, *args: Any, **kwargs: Any) -> None:
        """Record hyperparameters as parameters of the run."""
        self._following.params(vars(params) if isinstance(params, Namespace) else params)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Record metrics at a step; Lightning adds the epoch to them, which is no metric."""
        self._following.log({name: value for name, value in metrics.items() if name != "epoch"}, step)

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """End the run, where this logger began it, as Lightning says it ended."""
        states: dict[str, State] = {"success": "finished", "failed": "failed", "interrupted": "interrupted"}
        self._following.finish(states.get(status, "finished"))
