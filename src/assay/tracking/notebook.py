"""A notebook as a command: how it is spelled, what is really started, and what it looked like when it had been executed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from assay.capture.code_secrets import without_secrets
from assay.capture.notebooks import SUFFIX, python_for, runner_file
from assay.capture.secrets import redact
from assay.records.trace import FileUse
from assay.store.store import Store
from assay.tracking.command import parameters, script_at
from assay.tracking.recipe import shown_path

_EXECUTED: Final = ".executed" + SUFFIX


def spelled_out(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> list[str]:
    """The command with the interpreter that runs its notebook before it, where it has a notebook for a program; any other as it is.

    Raises:
        CommandNotFound: the notebook does not exist.
        InvalidValue: it is no notebook, or one in another language than Python.
    """
    at = notebook_at(command)
    if at is None:
        return list(command)
    python = python_for(cwd / command[at], env, cwd)  # looked at in either spelling: what is no notebook is refused
    return [python, *command] if at == 0 else list(command)


def notebook_at(command: Sequence[str]) -> int | None:
    """Where a command names the notebook that it runs, by itself or behind a Python interpreter; None where it runs none.

    >>> notebook_at(["train.ipynb", "--lr", "0.1"]), notebook_at(["python", "-u", "train.ipynb"]), notebook_at(["python", "train.py"])
    (0, 2, None)
    """
    at = 0 if command and command[0].endswith(SUFFIX) else script_at(command)
    return at if at is not None and command[at].endswith(SUFFIX) else None


class Notebook:
    """The notebook of a command that is about to be started, with what is reported of its cells below `folder`."""

    def __init__(self, command: Sequence[str], at: int, cwd: Path, folder: Path) -> None:
        self._command = command
        self._at = at
        self._path = cwd / command[at]
        self._folder = folder

    @property
    def words(self) -> list[str]:
        """What is started: the interpreter, the script that runs notebooks, the notebook, its arguments.

        Raises:
            OSError: that script can be laid nowhere.
        """
        return [*self._command[: self._at], str(runner_file(self._folder)), *self._command[self._at :]]

    @property
    def variables(self) -> dict[str, str]:
        """What the script is told beside its arguments."""
        return {"ASSAY_CELLS": str(self._report), "ASSAY_PARAMETERS": json.dumps(parameters(self._command))}

    @property
    def _report(self) -> Path:
        return self._folder / "cells"

    def executed(self, store: Store, root: Path) -> Iterator[FileUse]:
        """The notebook with the outputs of the cells that ran, which is in the store afterwards; nothing where none did.

        Raises:
            OSError, ValueError: the report cannot be read.
            StoreUnusable: the store cannot take it.
        """
        if not self._report.exists():
            return
        with self._report.open("rb") as lines:
            content = _filled(lines)
        self._report.unlink()
        if content is not None:
            path = self._path.with_name(self._path.name.removesuffix(SUFFIX) + _EXECUTED)
            content = without_secrets(path.name, content)[0]  # those of its cells; the notebook itself is kept without them too
            size = len(content)
            yield FileUse(path=shown_path(path, root), id=store.objects.put(content), size=size, kept=True, by="cells")


def _filled(lines: Iterator[bytes]) -> bytes | None:
    """The reported notebook with each reported cell filled in; a line that is not whole, the last of a process that was killed, is left out."""
    head, *reports = [json.loads(line) for line in lines if line.endswith(b"\n")]
    document = json.loads(head["notebook"])
    if not isinstance(document.get("cells"), list):  # format 3, which nothing writes any more: its output is in the run's
        return None
    for cell in document["cells"]:
        if cell.get("cell_type") == "code":
            cell |= {"outputs": [], "execution_count": None}
    for report in reports:
        cell = document["cells"][report["place"]]
        cell["execution_count"] = report["count"]
        cell["outputs"] = [_output(output, report["count"]) for output in report["outputs"]]
        metadata = cell["metadata"] if isinstance(cell.get("metadata"), dict) else {}
        began, ended = (_iso(seconds) for seconds in (report["began"], report["began"] + report["took"]))
        cell["metadata"] = metadata | {"execution": {"iopub.execute_input": began, "shell.execute_reply": ended}}
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _output(output: dict[str, Any], count: int) -> dict[str, Any]:
    told = {key: _redacted(value) for key, value in output.items()}
    return told | {"execution_count": count} if output["output_type"] == "execute_result" else told


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)[0]
    if isinstance(value, list):
        return [_redacted(each) for each in value]
    if isinstance(value, dict):  # displays: what is no text is a picture in base 64
        return {key: _redacted(each) if key.startswith("text/") else each for key, each in value.items()}
    return value


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
