"""What of a notebook is code, and which interpreter runs it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.capture.notebooks import Ran, as_text, cells_of, notebook_of, python_for, same_code
from assay.errors import CommandNotFound, InvalidValue

SOURCES = st.lists(st.text().filter(lambda text: bool(text.strip())))


@given(sources=SOURCES)
def test_a_notebook_gives_its_cells_back(sources: list[str]) -> None:
    """Whatever the cells hold; the same cells give the same bytes, valid in the notebook format."""
    content = notebook_of(Ran(source) for source in sources)
    assert cells_of(content) == tuple(sources)
    assert content == notebook_of(Ran(source) for source in sources)


def test_the_notebook_is_valid() -> None:
    """By the reference implementation of the format."""
    import nbformat

    content = notebook_of([Ran("x = 1"), Ran("1/0", True), Ran("%who", None)], turn=2)
    document = nbformat.reads(content.decode(), as_version=4)
    nbformat.validate(document)
    assert [cell.metadata.get("tags", []) for cell in document.cells] == [[], ["raises-exception"], ["raises-exception"]]


def test_outputs_counts_ids_and_texts_are_no_code() -> None:
    """What opening or running a notebook changes leaves its code as it is; the order of the cells and a letter of one do not."""
    document: dict[str, Any] = json.loads(notebook_of([Ran("a = 1"), Ran("b = 2")]))
    changed = json.loads(json.dumps(document))
    changed["cells"][0] |= {
        "id": "other",
        "execution_count": 7,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}],
    }
    changed["cells"][1]["source"] = ["b ", "= 2"]
    changed["cells"].insert(1, {"cell_type": "markdown", "source": "words", "metadata": {}})
    changed["metadata"] = {}
    assert same_code(json.dumps(document).encode(), json.dumps(changed).encode())
    changed["cells"].reverse()
    assert not same_code(json.dumps(document).encode(), json.dumps(changed).encode())


def test_format_3_is_read() -> None:
    """Cells lay in worksheets and called their source input."""
    old = {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1\n", "x"]}]}]}
    assert cells_of(json.dumps(old).encode()) == ("x = 1\nx",)


@pytest.mark.parametrize("content", [b"", b"print(1)", b"[]", b'{"cells": 3}', b"\xff", b"[" * 100_000])
def test_what_is_no_notebook_has_no_cells(content: bytes) -> None:
    assert cells_of(content) is None


def test_the_text_has_a_mark_before_each_cell() -> None:
    assert as_text(["x = 1\n", "%who"]) == "# %%\nx = 1\n\n# %%\n%who\n"


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    """A folder for PATH with a `python` in it."""
    folder = tmp_path / "env" / "bin"
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(sys.executable)
    return folder


def write(path: Path, **metadata: Any) -> Path:
    path.write_text(json.dumps({"cells": [], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return path


def kernel(folder: Path, name: str, program: str) -> None:
    where = folder / "kernels" / name
    where.mkdir(parents=True)
    (where / "kernel.json").write_text(json.dumps({"argv": [program, "-m", "ipykernel_launcher"], "language": "python"}))


def test_the_kernel_names_the_interpreter(tmp_path: Path, bin_folder: Path) -> None:
    """That of an installed kernel; the environment's own for the kernel that every Jupyter has, and for one that is not installed here."""
    env = {"PATH": str(bin_folder), "HOME": str(tmp_path / "home")}
    kernel(tmp_path / "home/.local/share/jupyter", "other", sys.executable)
    kernel(tmp_path / "home/.local/share/jupyter", "python3", "/nowhere/python")
    kernel(tmp_path / "home/.local/share/jupyter", "gone", "/nowhere/python")
    kernel(tmp_path / "env/share/jupyter", "own-program", "/bin/sh")
    found = {
        name: python_for(write(tmp_path / "a.ipynb", kernelspec={"name": name, "language": "python"}), env, tmp_path)
        for name in ("other", "python3", "gone", "own-program", "unknown")
    }
    assert found == {"other": sys.executable, "python3": "python", "gone": "python", "own-program": "python", "unknown": "python"}
    assert python_for(write(tmp_path / "b.ipynb"), env, tmp_path) == "python"


def test_another_language_is_refused(tmp_path: Path) -> None:
    """The message names it, and what records such a notebook."""
    path = write(tmp_path / "a.ipynb", kernelspec={"name": "ir", "language": "R"})
    with pytest.raises(InvalidValue, match="Its kernel runs R; record what executes it"):
        python_for(path, os.environ, tmp_path)


def test_what_is_no_notebook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandNotFound, match="does not exist"):
        python_for(tmp_path / "a.ipynb", os.environ, tmp_path)
    (tmp_path / "a.ipynb").write_text("print(1)")
    with pytest.raises(InvalidValue, match="notebook format"):
        python_for(tmp_path / "a.ipynb", os.environ, tmp_path)
