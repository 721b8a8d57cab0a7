"""Hugging Face Transformers: `Trainer(callbacks=[AssayCallback()])` records training arguments and metrics."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from assay.project.following import Following

_NO_PARAMS = ("output_dir", "logging_dir", "run_name")
_NO_METRICS = ("epoch", "step")
_MEASURED = ("_runtime", "_per_second", "_flos")


class AssayCallback(TrainerCallback):
    """Writes what a `Trainer` logs into the open run of Assay, or begins one. Only the main process writes.

    Args:
        name: of the run, where one is begun.
    """

    def __init__(self, name: str = "") -> None:
        self._following = Following(name)

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Record the training arguments that differ from their defaults."""
        if state.is_world_process_zero:
            self._following.params(_changed(args))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Record what was logged at the step that the trainer has reached; times and rates are measurements."""
        if not state.is_world_process_zero:
            return
        found = {name: value for name, value in (logs or {}).items() if name not in _NO_METRICS}
        measured = {name: value for name, value in found.items() if name.endswith(_MEASURED)}
        self._following.log({name: value for name, value in found.items() if name not in measured}, state.global_step)
        self._following.log(measured, state.global_step, measured=True)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """End the run, where this callback began it."""
        if state.is_world_process_zero:
            self._following.finish()


def _changed(args: TrainingArguments) -> dict[str, Any]:
    """Arguments that are not what they would be if nobody had set them; folders of the machine are no parameters."""
    plain = args.to_dict()
    return {
        field.name: plain[field.name]
        for field in fields(args)
        if field.name in plain and field.name not in _NO_PARAMS and getattr(args, field.name) != _default(field)
    }


def _default(field: Field[Any]) -> Any:
    # Not by making arguments of defaults: that would set up the accelerator anew, under the trainer that runs.
    return field.default_factory() if field.default_factory is not MISSING else field.default
