"""What another interpreter can import by name, and what has to be shipped by value."""

from __future__ import annotations

import dis
import sys
import types
from functools import lru_cache
from typing import Any


def home_of(value: Any) -> str | None:
    """ "module:qualified name" under which a fresh interpreter with the same path finds this function or class; None where it does not.

    Nothing of `__main__`, of a notebook, of a terminal or of a function's inside has a home.
    """
    if not isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return None
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or not is_importable(module):
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is value else None


def is_importable(module: str) -> bool:
    """Whether a fresh interpreter with the same path gets this very module when it imports the name."""
    loaded = sys.modules.get(module)
    if loaded is None or module == "__main__":
        return False
    return _found_at(module) == (
        True,
        getattr(getattr(loaded, "__spec__", None), "origin", None) or getattr(loaded, "__file__", None),
    )


@lru_cache(maxsize=4096)
def _found_at(module: str) -> tuple[bool, str | None]:
    """Whether the import system would find the name, and where; asked without the entry of `sys.modules`, which may be hand-made."""
    if module in sys.builtin_module_names or module in sys.stdlib_module_names:
        spec = getattr(sys.modules[module], "__spec__", None)
        return True, getattr(spec, "origin", None) or getattr(sys.modules[module], "__file__", None)
    parent = module.rpartition(".")[0]
    if parent and not is_importable(parent):
        return False, None
    path = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    for finder in sys.meta_path:
        spec = finder.find_spec(module, path) if hasattr(finder, "find_spec") else None
        if spec is not None:
            return True, spec.origin
    return False, None


def referenced_globals(function: types.FunctionType) -> dict[str, object]:
    """Global names that the function's code, or code nested in it, refers to and that are bound now."""
    names = _global_names(function.__code__)
    return {name: function.__globals__[name] for name in sorted(names) if name in function.__globals__}


def _global_names(code: types.CodeType) -> set[str]:
    names = {str(step.argval) for step in dis.get_instructions(code) if step.opname.endswith("_GLOBAL")}
    # A class body or a comprehension in older bytecode reads globals by LOAD_NAME.
    names |= {str(step.argval) for step in dis.get_instructions(code) if step.opname == "LOAD_NAME"}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _global_names(constant)
    return names
