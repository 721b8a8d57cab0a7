"""Keras: `model.fit(…, callbacks=[AssayCallback()])` records metrics by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from assay.project.following import Following

_PARAMS = ("epochs", "steps")


class AssayCallback(keras.callbacks.Callback):
    """Writes the logs of each epoch into the open run of Assay, or begins one.

    Args:
        name: of the run, where one is begun.
    """

    def __init__(self, name: str = "") -> None:
        super().__init__()
        self._following = Following(name)

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Record the optimiser's settings and how long the training is to be."""
        known = {name: self.params[name] for name in _PARAMS if self.params.get(name) is not None}
        optimizer = getattr(self.model, "optimizer", None)
        self._following.params(known | ({"optimizer": optimizer.get_config()} if optimizer is not None else {}))

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Record the epoch's metrics."""
        self._following.log(logs or {}, epoch)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """End the run, where this callback began it."""
        self._following.finish()
