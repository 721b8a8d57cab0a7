"""The coverage page, measured: each row is a way to depend on something, run under `assay run` and inside a live run."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from assay.records.run import Result
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.supervise import supervise

PAGE = Path(__file__).parents[2] / "docs" / "coverage.md"


class Row(NamedTuple):
    """What a script does, the file (or the word of a gap) that it is about, how that is seen, and the library that it needs."""

    body: str
    about: str
    command: str
    live: str
    needs: str = ""


def child(code: str) -> str:
    return f"subprocess.run([sys.executable, '-c', {code!r}], check=True)"


ROWS = {
    "module of the project": Row("import part", "part.py", "loaded", "loaded"),
    "module that git ignores": Row("import ignored", "ignored.py", "loaded", "loaded"),
    "module beyond the project, by `sys.path`": Row("sys.path.append('../beyond')\nimport far", "far.py", "loaded", "loaded"),
    "module in a zip file": Row("sys.path.append('lib.zip')\nimport zipped", "lib.zip", "read", "read"),
    "notebook of the project that is read, to run it": Row("open('part.ipynb').read()", "part.ipynb", "loaded", "loaded"),
    "code given to `exec`": Row("exec(open('part.py').read())", "part.py", "read", "read"),
    "`runpy.run_path`": Row("import runpy\nrunpy.run_path('part.py')", "part.py", "loaded", "loaded"),
    "resource of a package": Row(
        "import importlib.resources as r\n(r.files('pkg') / 'r.txt').read_text()", "pkg/r.txt", "read", "read"
    ),
    "`open`, `pathlib`, `io`": Row("open('data.csv').read()", "data.csv", "read", "read"),
    "`os.open` with `dir_fd`": Row(
        "fd = os.open('pkg', os.O_RDONLY)\nos.open('r.txt', os.O_RDONLY, dir_fd=fd)", "pkg/r.txt", "read", "read"
    ),
    "`mmap` of an open file": Row(
        "import mmap\nwith open('data.csv', 'rb') as f: mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)[:]", "data.csv", "read", "read"
    ),
    "`sqlite3.connect`": Row("import sqlite3\nsqlite3.connect('base.db').execute('select * from t')", "base.db", "read", "read"),
    "`numpy.load`, memory-mapped": Row("import numpy\nnumpy.load('a.npy', mmap_mode='r').sum()", "a.npy", "read", "read", "numpy"),
    "h5py": Row("import h5py\nh5py.File('x.h5', 'r')['a'][:]", "x.h5", "read", "read", "h5py"),
    "safetensors": Row("import safetensors\nsafetensors.safe_open('x.safetensors', 'np')", "x.safetensors", "read", "read", "safetensors"),
    "pyarrow": Row("import pyarrow.csv\npyarrow.csv.read_csv('data.csv')", "data.csv", "read", "read", "pyarrow"),
    "polars": Row("import polars\npolars.scan_csv('data.csv').collect()", "data.csv", "read", "read", "polars"),
    "duckdb": Row("import duckdb\nduckdb.sql(\"select * from 'data.csv'\").fetchall()", "data.csv", "read", "read", "duckdb"),
    "names in a folder": Row("os.listdir('pkg')", "pkg", "listed", "listed"),
    "whether a file is there (`os.path.exists`)": Row("os.path.exists('data.csv')", "data.csv", "unseen", "unseen"),
    "`ctypes`: a C library's own `open`": Row("import ctypes\nctypes.CDLL(None).open(b'data.csv', 0)", "reads", "gap", "gap"),
    "compiled code of the project, where it can open files": Row("import ctypes\nctypes.CDLL('./own.so')", "own.so", "gap", "gap"),
    "`torch.jit.load`": Row("import torch\ntorch.jit.load('m.pt')", "m.pt", "read", "read", "torch"),
    "Python by `subprocess`": Row(child("open('data.csv').read()"), "data.csv", "read", "read"),
    "Python by `multiprocessing`, spawned": Row(
        "import multiprocessing as m\np = m.get_context('spawn').Process(target=exec, args=(\"open('data.csv')\",))\np.start()\np.join()",
        "data.csv", "read", "read",
    ),
    "Python by `os.fork`": Row("if os.fork() == 0:\n    open('data.csv')\n    os._exit(0)\nos.wait()", "data.csv", "read", "read"),
    "Python with an environment of its own": Row(
        "subprocess.run([sys.executable, '-c', \"open('data.csv')\"], env={})", "child process", "gap", "gap"
    ),
    "another program": Row("subprocess.run(['cat', 'data.csv'], stdout=subprocess.DEVNULL)", "child process", "gap", "gap"),
    "network": Row("sys.audit('socket.connect', None, ('198.51.100.7', 80))", "network", "gap", "gap"),
    "file written by `open`": Row("open('out.txt', 'w').write('x')", "out.txt", "written", "written"),
    "file moved into place": Row("open('t', 'w').write('x')\nos.replace('t', 'out.txt')", "out.txt", "written", "written"),
    "file written by another program": Row("subprocess.run(['cp', 'data.csv', 'out.txt'])", "out.txt", "written", "written"),
    "file written by `ctypes`": Row("import ctypes\nctypes.CDLL(None).creat(b'out.txt', 0o644)", "out.txt", "written", "written"),
}  # fmt: skip


@pytest.fixture
def folder(project: Path) -> Path:
    """A project with everything that the rows name."""
    for name, text in {
        "part.py": "X = 1\n", "ignored.py": "X = 1\n", ".gitignore": "ignored.py\n", "data.csv": "a\n1\n",
        "part.ipynb": "{}", "pkg/__init__.py": "", "pkg/r.txt": "r", "../beyond/far.py": "X = 1\n",
    }.items():  # fmt: skip
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    with zipfile.ZipFile(project / "lib.zip", "w") as archive:
        archive.writestr("zipped.py", "X = 1\n")
    return project


MAKE = {
    "base.db": "import sqlite3\nsqlite3.connect('base.db').execute('create table t (a)')",
    "a.npy": "import numpy\nnumpy.save('a.npy', numpy.ones(4))",
    "x.h5": "import h5py\nh5py.File('x.h5', 'w')['a'] = [1.0]",
    "x.safetensors": "import numpy\nfrom safetensors.numpy import save_file\nsave_file({'a': numpy.zeros(2)}, 'x.safetensors')",
    "own.so": "import blake3, glob, os, shutil\nshutil.copy(glob.glob(os.path.dirname(blake3.__file__) + '/*.so')[0], 'own.so')",
    "m.pt": "import torch\ntorch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), 'm.pt')",
}


def under_a_command(folder: Path, row: Row) -> tuple[Store, Result]:
    (folder / "script.py").write_text(f"import os, subprocess, sys\nif __name__ == '__main__':\n{indented(row.body, 4)}")
    store = Store.open(folder)
    run = supervise(store, folder, [sys.executable, "script.py"], cwd=folder, relay=False).run
    assert run.result is not None
    assert run.state == "finished", run.result.failure
    return store, run.result


def inside_a_live_run(folder: Path, row: Row) -> tuple[Store, Result]:
    body = indented(row.body, 8)
    source = (
        f"import os, subprocess, sys, assay\nif __name__ == '__main__':\n    with assay.run() as run:\n{body}    print(run.id)\n"
    )
    (folder / "script.py").write_text(source)
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    store = Store.open(folder)
    result = store.runs.read(done.stdout.split()[-1]).result
    assert result is not None
    return store, result


def indented(body: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in body.splitlines())


def how_seen(store: Store, result: Result, about: str) -> set[str]:
    """Every way in which the record speaks of a file, or of what a gap is called."""
    trace = store.objects.record(result.trace or "", Trace)
    found = {
        way
        for way, uses in (("loaded", trace.loaded), ("read", trace.read), ("written", trace.written))
        for use in uses
        if use.id is not None and (use.path == about or use.path.endswith("/" + about))
    }
    found |= {"listed"} if about in trace.listed else set()
    return found | ({"gap"} if any(about in gap.what for gap in result.fidelity.missing) else set())


@pytest.mark.parametrize("column", ["command", "live"])
@pytest.mark.parametrize("name", ROWS)
def test_each_cell_is_as_the_page_says(folder: Path, name: str, column: str) -> None:
    """What the page says of a row holds under a command and in a live run."""
    row = ROWS[name]
    if row.needs and importlib.util.find_spec(row.needs) is None:
        pytest.skip(f"{row.needs} is not installed")
    if row.about in MAKE:
        subprocess.run([sys.executable, "-W", "ignore", "-c", MAKE[row.about]], cwd=folder, check=True, env=dict(os.environ))
    store, result = (under_a_command if column == "command" else inside_a_live_run)(folder, row)
    expected = getattr(row, column)
    seen = how_seen(store, result, row.about)
    assert expected in seen if expected != "unseen" else not seen, (seen, result.fidelity)


def test_the_page_has_every_row_and_no_other() -> None:
    """The table of the page is the table of this file."""
    lines = [line for line in PAGE.read_text().splitlines() if re.match(r"\| .* \| \w+ \| \w+ \|$", line)]
    assert lines == [f"| {name} | {row.command} | {row.live} |" for name, row in ROWS.items()]
