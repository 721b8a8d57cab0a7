"""Runs the code cells of a notebook in order, in one process: the script that `assay run notebook.ipynb` starts in the user's interpreter.

Standard library only, for Python 3.8 and later. Where the interpreter has IPython, its shell runs the cells, so that magics, ``!`` and
displays work; else they are run as plain Python. No kernel is started, and nothing is written into the user's profile, history or notebook.

``$ASSAY_CELLS`` is a file that takes a line of JSON for the notebook as it was read, then one for each cell as it ends: its place in the
notebook, its count, when it began, how long it took, its outputs. ``$ASSAY_PARAMETERS`` is a JSON object of values for the cell with the
tag ``parameters``.
"""

import ast
import asyncio
import atexit
import base64
import builtins
import importlib
import inspect
import json
import linecache
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
# Of what one cell prints; the run's own output has all of it.
PRINTED = 1 << 20
MAGIC = ("%", "!", "?")


# ----------------------------------------------------------------------------------------------------------- the notebook


class Cell:
    """A code cell: its index among all cells, its count among the code cells that hold code, its source and its tags."""

    def __init__(self, place: "int", count: "int", source: "str", tags: "tuple[str, ...]") -> "None":
        self.place = place
        self.count = count
        self.source = source
        self.tags = tags


def code_cells(document: "object") -> "list[Cell]":
    """The code cells of a notebook (format 3 or 4), empty ones left out. ValueError: it is no notebook."""
    found = []
    for place, cell in enumerate(_all_cells(document)):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", cell.get("input", ""))
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        metadata = cell.get("metadata")
        tags = metadata.get("tags") if isinstance(metadata, dict) else None
        if text.strip():
            found.append(Cell(place, len(found) + 1, text, tuple(map(str, tags)) if isinstance(tags, list) else ()))
    return found


def _all_cells(document: "object") -> "list[object]":
    if isinstance(document, dict):
        sheets = document.get("worksheets")
        holder = sheets[0] if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict) else document
        if isinstance(holder.get("cells"), list):
            return holder["cells"]
    raise ValueError("it has no list of cells")


# ------------------------------------------------------------------------------------------------------------ the outputs


class Outputs:
    """What the cell that runs prints and displays, in the form of the notebook format; appended to the report as the cell ends."""

    def __init__(self, path: "str") -> "None":
        self._path = path
        self._found = []  # type: list[dict[str, object]]
        self._printed = 0
        self._apart = False

    def begin(self, text: "str") -> "None":
        """Report the notebook as it was read, and listen to the standard streams."""
        self._report({"notebook": text})
        for name in ("stdout", "stderr"):
            self._tee(getattr(sys, name, None), name)

    def end(self, cell: "Cell", began: "float", failed: "bool") -> "None":
        """Report the cell, which has just ended."""
        found, self._found, self._printed = self._found, [], 0
        took = time.time() - began
        self._report({"place": cell.place, "count": cell.count, "began": began, "took": took, "failed": failed, "outputs": found})

    def add(self, output: "dict[str, object]") -> "None":
        """One output that is no text on a stream."""
        self._found.append(output)

    def shown(self, kind: "str", data: "dict[str, object]", metadata: "object") -> "None":
        """A display, or the value of a cell: kept in all its forms, and printed as text."""
        plain = {name: base64.b64encode(form).decode("ascii") if isinstance(form, bytes) else form for name, form in data.items()}
        self.add({"output_type": kind, "data": plain, "metadata": metadata or {}})
        text = data.get("text/plain")
        if text:
            self.apart(sys.stdout, str(text) + "\n")

    def apart(self, stream: "object", text: "str") -> "None":
        """Write what is among the outputs already."""
        self._apart = True
        try:
            stream.write(text)
            stream.flush()
        finally:
            self._apart = False

    def _tee(self, stream: "object", name: "str") -> "None":
        if stream is None:
            return
        write = stream.write

        def teed(text: "str") -> "int":
            written = write(text)
            if not self._apart:
                self._print(name, str(text))
            return written

        try:
            stream.write = teed
        except AttributeError:  # a stream of another kind than Python's own
            pass

    def _print(self, name: "str", text: "str") -> "None":
        if not text or self._printed > PRINTED:
            return
        self._printed += len(text)
        if self._printed > PRINTED:
            text = "\n[more was printed; the run's output has it]\n"
        last = self._found[-1] if self._found else {}
        if last.get("name") == name:
            last["text"] += text
        else:
            self._found.append({"output_type": "stream", "name": name, "text": text})

    def _report(self, line: "dict[str, object]") -> "None":
        if not self._path:
            return
        try:
            with open(self._path, "a", encoding="utf-8") as report:
                report.write(json.dumps(line, default=str) + "\n")
        except Exception:  # a full disk, or a display that is no JSON: the notebook goes on, and the record lacks this cell's outputs
            pass


# ------------------------------------------------------------------------------------------------------------- the shells


class Plain:
    """Runs cells where there is no IPython. The value of a last expression is printed, and `await` works between functions."""

    def __init__(self, names: "str") -> "None":
        self._names = names
        self._loop = None  # type: object
        # A module of its own: what a cell defines must not meet this file's names, and is pickled as `__main__`'s.
        self._main = type(sys)("__main__")
        self.space = vars(self._main)
        self.space["__builtins__"] = builtins
        sys.modules["__main__"] = self._main
        os.environ.setdefault("MPLBACKEND", "Agg")  # no window may open, and wait for somebody to close it

    def run(self, cell: "Cell") -> "BaseException | None":
        """What ended the cell early, if anything did."""
        name = self._names % cell.count
        linecache.cache[name] = (len(cell.source), None, cell.source.splitlines(True), name)
        try:
            body = compile(cell.source, name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT).body
            shown = []
            if body and isinstance(body[-1], ast.Expr) and not cell.source.rstrip().endswith(";"):
                shown = [body.pop()]
            for tree, mode in ((ast.Module(body=body, type_ignores=[]), "exec"), (ast.Interactive(body=shown), "single")):
                if tree.body:
                    self._execute(compile(tree, name, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT))
        except BaseException as error:  # noqa: B036 - whoever called says what an error, an exit or an interruption means
            return error
        return None

    def _execute(self, code: "object") -> "None":
        value = eval(code, self.space)
        if code.co_flags & inspect.CO_COROUTINE:
            self._loop = self._loop or asyncio.new_event_loop()
            self._loop.run_until_complete(value)

    def leaves(self) -> "bool":
        """Whether a cell has asked to end here; plain Python raises SystemExit for that."""
        return False


def ipython(outputs: "Outputs", names: "str") -> "object":
    """A shell of IPython's that displays into `outputs`; None where the interpreter has none."""
    try:
        shell_module = importlib.import_module("IPython.core.interactiveshell")
        hook = importlib.import_module("IPython.core.displayhook").DisplayHook
        publisher = importlib.import_module("IPython.core.displaypub").DisplayPublisher
        profiles = importlib.import_module("IPython.core.profiledir").ProfileDir
        configuration = importlib.import_module("traitlets.config").Config
        if importlib.util.find_spec("matplotlib_inline") is not None:  # as a kernel of Jupyter's sets it
            os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    except Exception:  # none, or one that does not work here
        return None

    class Value(hook):
        """The value of a cell's last expression."""

        def write_output_prompt(self) -> "None":
            """None: what is printed is the value alone."""

        def write_format_data(self, format_dict: "dict[str, object]", md_dict: "object" = None) -> "None":
            outputs.shown("execute_result", format_dict, md_dict)

    class Displayed(publisher):
        """What `display` shows."""

        def publish(self, data: "dict[str, object]", metadata: "object" = None, *_: "object", **__: "object") -> "None":
            outputs.shown("display_data", data, metadata)

    class Shell(shell_module.InteractiveShell):
        """IPython's shell without prompt, terminal, history and profile."""

        left = False

        def enable_gui(self, gui: "object" = None) -> "None":
            """No event loop of a window system runs beside a notebook's cells."""

        def ask_exit(self) -> "None":
            self.left = True

        def showtraceback(self, *_: "object", **__: "object") -> "None":
            """Nothing: what ended a cell is told once, by who runs the cells."""

        showsyntaxerror = showtraceback

        def run(self, cell: "Cell") -> "BaseException | None":
            done = self.run_cell(cell.source, store_history=True)
            return done.error_before_exec or done.error_in_exec

        def leaves(self) -> "bool":
            return self.left

    folder = importlib.import_module("tempfile").mkdtemp(prefix="assay-ipython-")
    atexit.register(importlib.import_module("shutil").rmtree, folder, True)
    settings = configuration({"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "NoColor"}})
    shell = Shell.instance(
        config=settings, ipython_dir=folder, profile_dir=profiles.create_profile_dir(folder, config=settings),
        display_pub_class=Displayed, displayhook_class=Value,
    )
    shell.compile.get_code_name = lambda raw, code, number: names % number
    shell.set_hook("show_in_pager", lambda _, text, *__, **___: print(text["text/plain"] if isinstance(text, dict) else text))
    return shell


# ---------------------------------------------------------------------------------------------------------------- running


class Failure(Exception):
    """A cell that cannot be run, with what to say."""


def main() -> "None":
    """Run the notebook that the first argument names; the others are its own."""
    given = sys.argv[1]
    path = os.path.abspath(given)
    values = json.loads(os.environ.pop("ASSAY_PARAMETERS", "") or "{}")
    outputs = Outputs(os.environ.pop("ASSAY_CELLS", ""))
    with open(path, encoding="utf-8-sig") as file:
        text = file.read()
    document = json.loads(text)
    cells = [cell for cell in code_cells(document) if "skip-execution" not in cell.tags]
    _enter(given, path)
    label = os.path.basename(path)
    outputs.begin(text)
    shell = ipython(outputs, "<%s, cell %%d>" % label) or Plain("<%s, cell %%d>" % label)
    if isinstance(shell, Plain):
        _refuse_magics(cells, label)
    turn = document["metadata"].get("assay", {}).get("turn") if isinstance(document.get("metadata"), dict) else None
    if isinstance(turn, int):  # the cells of a session in which several runs began: the record is of one of them
        os.environ["ASSAY_TURN"] = str(turn)
    for cell in cells:
        _run(shell, cell, outputs, label, values)
        if shell.leaves():
            break


def _enter(given: "str", path: "str") -> "None":
    """The folder, arguments and module path that the notebook finds; a notebook runs in its own folder, as under Jupyter."""
    folder = os.path.dirname(path)
    sys.argv[:] = [given] + sys.argv[2:]
    if sys.path and os.path.abspath(sys.path[0] or ".") == HERE:
        del sys.path[0]
    sys.path.insert(0, folder)
    os.chdir(folder)


def _refuse_magics(cells: "list[Cell]", label: "str") -> "None":
    """Before anything has run, say which cell needs IPython."""
    for cell in cells:
        try:
            compile(cell.source, label, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        except SyntaxError:
            lines = [line.strip() for line in cell.source.splitlines()]
            line = next((line for line in lines if line.startswith(MAGIC) or line.endswith("?") or "= !" in line or "= %" in line), None)
            if line is not None:
                text = "assay: cell %d of %s uses IPython's syntax (%s), and %s has no IPython. Install it there: pip install ipython"
                sys.exit(text % (cell.count, label, line, sys.executable))
        except ValueError:  # a NUL byte: the cell itself will say so
            continue


def _run(shell: "object", cell: "Cell", outputs: "Outputs", label: "str", values: "dict[str, object]") -> "None":
    began = time.time()
    error = shell.run(cell)
    if error is None and "parameters" in cell.tags and values:
        error = _give(values, sys.modules["__main__"].__dict__)
    left = isinstance(error, SystemExit)
    if error is not None and not left:
        _tell(error, outputs)
    outputs.end(cell, began, error is not None and not left)
    if left:
        raise error
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    if error is not None and "raises-exception" not in cell.tags:
        sys.exit("assay: cell %d of %s failed: %s" % (cell.count, label, _last_line(error)))


def _give(values: "dict[str, object]", space: "dict[str, object]") -> "BaseException | None":
    """Set the variables that the cell with the tag `parameters` has just made to what the command line gave."""
    for name, value in values.items():
        plain = name.replace("-", "_")
        if plain not in space:
            return Failure("no variable of the cell with the tag `parameters` has the name of the argument %r" % name)
        space[plain] = value
    return None


def _tell(error: "BaseException", outputs: "Outputs") -> "None":
    """The traceback, from the cell on: on standard error, and among the outputs."""
    place = error.__traceback__
    while place is not None and not place.tb_frame.f_code.co_filename.startswith("<"):
        place = place.tb_next
    lines = traceback.format_exception(type(error), error, place)
    outputs.add({"output_type": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": [line.rstrip("\n") for line in lines]})
    outputs.apart(sys.stderr, "".join(lines))


def _last_line(error: "BaseException") -> "str":
    return traceback.format_exception_only(type(error), error)[-1].strip()


if __name__ == "__main__":
    main()
