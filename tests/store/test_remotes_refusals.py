"""What an S3 server answers becomes a sentence that says what to do, and never holds a secret."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from assay.errors import RemoteUnusable, StoreTooNew
from assay.project.sharing import pull, push
from assay.store.store import Store


class _Refusing(BaseHTTPRequestHandler):
    """Gives every request the same answer."""

    answer: tuple[int, str] = (200, "")

    answer_first: tuple[int, str] = (200, "")
    first = 0
    """How many requests get the other answer before."""

    def do_GET(self) -> None:
        code, body = self.answer_first if self.first else self.answer
        type(self).first = max(0, self.first - 1)
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Sat, 21 Nov 2026 04:00:00 GMT")
        self.send_header("ETag", '"1"')
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the standard library
        """Nothing on the terminal."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Refusing]]:
    """A server on this machine; setting `answer` of what is given decides what it says."""
    handler = type("Handler", (_Refusing,), {})
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=running.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{running.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    yield handler
    running.shutdown()
    running.server_close()


def _error(code: str) -> str:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>No.</Message></Error>"


@pytest.mark.parametrize(
    ("status", "code", "problem"),
    [
        (403, "AccessDenied", "refuses this user"),
        (403, "InvalidAccessKeyId", "credentials were refused"),
        (403, "SignatureDoesNotMatch", "credentials were refused"),
        (400, "ExpiredToken", "credentials were refused"),
        (404, "NoSuchBucket", "no such bucket"),
        (400, "AuthorizationHeaderMalformed", "another region"),
        (503, "SlowDown", "overloaded, or out of order for now"),
        (500, "InternalError", "overloaded, or out of order for now"),
        (418, "Teapot", "cannot be used"),
    ],
)
def test_a_refusal_is_said_in_words(
    store: Store, server: type[_Refusing], monkeypatch: pytest.MonkeyPatch, status: int, code: str, problem: str
) -> None:
    monkeypatch.setattr("assay.store.remotes.reaching.PATIENCE", timedelta())
    server.answer = (status, _error(code))
    with pytest.raises(RemoteUnusable, match=problem) as caught:
        push(store, "s3://team/project")
    assert "s3://team/project" in str(caught.value) and "secret" not in str(caught.value)


def test_a_remote_of_a_later_format_is_left_alone(store: Store, server: type[_Refusing]) -> None:
    server.answer = (200, "assay remote 2\n")
    with pytest.raises(StoreTooNew, match="a format that this Assay does not know"):
        pull(store, "s3://team/project")


def test_a_server_that_is_out_of_order_for_a_while_is_waited_for(store: Store, server: type[_Refusing]) -> None:
    """Longer than the few requests that are enough to say that an address is wrong."""
    server.answer_first, server.first = (503, _error("SlowDown")), 7
    server.answer = (200, "assay remote 2\n")
    with pytest.raises(StoreTooNew):
        pull(store, "s3://team/project")
    assert server.first == 0
