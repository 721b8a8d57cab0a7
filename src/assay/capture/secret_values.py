"""Secrets by what is known of them elsewhere: parameters by their names, printed words by the variables that hold the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from assay.capture.secrets import REDACTED, is_secret, redact, redact_value

_SHORTEST: Final = 8  # characters; a shorter value is met by chance in what a program prints


def redact_params(values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with `***` in the place of those that name or value say are secrets, in mappings and lists too.

    >>> redact_params({"api_key": "Zq8Kd3mX", "lr": 0.1, "db": [{"password": "hunter2", "urls": ["postgres://me:pa55@db/x"]}]})
    {'api_key': '***', 'lr': 0.1, 'db': [{'password': '***', 'urls': ['postgres://***@db/x']}]}
    """
    return {name: _redacted(name, value) for name, value in values.items()}


def _redacted(name: str, value: Any) -> Any:
    if isinstance(value, str):
        return redact_value(name, value)[0]
    if isinstance(value, Mapping):
        return redact_params(value)
    if isinstance(value, list):
        return [redact(each)[0] if isinstance(each, str) else _redacted(name, each) for each in value]
    return value


def secrets_in(variables: Mapping[str, str]) -> dict[bytes, str]:
    """Values of variables that are secrets by their names, with these names, the longest first.

    >>> secrets_in({"HF_TOKEN": "Zq8Kd3mXv7", "HOME": "/home/me", "API_KEY": "short", "SSH_KEY": "~/.ssh/id_rsa"})
    {b'Zq8Kd3mXv7': 'HF_TOKEN'}
    """
    found = {value: name for name, value in variables.items() if len(value) >= _SHORTEST and is_secret(name, value)}
    return {
        value.encode("utf-8", "surrogateescape"): found[value] for value in sorted(found, key=lambda value: (-len(value), value))
    }


def without_values(data: bytes, values: Mapping[bytes, str]) -> tuple[bytes, list[str]]:
    """The bytes with `***` in the place of these values, and what was found, in words."""
    found = [(value, name) for value, name in values.items() if value in data]
    for value, _ in found:
        data = data.replace(value, REDACTED.encode())
    return data, [f"the value of the variable {name}" for _, name in found]
