"""Sees where a program takes what another run would not have, and sets it: what `assay doctor` puts into the user's interpreter.

Loaded by the tracer beside it where ``ASSAY_PROBE`` is set; standard library only, for Python 3.8 and later; it imports no library that the
program has not imported. The variable holds words: ``watch`` asks for a report of the places at which the program draws from generators that
nobody seeded, reads the clock, lists folders …; ``SOURCE=NUMBER`` sets a source to one of its levels. A source that is not named is left
as it is.

A report is a file for each process below ``$ASSAY_PROBE_REPORT``; a line holds source, file, line and what was called, parted by tabs.
What libraries do for themselves is neither reported nor changed where the program does not ask them for it: each place is the program's own
line, found on the stack.
"""

import os
import sys
import time

MOST = 3  # places of a source that one process reports
DAY = 86400.0
START = 1_700_000_000.0  # where a set clock begins, in seconds since 1970
TICK = 0.001  # seconds by which a set clock goes on with each reading: a loop that waits for it ends, always after as many rounds
REAL = {name: getattr(time, name) for name in ("time", "sleep")}
UNTOLD = ("PYTHON", "ASSAY_", "OMP_", "MKL_", "OPENBLAS_", "LD_", "XDG_", "LC_", "CUDA_", "NUMEXPR_", "TORCH", "KMP_")
COMMON = frozenset(("PATH", "HOME", "LANG", "TERM", "TMPDIR", "PWD", "SHELL", "VIRTUAL_ENV", "COLUMNS", "LINES", "DISPLAY"))
# How far from the program's own line a call may be: its own, through the standard library, through any library.
AT_ONCE, NEAR, FAR = range(3)
IMPORTERS = ("importlib", "_frozen_importlib", "pkgutil", "pkg_resources", "zipimport")
NAMED = ("USER", "LOGNAME", "HOSTNAME")


class Places:
    """Tells the program's own code from that of libraries, and reports where it used a source."""

    def __init__(self, folders: "tuple[str, ...]", library: "str", report: "str") -> "None":
        self._foreign = folders
        self._library = library
        self._report = report
        self.reporting = bool(report)
        self._kinds = {}  # type: dict[str, str]
        self._told = {}  # type: dict[str, set[object]]

    def kind(self, name: "str") -> "str":
        """Whose code a file is: "own", "standard" (the library that comes with Python) or "foreign"."""
        known = self._kinds.get(name)
        if known is None:
            if name[:1] == "<":
                known = "own" if name in ("<string>", "<stdin>") else "standard"
            elif name.startswith(self._library) and "-packages" not in name:
                known = "standard"
            else:
                known = "foreign" if name.startswith(self._foreign) or "-packages/" in name else "own"
            self._kinds[name] = known
        return known

    def own(self, reach: "int") -> "object":
        """The frame of the program's own line that asked, found within this reach; None where another's code did by itself."""
        frame = sys._getframe(2)
        while frame is not None:
            name = frame.f_globals.get("__name__") or ""
            kind = self.kind(frame.f_code.co_filename)
            if kind == "own":
                return frame
            if not name.startswith("assay_probe") and (reach == AT_ONCE or (kind == "foreign" and reach == NEAR)):
                return None
            if name.startswith(IMPORTERS):
                return None
            frame = frame.f_back
        return None

    def tell(self, source: "str", frame: "object", what: "str") -> "None":
        """Report a place once, and no more than a few of a source."""
        told = self._told.setdefault(source, set())
        place = (frame.f_code.co_filename, frame.f_lineno, what)
        if self.reporting and len(told) < MOST and place not in told:
            told.add(place)
            self.write("\t".join((source, os.path.abspath(place[0]), str(place[1]), what)).replace("\n", " ") + "\n")

    def write(self, text: "str") -> "None":
        """Add to the report of this process; an empty text says that it is watched."""
        descriptor = os.open("%s/%d" % (self._report, REAL_PID()), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, text.encode("utf-8", "backslashreplace"))
        finally:
            os.close(descriptor)


REAL_PID = os.getpid


class Stream:
    """Bytes that look random and are the same in every run: a linear congruential generator (Knuth, MMIX) over its upper bits."""

    def __init__(self, level: "int") -> "None":
        self._state = level * 0x9E3779B97F4A7C15 + 1

    def take(self, size: "int") -> "bytes":
        """The next `size` bytes."""
        taken = bytearray()
        for _ in range(size):
            self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
            taken.append(self._state >> 56)
        return bytes(taken)

    def bits(self, size: "int") -> "int":
        """The next `size` bits as a number."""
        return int.from_bytes(self.take((size + 7) // 8), "big") >> (-size % 8)


class Probe:
    """What is watched and set in this process: the levels by source, and the places of the program."""

    def __init__(self, levels: "dict[str, int]", places: "Places", watching: "bool") -> "None":
        self.levels = levels
        self.places = places
        self.watching = watching
        self.native = False  # a library draws the entropy that it is given a level of by itself

    @staticmethod
    def named(wrapped: "object", original: "object") -> "object":
        """`wrapped` with the names and the text of what it stands for."""
        return named(wrapped, original)

    def concerns(self, *sources: "str") -> "bool":
        """Whether anything is to be done about one of these sources."""
        return self.watching or any(source in self.levels for source in sources)

    def asked(self, source: "str", what: "str", reach: "int" = NEAR) -> "bool":
        """Report a place of the program; whether there is one."""
        frame = self.places.own(reach)
        if frame is None:
            return False
        self.places.tell(source, frame, what)
        return True


def enter(words: "str", report: "str", own: "tuple[str, ...]", library: "str", awaiting: "type", part: "object") -> "None":
    """Watch and set from now on what the words name.

    `own`: folders whose code is not the program's; `library`: that of the standard library; `awaiting`: the tracer's base class of finders
    that act when a module has been imported; `part(name)`: a module beside this file.
    """
    levels = dict(word.split("=", 1) for word in words.split() if "=" in word)
    numbers = {name: int(level) for name, level in levels.items() if level.isdigit()}
    if numbers.get("addresses") == 1 and _without_random_addresses():
        return
    if numbers.get("addresses") == 2:
        _KEPT.extend(_scattered())
    watching = "watch" in words.split()
    places = Places(own, library.rstrip("/") + "/", report if watching else "")
    probe = Probe(numbers, places, watching)
    if places.reporting:
        places.write("")
    _surroundings(probe)
    _entropy(probe)
    _clock(probe)
    _listings(probe)
    actions = {}  # type: dict[str, list[object]]
    for each in (_LATER, part("probe_generators").actions(), part("probe_workers").actions()):
        for name, action in each.items():
            actions.setdefault(name, []).append(action)

    class Probing(awaiting):  # type: ignore[misc]
        names = frozenset(actions)

        def apply(self, name: "str", module: "object") -> "None":
            for action in actions[name]:
                action(module, probe)

    finder = Probing()
    for name in actions:
        if name in sys.modules:
            finder.adapt(name, sys.modules[name])
    sys.meta_path.insert(0, finder)


def _without_random_addresses() -> "bool":
    """Start this interpreter again with the same layout of memory in every run (personality(2)); false where it has it, or cannot."""
    words = getattr(sys, "orig_argv", None)
    if not words or os.environ.get("ASSAY_PROBE_FIXED") == str(os.getpid()):
        return False
    import ctypes

    system = ctypes.CDLL(None)
    before = system.personality(0xFFFFFFFF)
    if before & 0x0040000 or system.personality(before | 0x0040000) < 0:
        return False
    os.environ["ASSAY_PROBE_FIXED"] = str(os.getpid())
    os.execv(sys.executable, [words[0]] + list(words[1:]))
    return True


_KEPT = []  # type: list[bytes]


def _scattered() -> "list[bytes]":
    """Objects with holes between them that were freed in an order of chance: what the program makes next lies in none.

    The system moves all addresses by one amount, which leaves their order as it was; Python hands out small ones last freed, first used.
    """
    made = [bytes(size) for size in range(0, 480, 16) for _ in range(1000)]
    made.sort(key=lambda _: os.urandom(4))
    kept = made[::3]
    # Lists, dictionaries and numbers that are freed wait for their like on lists of their own.
    for kind in (list, dict, lambda: time.perf_counter()):
        spare = [kind() for _ in range(200)]
        spare.sort(key=lambda _: os.urandom(4))
        while spare:
            spare.pop()
    while made:
        made.pop()
    return kept


def named(wrapped: "object", original: "object") -> "object":
    """`wrapped` with the names and the text of what it stands for."""
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
        try:
            setattr(wrapped, attribute, getattr(original, attribute))
        except (AttributeError, TypeError):
            continue
    wrapped.__wrapped__ = original
    return wrapped


# ---------------------------------------------------------------------------------------------------------- surroundings


def _answer(probe: "Probe", owner: "object", name: "str", source: "str", level: "object", reach: "int" = NEAR) -> "None":
    """Let a function without arguments answer `level(what it would answer)` where the program asks and the source is set."""
    original = getattr(owner, name, None)
    if original is None:
        return

    def answer(*arguments: "object") -> "object":
        found = original(*arguments)
        if not probe.asked(source, "%s.%s()" % (owner.__name__, name), reach) or source not in probe.levels:
            return found
        return level(found)

    setattr(owner, name, named(answer, original))


def _surroundings(probe: "Probe") -> "None":
    """Process id, number of processors, host name, and the variables that the program reads."""
    if probe.concerns("process"):
        _answer(probe, os, "getpid", "process", lambda _: 4000 + probe.levels["process"], AT_ONCE)
    if probe.concerns("cpus"):
        for name in ("cpu_count", "process_cpu_count"):
            _answer(probe, os, name, "cpus", lambda _: probe.levels["cpus"])
        _answer(probe, os, "sched_getaffinity", "cpus", lambda _: set(range(probe.levels["cpus"])))
    if probe.concerns("host"):
        _answer(probe, os, "getlogin", "host", lambda _: "somebody")
        _answer(probe, os, "uname", "host", lambda found: os.uname_result((found[0], "elsewhere") + tuple(found[2:])))
        _variables(probe)


def _variables(probe: "Probe") -> "None":
    if "host" in probe.levels:
        for name in NAMED:
            os.environ[name] = "somebody" if name != "HOSTNAME" else "elsewhere"
        for name in os.environ.get("ASSAY_PROBE_WITHOUT", "").split():
            os.environ.pop(name, None)
    if not probe.watching:
        return
    kind = type(os.environ)
    original = kind.__getitem__

    def read(self: "object", key: "object") -> "object":
        found = original(self, key) if key not in NAMED else None
        if isinstance(key, str) and key not in COMMON and not key.startswith(UNTOLD):
            probe.asked("host", "os.environ[%r]" % key)
        # Those that other machines have are a source though they are not set here.
        return original(self, key) if key in NAMED else found

    kind.__getitem__ = named(read, original)


def _platform(module: "object", probe: "Probe") -> "None":
    _answer(probe, module, "node", "host", lambda _: "elsewhere")


def _socket(module: "object", probe: "Probe") -> "None":
    for name in ("gethostname", "getfqdn"):
        _answer(probe, module, name, "host", lambda _: "elsewhere")


def _getpass(module: "object", probe: "Probe") -> "None":
    _answer(probe, module, "getuser", "host", lambda _: "somebody")


# --------------------------------------------------------------------------------------------------------------- entropy


def _entropy(probe: "Probe") -> "None":
    """The system's random bytes, which `secrets`, `uuid` and `random.SystemRandom` hand on."""
    if not probe.concerns("entropy"):
        return
    original = os.urandom
    stream = Stream(probe.levels.get("entropy", 0))

    def urandom(size: "int") -> "bytes":
        if not probe.native and probe.asked("entropy", "os.urandom()", FAR) and "entropy" in probe.levels:
            return stream.take(size)
        return original(size)

    os.urandom = named(urandom, original)


def _uuid(module: "object", probe: "Probe") -> "None":
    """Of the identifiers made of host and time; those that are random ask `os.urandom`."""
    original = module.uuid1
    stream = Stream(probe.levels.get("entropy", 0))

    def uuid1(*arguments: "object", **named_ones: "object") -> "object":
        if probe.asked("entropy", "uuid.uuid1()", FAR) and "entropy" in probe.levels:
            return module.UUID(bytes=stream.take(16), version=1)
        return original(*arguments, **named_ones)

    if probe.concerns("entropy"):
        module.uuid1 = named(uuid1, original)


# ----------------------------------------------------------------------------------------------------------------- clock


class Clock:
    """A clock of the program's own: it starts where its level says, and goes on only by being read."""

    def __init__(self, level: "int") -> "None":
        self._start = START + (level - 1) * (37 * DAY + 5 * 3600.0 + 1234.5)
        self._tick = TICK * (1.0 if level == 1 else 2.5)
        self._read = 0

    def elapsed(self) -> "float":
        """Seconds since its start; each reading goes on by one tick."""
        self._read += 1
        return self._read * self._tick

    def now(self) -> "float":
        """Seconds since 1970."""
        return self._start + self.elapsed()


def _clock(probe: "Probe") -> "None":
    if not probe.concerns("clock"):
        return
    probe.clock = Clock(probe.levels.get("clock", 1))
    for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time"):
        reading = probe.clock.now if name == "time" else probe.clock.elapsed
        _reading(probe, name, reading)
        _reading(probe, name + "_ns", lambda reading=reading: int(reading() * 1e9))
    for name, place in (("localtime", 0), ("gmtime", 0), ("ctime", 0), ("strftime", 1), ("asctime", 0)):
        _formatting(probe, name, place)


def _reading(probe: "Probe", name: "str", reading: "object") -> "None":
    original = getattr(time, name, None)
    if original is None:
        return

    def read() -> "object":
        if probe.asked("clock", "time.%s()" % name, AT_ONCE) and "clock" in probe.levels:
            return reading()
        return original()

    setattr(time, name, named(read, original))


def _formatting(probe: "Probe", name: "str", place: "int") -> "None":
    """Functions of `time` that take the moment of the call where they are given none."""
    original, localtime = getattr(time, name), time.localtime
    localtime = getattr(localtime, "__wrapped__", localtime)

    def formatted(*arguments: "object") -> "object":
        if len(arguments) > place or not probe.asked("clock", "time.%s()" % name, AT_ONCE) or "clock" not in probe.levels:
            return original(*arguments)
        moment = probe.clock.now()
        return original(*arguments, localtime(moment) if name in ("strftime", "asctime") else moment)

    setattr(time, name, named(formatted, original))


def _datetime(module: "object", probe: "Probe") -> "None":
    """`datetime` and `date` as classes whose readings of the clock can be set; their instances are those of the originals as well."""
    if not probe.concerns("clock"):
        return
    real, day = module.datetime, module.date

    def kind(original: "type") -> "type":
        class Instances(type):
            def __instancecheck__(cls: "type", instance: "object") -> "bool":
                return isinstance(instance, original)

            def __subclasscheck__(cls: "type", other: "type") -> "bool":
                return issubclass(other, original)

        return Instances

    def is_set(what: "str") -> "bool":
        return probe.asked("clock", what, AT_ONCE) and "clock" in probe.levels

    class datetime(real, metaclass=kind(real)):  # type: ignore[misc, valid-type]  # noqa: N801 - it stands for the class of this name
        @classmethod
        def now(cls, tz: "object" = None) -> "object":
            return cls.fromtimestamp(probe.clock.now() if is_set("datetime.now()") else REAL["time"](), tz)

        @classmethod
        def today(cls) -> "object":
            return cls.fromtimestamp(probe.clock.now()) if is_set("datetime.today()") else cls.fromtimestamp(REAL["time"]())

        @classmethod
        def utcnow(cls) -> "object":
            moment = probe.clock.now() if is_set("datetime.utcnow()") else REAL["time"]()
            return cls.fromtimestamp(moment, module.timezone.utc).replace(tzinfo=None)

    class date(day, metaclass=kind(day)):  # type: ignore[misc, valid-type]  # noqa: N801
        @classmethod
        def today(cls) -> "object":
            return cls.fromtimestamp(probe.clock.now() if is_set("date.today()") else REAL["time"]())

    for made, original in ((datetime, real), (date, day)):
        made.__module__, made.__qualname__ = "datetime", original.__name__
    module.datetime, module.date = datetime, date


# -------------------------------------------------------------------------------------------------------------- listings


class _Entries:
    """What `os.scandir` gives, in another order."""

    def __init__(self, entries: "list[object]") -> "None":
        self._entries = iter(entries)

    def __iter__(self) -> "_Entries":
        return self

    def __next__(self) -> "object":
        return next(self._entries)

    def __enter__(self) -> "_Entries":
        return self

    def __exit__(self, *_: "object") -> "None":
        self.close()

    def close(self) -> "None":
        self._entries = iter(())


def _listings(probe: "Probe") -> "None":
    """`os.listdir` and `os.scandir`, through which `glob`, `pathlib` and `os.walk` list too."""
    if not probe.concerns("listing"):
        return
    listdir, scandir = os.listdir, os.scandir
    backwards = probe.levels.get("listing") == 2

    def concerned(count: "int", path: "object", what: "str") -> "bool":
        name = path if isinstance(path, str) else "."
        if count < 2 or probe.places.kind(os.path.abspath(name) + "/x") != "own":
            return False
        return probe.asked("listing", what, FAR) and "listing" in probe.levels

    def listed(path: "object" = ".") -> "list[object]":
        names = listdir(path)
        return sorted(names, reverse=backwards) if concerned(len(names), path, "os.listdir()") else names

    def scanned(path: "object" = ".") -> "object":
        with scandir(path) as entries:
            found = list(entries)
        if concerned(len(found), path, "os.scandir()"):
            found.sort(key=lambda entry: entry.name, reverse=backwards)
        return _Entries(found)

    os.listdir, os.scandir = named(listed, listdir), named(scanned, scandir)


_LATER = {"platform": _platform, "socket": _socket, "getpass": _getpass, "uuid": _uuid, "datetime": _datetime}
