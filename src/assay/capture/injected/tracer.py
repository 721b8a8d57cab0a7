"""Sees what an interpreter opens, loads, writes and starts, and seeds its libraries: the one file that enters the user's process.

Standard library only, for Python 3.8 and later; older interpreters load it and are left alone (hence the quoted annotations).
It has three lives:

- as ``sitecustomize`` on PYTHONPATH it watches the process and appends records to a file of its own under ``$ASSAY_TRACE``;
- imported by Assay, the same watcher serves a run of Assay's own process;
- ``python FILE --probe`` prints one JSON document that describes the interpreter.

Nothing here may print, raise into the user's program, or import a library that the user has not imported.

A record is a letter, its fields and ``NUL LF``; file names are the last field, so any byte that a name can have is exact. Letters:
``s`` start facts, ``r`` read, ``w`` written anew, ``a`` appended, ``u`` read and written,
``x`` source executed, ``v`` its content, ``m`` moved, ``d`` removed, ``l`` folder listed, ``c`` child started, ``k`` child started with an
environment in which it cannot report, ``n`` library that reads natively, ``g`` one of these whose reads are seen, ``h`` host contacted,
``o`` words of a rank, ``b`` where the content is that a file had before it was written over, ``e`` end facts, ``!`` lost. Before the name of a file stand the time and its stat record ("-": no such file, "?":
not asked). Facts are Python literals, since a JSON module would cost every start 2 ms.

Where there are many, a file that is read is its name and ``NUL q`` alone, every time that it is opened, for what the hook does then is what
each open costs. Before them stand ``t`` the time and ``f`` the folder that relative names begin in, as often as they change.
"""

import _thread
import atexit
import os
import sys
import time

END = b"\0\n"
ENCODING = sys.getfilesystemencoding()
# Where a process reads more files than this, and more than so many a second, the rest is recorded with the time alone: asking for the stat
# record of each costs ten times what the rest of it does.
STATS = 1024
RATE = 1000
# So many of them within so many seconds are read by nothing but a loop that opens files: there it costs most, and is ended sooner.
BURST = 128
FAST = 0.0125
READ = "\0q\0\n"
# A time that is recorded holds for what follows within so many seconds. Asking for it costs as much as writing some names, so it is asked for
# again after as many names as come within that time: at first so many, then more, but never more than the most.
TICK = 0.004
NAMES_A_LOOK, MOST_A_LOOK = 32, 512
# Each remembered name costs about 80 bytes of the user's memory.
NAMES = 500_000
# Source that was changed so shortly before it was loaded (seconds) may be another than the snapshot has: it is reported whole.
RECENT = 10.0
SOURCE = 1 << 20
SEGMENT = 1 << 16
# MADV_POPULATE_WRITE, which no Python names: the pages of a segment all at once, where names come fast. One at a time, as they are written to,
# they cost what an eighth of the hook does.
POPULATE = 23
# A report of more segments (17 MiB and on) is looked through for names that it has already: sooner it would cost more than it spares.
SEGMENTS = 9
LOST = b"!no space left for the report" + END
ROOM = b" " * (len(LOST) - len(END)) + END  # a record that says nothing, where LOST finds its place in a full segment
OPENERS = frozenset(("open", "open64", "openat", "openat64", "creat", "creat64", "fopen", "fopen64", "freopen"))
WRITING = os.O_WRONLY | os.O_RDWR
WRAPPED = frozenset(("torch",))  # they read by `open`, and write natively
NATIVE = frozenset((
    "h5py", "netCDF4", "tables", "pyarrow", "fastparquet", "polars", "duckdb", "safetensors", "tensorflow", "lmdb", "cv2", "zarr",
    "tokenizers", "xgboost", "lightgbm", "catboost", "sentencepiece",
))
SYSTEM = ("/proc/", "/sys/", "/dev/", "/etc/", "/run/", "/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/share/", "/usr/bin/", "/usr/local/lib/")
WALKERS = ("os", "shutil")  # they open folders by descriptors of those above, and read no file so
IMPORTERS = ("importlib", "_frozen_importlib", "pkgutil", "pkg_resources", "zipimport")
BLAS = ("openblas", "mkl", "blis", "cublas", "cudnn", "libomp", "libgomp", "libiomp", "accelerate")
VARIABLES = (
    "PYTHONHASHSEED", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "RAYON_NUM_THREADS",
    "CUBLAS_WORKSPACE_CONFIG", "TORCHINDUCTOR_DETERMINISTIC", "TF_DETERMINISTIC_OPS", "XLA_FLAGS", "CUDA_VISIBLE_DEVICES", "NVIDIA_TF32_OVERRIDE",
)
THREADS = tuple(name for name in VARIABLES if name.endswith("_THREADS"))
FLAGS = ("optimize", "no_site", "isolated", "ignore_environment", "hash_randomization", "dev_mode", "utf8_mode")
# Read before the program can change it.
HASH_SEED = os.environ.get("PYTHONHASHSEED", "")


# ---------------------------------------------------------------------------------------------------------------- facts


def hash_seed() -> "str":
    """PYTHONHASHSEED as this interpreter took it: digits where hashes are fixed, else "random"."""
    if not sys.flags.hash_randomization:
        return "0"
    return HASH_SEED if HASH_SEED.isdigit() and not sys.flags.ignore_environment else "random"


def standard_library() -> "list[str]":
    """Folders of the standard library and of installed distributions: nothing below them is the user's."""
    library = os.path.dirname(os.path.abspath(os.__file__))
    found = [library]
    name = "python%d.%d" % sys.version_info[:2]
    for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix):
        found.extend("%s/%s/%s" % (prefix, lib, name) for lib in ("lib", "lib64"))
    return list(dict.fromkeys(found))


def start_facts() -> "dict[str, object]":
    """What identifies this process and its interpreter; plain values alone."""
    flags = sys.flags
    return {
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "time": time.time(),
        "argv": list(getattr(sys, "orig_argv", None) or getattr(sys, "argv", None) or ()),
        "executable": sys.executable,
        "implementation": sys.implementation.name,
        "version": sys.version.split()[0],
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "path": [entry for entry in sys.path if isinstance(entry, str)],
        "stdlib": standard_library(),
        "flags": {name: getattr(flags, name, None) for name in FLAGS},
        "hash_seed": hash_seed(),
        "rank": rank(),
        "cwd": _cwd(),
        "env": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def rank() -> "int | None":
    """The rank of this process where several share one program (torchrun and its like say so in the environment)."""
    number, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    return int(number) if number.isdigit() and size.isdigit() and int(size) > 1 else None


def part(name: "str") -> "object":
    """A module that lies beside this file and is needed by few processes; it is no module of the program's."""
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    loader = sys.modules["_frozen_importlib_external"].SourceFileLoader("assay_" + name, place)
    module = type(sys)("assay_" + name)
    loader.exec_module(module)
    return module


def end_facts(mapped: "list[str] | None" = None) -> "dict[str, object]":
    """Settings and libraries as they stand now: of modules that the program has imported, asked without importing any.

    `mapped`: its shared libraries, where they are known already.
    """
    return {
        "time": time.time(),
        "native": {name: _version(name) for name in sorted(NATIVE) if name in sys.modules},
        "frameworks": frameworks(),
        "blas": blas(libraries() if mapped is None else mapped),
        "threads": threads(),
        "seed": active_seeding().seed,
        "seeded": list(active_seeding().seeded),
        "used": part("ranks").used() if rank() is not None else {},
    }


def _version(name: "str") -> "str":
    return str(getattr(sys.modules.get(name), "__version__", ""))


def threads() -> "dict[str, str]":
    """Thread-count variables that are set, and the effective count of what could be asked."""
    found = {name: os.environ[name] for name in THREADS if name in os.environ}
    if hasattr(os, "sched_getaffinity"):
        found["cpus"] = str(len(os.sched_getaffinity(0)))
    return found


def frameworks() -> "dict[str, dict[str, str]]":
    """Flags that decide whether a framework's results can repeat, of the frameworks that are loaded."""
    found = {}
    for name, questions in _QUESTIONS.items():
        module = sys.modules.get(name)
        if module is None or _is_loading(module):
            continue
        answers = {"version": _version(name)}
        for flag, ask in questions.items():
            try:
                answers[flag] = str(ask(module))
            except Exception:  # versions differ in what can be asked
                continue
        found[name] = answers
    return found


# `torch._C` is asked where the public reading of a flag warns in some versions: a reading must never print.
_QUESTIONS = {
    "numpy": {},
    "torch": {
        "threads": lambda torch: torch.get_num_threads(),
        "interop_threads": lambda torch: torch.get_num_interop_threads(),
        "deterministic_algorithms": lambda torch: torch.are_deterministic_algorithms_enabled(),
        "deterministic_warn_only": lambda torch: torch.is_deterministic_algorithms_warn_only_enabled(),
        "cudnn.benchmark": lambda torch: torch._C._get_cudnn_benchmark(),
        "cudnn.deterministic": lambda torch: torch._C._get_cudnn_deterministic(),
        "cudnn.allow_tf32": lambda torch: torch._C._get_cudnn_allow_tf32(),
        "matmul.allow_tf32": lambda torch: torch._C._get_cublas_allow_tf32(),
        "float32_matmul_precision": lambda torch: torch._C._get_float32_matmul_precision(),
        "default_dtype": lambda torch: torch.get_default_dtype(),
    },
    "tensorflow": {
        "op_determinism": lambda tf: sys.modules["tensorflow.python.framework.config"].is_op_determinism_enabled(),
        "intra_op_threads": lambda tf: tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_op_threads": lambda tf: tf.config.threading.get_inter_op_parallelism_threads(),
        "tensor_float_32": lambda tf: tf.config.experimental.tensor_float_32_execution_enabled(),
    },
    "jax": {
        "enable_x64": lambda jax: jax.config.jax_enable_x64,
        "default_matmul_precision": lambda jax: jax.config.jax_default_matmul_precision,
        "default_prng_impl": lambda jax: jax.config.jax_default_prng_impl,
        "threefry_partitionable": lambda jax: jax.config.jax_threefry_partitionable,
    },
}  # type: dict[str, dict[str, object]]


def libraries() -> "list[str]":
    """Paths of the shared libraries that are mapped into this process."""
    try:
        with open("/proc/self/maps", "rb") as maps:
            lines = maps.read().split(b"\n")
    except OSError:
        return []
    paths = {line[line.find(b"/") :] for line in lines if b".so" in line}
    return sorted(os.fsdecode(path) for path in paths)


def blas(mapped: "list[str]") -> "dict[str, str]":
    """The linear-algebra and threading libraries among those that are mapped: file name to what is known of its version."""
    names = [path.rpartition("/")[2] for path in mapped]
    described = _numpy_blas()
    found = {}
    for name in names:
        if any(part in name.lower() for part in BLAS):
            found[name] = described if "openblas" in name and "openblas" in described else ""
    return found


def _numpy_blas() -> "str":
    config = getattr(sys.modules.get("numpy.__config__"), "CONFIG", None)
    try:
        library = config["Build Dependencies"]["blas"]
        return "%s %s" % (library["name"], library["version"])
    except (TypeError, KeyError):
        return ""


def _cwd() -> "str":
    try:
        return os.getcwd()
    except OSError:  # the folder was removed under the process
        return ""


# --------------------------------------------------------------------------------------------------------------- report


class Report:
    """Append-only records of this process, in mapped files.

    A record is in the page cache as soon as it is copied, so SIGKILL loses nothing and no system call is paid; the blocks are reserved
    before, so a full disk is an error here and not a signal there. No descriptor stays open that the program could close or reuse.
    Appending never blocks: a signal handler or finaliser that interrupts it leaves its record for the interrupted one to write.

    `begin` gives the first record; where there is one, the folder and it are made when there is something else to say.
    """

    def __init__(self, folder: "str", begin: "object" = None) -> "None":
        self._folder = folder
        self._begin = begin
        self._busy = _thread.allocate_lock()
        self._waiting = []  # type: list[bytes]
        self._map = None  # type: object
        self._maps = []  # type: list[object]
        self._spare = None  # type: object
        self._name = "%s/%d.%d" % (folder, os.getpid(), time.time_ns())
        self._lost = False
        self._names = None  # type: object
        self._give = None  # type: object

    def append(self, record: "bytes") -> "None":
        """The record outlives the process once this has returned."""
        waiting = self._waiting
        if self._busy.acquire(False):
            try:
                self._put(record)
            finally:
                self._busy.release()
            if not waiting:
                return
        else:
            waiting.append(record)
        while waiting and self._busy.acquire(False):
            try:
                self._put(waiting.pop(0) if waiting else b"")
            finally:
                self._busy.release()

    def share(self, give: "object") -> "None":
        """Call `give`, now and whenever it changes, with the fastest way to append: it raises ValueError where a segment is full.

        Of names that are appended so, those that the report has already are dropped now and then. `give` gets None once there are more
        names than are remembered.
        """
        if self._busy.acquire(False):
            try:
                self._give = give
                if self._map is not None or self._grow(0):
                    self._hand_out()
            finally:
                self._busy.release()

    def segment(self, size: "int") -> "object":
        """A mapped file of `size` bytes, which are reserved."""
        import mmap  # where it is no builtin it costs .2 ms, which a process that does not report need not pay

        if self._begin is not None:
            os.makedirs(self._folder, exist_ok=True)
        descriptor = os.open("%s.%04d" % (self._name, len(self._maps)), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
            return mmap.mmap(descriptor, size, **({"trackfd": False} if sys.version_info >= (3, 13) else {}))
        finally:
            os.close(descriptor)

    def _put(self, record: "bytes") -> "None":
        try:
            if self._map is not None:
                self._map.write(record)
                return
        except ValueError as error:  # the segment is full
            if _is_foreign(error):
                raise
        if self._grow(len(record)):
            self._map.write(record)

    def _hand_out(self) -> "None":
        # One call into C is one step for threads and signal handlers alike; where threads run side by side it is not.
        self._give(self._map.write if getattr(sys, "_is_gil_enabled", _yes)() else self.append)

    def _grow(self, needed: "int") -> "bool":
        if self._lost:
            return False
        full = self._map
        try:
            self._map = self._next(needed)
        except OSError:
            self._lost = True
            if full is not None:
                full[: len(LOST)] = LOST
            return False
        self._map.write(ROOM)
        if self._begin is not None:
            begin, self._begin = self._begin, None
            self._map.write(begin())
        if self._give is not None and full is not None:
            self._hand_out()
            if len(self._maps) > SEGMENTS:
                self._look_through(full)
        return True

    def _next(self, needed: "int") -> "object":
        segment, self._spare = self._spare, None
        if segment is None or len(segment) < needed + SEGMENT:
            segment = self.segment(max(SEGMENT << min(len(self._maps), 6), needed + SEGMENT))
            # Older maps are kept: closing one would close a descriptor number that the program may have reused.
            self._maps.append(segment)
            if self._give is not None:
                self._populate(segment)
        return segment

    def _populate(self, segment: "object") -> "None":
        try:
            segment.madvise(POPULATE)
        except (AttributeError, OSError, ValueError):  # a system that has none; then the pages come one by one
            pass

    def _look_through(self, full: "object") -> "None":
        """Take the names that were reported before out of a full segment; where most of them were, it is used again."""
        full.seek(len(full))  # a thread that is about to write there fails, and comes here
        if self._names is None:
            self._names = part("many").Names()
        records = self._names.fresh(full[:])
        if len(self._names) >= NAMES:
            give, self._give = self._give, None
            give(None)
            return
        if len(records) > len(full) // 2:
            return
        try:
            self._map.write(records)
        except ValueError as error:  # other threads have filled this one too
            if _is_foreign(error):
                raise
            return
        self._hand_out()
        # All that it held stands elsewhere by now: a kill in between leaves a record twice, or a torn one that nobody reads.
        full[:] = bytes(len(full))
        full.seek(0)
        self._spare = full


# -------------------------------------------------------------------------------------------------------------- watcher


class Watcher:
    """The audit hook with what it remembers. `emit` takes each record; `on` switches it, since a hook cannot be removed.

    `write` takes names of files once there are many: so many as `left` says, then it is looked whether it is `until`, when it is time to say
    what time it is.
    """

    def __init__(self) -> "None":
        self.on = False
        self.emit = None  # type: object
        self.write = None  # type: object
        self.left = 0
        self.until = 0.0
        self._report = None  # type: object
        self._base = None  # type: str | None
        self.folder = None  # type: str | None
        self._seen = set()  # type: set[int]
        self._relative = set()  # type: set[int]
        self._asking = set()  # type: set[str]
        self._aside = None  # type: object
        self._between = 0
        self._stats = 0
        self._since = 0.0
        self._burst = 0.0
        self._many = False
        self._full = False
        self.skip = ()  # type: tuple[str, ...]
        self._adapters = None  # type: object
        self._installed = False
        self._handlers = {
            "exec": self._executed,
            "import": self._imported,
            "os.chdir": self._moved_away,
            "os.rename": self._renamed,
            "os.remove": self._removed,
            "shutil.rmtree": self._removed,
            "os.link": self._linked,
            "os.symlink": self._linked,
            "os.truncate": self._truncated,
            "os.listdir": self._listed,
            "os.scandir": self._listed,
            "subprocess.Popen": self._spawned,
            "os.exec": self._replaced,
            "os.posix_spawn": self._spawned_at_once,
            "os.spawn": self._spawned_by_mode,
            "os.system": self._spawned_by_shell,
            "sqlite3.connect": self._opened_natively,
            "ctypes.dlopen": self._library,
            "ctypes.dlsym": self._looked_up,
            "socket.connect": self._contacted,
        }

    def start(self, report: "object", own: "tuple[str, ...]", folder: "str | None") -> "None":
        """Watch from now on. `own`: folders whose use is not the program's. `folder`: where forked children report, if anywhere."""
        self._seen.clear()
        self._relative.clear()
        self._stats = 0
        self._since = self._burst = time.monotonic()
        self._many = self._full = False
        self._aside = None
        self.skip = skipped() + own
        self._report_to(report)
        self.folder = folder
        if not self._installed:
            self._installed = True
            sys.addaudithook(self._hook())
            os.register_at_fork(after_in_child=self._forked)
        self.on = True
        for name in NATIVE | WRAPPED:
            if name in sys.modules:
                self._imported(name)

    def start_record(self, forked: "bool" = False) -> "bytes":
        """The start facts, with what a reader needs to tell the program's files from the interpreter's."""
        return fact_record("s", dict(start_facts(), skip=list(self.skip), forked=forked))

    def stop(self) -> "None":
        """Watch no longer; what was seen stays with who took the records."""
        self.on = False
        self.left = 0
        self.write = None

    def _report_to(self, report: "object") -> "None":
        self._report = report
        self.emit = report.append
        self._renew(None)

    def _forked(self) -> "None":
        # The parent's file stays the parent's. The child's is made with its first record: most children execute something else at once.
        if not self.on:
            return
        if self.folder is None:
            self.stop()
        else:
            self._aside = None
            self._report_to(Report(self.folder, lambda: self.start_record(forked=True)))

    def _hook(self) -> "object":
        seen, handlers, opened = self._seen, self._handlers, self._opened

        def assay_watches(event: "str", args: "tuple[object, ...]") -> "None":
            try:
                if event == "open":
                    if self.left > 0 and args[1] == "r":
                        self.left -= 1
                        write = self.write  # called as an attribute it costs a twentieth more
                        try:
                            write((args[0] + READ).encode())
                            return
                        except Exception as error:  # the segment is full, or the name is no text, or not all of its letters are
                            if _is_foreign(error):
                                raise
                    if self.on:
                        key = hash(args)
                        if key not in seen:
                            opened(key, *args)
                elif event in handlers and self.on:
                    self.left, self.until = 0, 0.0
                    handlers[event](*args)
            except Exception as error:
                # Whatever a signal handler of the program raised while this ran is the program's; what failed here is nobody's.
                if _is_foreign(error):
                    raise

        return assay_watches

    def _opened(self, key: "int", path: "object", mode: "str | None", flags: "int") -> "None":
        if self._full:
            return
        # Of many the record is as short as it can be; whose file it is can be told later.
        if self._stats >= BURST and mode == "r" and path.__class__ is str and ENCODING == "utf-8" and self._are_many():
            self._one_of_many(path)
            return
        if path.__class__ is not str:
            if isinstance(path, int):
                return
            path = os.fsdecode(path)
        kind = "r"
        if flags & WRITING or (mode is not None and mode not in ("r", "rb")):
            kind = _writing_kind(mode or "", flags)
        if path[:1] != "/":
            if mode is None and _names_a_folder(sys._getframe(1)):
                if not flags & os.O_DIRECTORY:
                    self._opened_below(kind, path)
            elif self._once(kind, os.getcwd() + "/" + path):
                self._seen.add(key)
                self._relative.add(key)
        elif path.startswith(self.skip) or self._use(kind, path):
            self._seen.add(key)

    def _opened_below(self, kind: "str", path: "str") -> "None":
        """`os.open`, perhaps with a folder's descriptor, which the event does not tell: the one folder that has the name, or a note."""
        names = [folder + "/" + path for folder in _open_folders()]
        # What is a folder in each of them was opened to look into it, as for removing a tree.
        found = [name for name in names if os.path.lexists(name) and not os.path.isdir(name)] or (names if kind != "r" else [])
        if len(found) == 1:
            self._once(kind, found[0])
        elif found and hash(("!", path)) not in self._seen:
            self._seen.add(hash(("!", path)))
            self.emit(("!%s was opened relative to a folder that is not known\0\n" % path).encode(ENCODING, "backslashreplace"))

    def _are_many(self) -> "bool":
        """Whether this process reads more files than their stat records can be asked for unnoticed."""
        if not self._many and self._stats >= STATS:
            self._many = self._stats > RATE * (time.monotonic() - self._since)
        return self._many

    def _count(self) -> "None":
        """One stat record more; now and then it is looked how fast they come."""
        self._stats += 1
        if self._stats % BURST == 0:
            now = time.monotonic()
            self._many = self._many or now < self._burst + FAST
            self._burst = now

    def _one_of_many(self, path: "str") -> "None":
        if self.write is None:
            self._report.share(self._shared)
        now = time.monotonic()
        if now < self.until:
            self._between = min(2 * self._between, MOST_A_LOOK)
        else:
            # Where the time ran out long ago, the names come slowly, and each is given its own.
            if now > self.until + TICK:
                self._between = 0
            self._tick(now)
        self.emit((path + READ).encode("utf-8", "surrogateescape"))
        self.left = self._between if self.write is not None else 0
        self._between = self._between or NAMES_A_LOOK // 2

    def _tick(self, moment: "float") -> "None":
        """Say what time it is, and in which folder relative names begin."""
        self.until = moment + TICK
        now, base = time.time(), _cwd()
        if base != self._base:
            self._base = base
            self.emit(("f%s\0\n" % base).encode(ENCODING, "surrogateescape"))
        self.emit(b"t%.6f" % now + END)

    def _shared(self, write: "object") -> "None":
        self._renew(write)
        if write is None:
            self._say_full()

    def _renew(self, write: "object") -> "None":
        self.write = write
        self.left, self.until = 0, 0.0
        self._base = None

    def _say_full(self) -> "None":
        if not self._full:
            self._full = True
            self.emit(b"!more than %d files were opened in one process" % NAMES + END)

    def _use(self, kind: "str", path: "str") -> "bool":
        """Record one use of a file; false where it does not exist yet, so that it is looked at again."""
        if len(self._seen) >= NAMES:
            self._say_full()
            return True
        if path in self._asking:
            return False  # a clock of the program's own, which opens a file to know what time it is
        self.left, self.until = 0, 0.0  # what follows did so
        self._asking.add(path)
        try:
            now = time.time()
        finally:
            self._asking.discard(path)
        if kind == "r" and self._are_many():
            self.emit(("r%.6f ? %s\0\n" % (now, path)).encode(ENCODING, "surrogateescape"))
            return True
        self._count()
        try:
            known = os.stat(path)
            stat = _stat_words(known)
        except (OSError, ValueError):
            known, stat = None, "-"
        self.emit(("%s%.6f %s %s\0\n" % (kind, now, stat, path)).encode(ENCODING, "surrogateescape"))
        if kind == "r":
            self._seen.add(hash(("r", path)))
        elif known is not None and kind in "wuad":
            self._set_aside(kind, path, known)
        return kind != "r" or stat != "-"

    def _set_aside(self, kind: "str", path: "str", known: "object") -> "None":
        """Keep what a file that this process has read holds, for that is gone in a moment."""
        before = hash(("b", path))
        if self.folder is None or before in self._seen or (kind != "u" and hash(("r", path)) not in self._seen):
            return
        self._seen.add(before)
        if self._aside is None:
            self._aside = part("aside").Aside(self.folder)
        place = self._aside.keep(path, known, kind in "dm", self._asking)
        if place is not None:
            self._fact("b", (path, known.st_size, known.st_mtime_ns, place))

    def _once(self, kind: "str", path: "str") -> "bool":
        """Record a use unless it was recorded; false where the file does not exist."""
        key = hash((kind, path))
        if key not in self._seen and not path.startswith(self.skip):
            if not self._use(kind, path):
                return False
            self._seen.add(key)
        return True

    # One method for each event, with the arguments that the audit table of the library reference gives it.

    def _executed(self, code: "object") -> "None":
        name = getattr(code, "co_filename", "")
        if name[:1] not in ("", "<") and code.co_name == "<module>":
            self._loaded(_absolute(name))

    def _loaded(self, path: "str") -> "None":
        if hash(("x", path)) in self._seen or path.startswith(self.skip) or not self._once("x", path):
            return
        known = os.stat(path)
        if max(known.st_mtime, known.st_ctime) > time.time() - RECENT and known.st_size <= SOURCE:
            with open(path, "rb") as source:
                self._fact("v", (path, known.st_size, known.st_mtime_ns, source.read(SOURCE)))

    def _imported(self, module: "str", filename: "object" = None, *_: "object") -> "None":
        if filename is not None:
            self._once("x", _absolute(filename))
        if module in NATIVE and hash(("n", module)) not in self._seen:
            self._seen.add(hash(("n", module)))
            self._fact("n", module)
            self._adapt(module)
        elif module in WRAPPED:
            self._adapt(module)

    def _adapt(self, module: "str") -> "None":
        """See to it that the files that a native library opens are seen, where there is an adapter for it."""
        if self._adapters is None:
            self._adapters = part("natives").adapters(Awaiting, self._used_natively, self._noted, self._covered)
            sys.meta_path.insert(0, self._adapters)
        for name in self._adapters.names:
            loaded = sys.modules.get(name)
            if name.partition(".")[0] == module and loaded is not None and not _is_loading(loaded):
                self._adapters.adapt(name, loaded)

    def _used_natively(self, kind: "str", name: "str") -> "None":
        if self.on:
            self._once(kind, _absolute(name))

    def _noted(self, text: "str") -> "None":
        if self.on and hash(("!", text)) not in self._seen:
            self._seen.add(hash(("!", text)))
            self.emit(("!%s\0\n" % text).encode(ENCODING, "backslashreplace"))

    def _covered(self, library: "str") -> "None":
        if self.on:
            self._fact("g", library)

    def _moved_away(self, *_: "object") -> "None":
        # Relative names mean other files from here on.
        self._seen.difference_update(self._relative)
        self._relative.clear()

    def _renamed(self, source: "object", target: "object", source_folder: "int" = -1, target_folder: "int" = -1) -> "None":
        old, new = _absolute(source, source_folder), _absolute(target, target_folder)
        key = hash(("m", old, new))
        if key not in self._seen and not new.startswith(self.skip):
            self._seen.add(key)
            now = time.time()
            try:
                known = os.stat(new)
            except (OSError, ValueError):
                known = None
            stat = "-" if known is None else _stat_words(known)
            self.emit(("m%.6f %s %s\0%s\0\n" % (now, stat, old, new)).encode(ENCODING, "surrogateescape"))
            if known is not None:
                self._set_aside("m", new, known)

    def _removed(self, path: "object", folder: "object" = -1, *_: "object") -> "None":
        if not isinstance(path, int):
            self._once("d", _absolute(path, folder))

    def _linked(self, source: "object", target: "object", *folders: "object") -> "None":
        # Of a hard link two descriptors are told, of a symbolic link that of the target's folder alone.
        self._once("w", _absolute(target, folders[-1] if folders else -1))

    def _truncated(self, path: "object", *_: "object") -> "None":
        if not isinstance(path, int):
            self._once("u", _absolute(path))

    def _listed(self, path: "object" = None, *_: "object") -> "None":
        # The import system and what looks for plug-ins list every folder of sys.path; that is not the program looking for data.
        if isinstance(path, int) or _importing():
            return
        name = _absolute(path) if path else os.getcwd()
        if not (name + "/").startswith(self.skip):
            self._once("l", name)

    def _spawned(self, executable: "object", arguments: "object", _cwd: "object" = None, env: "object" = None) -> "None":
        words = [arguments] if isinstance(arguments, (str, bytes)) else list(arguments)
        kind = "c" if _is_watched(env) else "k"
        self._fact(kind, [_text(word) for word in words] or [_text(executable)])

    def _spawned_at_once(self, path: "object", arguments: "object", env: "object" = None) -> "None":
        self._spawned(path, arguments, None, env)

    def _spawned_by_mode(self, mode: "int", path: "object", arguments: "object", env: "object" = None) -> "None":
        self._spawned(path, arguments, None, env)

    def _spawned_by_shell(self, command: "object") -> "None":
        self._fact("c", ["/bin/sh", "-c", _text(command)])

    def _replaced(self, path: "object", arguments: "object", env: "object" = None) -> "None":
        self._spawned(path, arguments, None, env)
        self._fact("e", end_facts())

    def _opened_natively(self, database: "object", *_: "object") -> "None":
        name = _text(database)
        if name and not name.startswith((":", "file:")):
            self._once("u", _absolute(name))

    def _library(self, name: "object", *_: "object") -> "None":
        if isinstance(name, str) and "/" in name:
            self._once("r", _absolute(name))

    def _looked_up(self, _library: "object", name: "object") -> "None":
        if name in OPENERS:
            caller = _caller(self.skip)
            if caller:
                self._noted("%s calls a C library's %s by ctypes; what it opens so is unseen" % (os.path.basename(caller), name))

    def _contacted(self, _socket: "object", address: "object", *_: "object") -> "None":
        if isinstance(address, tuple) and len(address) >= 2:
            place = "%s:%s" % (_text(address[0]), address[1])
            if hash(("h", place)) not in self._seen:
                self._seen.add(hash(("h", place)))
                self._fact("h", place)

    def _fact(self, kind: "str", fact: "object") -> "None":
        self.emit(fact_record(kind, fact))


def fact_record(kind: "str", fact: "object") -> "bytes":
    """A record of plain values, as `ast.literal_eval` reads them."""
    return kind.encode("ascii") + ascii(fact).encode("ascii") + END


def _stat_words(known: "os.stat_result") -> "str":
    """A stat record as reports have it."""
    return "%d,%d,%d,%d,%d,%d" % (known.st_mode, known.st_size, known.st_mtime_ns, known.st_ctime_ns, known.st_ino, known.st_dev)


def _writing_kind(mode: "str", flags: "int") -> "str":
    """How a file is opened for writing: anew, at its end, or in place; reading where it is not."""
    if flags & os.O_TRUNC or flags & os.O_EXCL or "w" in mode or "x" in mode:
        return "w"
    if flags & os.O_RDWR == os.O_RDWR or "+" in mode:
        return "u"
    if flags & os.O_APPEND or "a" in mode:
        return "a"
    return "a" if flags & os.O_WRONLY else "r"


def skipped() -> "tuple[str, ...]":
    """Beginnings of paths that say nothing about the program: the system, the interpreter and installed packages."""
    found = list(SYSTEM)
    for folder in standard_library():
        found.append(folder + "/")
    for entry in sys.path:
        if isinstance(entry, str) and entry.endswith(("site-packages", "dist-packages", "lib-dynload")):
            found.append(entry + "/")
    for prefix in (sys.prefix, sys.base_prefix):
        found.extend(prefix + part for part in ("/bin/", "/include/", "/pyvenv.cfg", "/share/"))
    return tuple(dict.fromkeys(found))


def _absolute(path: "object", folder: "object" = -1) -> "str":
    """The whole name of a path, which may be relative to an open folder."""
    name = os.fsdecode(path)
    if name[:1] == "/":
        return name
    return (os.getcwd() if folder in (-1, None) else os.readlink("/proc/self/fd/%d" % folder)) + "/" + name


def _names_a_folder(frame: "object") -> "bool":
    """Whether the code that called `os.open` speaks of `dir_fd` at all; the arguments themselves cannot be seen."""
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    if frame is None:
        return False
    if frame.f_globals.get("__name__") in WALKERS:
        return True
    code = frame.f_code
    words = [word for constant in code.co_consts if isinstance(constant, tuple) for word in constant]
    return "dir_fd" in words or any("dir_fd" in names for names in (code.co_names, code.co_varnames, code.co_consts))


def _open_folders() -> "list[str]":
    """The working folder, and those that this process has open."""
    found = {os.getcwd()}
    for number in os.listdir("/proc/self/fd"):
        try:
            name = os.readlink("/proc/self/fd/" + number)
        except OSError:
            continue
        if name[:1] == "/" and os.path.isdir(name):
            found.add(name)
    return sorted(found)


def _text(value: "object") -> "str":
    return os.fsdecode(value) if isinstance(value, (str, bytes, os.PathLike)) else str(value)


def _is_watched(env: "object") -> "bool":
    """Whether an interpreter that starts with this environment (None: that of this process) would report."""
    known = os.environ if env is None else {os.fsdecode(name): value for name, value in env.items()}
    return bool(known.get("ASSAY_TRACE")) and bool(known.get("PYTHONPATH"))


def _yes() -> "bool":
    return True


def _is_loading(module: "object") -> "bool":
    """Whether a module's own code is still running."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _caller(skip: "tuple[str, ...]") -> "str":
    """The file of the code that called; empty where it is one of those that begin so."""
    frame = sys._getframe(1)
    while frame is not None and (frame.f_globals is globals() or frame.f_globals.get("__name__") == "ctypes"):
        frame = frame.f_back
    name = "" if frame is None else frame.f_code.co_filename
    return "" if name.startswith(skip) else name


def _importing() -> "bool":
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    return frame is not None and str(frame.f_globals.get("__name__")).startswith(IMPORTERS)


def _is_foreign(error: "BaseException") -> "bool":
    """Whether an exception was raised by code that ran on top of this file, such as a signal handler."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and place.tb_frame.f_globals is not globals() and place.tb_frame.f_globals.get("__name__") not in ("os", "posixpath")


watcher = Watcher()


# -------------------------------------------------------------------------------------------------------------- seeding


def _seed_generator(module: "object", seed: "int") -> "None":
    module.seed(seed)


def _seed_torch(torch: "object", seed: "int") -> "None":
    torch.manual_seed(seed)  # every device: those that are not initialised yet take it when they are
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    # "warn": an operation without a deterministic form is named by torch and does not end a run that would have finished. The flag is that
    # of `use_deterministic_algorithms`, which would import the compiler too, at 1 s; that one takes its setting when it is imported.
    torch.set_deterministic_debug_mode("warn")
    compiler = sys.modules.get("torch._inductor.config")
    if compiler is not None:
        compiler.deterministic = True


def _seed_tensorflow(tf: "object", seed: "int") -> "None":
    tf.random.set_seed(seed)
    tf.config.experimental.enable_op_determinism()


# Names whose import is awaited. Keras draws its seeds from `random`. JAX has no global generator: its keys are the program's own.
_SEEDERS = {"random": _seed_generator, "numpy.random": _seed_generator, "torch": _seed_torch, "tensorflow": _seed_tensorflow}
# Without these, cuBLAS, torch's compiler and TensorFlow give different bits from run to run; they are read when the libraries start.
_SETTINGS = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "TORCHINDUCTOR_DETERMINISTIC": "1", "TF_DETERMINISTIC_OPS": "1"}


class Awaiting:
    """A finder that acts on modules of certain names once they have run: now where they are imported, else as their import ends."""

    names = frozenset()  # type: frozenset[str]

    def apply(self, name: "str", module: "object") -> "None":
        """What is done with a module that has just run."""
        raise NotImplementedError

    def adapt(self, name: "str", module: "object") -> "None":
        """Apply, and let nothing that fails there reach the program; a signal handler's exit passes."""
        try:
            self.apply(name, module)
        except Exception as error:  # a version of the library that lacks something: said at the end, never raised into the import
            if _is_foreign(error) and isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise

    def find_spec(self, name: "str", path: "object" = None, target: "object" = None) -> "object":
        """The spec that the other finders give, with a loader that acts after the module has run."""
        if name not in self.names:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                self._await(name, spec.loader)
                return spec
        return None

    def _await(self, name: "str", loader: "object") -> "None":
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: "object") -> "None":
            # The loader is as it was before the module runs, so the module sees its own.
            vars(loader).pop("exec_module", None)
            execute(module)
            self.adapt(name, sys.modules.get(name, module))

        try:
            loader.exec_module = exec_module
        except AttributeError:  # a loader that is a class or has slots: the end facts show what is missing
            return


class Seeding(Awaiting):
    """Seeds each library once it is there: now where it is imported, else as its import ends. It imports none itself."""

    seeds_for_assay = True
    names = frozenset(_SEEDERS)

    def __init__(self) -> "None":
        self.seed = None  # type: int | None
        self.seeded = []  # type: list[str]

    def set(self, seed: "int") -> "None":
        """Every known library that is imported is seeded; those that are not will be, by the end of their import."""
        self.seed = seed
        del self.seeded[:]
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        for name in _SEEDERS:
            module = sys.modules.get(name)
            if module is not None and not _is_loading(module):
                self.adapt(name, module)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def apply(self, name: "str", module: "object") -> "None":
        """Seed a library."""
        _SEEDERS[name](module, self.seed)
        self.seeded.append(name.partition(".")[0])


seeding = Seeding()


def active_seeding() -> "Seeding":
    """The seeding of this process: of the injected file where it seeds, though Assay was imported later, and the other way round."""
    return next((finder for finder in sys.meta_path if getattr(finder, "seeds_for_assay", False)), seeding)


# -------------------------------------------------------------------------------------------------------------- entries


def enter_as_sitecustomize() -> "None":
    """Start watching and seeding as the environment asks, then run the ``sitecustomize`` that this file stands in front of."""
    here = os.path.dirname(os.path.abspath(__file__))
    try:
        sys.path[:] = [entry for entry in sys.path if entry != here]
        sys.path_importer_cache.pop(here, None)
        if sys.version_info >= (3, 8):
            _watch_process(here)
    except Exception:  # nothing may keep the user's program from starting; a process that did not report is counted as a gap
        pass
    _run_shadowed()


def _made(folder: "str") -> "bool":
    """Make the folder for reports, where its name ends with a slash: who reports first does, unless the run has ended."""
    if folder[-1:] != "/" or os.path.exists(os.path.dirname(folder[:-1]) + "/result"):
        return False
    try:
        os.mkdir(folder)
    except OSError:
        return os.path.isdir(folder)  # another was first; or there is no such run
    return True


def _watch_process(here: "str") -> "None":
    folder, reported = os.environ.get("ASSAY_TRACE", ""), os.environ.get("ASSAY_PROBE_REPORT", "")
    own = tuple(path.rstrip("/") + "/" for path in (folder, here, reported) if path)
    if "ASSAY_PROBE" in os.environ:
        # First of all: it may start this interpreter anew.
        part("probe").enter(os.environ["ASSAY_PROBE"], reported, own + skipped(), standard_library()[0], Awaiting, part)
    if folder and (os.path.isdir(folder) or _made(folder)):
        report = Report(folder)
        watcher.start(report, own, folder)
        report.append(watcher.start_record())
        if rank() is not None:
            part("ranks").listen(lambda record: watcher.emit(record), fact_record)
        # Registered first, so it runs last: after whatever the program does at its exit.
        atexit.register(_at_exit)
    seed = os.environ.get("ASSAY_SEED", "")
    if seed.isdigit() and int(seed) < 2**32:
        seeding.set(int(seed))


def _at_exit() -> "None":
    try:
        watcher.emit(fact_record("e", end_facts()))
    except Exception:  # at exit there is nobody left to tell
        pass


def _run_shadowed() -> "None":
    """Import the next ``sitecustomize`` on the path under its own name; its errors are its own."""
    mine = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        if mine is not None:
            sys.modules["sitecustomize"] = mine
    except BaseException:
        if mine is not None:
            sys.modules["sitecustomize"] = mine
        raise


def probe() -> "None":
    """Print the start facts as one JSON document, and leave bytecode beside this file and its parts, so that no later start compiles them."""
    import json
    import py_compile

    here = os.path.dirname(os.path.abspath(__file__))
    facts = start_facts()
    facts["path"] = [entry for entry in facts["path"] if entry != here]
    if os.path.basename(__file__) == "sitecustomize.py":
        for name in os.listdir(here):
            try:
                if name.endswith(".py"):
                    py_compile.compile(os.path.join(here, name), doraise=True)
            except (OSError, py_compile.PyCompileError):
                continue
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "sitecustomize":
    enter_as_sitecustomize()
elif __name__ == "__main__" and "--probe" in sys.argv:
    probe()
