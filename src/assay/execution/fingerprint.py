"""Digest of what a function is, with everything that it closes over: equal in every process that would do the same thing.

A pickle cannot serve: its bytes depend on the order of sets (and so on the hash seed), on which equal texts are one object, and on
random ids that cloudpickle gives to classes. Here code is its bytecode, names and constants; sets are sorted; what can be imported
is its name, since the code tree or the packages cover its content.
"""

from __future__ import annotations

import copyreg
import struct
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

import blake3

from assay.errors import InvalidValue
from assay.execution.importable import home_of, referenced_globals

_SCALARS = {type(None), bool, int, float, complex, str, bytes}
_IGNORED = {"__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__", "__static_attributes__"}


def fingerprint(value: object) -> str:
    """64 hexadecimal digits; equal for values that are made of equal parts, whichever process they live in.

    Raises:
        InvalidValue: a part of it (an open file, a lock, a generator) has no content that could be compared.
    """
    return _Walk().digest(value).hex()


def is_local(value: object) -> bool:
    """Whether it holds a function or class that only its content can name, since no module that can be imported has it.

    Raises:
        InvalidValue: as for `fingerprint`.
    """
    walk = _Walk()
    walk.digest(value)
    return walk.local


class _Walk:
    """One traversal. A part that contains itself is named by its distance to the top, so cycles end."""

    def __init__(self) -> None:
        self._path: dict[int, int] = {}
        self._done: dict[int, bytes] = {}
        self._alive: list[object] = []
        self.local = False

    def digest(self, value: object) -> bytes:
        if type(value) in _SCALARS:
            return _leaf(type(value).__name__, _scalar(value))
        if id(value) in self._done:
            return self._done[id(value)]
        if id(value) in self._path:
            return _leaf("cycle", str(self._path[id(value)]).encode())
        self._path[id(value)] = len(self._path)
        self._alive.append(value)  # an id may be given away as soon as its object dies
        found = self._compound(value)
        del self._path[id(value)]
        self._done[id(value)] = found
        return found

    def _compound(self, value: Any) -> bytes:
        home = home_of(value)
        if home is not None:
            return _leaf("import", home.encode())
        self.local |= isinstance(value, type | types.FunctionType)
        if isinstance(value, types.ModuleType):
            return _leaf("module", value.__name__.encode())
        if type(value) in (list, tuple):
            return self._sequence(type(value).__name__, value)
        if type(value) is dict:
            return self._sequence("dict", (part for pair in value.items() for part in pair))
        if type(value) in (set, frozenset):
            return _leaf("set", b"".join(sorted(self.digest(part) for part in value)))
        if hasattr(type(value), "untyped_storage"):
            return self._sequence("tensor", _tensor_parts(value))
        special = _SPECIAL.get(type(value))
        if special is not None:
            return self._sequence(type(value).__name__, special(value))
        if isinstance(value, type):
            return self._sequence("class", _class_parts(value))
        return self._reduced(value)

    def _sequence(self, name: str, parts: Iterable[object]) -> bytes:
        return _leaf(name, b"".join([self.digest(part) for part in parts]))

    def _reduced(self, value: Any) -> bytes:
        """An instance, by what pickle would keep of it: how it is made anew, and its state."""
        try:
            reducer = copyreg.dispatch_table.get(type(value))
            reduced = reducer(value) if reducer else value.__reduce_ex__(4)
        except Exception as error:  # any class may refuse in its own way
            raise InvalidValue(
                f"a trial's function uses a {type(value).__name__}, which has no content that could be recorded",
                value=repr(value)[:200],
                next_step=f"Create it inside the function instead ({error}).",
            ) from error
        if isinstance(reduced, str):
            return _leaf("global", f"{type(value).__module__}:{reduced}".encode())
        make, arguments, *rest = reduced
        state, items, pairs = (*rest[:3], None, None, None)[:3]
        parts = (type(value), make, arguments, state, list(items or ()), list(pairs or ()))
        return self._sequence("object", parts)


def _leaf(name: str, content: bytes) -> bytes:
    hasher = blake3.blake3(struct.pack(">H", len(name)) + name.encode())
    hasher.update(content)
    return bytes(hasher.digest())


def _scalar(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return repr(value).encode()


def _code_parts(code: types.CodeType) -> tuple[object, ...]:
    """What a code object does: line numbers and file names are left out, since they change nothing."""
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return (code.co_name, code.co_code, code.co_consts, names, counts, code.co_exceptiontable)


def _function_parts(function: types.FunctionType) -> tuple[object, ...]:
    cells = [_cell(cell) for cell in function.__closure__ or ()]
    return (
        function.__code__,
        function.__defaults__,
        function.__kwdefaults__,
        cells,
        sorted(referenced_globals(function).items()),
        function.__dict__,
    )


def _cell(cell: types.CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # a cell that was never filled
        return "empty cell"


def _class_parts(kind: type) -> tuple[object, ...]:
    members = sorted((name, member) for name, member in vars(kind).items() if name not in _IGNORED and not name.startswith("_abc_"))
    return (kind.__name__, kind.__bases__, type(kind), [part for pair in members for part in pair])


def _tensor_parts(tensor: Any) -> tuple[object, ...]:
    """A tensor of PyTorch by its values: what it pickles to names its storage anew in every process."""
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    content = flat.view(sys.modules["torch"].uint8).numpy().tobytes() if flat.numel() else b""
    return (type(tensor).__name__, str(tensor.dtype), tuple(tensor.shape), tensor.requires_grad, content)


def _method_parts(method: types.MethodType) -> tuple[object, ...]:
    return (method.__func__, method.__self__)


_SPECIAL: dict[type, Callable[[Any], tuple[object, ...]]] = {
    types.CodeType: _code_parts,
    types.FunctionType: _function_parts,
    types.MethodType: _method_parts,
    staticmethod: lambda wrapped: (wrapped.__func__,),
    classmethod: lambda wrapped: (wrapped.__func__,),
    property: lambda wrapped: (wrapped.fget, wrapped.fset, wrapped.fdel),
    types.MappingProxyType: lambda proxy: (dict(proxy),),
    types.MemberDescriptorType: lambda member: (member.__name__,),
    types.GetSetDescriptorType: lambda member: (member.__name__,),
}
