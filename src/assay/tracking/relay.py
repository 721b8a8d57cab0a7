"""Output of a command on its way to the user: shown at once, byte for byte, and kept beside the run.

A stream that is a terminal for Assay is a terminal for the command too: a pseudo-terminal stands in for it, for output alone. Input,
session and process group stay the user's own, so that job control works as if nobody stood between. Where standard output and standard
error are one thing, they share one channel, so that the order of their bytes stays as it was written.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import termios
import time
from collections.abc import Callable
from pathlib import Path

Gave = Callable[[str, str], None]  # told what is lost, and why

_CHUNK = 1 << 16
# Left unread by a process that outlives the command; more comes through the process that is left to pass it on.
_MOST_DRAINED = 4 << 20
# Beyond this a run's output is a data set, and keeping it could fill the user's disk.
_MOST_KEPT = 1 << 30
_MOST_MARKS = 20_000
_WINDOW_SIZE = 8  # bytes of struct winsize


class Channel:
    """One stream of output.

    Args:
        name: "stdout", "stderr", or "terminal" where both are one.
        target: the descriptor on which it is shown; None: it is only kept.
        path: the file in which it is kept.
        gave: told when it can no longer be kept.

    Attributes:
        source: the end we read.
        given: the end the command writes to; closed once it has been started.
        marks: (offset, seconds since 1970), ascending: all bytes before the offset had come by then.
    """

    def __init__(self, name: str, target: int | None, path: Path, gave: Gave) -> None:
        self.name, self.target, self.path = name, target, path
        self.marks: list[tuple[int, float]] = []
        self.size = 0
        self.terminal = target is not None and os.isatty(target)
        self._apart = 0.05
        self._gave = gave
        self.source, self.given = _pseudo_terminal(target) if self.terminal and target is not None else os.pipe()
        self._file = self._keep()

    def _keep(self) -> int:
        try:
            return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            self._gave(self.name, str(error))
            return -1

    def started(self) -> None:
        """The command has its end; give ours of it back, so that we see when nobody writes any more."""
        os.close(self.given)
        self.given = -1

    def pump(self) -> int:
        """Take what has come, show it and keep it: the number of bytes, 0 where no more can come.

        Raises:
            BlockingIOError: nothing is there now (only where `source` does not block).
        """
        try:
            data = os.read(self.source, _CHUNK)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno != errno.EIO:  # a pseudo-terminal says so when nobody holds the other end
                raise
            return 0
        if data:
            self._record(data)
            if self.target is not None and not show(self.target, data):
                return 0
        return len(data)

    def _record(self, data: bytes) -> None:
        self.size += len(data)
        if self._file < 0:
            return
        try:
            if self.size > _MOST_KEPT:
                raise OSError(errno.EFBIG, f"more than {_MOST_KEPT >> 30} GiB of it")
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            self._close_file()
            self._gave(self.name, error.strerror or str(error))
        self._mark(time.time())

    def _mark(self, now: float) -> None:
        if self.marks and now - self.marks[-1][1] < self._apart:
            self.marks[-1] = (self.size, self.marks[-1][1])
            return
        self.marks.append((self.size, now))
        if len(self.marks) > _MOST_MARKS:
            self.marks = self.marks[1::2]
            self._apart *= 2

    def drain(self) -> bool:
        """Take what is there without waiting: whether somebody may still write."""
        os.set_blocking(self.source, False)
        taken = 0
        try:
            while taken < _MOST_DRAINED:
                got = self.pump()
                if got == 0:
                    return False
                taken += got
        except BlockingIOError:
            pass
        return True

    def resize(self) -> None:
        """Pass on the size of the user's window."""
        if self.terminal and self.target is not None:
            _copy_window(self.target, self.source)

    def close_source(self) -> None:
        """Read no more: who still writes is told so by the kernel, as by a terminal that was closed or a pipe that nobody reads."""
        if self.source >= 0:
            os.close(self.source)
        self.source = -1

    def close(self) -> None:
        """Give all descriptors back."""
        self.close_source()
        if self.given >= 0:
            self.started()
        self._close_file()

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


def open_channels(folder: Path, visible: bool, gave: Gave) -> tuple[list[Channel], int | None, int | None]:
    """The channels a command needs, and the descriptors it gets as standard output and standard error.

    Args:
        folder: where the output is kept.
        visible: whether it is shown on this process' own streams. A stream that is closed here stays closed for the command (None).
        gave: told what cannot be kept.
    """
    if not visible:
        out, err = (Channel(name, None, folder / name, gave) for name in ("stdout", "stderr"))
        return [out, err], out.given, err.given
    first, second = _identity(1), _identity(2)
    if first is not None and first == second:
        both = Channel("terminal", 1, folder / "terminal", gave)
        return [both], both.given, both.given
    shown = Channel("stdout", 1, folder / "stdout", gave) if first else None
    complaints = Channel("stderr", 2, folder / "stderr", gave) if second else None
    channels = [channel for channel in (shown, complaints) if channel is not None]
    return channels, shown.given if shown else None, complaints.given if complaints else None


def show(target: int, data: bytes) -> bool:
    """Write all of `data`, waiting as long as the reader needs: whether there still is one."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:
            waiting = select.poll()
            waiting.register(target, select.POLLOUT)
            waiting.poll()
        except OSError:
            return False
    return True


def pass_on(channels: list[Channel]) -> None:
    """Show what comes until nobody writes any more. Runs in the process that is left behind for a command's own background processes."""
    waiting = select.poll()
    sources = {channel.source: channel for channel in channels}
    for source in sources:
        waiting.register(source, select.POLLIN)
    while sources:
        for source, _ in waiting.poll():
            try:
                data = os.read(source, _CHUNK)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            target = sources[source].target
            if not data or target is None or not show(target, data):
                waiting.unregister(source)
                sources.pop(source).close_source()


def _identity(descriptor: int) -> tuple[int, int, int] | None:
    """What a descriptor leads to; None where it is closed."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_rdev if stat.S_ISCHR(status.st_mode) else 0


def _pseudo_terminal(real: int) -> tuple[int, int]:
    """A terminal that passes bytes as they are; the user's own terminal turns line feeds into new lines, once."""
    ours, theirs = os.openpty()
    try:
        settings = termios.tcgetattr(real)
        settings[1] &= ~termios.OPOST
        settings[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        _copy_window(real, ours)
    except (OSError, termios.error):  # a terminal that went away this moment: the first write will say so
        pass
    return ours, theirs


def _copy_window(real: int, pseudo: int) -> None:
    try:
        fcntl.ioctl(pseudo, termios.TIOCSWINSZ, fcntl.ioctl(real, termios.TIOCGWINSZ, bytes(_WINDOW_SIZE)))
    except OSError:
        return
