"""On a real terminal the command has a terminal too, of the same size, with job control as ever."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import struct
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.records.run import Run
from assay.store.store import Store

OnlyRun = Callable[[], Run]


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """What comes from a descriptor, up to and with `wanted`; an end before it fails the test."""
    got = b""
    while wanted not in got:
        try:
            data = os.read(descriptor, 65536)
        except OSError:
            data = b""
        assert data, f"the output ended before {wanted!r}: {got!r}"
        got += data
    return got


class Terminal:
    """A shell's place: a session with a controlling terminal, in which a supervised command is the foreground job."""

    def __init__(self, words: list[str], cwd: Path, rows: int = 33, columns: int = 77) -> None:
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execv(words[0], words)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self) -> tuple[bytes, int]:
        """The rest of the output, and the exit code."""
        got = b""
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                break
            if not data:
                break
            got += data
        _, status = os.waitpid(self.pid, 0)
        os.close(self.master)
        return got, os.waitstatus_to_exitcode(status)


@pytest.fixture
def on_terminal(driver: list[str], project: Path) -> Callable[..., Terminal]:
    return lambda *command: Terminal([*driver, *command], project)


def test_the_command_sees_a_terminal_of_the_users_size(
    on_terminal: Callable[..., Terminal], only_run: OnlyRun, project: Path
) -> None:
    """isatty holds on all three streams, the size is the user's, and bytes pass as they are."""
    code = "import os, sys; print([os.isatty(i) for i in range(3)], tuple(os.get_terminal_size(1))); sys.stderr.write('\\x1b[1mbold\\x1b[0m\\n')"
    out, status = on_terminal(sys.executable, "-c", code).end()
    assert status == 0
    assert out == b"[True, True, True] (77, 33)\r\n\x1b[1mbold\x1b[0m\r\n"
    result = only_run().result
    assert result is not None and set(result.output) == {"terminal"}
    # The record has what the program wrote, not what the terminal made of it.
    assert Store.open(project).objects.get(result.output["terminal"]) == out.replace(b"\r\n", b"\n")


def test_a_new_window_size_reaches_the_command(on_terminal: Callable[..., Terminal]) -> None:
    """The command gets SIGWINCH when the new size is there."""
    code = (
        "import os, signal\n"
        "def changed(*_):\n"
        "    if tuple(os.get_terminal_size(1)) == (120, 40): print('resized', flush=True); os._exit(0)\n"
        "signal.signal(signal.SIGWINCH, changed)\nprint('ready', flush=True)\nwhile True: signal.pause()"
    )
    terminal = on_terminal(sys.executable, "-c", code)
    read_until(terminal.master, b"ready")
    terminal.resize(40, 120)
    out, status = terminal.end()
    assert b"resized" in out and status == 0


def test_ctrl_c_reaches_the_command_once(on_terminal: Callable[..., Terminal], only_run: OnlyRun) -> None:
    """The terminal interrupts the command; Assay does not do it a second time, waits, and records."""
    code = (
        "import signal, sys, time\n"
        "try:\n    print('ready', flush=True)\n    signal.pause()\nexcept KeyboardInterrupt:\n    print('first', flush=True)\n"
        "try:\n    time.sleep(0.5)\nexcept KeyboardInterrupt:\n    print('twice', flush=True)\n"
        "sys.exit(9)"
    )
    terminal = on_terminal(sys.executable, "-c", code)
    read_until(terminal.master, b"ready")
    os.write(terminal.master, b"\x03")
    out, status = terminal.end()
    assert b"first" in out and b"twice" not in out
    assert status == 9
    assert only_run().state == "interrupted"


def test_ctrl_c_of_an_unprepared_script_gives_130(on_terminal: Callable[..., Terminal], only_run: OnlyRun) -> None:
    """A script that dies of SIGINT has exit code 130 and no traceback of Assay's."""
    terminal = on_terminal("sh", "-c", "echo ready; exec sleep 1000")
    read_until(terminal.master, b"ready")
    os.write(terminal.master, b"\x03")
    out, status = terminal.end()
    assert status == 128 + signal.SIGINT and b"Traceback" not in out
    run = only_run()
    assert run.result is not None and (run.state, run.result.signal) == ("interrupted", signal.SIGINT)


# A shell in small: the job in a process group of its own in the foreground; told when it stops, continued when a line comes.
SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
_, status = os.waitpid(job, os.WUNTRACED)
os.tcsetpgrp(0, os.getpgrp())
family = [job, *map(int, open(f"/proc/{job}/task/{job}/children").read().split())]
while {open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] for pid in family} != {"T"}:
    os.sched_yield()  # the kernel stops one after the other
print("stopped", os.WIFSTOPPED(status), len(family), flush=True)
sys.stdin.readline()
os.tcsetpgrp(0, job)
os.killpg(job, signal.SIGCONT)
_, status = os.waitpid(job, 0)
print("status", os.waitstatus_to_exitcode(status), flush=True)
"""


def test_ctrl_z_stops_both_and_they_go_on_together(driver: list[str], project: Path, tmp_path: Path) -> None:
    """Stopped by the terminal, continued by the shell: the command ends as if nothing had been."""
    (tmp_path / "shell.py").write_text(SHELL)
    code = "import sys; print('ready', flush=True); print('got', sys.stdin.readline())"
    terminal = Terminal([sys.executable, str(tmp_path / "shell.py"), *driver, sys.executable, "-c", code], project)
    read_until(terminal.master, b"ready")
    os.write(terminal.master, b"\x1a")
    read_until(terminal.master, b"stopped True 2")
    os.write(terminal.master, b"fg\n")
    os.write(terminal.master, b"line\n")
    out, _ = terminal.end()
    assert b"got line" in out and b"status 0" in out


def test_only_the_stream_that_is_a_terminal_becomes_one(driver: list[str], project: Path) -> None:
    """Standard output in a pipe and standard error on the terminal stay what they are."""
    inner = f"{sys.executable} -c 'import os; os.write(2, str([os.isatty(1), os.isatty(2)]).encode())'"
    out, _ = Terminal(["/bin/sh", "-c", f"{' '.join(driver)} {inner} | cat"], project).end()
    assert out == b"[False, True]"
