"""The cells of an interactive session of IPython's (a notebook, a terminal), in the order in which they ran.

IPython itself is never imported here: where a session is, it is loaded, and hands over its shell.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec

from assay.capture.code_secrets import findings_of, left_out_of, without_secrets
from assay.capture.notebooks import SUFFIX, Ran, notebook_of
from assay.capture.trace import LiveTrace, trace_here
from assay.records.finding import Gap
from assay.records.trace import FileUse, Trace
from assay.store.store import Store
from assay.tracking.recipe import shown_path

UNKNOWN: Final = "what was typed into input(), clicked in widgets or done outside of cells (threads, debuggers) is not among them"
_EARLY: Final = "they ran before Assay was there (`%load_ext assay` in the first cell)"


class Session:
    """What ran in the shell of this process. One for each shell; made by `session`.

    Cells that ran before it was made are taken from the shell's history, which does not tell whether they failed.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.turn = 0
        self._trace: LiveTrace | None = None
        self._inputs: list[bytes] = []
        self._unwatched = 0
        self._pid = os.getpid()
        self._cells = [Ran(str(source), None) for source in shell.history_manager.input_hist_raw[1:]]
        # The last cell of the history is the one that this is called in, if it is called in one; its end will be seen.
        self._depth = 1 if _in_a_cell() else 0
        self._running = len(self._cells) - 1 if self._depth and self._cells else None
        shell.events.register("pre_run_cell", self._begins)
        shell.events.register("post_run_cell", self._ended)

    def watch(self) -> None:
        """Watch what cells read and load from now on, between runs too: for a run that begins later, they are inputs."""
        if self._trace is None:
            self._trace = trace_here()
            self._unwatched = max(len(self._cells) - (self._running is not None), 0)
            self._trace.start()

    @contextmanager
    def hand_over(self) -> Iterator[None]:
        """Watch no longer, since what happens inside is Assay's own and begins a run that watches; go on where that fails."""
        if self._trace is None:
            self._unwatched = max(len(self._cells) - (self._running is not None), 0)
            yield
            return
        self._trace.stop()
        self._inputs = self._trace.inputs()
        try:
            yield
        except BaseException:
            self.take_back(self.inputs())
            raise

    def inputs(self) -> list[bytes]:
        """What was read until the session was handed over; given once."""
        taken, self._inputs = self._inputs, []
        return taken

    def take_back(self, inputs: Iterable[bytes]) -> None:
        """The run has ended: watch on for the next, where the session is watched."""
        if self._trace is not None:
            self._trace.start(inputs)

    def take_turn(self) -> int:
        """A run begins: how many have begun in this session."""
        self.turn += 1
        return self.turn

    def notebook(self, turn: int) -> bytes | None:
        """The cells so far, the one that is running included, as a notebook; None where there are none.

        Args:
            turn: of the run that it is the code of, so that who runs the notebook records this one and not those that began in it before.
        """
        return notebook_of(self._cells, turn=turn) if self._cells else None

    def gaps(self) -> list[Gap]:
        """What is not known of these cells."""
        unseen = sum(cell.failed is None for at, cell in enumerate(self._cells) if at != self._running)
        found = [Gap(what="cells", why=UNKNOWN)]
        if unseen:
            found.append(Gap(what="cells", why=f"whether the first {unseen} of them failed is not known: {_EARLY}"))
        if self._unwatched:
            found.append(Gap(what="reads", why=f"what the first {self._unwatched} cells read is not known: {_EARLY}"))
        return found

    def place(self, root: Path) -> Path:
        """Where the notebook of the cells stands: below `root`, in the folder that the session began in, by the name of the user's own."""
        name = os.environ.get("JPY_SESSION_NAME") or str(self.shell.user_ns.get("__vsc_ipynb_file__", ""))
        stem = Path(name).name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else ""
        began = Path(os.path.realpath(getattr(self.shell, "starting_dir", "") or Path.cwd()))
        folders = (folder for folder in (began, Path.cwd()) if folder.is_relative_to(root))
        return next(folders, root) / f"{stem or 'session'}.cells{SUFFIX}"

    def _begins(self, info: Any) -> None:
        self._depth += 1
        if self._depth == 1:  # a cell that a cell runs is part of it
            self._running = len(self._cells)
            self._cells.append(Ran(str(info.raw_cell), None))

    def _ended(self, result: Any) -> None:
        self._depth = max(self._depth - 1, 0)
        if self._depth == 0 and self._running is not None:
            self._cells[self._running] = self._cells[self._running]._replace(failed=not result.success)
            self._running = None


def _in_a_cell() -> bool:
    """Whether IPython's shell is running a cell that leads here."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name not in ("run_cell", "run_cell_async"):
        frame = frame.f_back
    return frame is not None


_session: Session | None = None


def session() -> Session | None:
    """The session that this process is; None where it is none."""
    global _session
    ask = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = ask() if ask is not None else None
    if shell is None or not hasattr(shell, "history_manager"):
        return None
    if _session is None or _session.shell is not shell or _session._pid != os.getpid():
        _session = Session(shell)
    return _session


def with_cells(trace: Trace, running: Session, turn: int, store: Store, root: Path) -> tuple[Trace, list[Gap]]:
    """The trace of a run in a session with the cells so far as code that it loaded, and what is not known of them.

    Raises:
        StoreUnusable: the store cannot take them.
    """
    content = running.notebook(turn)
    if content is None:
        return trace, []
    place = shown_path(running.place(root), root)
    content, words = without_secrets(place, content)
    note = left_out_of(words) if words else ""
    gaps = [*(gap for gap, _ in findings_of({place: note})), *running.gaps()]
    use = FileUse(path=place, id=store.objects.put(content), size=len(content), kept=True, by="cells", note=note)
    loaded = (each for each in trace.loaded if each.path != place)
    return msgspec.structs.replace(trace, loaded=tuple(sorted((*loaded, use), key=lambda each: each.path))), gaps


def cells_in(trace: Trace) -> FileUse | None:
    """The cells of the session that a run was in, as `with_cells` left them; None where it was in none."""
    return next((use for use in trace.loaded if use.by == "cells" and use.kept), None)
