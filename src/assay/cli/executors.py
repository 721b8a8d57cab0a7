"""The options by which a command says where trials run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from assay.execution.elsewhere.choice import EXECUTORS


def executor_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--executor`, `--slurm` and `--ray`."""
    for option in (
        click.option(
            "--ray", default="", metavar="RESOURCES", help="Resources of each task of Ray in one word: 'num_cpus=2 num_gpus=1'."
        ),
        click.option(
            "--slurm", default="", metavar="OPTIONS", help="Options for sbatch in one word: '--partition=gpu --time=2:00:00'."
        ),
        click.option(
            "--executor",
            type=click.Choice(EXECUTORS),
            default="local",
            show_default=True,
            help="Where trials run; slurm: each worker is a job; ray: each is a task.",
        ),
    ):
        function = option(function)
    return function
