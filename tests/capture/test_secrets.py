"""Secrets are found by shape and by name; ordinary settings pass unharmed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.capture.secrets import redact, redact_arguments, redact_value, secret_content, secret_name

# Put together here, so that no file of this repository holds the shape of a token.
TAIL = "aB3dE6gH9kL2mN5pQ8sT1vW4yZ7cF0hJ3nR6"
TOKENS = {
    "AWS": "AKIA" + "J4XQ7ZP2M9TR5WKC",
    "GitHub": "ghp" + "_" + TAIL,
    "fine-grained GitHub": "github" + "_pat_" + TAIL + TAIL,
    "GitLab": "glpat" + "-" + TAIL[:20],
    "Slack": "xoxb" + "-1234567890-" + TAIL,
    "Hugging Face": "hf" + "_" + TAIL[:34],
    "OpenAI": "sk" + "-proj-" + TAIL,
    "Google": "AIza" + TAIL[:35],
    "PyPI": "pypi" + "-AgEIcHlwaS5vcmc" + TAIL,
    "JSON web token": "eyJ" + TAIL[:20] + ".eyJ" + TAIL + "." + TAIL,
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + TAIL * 3 + "\n-----END RSA " + "PRIVATE KEY-----",
    "private key with written line ends": "-----BEGIN " + "PRIVATE KEY-----\\n" + TAIL * 3 + "\\n-----END " + "PRIVATE KEY-----",
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_well_known_tokens_are_found_anywhere(token: str) -> None:
    """In text, in an argument of any name, and in a file's content."""
    text, found = redact(f"before {token} after")
    assert text == "before *** after"
    assert len(found) == 1
    arguments, findings = redact_arguments(["python", "x.py", token, f"--note={token}", f"model.name={token}"])
    assert arguments == ("python", "x.py", "***", "--note=***", "model.name=***")
    assert [finding.kind for finding in findings] == ["secret redacted"] * 3
    assert all(TAIL not in finding.text + finding.about for finding in findings)
    assert "line 3" in secret_content(f"a\nb\nkey = '{token}'\n".encode())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["--api-key", "abc", "x"], ["--api-key", "***", "x"]),
        (["--password=hunter2"], ["--password=***"]),
        (["--password", "12345"], ["--password", "***"]),
        (["--password", "-starts-with-a-dash"], ["--password", "***"]),
        (["--token", "my-own-word"], ["--token", "***"]),
        (["--hf_token", "abcdef"], ["--hf_token", "***"]),
        (["--apiKey", "abcdef"], ["--apiKey", "***"]),
        (["WANDB_API_KEY=abcdef"], ["WANDB_API_KEY=***"]),
        (["+logger.api_key=abcdef"], ["+logger.api_key=***"]),
        (["--db", "postgres://me:pw@host/db"], ["--db", "postgres://***@host/db"]),
        (["--key", "a8f5f167f44f4964e6c998dee827110c"], ["--key", "***"]),
    ],
)
def test_suspicious_names_hide_their_values(given: list[str], kept: list[str]) -> None:
    """The value alone is replaced, and it is said."""
    arguments, findings = redact_arguments(given)
    assert list(arguments) == kept
    assert len(findings) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--token-dim", "64"],
        ["--max-tokens", "100"],
        ["--max_tokens=4096"],
        ["--tokenizer", "bert-base-uncased"],
        ["--keys", "5"],
        ["--num-key-value-heads", "8"],
        ["--key", "validation/accuracy"],
        ["--pad-token", "<pad>"],
        ["--mask-token", "[MASK]"],
        ["--eos-token", "endoftext"],
        ["--token", "5"],
        ["--use-auth", "true"],
        ["--author", "Ada Lovelace"],
        ["--secret", "false"],
        ["--credentials", "conf/credentials.json"],
        ["--private-key", "~/.ssh/id_rsa"],
        ["--token", "--verbose"],
        ["--password-file", "pw.txt"],
        ["--api-key-env", "OPENAI_KEY"],
        ["--url", "https://example.org/a:b@c"],
        ["--remote", "ssh://git@example.org/x.git"],
        ["--lr=1e-3", "model.key_dim=64", "seed=0"],
        ["--run-id", "a8f5f167f44f4964e6c998dee827110c"],
        ["--model", "sk-learn-contrib-something-quite-long"],
        ["--monkey", "a8f5f167f44f4964e6c998dee827110c"],
        ["-c", "key = lambda pair: pair[0]; tokens = data.split()"],
    ],
)
def test_ordinary_settings_are_not_touched(arguments: list[str]) -> None:
    """What merely sounds like a secret passes."""
    assert redact_arguments(arguments) == (tuple(arguments), [])


def test_manual_examples_are_no_secrets() -> None:
    """Tokens of manuals and placeholders do not keep a file out of the tree."""
    assert secret_content(b"id = 'AKIA" + b"IOSFODNN7EXAMPLE'") == ""
    assert secret_content(b"t = 'ghp" + b"_" + b"x" * 36 + b"'") == ""
    assert secret_content(b"re.compile('-----BEGIN " + b"PRIVATE KEY-----')") == ""


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        (".env", True),
        ("conf/.env.production", True),
        (".env.example", False),
        ("deploy/id_rsa", True),
        ("id_rsa.pub", False),
        (".netrc", True),
        ("gcp/credentials.json", True),
        ("gcp/service-account-prod.json", True),
        ("certificate.pem", False),
        ("secrets.py", False),
        ("environment.yaml", False),
    ],
)
def test_files_of_secrets_are_known_by_name(path: str, secret: bool) -> None:
    """Case and folder do not matter."""
    assert bool(secret_name(path)) is secret
    assert bool(secret_name(path.upper())) is secret


def test_values_of_variables_are_judged_by_their_name() -> None:
    """What an allow-listed variable holds is hidden where its name or shape says so."""
    assert redact_value("PYTHONHASHSEED", "0") == ("0", [])
    assert redact_value("TORCH_API_KEY", "abc")[0] == "***"
    assert redact_value("XLA_FLAGS", "--xla_key=" + TOKENS["GitHub"])[0] == "--xla_key=***"


@given(st.text())
def test_redaction_is_final(text: str) -> None:
    """What was redacted once has nothing more to redact."""
    once, _ = redact(text)
    assert redact(once)[0] == once


@given(st.lists(st.text()))
def test_the_number_of_arguments_stays(arguments: list[str]) -> None:
    """Redaction neither drops nor adds an argument."""
    assert len(redact_arguments(arguments)[0]) == len(arguments)
