"""What of a study's setup is this machine's own, where its servers run on several."""

from __future__ import annotations

import os

from assay.capture.environment import describe
from assay.capture.interpreter import this_interpreter
from assay.errors import EnvironmentUnavailable
from assay.execution.setup import Setup
from assay.store.store import Store


def as_here(setup: Setup, store: Store) -> Setup:
    """The setup with the environment of this machine, asked once; as it is beside the study's process, and for commands, which describe their own.

    Raises:
        EnvironmentUnavailable: Python or its packages are others than those of the study's process, which the recipes name.
        StoreUnusable: the store cannot take the record.
    """
    if not setup.far or setup.function is None:
        return setup
    found = describe(store, this_interpreter(), os.environ)
    theirs, ours = found[1], setup.environment[1]
    if (theirs.python, theirs.packages) != (ours.python, ours.packages):
        raise EnvironmentUnavailable(
            f"Python or its packages are not the same on {os.uname().nodename} as where the study was started",
            value=theirs.executable,
            expected=f"{ours.python} with the same packages",
            next_step="Put the environment on a file system that all machines share.",
        )
    return setup._replace(environment=found, far=False)
