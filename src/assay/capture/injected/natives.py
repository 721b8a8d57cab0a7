"""Reads by libraries that open files in native code, seen at the functions to which their users give the names.

Loaded by the tracer beside it when such a library is imported; it imports none itself. Standard library only, for Python 3.8 and later.
Each adapter is told the module as its import ends and wraps what opens files in it; what a wrapped function gets and gives back stays the
same. An adapter that cannot find what it wraps covers nothing, and the library stays named as one that reads unseen.
"""

import glob
import os
import re

MOST = 10_000  # files below one folder that are recorded
_SQL_TEXT = re.compile(r"""(?i)(\bto\s+|\battach\s+(?:if\s+not\s+exists\s+)?)?(?:'((?:[^']|'')+)'|"([^"]+)")""")


class NotCovered(Exception):
    """A version of a library that lacks what its adapter wraps."""


def adapters(awaiting: "type", use: "object", note: "object", covered: "object") -> "object":
    """A finder that adapts each library as its import ends.

    `awaiting` is the tracer's base class of such finders; `use(kind, name)` records a use of a file, `note(text)` a gap, and
    `covered(library)` that a library's reads are seen from now on.
    """

    class Adapters(awaiting):  # type: ignore[misc]
        names = frozenset(_ADAPTERS)

        def __init__(self) -> "None":
            self.done = set()  # type: set[str]

        def apply(self, name: "str", module: "object") -> "None":
            if name not in self.done:
                try:
                    _ADAPTERS[name](module, _Recorder(use, note))
                except Exception:
                    if "." in name:
                        note("this version of %s opens files in native code, unseen" % name)
                    raise
                self.done.add(name)
            if "." not in name:
                covered(name)

    return Adapters()


class _Recorder:
    """Records what a caller named: a file, a folder's files, what a pattern matches, or a list of these. What is no name is left alone."""

    def __init__(self, use: "object", note: "object") -> "None":
        self._use = use
        self.note = note

    def __call__(self, kind: "str", source: "object") -> "None":
        if isinstance(source, (list, tuple, set, frozenset)):
            for one in source:
                self(kind, one)
        elif isinstance(source, (str, bytes, os.PathLike)):
            name = os.fsdecode(source)
            if name.startswith("file://"):
                name = name[len("file://") :]
            if name and "://" not in name and "\0" not in name:
                for file in self._files(kind, name):
                    self._use(kind, file)

    def _files(self, kind: "str", name: "str") -> "list[str]":
        if kind != "r" or os.path.isfile(name):
            return [name]
        if os.path.isdir(name):
            found = [os.path.join(folder, one) for folder, _, files in os.walk(name) for one in sorted(files)]
        else:
            found = sorted(glob.iglob(os.path.expanduser(name), recursive=True)) if glob.has_magic(name) else []
        if len(found) > MOST:
            self.note("only %d of the %d files that %s stands for are recorded" % (MOST, len(found), name))
        return found[:MOST]


def _wrap(owner: "object", name: "str", before: "object" = None, after: "object" = None, needed: "bool" = True) -> "None":
    """Put `before(arguments, named)` and `after(result, arguments)` around a function or method; their failures are nobody's."""
    original = getattr(owner, name, None)
    if original is None:
        if needed:
            raise NotCovered(name)
        return

    def wrapped(*arguments: "object", **named: "object") -> "object":
        if before is not None:
            try:
                before(arguments, named)
            except Exception:  # what was asked for is opened all the same
                pass
        result = original(*arguments, **named)
        if after is not None:
            try:
                after(result, arguments)
            except Exception:
                pass
        return result

    for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
        try:
            setattr(wrapped, attribute, getattr(original, attribute))
        except (AttributeError, TypeError):
            continue
    wrapped.__wrapped__ = original
    setattr(owner, name, wrapped)


def _first(kind: "str", record: "_Recorder", place: "int" = 0, *names: "str") -> "object":
    """What records the argument that stands at `place`, or is given by one of the names."""

    def before(arguments: "tuple[object, ...]", named: "dict[str, object]") -> "None":
        if len(arguments) > place:
            record(kind, arguments[place])
        for name in names:
            if name in named:
                record(kind, named[name])

    return before


def _h5py(module: "object", record: "_Recorder") -> "None":
    def opened(arguments: "tuple[object, ...]", named: "dict[str, object]") -> "None":
        flags = arguments[1] if len(arguments) > 1 else named.get("flags", module.h5f.ACC_RDWR)
        record("u" if flags & module.h5f.ACC_RDWR else "r", arguments[0] if arguments else named["name"])

    _wrap(module.h5f, "open", opened)
    _wrap(module.h5f, "create", _first("w", record, 0, "name"))


def _safetensors(module: "object", record: "_Recorder") -> "None":
    _wrap(module, "safe_open", _first("r", record, 0, "filename"))
    _wrap(module, "serialize_file", _first("w", record, 1, "filename"))


def _pyarrow(module: "object", record: "_Recorder") -> "None":
    for name in ("memory_map", "OSFile", "input_stream"):
        _wrap(module, name, _first("r", record, 0, "path", "source"))


def _parquet(module: "object", record: "_Recorder") -> "None":
    def found(_none: "object", arguments: "tuple[object, ...]") -> "None":
        record("r", list(arguments[0].files))

    _wrap(module.ParquetFile, "__init__", _first("r", record, 1, "source"))
    _wrap(module.ParquetDataset, "__init__", _first("r", record, 1, "path_or_paths"), found)
    _wrap(module.ParquetWriter, "__init__", _first("w", record, 1, "where"))


def _dataset(module: "object", record: "_Recorder") -> "None":
    def found(dataset: "object", _arguments: "object") -> "None":
        record("r", list(getattr(dataset, "files", ())))

    _wrap(module, "dataset", None, found)


def _tokenizers(module: "object", record: "_Recorder") -> "None":
    _wrap(module.Tokenizer, "from_file", _first("r", record, 0, "path"))


def _xgboost(module: "object", record: "_Recorder") -> "None":
    def data(arguments: "tuple[object, ...]", named: "dict[str, object]") -> "None":
        source = arguments[1] if len(arguments) > 1 else named.get("data")
        if isinstance(source, (str, os.PathLike)):
            record("r", os.fspath(source).partition("?")[0].partition("#")[0])  # "train.txt?format=libsvm#cache"

    _wrap(module.DMatrix, "__init__", data)
    _wrap(module.Booster, "load_model", _first("r", record, 1, "fname"))
    _wrap(module.Booster, "save_model", _first("w", record, 1, "fname"))
    _wrap(module.Booster, "get_dump", _first("r", record, 1, "fmap"))


def _lightgbm(module: "object", record: "_Recorder") -> "None":
    _wrap(module.Dataset, "__init__", _first("r", record, 1, "data"))
    _wrap(module.Booster, "__init__", _first("r", record, 3, "model_file"))
    _wrap(module.Booster, "predict", _first("r", record, 1, "data"))
    _wrap(module.Booster, "save_model", _first("w", record, 1, "filename"))


def _functions(*names: "str") -> "object":
    """An adapter of a module whose functions of these names take a file first."""

    def adapt(module: "object", record: "_Recorder") -> "None":
        for name in names:
            _wrap(module, name, _first("r", record, 0, "input_file", "source"), needed=False)

    return adapt


def _polars(module: "object", record: "_Recorder") -> "None":
    reads = [name for name in dir(module) if name.startswith(("read_", "scan_")) and callable(getattr(module, name))]
    if "read_parquet" not in reads:
        raise NotCovered("read_parquet")
    for name in reads:
        _wrap(module, name, _first("r", record, 0, "source"))
    for owner, beginning in ((module.DataFrame, "write_"), (module.LazyFrame, "sink_")):
        for name in dir(owner):
            if name.startswith(beginning) and not name.endswith(("clipboard", "database", "delta", "iceberg", "excel")):
                _wrap(owner, name, _first("w", record, 1, "file", "path"))


def _duckdb(module: "object", record: "_Recorder") -> "None":
    def connected(arguments: "tuple[object, ...]", named: "dict[str, object]") -> "None":
        name = os.fspath(arguments[0] if arguments else named.get("database", ":memory:"))
        if name and not name.startswith(":"):
            record("r" if named.get("read_only") or (len(arguments) > 1 and arguments[1]) else "u", name)
            record.note("what views in the database %s read is not recorded" % name)

    _wrap(module, "connect", connected)
    for owner, place in ((module, 0), (module.DuckDBPyConnection, 1)):
        for name in ("sql", "query", "execute", "executemany", "from_query"):
            _wrap(owner, name, _statement(record, place), needed=False)
        for name in ("read_csv", "read_parquet", "read_json", "from_csv_auto", "from_parquet"):
            _wrap(owner, name, _first("r", record, place, "path_or_buffer", "file_glob", "file_globs"), needed=False)


def _torch(module: "object", record: "_Recorder") -> "None":
    # `torch.save`, and what saves by it: a name that is no ASCII is opened by `open`, and told twice.
    _wrap(module._open_zipfile_writer_file, "__init__", _first("w", record, 1, "name"))


def _jit(module: "object", record: "_Recorder") -> "None":
    _wrap(module, "load", _first("r", record, 0, "f"))
    _wrap(module, "save", _first("w", record, 1, "f"))


def _statement(record: "_Recorder", place: "int") -> "object":
    """What records the files that a statement's quoted texts name, where there are such files."""

    def before(arguments: "tuple[object, ...]", named: "dict[str, object]") -> "None":
        text = arguments[place] if len(arguments) > place else named.get("query", "")
        for action, single, double in _SQL_TEXT.findall(text if isinstance(text, str) else ""):
            name = single.replace("''", "'") or double
            word = action.strip().lower()
            record("w" if word == "to" else "u" if word else "r", name)

    return before


_ADAPTERS = {
    "h5py": _h5py,
    "safetensors": _safetensors,
    "pyarrow": _pyarrow,
    "pyarrow.parquet.core": _parquet,
    "pyarrow.dataset": _dataset,
    "pyarrow.csv": _functions("read_csv", "open_csv"),
    "pyarrow.json": _functions("read_json", "open_json"),
    "pyarrow.feather": _functions("read_table", "read_feather"),
    "pyarrow.orc": _functions("read_table", "ORCFile"),
    "polars": _polars,
    "duckdb": _duckdb,
    "torch.serialization": _torch,
    "torch.jit": _jit,
    "tokenizers": _tokenizers,
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
}
LIBRARIES = frozenset(name for name in _ADAPTERS if "." not in name)
