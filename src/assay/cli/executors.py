"""The options by which a command says where trials run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from assay.execution.elsewhere.choice import EXECUTORS


def executor_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--executor` and `--slurm`."""
    for option in (
        click.option(
            "--slurm", default="", metavar="OPTIONS", help="Options for sbatch in one word: '--partition=gpu --time=2:00:00'."
        ),
        click.option(
            "--executor",
            type=click.Choice(EXECUTORS),
            default="local",
            show_default=True,
            help="Where trials run; slurm: each worker in a job of its own.",
        ),
    ):
        function = option(function)
    return function
