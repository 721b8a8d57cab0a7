"""The run that a foreign trainer's callback logs into: the one that is open, or one of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from assay.project.live import Run
from assay.project.live import run as begin
from assay.records.run import State
from assay.tracking.joined import JoinedRecorder
from assay.tracking.leaving import current
from assay.tracking.recorder import Recorder


class Following:
    """Logs into the run of this process, or that of the `assay run` above it; begins a run where there is none, and then ends it too.

    What a trainer hands over is not the user's to correct: a parameter that is no plain value is kept as its text, and a value that is no
    number is left out.

    Args:
        name: of the run, where one is begun.
    """

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._run: Run | None = None
        self._own = False

    @property
    def run(self) -> Run:
        """The run, which is open from now on.

        Raises:
            StoreUnusable: one had to be begun, and the store cannot be made or written.
        """
        if self._run is None:
            active = current()
            self._own = not isinstance(active, Recorder)
            self._run = Run(JoinedRecorder(active)) if isinstance(active, Recorder) else begin(self._name)
        return self._run

    def params(self, values: Mapping[str, Any]) -> None:
        """Record parameters. Raises InvalidValue where the run has ended."""
        if values:
            self.run.param({str(key): _plain(value) for key, value in values.items()})

    def log(self, values: Mapping[str, Any], step: int | None = None, *, measured: bool = False) -> None:
        """Record the numbers among these values. Raises InvalidValue where the run has ended."""
        numbers = {str(name): number for name, value in values.items() if (number := _number(value)) is not None}
        if numbers:
            self.run.log(numbers, step=step, measured=measured)

    def finish(self, state: State = "finished") -> None:
        """End the run, where it was begun here; the next use begins another."""
        if self._run is not None and self._own:
            self._run.finish(state)
        self._run = None


def _number(value: Any) -> float | None:
    try:
        plain = value.item() if callable(getattr(value, "item", None)) else value
        return None if isinstance(plain, bool | str | bytes) else float(plain)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None


def _plain(value: Any) -> Any:
    """`value` as what a parameter can be, nested mappings and lists kept."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2**63 else str(value)
    number = _number(value)
    return str(value) if number is None or math.isnan(number) else number
