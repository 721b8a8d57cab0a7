"""What a configuration is made of: mappings, dataclasses, attrs and pydantic classes, OmegaConf nodes, lists. Each is read by key, and rebuilt with
one value changed.

attrs and pydantic classes are known by what they carry, so neither library is imported; OmegaConf is, and only where a node of it was seen.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import ModuleType
from typing import Any

_LONGEST = 1000
"""Lists that are longer hold data, not settings; their items have no path."""


def is_omega(node: Any) -> bool:
    """Whether it is a mapping or list of OmegaConf."""
    return type(node).__module__.startswith("omegaconf.")


def fields_of(node: Any) -> list[str] | None:
    """Names of the fields of an instance of a dataclass, an attrs or a pydantic class; None for anything else."""
    kind = type(node)
    if isinstance(node, type):
        return None
    if dataclasses.is_dataclass(node):
        return [field.name for field in dataclasses.fields(node)]
    if hasattr(kind, "__attrs_attrs__"):
        return [field.name for field in kind.__attrs_attrs__]
    if hasattr(kind, "model_fields") and hasattr(kind, "model_validate"):
        return [*kind.model_fields, *(getattr(node, "model_extra", None) or {})]
    return None


def keys_of(node: Any) -> list[str]:
    """Keys by which a path goes on from here; none for a plain value."""
    if isinstance(node, Mapping):
        return [key for key in node if isinstance(key, str)]
    if isinstance(node, list | tuple) or is_omega(node):
        return [str(index) for index in range(len(node))] if len(node) <= _LONGEST else []
    return fields_of(node) or []


def value_at(node: Any, key: str) -> Any:
    """The value of a key that `keys_of` names."""
    if is_omega(node):
        return _omega().value_at(node, key)
    if isinstance(node, Mapping):
        return node[key]
    return node[int(key)] if isinstance(node, list | tuple) else getattr(node, key)


def with_value(node: Any, key: str, value: Any) -> Any:
    """The node with one value changed: dictionaries, lists and OmegaConf nodes in place, everything else rebuilt.

    Raises:
        TypeError, ValueError: its class refuses the value.
    """
    if is_omega(node):
        return _omega().with_value(node, key, value)
    if isinstance(node, dict):
        node[key] = value
        return node
    if isinstance(node, list):
        node[int(key)] = value
        return node
    if isinstance(node, tuple):
        items = [*node[: int(key)], value, *node[int(key) + 1 :]]
        return type(node)(*items) if hasattr(node, "_fields") else type(node)(items)
    if isinstance(node, Mapping):
        return type(node)({**node, key: value})  # type: ignore[call-arg]
    return _rebuilt(node, key, value)


def _rebuilt(node: Any, key: str, value: Any) -> Any:
    kind = type(node)
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        return dataclasses.replace(node, **{key: value})
    if hasattr(kind, "__attrs_attrs__"):
        given = {field.alias: getattr(node, field.name) for field in kind.__attrs_attrs__ if field.init}
        alias = {field.name: field.alias for field in kind.__attrs_attrs__}
        return kind(**given | {alias[key]: value})
    # Validated again as a whole, so that types are converted and the class's own rules are heard; models inside are taken as they are.
    names = {name: _input_name(name, field) for name, field in kind.model_fields.items()}
    given = {names.get(name, name): getattr(node, name) for name in fields_of(node) or ()}
    return kind.model_validate(given | {names.get(key, key): value})


def _input_name(name: str, field: Any) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def _omega() -> ModuleType:
    # Late: OmegaConf is there where one of its nodes is, and nowhere else.
    from assay.ablation import omega

    return omega
