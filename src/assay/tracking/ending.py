"""The end of a run: what it left is gathered into its result. Each part may fail alone; the result then says what is missing."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import msgspec

from assay.capture.settle import UNKEPT
from assay.records.finding import Fidelity, Finding, Gap
from assay.records.journal import Entry, Noted, Params, Saved
from assay.records.trace import FileUse, Trace


class Shortfall:
    """What could not be recorded. The user is told once, on standard error; the run's fidelity tells everything."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self._told = False

    def add(self, what: str, why: str) -> None:
        """Note one thing that is missing, and warn where this is the first."""
        self.gaps.append(Gap(what=what, why=why))
        self._tell(what, why)

    def _tell(self, what: str, why: str) -> None:
        if not self._told:
            self._told = True
            _warn(f"assay: warning: not all of this run can be recorded ({what}: {why}). Your program is not affected.\n")

    @contextmanager
    def border(self, what: str) -> Iterator[None]:
        """Let no failure of recording pass: it becomes a gap."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - recording never hurts: after the start, whatever fails here is a gap and no more
            self.add(what, str(error) or type(error).__name__)

    def fidelity(self, captured: Iterable[str], gaps: Iterable[Gap], *, blind: bool) -> Fidelity:
        """How complete the capture is, with gaps that others found; the user is told where the store refused a file."""
        missing = tuple(dict.fromkeys((*self.gaps, *gaps)))
        for gap in missing:
            if gap.why.startswith(UNKEPT):  # the store refused a file that it was to keep: nobody would look for that
                self._tell(gap.what, gap.why)
        lost = {gap.what for gap in self.gaps}
        return Fidelity(
            captured=tuple(aspect for aspect in captured if aspect not in lost),
            missing=missing,
            grade="blind" if blind else "partial" if missing else "full",
        )


def _warn(text: str) -> None:
    try:
        os.write(2, text.encode())
    except OSError:  # nobody reads standard error any more
        return


def user_name() -> str:
    """The user's name; their number where the system knows no name."""
    return _name_of(os.getuid())


@cache
def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


class Said(msgspec.Struct):
    """What a program said through its journal, beside its metrics."""

    params: dict[str, object] = {}
    saved: list[FileUse] = []
    findings: list[Finding] = []


def said(entries: Iterable[Entry]) -> Said:
    """Parameters, saved files and findings among the entries of a journal."""
    found = Said()
    for entry in entries:
        if isinstance(entry, Params):
            found.params.update(entry.values)
        elif isinstance(entry, Saved):
            found.saved.append(FileUse(path=entry.path, id=entry.id, size=entry.size, kept=True, by="save"))
        elif isinstance(entry, Noted):
            found.findings.append(Finding(kind=entry.kind, about=entry.about, text=entry.text))
    return found


def with_uses(trace: Trace, *, saved: Iterable[FileUse], declared: Iterable[FileUse]) -> Trace:
    """The trace with files that were saved or declared by name. What was said about a file stands before what was seen of it."""
    return msgspec.structs.replace(trace, written=_added(trace.written, saved), read=_added(trace.read, declared))


def _added(uses: tuple[FileUse, ...], more: Iterable[FileUse]) -> tuple[FileUse, ...]:
    added = {use.path: use for use in more}
    return tuple(use for use in uses if use.path not in added) + tuple(added.values())
