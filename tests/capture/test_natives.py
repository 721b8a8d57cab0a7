"""Libraries that open files in native code: each row is a way to read or write that its users take, run in the real library."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assay.capture.trace import collect, injection
from assay.capture.trace_reports import Observed
from assay.records.trace import Trace
from assay.store.store import Store

# Library, what makes the file, what reads it, and the files that are then read.
READS = {
    "h5py": ("import h5py\nh5py.File('x.h5', 'w')['a'] = [1.0]", "import h5py\nh5py.File('x.h5')['a'][:]", {"x.h5"}),
    "h5py bytes": ("import h5py\nh5py.File('x.h5', 'w')['a'] = [1.0]", "import h5py\nh5py.File(b'x.h5', 'r')['a'][:]", {"x.h5"}),
    "safetensors": (
        "import numpy\nfrom safetensors.numpy import save_file\nsave_file({'a': numpy.zeros(2)}, 'x.safetensors')",
        "from safetensors import safe_open\nwith safe_open('x.safetensors', 'np') as f: f.get_tensor('a')",
        {"x.safetensors"},
    ),
    "safetensors torch": (
        "import torch\nfrom safetensors.torch import save_file\nsave_file({'a': torch.zeros(2)}, 'x.safetensors')",
        "from safetensors.torch import load_file\nload_file('x.safetensors')",
        {"x.safetensors"},
    ),
    "pyarrow read_table": (
        "import pyarrow as pa, pyarrow.parquet as pq\npq.write_table(pa.table({'a': [1]}), 'x.parquet')",
        "import pyarrow.parquet as pq\npq.read_table('x.parquet')",
        {"x.parquet"},
    ),
    "pyarrow ParquetFile": (
        "import pyarrow as pa, pyarrow.parquet as pq\npq.write_table(pa.table({'a': [1]}), 'x.parquet')",
        "from pyarrow.parquet import ParquetFile\nimport pathlib\nParquetFile(pathlib.Path('x.parquet')).read()",
        {"x.parquet"},
    ),
    "pyarrow dataset": (
        "import os, pyarrow as pa, pyarrow.parquet as pq\nos.mkdir('d')\n"
        "for i in range(2): pq.write_table(pa.table({'a': [i]}), f'd/{i}.parquet')",
        "import pyarrow.dataset as ds\nds.dataset('d').to_table()",
        {"d/0.parquet", "d/1.parquet"},
    ),
    "pyarrow csv": ("open('x.csv', 'w').write('a\\n1\\n')", "import pyarrow.csv as c\nc.read_csv('x.csv')", {"x.csv"}),
    "pyarrow feather": (
        "import pyarrow as pa, pyarrow.feather as f\nf.write_feather(pa.table({'a': [1]}), 'x.feather')",
        "import pyarrow.feather as f\nf.read_table('x.feather')",
        {"x.feather"},
    ),
    "pandas parquet": (
        "import pandas as pd\npd.DataFrame({'a': [1]}).to_parquet('x.parquet')",
        "import pandas as pd\npd.read_parquet('x.parquet')",
        {"x.parquet"},
    ),
    "polars read": ("open('x.csv', 'w').write('a\\n1\\n')", "import polars as pl\npl.read_csv('x.csv')", {"x.csv"}),
    "polars scan of a pattern": (
        "import polars as pl\nfor i in range(2): pl.DataFrame({'a': [i]}).write_parquet(f'{i}.parquet')",
        "import polars as pl\npl.scan_parquet('*.parquet').collect()",
        {"0.parquet", "1.parquet"},
    ),
    "duckdb statement": (
        "open('x.csv', 'w').write('a\\n1\\n')",
        "import duckdb\nduckdb.sql(\"select * from 'x.csv'\").fetchall()",
        {"x.csv"},
    ),
    "duckdb connection": (
        "open('x.csv', 'w').write('a\\n1\\n')",
        "import duckdb\nc = duckdb.connect()\nc.execute('select * from read_csv(\\'x.csv\\')').fetchall()\nc.read_csv('x.csv').fetchall()",
        {"x.csv"},
    ),
    "tokenizers": (
        "from tokenizers import Tokenizer, models\nTokenizer(models.BPE()).save('t.json')",
        "from tokenizers import Tokenizer\nTokenizer.from_file('t.json')",
        {"t.json"},
    ),
    "xgboost": (
        "import numpy, xgboost\nopen('d.txt', 'w').write('1 0:1\\n0 0:2\\n')\nopen('f.txt', 'w').write('0 a q\\n')\n"
        "xgboost.train({}, xgboost.DMatrix(numpy.ones((4, 1)), numpy.ones(4)), 1).save_model('m.json')",
        "import xgboost\nxgboost.DMatrix('d.txt?format=libsvm')\nxgboost.Booster(model_file='m.json').get_dump('f.txt')",
        {"d.txt", "m.json", "f.txt"},
    ),
    "lightgbm": (
        "import numpy, lightgbm\nnumpy.savetxt('d.csv', numpy.arange(200).reshape(100, 2), delimiter=',')\n"
        "lightgbm.train({}, lightgbm.Dataset(numpy.ones((40, 1)), numpy.ones(40)), 1).save_model('m.txt')",
        "import lightgbm\nlightgbm.Dataset('d.csv').construct()\nlightgbm.Booster(model_file='m.txt')",
        {"d.csv", "m.txt"},
    ),
}
WRITES = {
    "h5py": ("import h5py\nh5py.File('x.h5', 'w')['a'] = [1.0]", {"x.h5"}),
    "pyarrow": ("import pyarrow as pa, pyarrow.parquet as pq\npq.write_table(pa.table({'a': [1]}), 'x.parquet')", {"x.parquet"}),
    "polars": ("import polars as pl\npl.DataFrame({'a': [1]}).write_csv('x.csv')", {"x.csv"}),
    "duckdb": ("import duckdb\nduckdb.sql(\"copy (select 1 as a) to 'x.csv'\")", {"x.csv"}),
    "safetensors": (
        "import numpy\nfrom safetensors.numpy import save_file\nsave_file({'a': numpy.zeros(2)}, 'x.safetensors')",
        {"x.safetensors"},
    ),
}


def library(row: str, script: str) -> None:
    """Skip a row whose library is not installed."""
    needed = {row.partition(" ")[0], *(name for name in ("torch", "pandas", "pyarrow") if f"import {name}" in script)}
    if "pandas" in needed:
        needed.add("pyarrow")
    if missing := [name for name in needed if importlib.util.find_spec(name) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed")


def observe(folder: Path, script: str) -> Observed:
    (folder / "script.py").write_text(script + "\n")
    env = {**os.environ, **injection(folder / "run", seed=None, env=os.environ)}
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return collect(folder / "run")


def names(folder: Path, paths: object) -> set[str]:
    prefix = str(folder) + "/"
    return {path.removeprefix(prefix) for path in paths if path.startswith(prefix)} - {"script.py"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", READS)
def test_a_read_in_native_code_is_seen(tmp_path: Path, row: str) -> None:
    """The file is among what was read, and the library is no gap."""
    make, read, files = READS[row]
    library(row, make + read)
    subprocess.run([sys.executable, "-c", make], cwd=tmp_path, check=True)
    seen = observe(tmp_path, read)
    assert files <= names(tmp_path, seen.reads)
    assert {path: use.stat is not None for path, use in seen.reads.items() if path.startswith(str(tmp_path))}[
        str(tmp_path / min(files))
    ]
    assert not seen.native.keys() - seen.covered
    assert not seen.lost


@pytest.mark.parametrize("row", WRITES)
def test_a_write_in_native_code_is_seen(tmp_path: Path, row: str) -> None:
    """The file is among what was written, and is not taken for an input."""
    script, files = WRITES[row]
    library(row, script)
    seen = observe(tmp_path, script)
    assert files <= names(tmp_path, seen.writes)


def test_a_live_run_sees_a_library_that_was_imported_before_it(project: Path) -> None:
    """A run of a process adapts what is loaded already; before and after the run nothing is recorded."""
    pytest.importorskip("h5py")
    script = (
        "import h5py, assay\nfor name in 'abc': h5py.File(f'{name}.h5', 'w')['x'] = [1.0]\nh5py.File('a.h5', 'r').close()\n"
        "with assay.run() as run: h5py.File('b.h5', 'r').close()\nh5py.File('c.h5', 'r').close()\nprint(run.id)\n"
    )
    (project / "script.py").write_text(script)
    done = subprocess.run([sys.executable, "script.py"], cwd=project, capture_output=True, text=True, check=True)
    store = Store.open(project)
    result = store.runs.read(done.stdout.strip()).result
    assert result is not None
    assert {use.path for use in store.objects.record(result.trace or "", Trace).read} == {"b.h5"}
    assert not [gap for gap in result.fidelity.missing if "h5py" in gap.what]


def test_a_version_without_what_is_wrapped_stays_a_gap(tmp_path: Path) -> None:
    """A library of a known name with nothing that the adapter knows works as ever, and is named as one that reads unseen."""
    libraries = ("h5py", "polars", "duckdb", "safetensors", "pyarrow", "tokenizers", "xgboost", "lightgbm")
    for name in libraries:
        (tmp_path / f"{name}.py").write_text("__version__ = '0.0'\n")
    seen = observe(tmp_path, f"import {', '.join(libraries)}")
    assert seen.native.keys() == set(libraries)
    assert seen.covered == frozenset()


def test_what_is_wrapped_behaves_as_before(tmp_path: Path) -> None:
    """A missing file raises the library's own error, and wrapped functions keep name and documentation."""
    pytest.importorskip("h5py")
    observe(
        tmp_path,
        "import h5py\ntry: h5py.File('missing.h5', 'r')\nexcept FileNotFoundError as e: assert 'missing.h5' in str(e)\n"
        "else: raise SystemExit(1)\nassert h5py.h5f.open.__name__ == 'open' and h5py.h5f.open.__doc__\n",
    )
