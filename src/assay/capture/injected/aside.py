"""What a file held before the program wrote over it: kept beside the reports, for the end of the run to identify.

Beside the tracer, for the same interpreters and by the same rules, and loaded by processes that write over what they have read: a script
that goes on from its checkpoint and saves the next one at the same place. Once it has, nobody could tell any more what it read.
"""

import os
import stat

# What the program may be made to wait for, in all: copying 256 MiB that the page cache holds takes about .2 s.
MOST_BYTES = 256 << 20
MOST_FILES = 100
CHUNK = 1 << 20
FICLONE = 0x40049409
ROOM = 4  # so many times the size must be free, since the program has its own files to write


class Aside:
    """Contents of files that are about to be replaced, each in a file of its own below `folder`."""

    def __init__(self, folder: "str") -> "None":
        self._folder = folder
        self._left = MOST_BYTES
        self._number = 0

    def keep(self, path: "str", known: "os.stat_result", replaced: "bool", own: "set[str]") -> "str | None":
        """Where the content of `path` is kept; None where it is nowhere, since that would cost the program too much.

        `known` is its stat record. A file that is `replaced` or removed as a whole gets another name; one that is emptied is copied. Names
        that this opens are among `own` meanwhile.
        """
        if self._number >= MOST_FILES or not stat.S_ISREG(known.st_mode) or not known.st_size:
            return None
        self._number += 1
        target = "%s/%d.%d.aside" % (self._folder, os.getpid(), self._number)
        own.update((path, target))
        try:
            os.makedirs(self._folder, exist_ok=True)
            return target if (replaced and _linked(path, target)) or self._copied(path, target, known) else None
        except OSError:  # a full disk, a name that somebody else has: the run's record says what is not known
            _remove(target)
            return None
        finally:
            own.difference_update((path, target))

    def _copied(self, path: "str", target: "str", known: "os.stat_result") -> "bool":
        size = known.st_size
        with open(path, "rb", 0) as source, open(target, "xb", 0) as copy:
            if _cloned(source, copy):
                return True
            free = os.fstatvfs(copy.fileno())
            if size > self._left or free.f_bavail * free.f_frsize < ROOM * size:
                _remove(target)
                return False
            self._left -= size
            piece = source.read(CHUNK)
            while piece:
                copy.write(piece)
                piece = source.read(CHUNK)
            after = os.fstat(source.fileno())
        if (after.st_size, after.st_mtime_ns) != (size, known.st_mtime_ns):  # another program writes it
            _remove(target)
            return False
        return True


def _linked(path: "str", target: "str") -> "bool":
    try:
        os.link(path, target)
    except OSError:  # another file system, or one without links
        return False
    return True


def _cloned(source: "object", copy: "object") -> "bool":
    """Whether the file system shares the blocks of both, which costs nothing."""
    try:
        import fcntl

        fcntl.ioctl(copy.fileno(), FICLONE, source.fileno())
    except (ImportError, OSError):
        return False
    return True


def _remove(path: "str") -> "None":
    try:
        os.unlink(path)
    except OSError:
        pass
