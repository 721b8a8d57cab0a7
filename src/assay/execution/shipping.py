"""Functions and configurations on their way to another process: by name where it can import them, by value where it cannot."""

from __future__ import annotations

import functools
import inspect
import io
import pickle
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cloudpickle

from assay.errors import InvalidValue
from assay.execution.fingerprint import fingerprint
from assay.execution.importable import home_of, is_importable


def ship(value: object, what: str) -> bytes:
    """`value` as bytes that a clean process of the same interpreter can load.

    Args:
        value: function, configuration, model, data set …
        what: what it is to the user, for the message ("train", "the baseline").

    Raises:
        InvalidValue: it holds something that cannot leave this process (an open file, a lock, a generator, a GPU context).
    """
    buffer = io.BytesIO()
    with _by_value(_unimportable_modules()):
        try:
            cloudpickle.Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
        except Exception as error:  # each class refuses pickling with an exception of its own choice
            raise InvalidValue(
                f"{what} cannot be shipped to a trial's process",
                value=_named(value),
                expected="functions and values that can be pickled",
                next_step=f"Create what cannot be pickled inside the function ({type(error).__name__}: {error}).",
            ) from error
    return buffer.getvalue()


def function_name(function: Callable[..., object]) -> str:
    """ "module:qualified name", with "#" and 16 digits where the code tree does not cover all that the function is.

    Raises:
        InvalidValue: it closes over something without comparable content.
    """
    home = home_of(function)
    if home is not None:
        return home
    return f"{_named(function)}#{fingerprint(function)[:16]}"


def _named(value: object) -> str:
    inner = value.func if isinstance(value, functools.partial) else value
    kind = inner if isinstance(inner, type | types.FunctionType | types.MethodType | types.BuiltinFunctionType) else type(inner)
    return f"{getattr(kind, '__module__', '?')}:{getattr(kind, '__qualname__', type(inner).__name__)}"


def accepts_prepared(function: Callable[..., object], given: int = 2) -> bool:
    """Whether it can be called with what it is given, (config, seed) and perhaps a split, and with what was prepared."""
    return _takes(function, given + 1)


def check_callable(function: object, what: str, arguments: tuple[str, ...]) -> None:
    """Nothing where `function` can be called with so many positional arguments.

    Raises:
        InvalidValue: it is not callable, or takes another number of arguments.
    """
    if not callable(function) or not _takes(function, len(arguments)):
        raise InvalidValue(
            f"{what} has to be a function of {len(arguments)} arguments",
            value=function,
            expected=f"{what}({', '.join(arguments)})",
            next_step="Give a function with these positional arguments.",
        )


def _takes(function: Callable[..., object], count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)
    except ValueError:  # some built-in callables tell nothing of their arguments
        return True
    except TypeError:
        return False
    return True


def _unimportable_modules() -> list[types.ModuleType]:
    """Loaded modules that a clean process would not find: made by hand, by a notebook, or by a test runner."""
    return [
        module for name, module in list(sys.modules.items()) if isinstance(module, types.ModuleType) and _is_stray(name, module)
    ]


def _is_stray(name: str, module: types.ModuleType) -> bool:
    """Native submodules are attributes of their package rather than files, so a module is found where its package is."""
    top = name.partition(".")[0]
    if name == "__main__" or top in sys.stdlib_module_names or name != getattr(module, "__name__", None):
        return False
    return not is_importable(top)


@contextmanager
def _by_value(modules: list[types.ModuleType]) -> Iterator[None]:
    registered: list[types.ModuleType] = []
    known: Any = cloudpickle.list_registry_pickle_by_value()
    for module in modules:
        if module.__name__ not in known:
            cloudpickle.register_pickle_by_value(module)
            registered.append(module)
    try:
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)
