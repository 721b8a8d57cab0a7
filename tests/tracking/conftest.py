"""A process of its own that supervises a command, driven through pipes or a real terminal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.records.run import Run
from assay.store.store import Store

DRIVER = """
import os, sys
from pathlib import Path
from assay.errors import CommandNotFound
from assay.store.store import Store
from assay.tracking.supervise import supervise
root = Path.cwd()
try:
    done = supervise(Store.open(root), root, sys.argv[1:], cwd=root)
except CommandNotFound as error:
    print(error, file=sys.stderr)
    sys.exit(127)
sys.exit(done.exit_code)
"""


@pytest.fixture
def driver(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The words that, put before a command, supervise it."""
    path = tmp_path_factory.mktemp("driver") / "driver.py"
    path.write_text(DRIVER)
    return [sys.executable, str(path)]


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(driver: list[str], project: Path) -> Start:
    """Start a supervised command in the project; keywords as for Popen."""

    def start(*command: str, **options: object) -> subprocess.Popen[bytes]:
        given = {"cwd": project, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
        return subprocess.Popen([*driver, *command], **given)  # type: ignore[call-overload, no-any-return]

    return start


@pytest.fixture
def only_run(project: Path) -> Callable[[], Run]:
    """The one run in the project's store."""

    def only_run() -> Run:
        store = Store.open(project)
        (run_id,) = store.runs.ids()
        return store.runs.read(run_id)

    return only_run
