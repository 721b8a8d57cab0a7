"""Which process this is, and whether another one still lives: across forks, reused process ids, restarts and containers."""

from __future__ import annotations

import os
from functools import cache, lru_cache
from itertools import count
from pathlib import Path

from assay.records.run import Host

_counter = count()


def this_process() -> Host:
    """The identity of the calling process; asked anew after a fork."""
    return _identity(os.getpid())


@lru_cache(maxsize=1)
def _identity(pid: int) -> Host:
    return Host(name=os.uname().nodename, boot=_boot(), namespace=_namespace(), pid=pid, started=_started(pid) or 0)


def lives(host: Host) -> bool | None:
    """Whether the process still lives; None where this process cannot know (another machine, container, or a user whom it may not see).

    A machine is known by its boot id: its name may change while it runs. One that was restarted under the same name has ended its
    processes. A process that ended and was not yet waited for is dead.
    """
    here = this_process()
    if host.boot != here.boot:
        return False if host.name == here.name else None
    if host.namespace != here.namespace or (not host.boot and host.name != here.name):
        return None
    if host.pid == here.pid:
        return host.started == here.started
    started = _started(host.pid)
    return None if started is None and _is_hidden(host.pid) else started == host.started


def owned_name() -> str:
    """A file name that no other call gives, on any machine, and that says which process made it (see `surely_dead`)."""
    return f"{_owner(os.getpid())}-{next(_counter)}"


@lru_cache(maxsize=1)
def _owner(pid: int) -> str:
    here = _identity(pid)
    return f"{_token(here.name)}-{_token(here.boot)}-{_token(here.namespace)}-{here.pid}-{here.started}"


def surely_dead(name: str) -> bool:
    """Whether the process that made this `owned_name` is dead beyond doubt: it ran here, and is gone."""
    here = this_process()
    parts = name.split("-")
    if parts[:3] != [_token(here.name), _token(here.boot), _token(here.namespace)] or len(parts) != 6:
        return False
    if not (parts[3].isdecimal() and parts[4].isdecimal()):
        return False
    return lives(Host(name=here.name, boot=here.boot, namespace=here.namespace, pid=int(parts[3]), started=int(parts[4]))) is False


def discard(left: str | Path) -> None:
    """Remove what stands under an `owned_name`, a file or a folder of files; what cannot be removed stays for the next time."""
    try:
        os.unlink(left)  # noqa: PTH108 - most often it is a file, at the end of every run
    except FileNotFoundError:
        return
    except OSError:
        _discard_folder(Path(left))


def _discard_folder(left: Path) -> None:
    try:
        for file in left.iterdir():
            file.unlink(missing_ok=True)
        left.rmdir()
    except OSError:
        return  # another process removes it at the same time, or the disk refuses: nobody reads it either way


def _token(text: str) -> str:
    # Host names hold characters that separate the parts of a name; a short sum of the text is enough to tell machines apart.
    return text.encode("utf-8", "surrogateescape").hex()[-24:] or "0"


@cache
def _boot() -> str:
    return _line("/proc/sys/kernel/random/boot_id")


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - every trial asks, and a `Path` costs more than the answer
    except OSError:
        return ""


def _started(pid: int) -> int | None:
    """Start of a living process in clock ticks since boot (field 22 of its stat, `man 5 proc`); None where there is no such process."""
    line = _line(f"/proc/{pid}/stat")
    if not line and not Path("/proc/self/stat").exists():
        return _answers(pid)
    # The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
    fields = line.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in "ZX":
        return None
    return int(fields[19])


def _is_hidden(pid: int) -> bool:
    """Whether the process exists and /proc does not show it: mounted with `hidepid`, it shows a user nobody else's processes."""
    if Path(f"/proc/{pid}").exists():
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _answers(pid: int) -> int | None:
    """Where there is no /proc: 0 for a process that exists, whoever owns it."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return 0
    except (OSError, OverflowError):
        return None
    return 0


def _line(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
