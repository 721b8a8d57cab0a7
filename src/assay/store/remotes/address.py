"""What a user writes for a remote: a folder, `file://…`, `s3://bucket/prefix`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from assay.errors import InvalidValue


class Bucket(NamedTuple):
    """A part of an S3 bucket; `prefix` is empty for the whole of it."""

    name: str
    prefix: str

    @property
    def shown(self) -> str:
        """The address as messages have it."""
        return f"s3://{self.name}/{self.prefix}" if self.prefix else f"s3://{self.name}"


def parse(remote: str) -> Path | Bucket:
    """The place that an address names.

    Raises:
        InvalidValue: it is no address of a folder or a bucket, or holds credentials.
    """
    scheme, separator, _ = remote.partition("://")
    if not separator:
        if not remote:
            raise _refused(remote)
        return Path(os.path.abspath(os.path.expanduser(remote)))  # noqa: PTH100, PTH111 - "~nobody" stays what it is
    parts = urlsplit(remote)
    if scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return Path(unquote(parts.path))
    if scheme == "s3":
        return _bucket(remote)
    raise _refused(without_credentials(remote))


def without_credentials(address: str) -> str:
    """The address with what stands before "@" and after "?" left out, since that is where secrets are."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    host, slash, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _bucket(remote: str) -> Bucket:
    host, _, prefix = remote.removeprefix("s3://").partition("/")
    if "@" in host or "?" in remote:
        raise InvalidValue(
            "an address is no place for credentials or options", value=without_credentials(remote), expected="s3://bucket/prefix",
            next_step="Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for a server of your own, AWS_ENDPOINT_URL.",
        )  # fmt: skip
    parts = [part for part in prefix.split("/") if part]
    if not host or any(part in (".", "..") for part in parts):
        raise _refused(remote)
    return Bucket(host, "/".join(parts))


def _refused(remote: str) -> InvalidValue:
    return InvalidValue(
        "this is no remote", value=remote, expected="a folder, file:///folder or s3://bucket/prefix",
        next_step="A folder's name with '://' in it can be written as ./NAME.",
    )  # fmt: skip
