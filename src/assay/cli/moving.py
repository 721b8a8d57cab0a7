"""What `push`, `pull` and `clone` say while they work and when they are done."""

from __future__ import annotations

import sys
import time

from assay.cli.boundary import BROKEN, YES
from assay.cli.output import hint, size
from assay.report.layout import safe
from assay.store.remotes.transfer import Moved

_EVERY = 10.0  # seconds between lines where standard error is no terminal
_EVERY_ON_TERMINAL = 0.2
_NAMED = 5  # runs that were refused, or lack something, and are named


class Watch:
    """Shows how far a transfer is: one line that is rewritten on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._next = time.monotonic() + (_EVERY_ON_TERMINAL if self._terminal else _EVERY)
        self._shown = False

    def __call__(self, moved: Moved) -> None:
        """Show what was moved so far, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        text = f"assay: {counted(len(moved.runs), 'run')}, {counted(moved.objects, 'object')}, {size(moved.bytes)}"
        if self._terminal:
            sys.stderr.write(f"\r{text}\x1b[K")
            sys.stderr.flush()
            self._shown = True
        else:
            hint(text)
        self._next = now + (_EVERY_ON_TERMINAL if self._terminal else _EVERY)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Take the line away; after Ctrl-C say that nothing is lost."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            hint("assay: stopped. What has arrived stays: the same command goes on from there.")


def summary(moved: Moved) -> str:
    """What was moved, in a line.

    >>> summary(Moved(runs=["a"], present=3, objects=2, bytes=2048))
    '1 run new, 3 there already; 2 objects, 2.0 KiB'
    """
    parts = [counted(len(moved.runs), "run") + " new"]
    parts += [f"{len(moved.grown)} grown"] if moved.grown else []
    parts += [f"{moved.present} there already"] if moved.present else []
    parts += [counted(len(moved.studies), "study", "studies")] if moved.studies else []
    parts += [counted(len(moved.data), "entry", "entries") + " of data sets"] if moved.data else []
    parts += [counted(len(moved.marks), "tag or note", "tags and notes")] if moved.marks else []
    return f"{', '.join(parts)}; {counted(moved.objects, 'object')}, {size(moved.bytes)}"


def tell_faults(moved: Moved) -> int:
    """Say on standard error what was not moved, or lacks something; the exit code that follows."""
    for about, text in list(moved.refused.items())[:_NAMED]:
        hint(f"assay: {about[:16]} was not moved: {safe(text)}")
    if len(moved.refused) > _NAMED:
        hint(f"assay: and {len(moved.refused) - _NAMED} more were not moved (--json names all).")
    for about, ids in list(moved.missing.items())[:_NAMED]:
        hint(f"assay: {about[:16]} was moved without {counted(len(ids), 'object')} that the source does not have: {ids[0][:12]} …")
    return BROKEN if moved.refused else YES


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "run"), counted(2, "study", "studies")
    ('1 run', '2 studies')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
