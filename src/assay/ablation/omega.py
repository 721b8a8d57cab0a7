"""Nodes of OmegaConf, read and changed as a path asks. Interpolations stay, so that what refers to a changed value follows it."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig, ListConfig, read_write
from omegaconf.errors import OmegaConfBaseException

from assay.errors import InvalidStudy


def value_at(node: DictConfig | ListConfig, key: str) -> Any:
    """The value of a key, interpolations resolved.

    Raises:
        InvalidStudy: it is missing ("???"), or refers to what does not exist.
    """
    try:
        return node[int(key)] if isinstance(node, ListConfig) else node[key]
    except OmegaConfBaseException as error:
        raise InvalidStudy(
            "a value of the configuration cannot be read",
            value=key,
            expected="values that are there",
            next_step=f"OmegaConf says: {str(error).splitlines()[0]}.",
        ) from error


def with_value(node: DictConfig | ListConfig, key: str, value: Any) -> Any:
    """The node with the value in it, read-only ones too.

    Raises:
        ValueError: its structured class refuses the value.
    """
    with read_write(node):
        if isinstance(node, ListConfig):
            node[int(key)] = value
        else:
            node[key] = value
    return node
