"""Notebooks as code: what of one is run, which interpreter runs it, and how a session's cells become one.

The code of a notebook is the sources of its code cells in their order. Its outputs, execution counts, ids and texts are no code: they
change whenever somebody opens it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from assay.capture.entrance import tracer_file
from assay.capture.interpreter import find_program, is_python
from assay.errors import CommandNotFound, InvalidValue

if TYPE_CHECKING:
    from assay.capture.injected.notebook import Cell

SUFFIX: Final = ".ipynb"
# The kernel that every installation of Jupyter's has; it is the interpreter of whoever asks.
_NATIVE = "python3"


class Ran(NamedTuple):
    """A cell of a session as it ran. `failed` is None where nobody watched how it ended."""

    source: str
    failed: bool | None = False


def cells_of(content: bytes) -> tuple[str, ...] | None:
    """The code of a notebook: the source of each cell in order; None where the content is no notebook.

    >>> cells_of(notebook_of([Ran("x = 1"), Ran("print(x)")]))
    ('x = 1', 'print(x)')
    """
    try:
        cells = _code_cells(json.loads(content))
    except (ValueError, RecursionError):
        return None
    return tuple(str(cell.source) for cell in cells)


def as_text(cells: Iterable[str]) -> str:
    """The code of a notebook for people to read: a line of "# %%" before each cell, as editors take it."""
    return "\n".join(f"# %%\n{source.rstrip()}\n" for source in cells)


def same_code(a: bytes, b: bytes) -> bool:
    """Whether two contents are notebooks that differ in nothing that is run."""
    one = cells_of(a)
    return one is not None and one == cells_of(b)


def notebook_of(cells: Iterable[Ran], **facts: Any) -> bytes:
    """A notebook of these cells, without outputs: the same cells give the same bytes.

    A cell that failed, or may have, has the tag `raises-exception`, so that whoever runs the notebook goes on behind it.

    Args:
        cells: as they ran.
        facts: kept under the notebook's `metadata.assay`.
    """
    document = {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": f"cell-{number}",
                "metadata": {"tags": ["raises-exception"]} if cell.failed is not False else {},
                "outputs": [],
                "source": cell.source,
            }
            for number, cell in enumerate(cells, 1)
        ],
        "metadata": {
            "assay": facts,
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": _NATIVE},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def runner_file(fallback: Path) -> Path:
    """The script that runs a notebook in the user's interpreter, beside the tracer.

    Raises:
        OSError: neither the cache nor `fallback` can be written.
    """
    return tracer_file(fallback).with_name("notebook.py")


def python_for(notebook: Path, env: Mapping[str, str], cwd: Path) -> str:
    """The interpreter that runs a notebook: that of its kernel where such a kernel is installed, else the `python` that a shell would find.

    Raises:
        CommandNotFound: there is no such file.
        InvalidValue: it is no notebook, or one in another language than Python.
    """
    spec = _kernel_of(notebook)
    language = str(spec.get("language") or "python")
    if language.lower() != "python":
        raise InvalidValue(
            "this notebook is not written in Python",
            value=str(notebook),
            expected="a notebook whose kernel runs Python",
            next_step=f"Its kernel runs {language}; record what executes it: `assay run jupyter execute {notebook.name}`.",
        )
    name = str(spec.get("name") or _NATIVE)
    installed = None if name == _NATIVE else next(_programs(name, env, cwd), None)
    return installed or ("python" if find_program("python", env, cwd) else "python3")


def _kernel_of(notebook: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(notebook.read_bytes())
        _code_cells(document)
    except FileNotFoundError:
        raise CommandNotFound("the notebook does not exist", value=str(notebook)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidValue(
            "this is no notebook",
            value=str(notebook),
            expected="a file in Jupyter's notebook format",
            next_step=f"It cannot be read as one: {error}.",
        ) from error
    metadata = document.get("metadata")
    spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = metadata.get("language_info") if isinstance(metadata, dict) else None
    named = {"language": language.get("name")} if isinstance(language, dict) else {}
    return named | {key: value for key, value in (spec if isinstance(spec, dict) else {}).items() if value}


def _programs(kernel: str, env: Mapping[str, str], cwd: Path) -> Iterator[str]:
    """Interpreters of the installed kernels of this name, in the order in which Jupyter looks for them."""
    for folder in _data_folders(env, cwd):
        try:
            argv = json.loads((folder / "kernels" / kernel.lower() / "kernel.json").read_bytes())["argv"]
            program = str(argv[0])
        except (OSError, ValueError, LookupError, TypeError):
            continue
        # Some kernels are programs of their own, and run no script.
        if program.startswith("/") and is_python(program) and os.access(program, os.X_OK):
            yield program


def _data_folders(env: Mapping[str, str], cwd: Path) -> Iterator[Path]:
    """Where Jupyter keeps kernels: JUPYTER_PATH, the environment's, the user's, the system's (`jupyter --paths`)."""
    yield from (Path(entry) for entry in env.get("JUPYTER_PATH", "").split(os.pathsep) if entry)
    python = find_program("python", env, cwd) or find_program("python3", env, cwd)
    if python is not None:
        yield Path(python).parent.parent / "share" / "jupyter"
    data = env.get("XDG_DATA_HOME") or f"{env.get('HOME', '')}/.local/share"
    yield Path(env.get("JUPYTER_DATA_DIR") or f"{data}/jupyter")
    yield from (Path("/usr/local/share/jupyter"), Path("/usr/share/jupyter"))


def _code_cells(document: object) -> list[Cell]:
    # Late: what runs the cells loads asyncio, which would be a tenth of the start of every command.
    from assay.capture.injected.notebook import code_cells

    return code_cells(document)
