"""LightGBM: `lightgbm.train(…, callbacks=[AssayCallback()])` records the metrics of every iteration."""

from __future__ import annotations

from lightgbm.callback import CallbackEnv

from assay.project.following import Following


class AssayCallback:
    """Writes the evaluations of each iteration into the open run of Assay, or begins one: `DATA/METRIC`, the mean where it cross-validates.

    Args:
        name: of the run, where one is begun.

    Attributes:
        order: place among the callbacks: before early stopping, which ends the iteration by an exception.
        before_iteration: it is called after each iteration.
    """

    order = 20
    before_iteration = False

    def __init__(self, name: str = "") -> None:
        self._following = Following(name)

    def __call__(self, env: CallbackEnv) -> None:
        """Record the parameters before the first iteration's values, the values, and the end after the last one."""
        if env.iteration == env.begin_iteration:
            self._following.params(env.params)
        # An evaluation is (data, metric, value, higher is better), and in a cross-validation has a standard deviation too.
        self._following.log({f"{each[0]}/{each[1]}": each[2] for each in env.evaluation_result_list or ()}, env.iteration)
        if env.iteration == env.end_iteration - 1:
            self._following.finish()
