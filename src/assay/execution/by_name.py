"""Functions and configurations for a process that has other code under the same names: what they name is imported there, never shipped."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import io
import os
import pickle
import sys
import types
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

from assay.capture.outside import is_installed
from assay.errors import InvalidStudy
from assay.execution.importable import home_of
from assay.execution.shipping import function_name

_MAIN = "__main__"
_GUARD = 'if __name__ == "__main__":'


def ship_by_name(value: object, what: str) -> bytes:
    """`value` as bytes that another process loads with functions and classes from its own modules; plain values are part of the bytes.

    What the script at hand defines is named as who imports the script finds it.

    Raises:
        InvalidStudy: it holds what no module defines by its name, or what cannot be pickled.
    """
    buffer = io.BytesIO()
    try:
        _ByName(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    except Exception as error:  # each class refuses pickling with an exception of its own choice
        raise InvalidStudy(
            f"{what} cannot be made in a copy of the project, where its patched trials run",
            value=repr(value)[:200],
            expected="functions and classes that modules define by name, and values that can be pickled",
            next_step=f"Define at the top of a module what has no name there ({type(error).__name__}: {error}).",
        ) from error
    return buffer.getvalue()


def check_by_name(function: Callable[..., object], what: str, root: Path) -> None:
    """Nothing where a process that imports from a copy of the project finds the function in it.

    Args:
        function: what trials call.
        what: what it is to the user ("train").
        root: of the project.

    Raises:
        InvalidStudy: a terminal, a notebook or another function defines it, or a module that is no part of the project; or importing
            its script would start the study again.
    """
    inner = _inner(function)
    module = str(getattr(inner, "__module__", ""))
    if module != _MAIN and home_of(inner) is None:
        raise _refused(what, inner, "a function at the top of a module")
    file = getattr(sys.modules.get(module), "__file__", None)
    if module == _MAIN:
        _check_script(what, inner, file)
    place = os.path.realpath(file or "")
    if not Path(place).is_relative_to(os.path.realpath(root)) or is_installed(place, ()):
        raise _refused(what, inner, f"a function of a module below {root}, which is where patches are made")


def name_by_name(function: Callable[..., object]) -> str:
    """Recorded name of a function where it is called in a copy of the project: what a script defines is its module's.

    Raises:
        InvalidValue: as for `function_name`.
    """
    script = _script() if isinstance(function, types.FunctionType) and _is_of_script(function) else None
    return function_name(function) if script is None else f"{script}:{function.__qualname__}"


def found(module: str, name: str) -> Any:
    """What a module defines by a qualified name, imported where this is called."""
    return attrgetter(name)(importlib.import_module(module))


class _ByName(pickle.Pickler):
    """Pickles by name alone, as the standard library does, but for the name of the script at hand."""

    def reducer_override(self, value: Any) -> Any:
        """How what the script defines is found by its module's name; anything else is pickled as ever."""
        script = _script() if isinstance(value, type | types.FunctionType) and _is_of_script(value) else None
        return NotImplemented if script is None else (found, (script, value.__qualname__))


def _inner(function: Any) -> Any:
    """The function or class by whose name a callable is known."""
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    return function if isinstance(function, type | types.FunctionType | types.BuiltinFunctionType) else type(function)


def _is_of_script(value: Any) -> bool:
    try:
        return value.__module__ == _MAIN and attrgetter(value.__qualname__)(sys.modules[_MAIN]) is value
    except AttributeError:  # something inside a function
        return False


def _script() -> str | None:
    """The module that this process's script is to who imports it; None where it is no file, or another module has its name."""
    main = sys.modules[_MAIN]
    file, spec = getattr(main, "__file__", None), getattr(main, "__spec__", None)
    if file is None:
        return None
    name = str(spec.name) if spec is not None else Path(file).stem
    try:
        origin = getattr(importlib.util.find_spec(name), "origin", None)
    except (ImportError, AttributeError, ValueError):  # a name with a dot, or a module that says nothing of itself
        return None
    return name if origin is not None and os.path.realpath(origin) == os.path.realpath(file) else None


def _check_script(what: str, inner: Any, file: str | None) -> None:
    if file is None or not _is_of_script(inner):
        raise _refused(what, inner, "a function at the top of a script or module, and no terminal's or notebook's")
    if _script() is None:
        raise _refused(what, inner, f"a script that can be imported, unlike {Path(file).name}")
    if not _is_guarded(Path(file)):
        raise InvalidStudy(
            f"the trials with patches import {Path(file).name}, which would start the study again",
            value=inner.__qualname__,
            expected=f"a script that runs the study below `{_GUARD}`",
            next_step=f"Put the lines that run the study under `{_GUARD}`, or {what} into a module of its own.",
        )


def _is_guarded(file: Path) -> bool:
    """Whether something at the top of the file depends on how it was started."""
    asked = (node.test for node in ast.parse(file.read_bytes()).body if isinstance(node, ast.If))
    return any(isinstance(part, ast.Name) and part.id == "__name__" for test in asked for part in ast.walk(test))


def _refused(what: str, inner: Any, expected: str) -> InvalidStudy:
    return InvalidStudy(
        f"{what} cannot be imported from a copy of the project, where its patched trials run",
        value=f"{getattr(inner, '__module__', '?')}:{inner.__qualname__}",
        expected=expected,
        next_step="Put it at the top of a module of the project, or leave the patches out.",
    )
