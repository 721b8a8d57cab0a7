"""How a bucket is reached: settings from the variables that S3 tools share, and what its refusals mean in words."""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from obstore.exceptions import BaseError

from assay.errors import RemoteUnusable
from assay.store.remotes.address import without_credentials

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

_VARIABLES = {
    "access_key_id": ("AWS_ACCESS_KEY_ID",),
    "secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "session_token": ("AWS_SESSION_TOKEN",),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
}
_ASKED_ELSEWHERE = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
PATIENCE = timedelta(minutes=1)
"""How long a request is made again where the server says that it cannot answer just now."""
BUSY = "the remote is overloaded, or out of order for now"
# What a server or the client library says, to what that means and what to do. The first that fits counts.
_MEANINGS = (
    (
        ("status code: 5", "status code: 429", "SlowDown"),
        BUSY,
        "Give the command again in a while; what has arrived stays there and is not sent twice.",
    ),
    (("NoSuchBucket",), "there is no such bucket", "Check the name, or make the bucket first."),
    (
        ("NoCredentials", "169.254.169.254", "CredentialsNotLoaded", "metadata"),
        "no credentials were found",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    ),
    (
        ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "401 "),
        "the credentials were refused",
        "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
    ),
    (
        ("AccessDenied", "403 ", "PermissionDenied"),
        "the remote refuses this user",
        "Ask its owner for the right to list, read and write there.",
    ),
    (
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint"),
        "the bucket lies in another region",
        "Set AWS_REGION to the bucket's.",
    ),
    (
        ("error sending request", "dns error", "timed out", "Connection refused"),
        "the remote cannot be reached",
        "Check the network and AWS_ENDPOINT_URL.",
    ),
)


def settings() -> tuple[S3Config, ClientConfig]:
    """Settings of the service and of the client, from the environment and, for credentials that are not there, AWS_PROFILE's file.

    Raises:
        RemoteUnusable: there are no credentials.
    """
    config = {key: value for key, names in _VARIABLES.items() if (value := _first(names))}
    if "access_key_id" not in config:
        config |= _of_profile()
    config.setdefault("region", "us-east-1")
    client: ClientConfig = {"connect_timeout": "10s", "timeout": "10m"}
    if config.get("endpoint", "").startswith("http://"):
        client["allow_http"] = True
    if "access_key_id" not in config and not _first(_ASKED_ELSEWHERE):
        # The client would now ask the machine's metadata service; where there is none, that takes its time. Once is enough.
        client["connect_timeout"] = "2s"
    return cast("S3Config", config), client


def retrying(*, patient: bool) -> RetryConfig:
    """How often and how long a request is made again: a few times within a second, or with growing pauses for `PATIENCE`."""
    if not patient:
        return {"max_retries": 4}
    pauses = {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=5), "base": 2}
    return cast("RetryConfig", {"max_retries": 100, "retry_timeout": PATIENCE, "backoff": pauses})


@contextmanager
def reaching(shown: str) -> Iterator[None]:
    """Turn what the client library raises into RemoteUnusable.

    Raises:
        RemoteUnusable: the body could not reach or use the remote.
    """
    try:
        yield
    except (BaseError, OSError) as error:
        raise _meaning(error, shown) from error


def _meaning(error: Exception, shown: str) -> RemoteUnusable:
    text = str(error).partition("\n\nDebug source")[0]
    endpoint = without_credentials(_first(_VARIABLES["endpoint"]))
    where = f"{shown} at {endpoint}" if endpoint else shown
    for signs, problem, step in _MEANINGS:
        if any(sign in text for sign in signs):
            return RemoteUnusable(problem, value=where, expected="a bucket that this user can list, read and write", next_step=step)
    # No more than the first line: what follows may be a signed address.
    return RemoteUnusable(f"the remote cannot be used ({type(error).__name__})", value=where, next_step=_first_sentence(text))


def _first_sentence(text: str) -> str:
    line = text.partition("\n")[0].partition("http")[0].strip(" :")
    return f"It says: {line}." if line else ""


def _first(names: tuple[str, ...]) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _of_profile() -> dict[str, str]:
    """Credentials of the profile AWS_PROFILE in the file that S3 tools share; nothing where there are none."""
    path = Path(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path("~/.aws/credentials").expanduser())
    parser = configparser.RawConfigParser()
    try:
        parser.read(path, encoding="utf-8")
        section = dict(parser[os.environ.get("AWS_PROFILE") or "default"])
    except (configparser.Error, KeyError, OSError, UnicodeDecodeError):
        return {}
    names = {
        "access_key_id": "aws_access_key_id",
        "secret_access_key": "aws_secret_access_key",
        "session_token": "aws_session_token",
    }
    return {key: section[name] for key, name in names.items() if name in section}
