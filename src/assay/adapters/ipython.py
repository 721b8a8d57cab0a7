"""IPython and Jupyter: `%load_ext assay`, then `%assay start NAME` and `%assay stop` around the cells of a run."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_magic, magics_class

from assay.errors import AssayError, InvalidValue
from assay.project.live import Run, start_session
from assay.tracking.cells import session
from assay.tracking.command import parameter

_FORMS = "%assay start [NAME] [--param K=V]... [--tag T]... [--seed S], %assay stop or %assay"


@magics_class
class AssayMagics(Magics):
    """The magic `%assay`."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._run: Run | None = None

    @line_magic
    def assay(self, line: str) -> None:
        """Begin or end a run of this session, or say which one is open.

        %assay start [NAME] [--param K=V]... [--tag T]... [--seed S]
        %assay stop
        %assay

        A run that is open ends where another starts, and with the kernel.

        Raises:
            UsageError: the line is none of these, or the run cannot begin; IPython shows it without a traceback.
        """
        try:
            self._obey(shlex.split(line))
        except (AssayError, ValueError) as error:
            raise UsageError(str(error)) from None

    def stop(self) -> None:
        """End the run that is open, if one is."""
        if self._run is not None:
            self._run.finish()
            print(f"assay: run {self._run.id} has ended")  # noqa: T201 - this is the answer that a magic gives
        self._run = None

    def _obey(self, words: Sequence[str]) -> None:
        if words[:1] == ["start"]:
            given = _arguments(words[1:])
            self.stop()
            params = dict(parameter(text) for text in given.param)
            self._run = start_session(given.name, params=params, seed=given.seed, tags=given.tag)
            print(f"assay: run {self._run.id} is open; each cell belongs to it until %assay stop")  # noqa: T201
        elif words == ["stop"]:
            self.stop()
        elif not words:
            print(f"assay: run {self._run.id} is open" if self._run else "assay: no run is open")  # noqa: T201
        else:
            raise InvalidValue("%assay does not understand this", value=" ".join(words), expected=_FORMS)


class _Parser(argparse.ArgumentParser):
    """Tells of a mistake by an error of Assay's; the usual one would end the kernel."""

    def error(self, message: str) -> NoReturn:
        raise InvalidValue("%assay start does not understand this", value=message, expected=_FORMS)


def _arguments(words: Sequence[str]) -> Any:
    parser = _Parser(prog="%assay start", add_help=False)
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--param", action="append", default=[])
    parser.add_argument("--tag", action="append", default=[])
    parser.add_argument("--seed", type=int)
    return parser.parse_args(list(words))


_loaded: dict[int, AssayMagics] = {}


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Remember each cell and what it reads from now on, and offer `%assay`; no run begins."""
    running = session()
    if running is not None:
        running.watch()
    _loaded[id(shell)] = magics = AssayMagics(shell)
    shell.register_magics(magics)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """End the run that is open."""
    magics = _loaded.pop(id(shell), None)
    if magics is not None:
        magics.stop()
