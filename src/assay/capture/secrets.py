"""Secrets are never stored: found by the shape of well-known tokens, by suspicious names, and by file names.

Ordinary settings must pass unharmed (`--token-dim 64`, `--max-tokens 100`, `--pad-token "<pad>"`), so a name alone condemns a value
only where it can hardly mean anything else; behind a doubtful name the value itself must look random.
"""

# Long lists of words are split from text: one word a line would hide the code between them.
# ruff: noqa: SIM905

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from assay.records.finding import Finding

REDACTED: Final = "***"

# What it is, a text that every such token contains (looked for first, since that is cheap), and its whole shape.
_SHAPES: Final = (
    ("an AWS access key", "AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
    ("a temporary AWS access key", "ASIA", r"\bASIA[0-9A-Z]{16}\b"),
    *(("a GitHub token", f"gh{kind}_", rf"\bgh{kind}_[A-Za-z0-9]{{36,}}\b") for kind in "opsur"),
    ("a GitHub token", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{50,}\b"),
    ("a GitLab token", "glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", "xox", r"\bxox[abeoprs]-[A-Za-z0-9-]{16,}"),
    ("a Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,}\b"),
    ("an API key of the form sk-…", "sk-", r"\bsk-(?=[\w-]*[0-9])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{24,}"),
    ("a Stripe key", "_live_", r"\b[rs]k_live_[A-Za-z0-9]{16,}\b"),
    ("a Google API key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("a PyPI token", "pypi-", r"\bpypi-AgE[A-Za-z0-9_-]{40,}"),
    ("a JSON web token", "eyJ", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}"),
    (
        "a private key",
        "PRIVATE KEY",
        # In JSON, as cloud services hand keys out, line ends are written as two characters; in a notebook each line is a text of its own.
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[\s\",]|\\[nr])+(?:[\w-]+: .*\s+)*[A-Za-z0-9+/=\s\\\",]{40,}"
        r"(?:-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----)?",
    ),
)
_IN_BYTES: Final = tuple((what, part.encode(), shape.encode()) for what, part, shape in _SHAPES)

# Expressions are text, compiled (and kept by `re`) when first used: most processes meet nothing to apply them to.
_CREDENTIALS: Final = r"\b([a-zA-Z][a-zA-Z0-9+.-]*://)(?:[^\s/:@'\"]*:[^\s/@'\"]+|[^\s/:@'\"]{20,})@"
_BEARER: Final = r"(?i)(\b(?:bearer|basic)\s+)([A-Za-z0-9+/=_.~-]{16,})"
_ASSIGNMENT: Final = (
    r"(?i)((?<![\w-])[\w.-]*(?:passw|pwd|passphrase|passcode|secret|token|key|credential|auth)[\w-]*)"
    r"(['\"]?\s*[:=]\s*['\"]?)([^\s'\",;&]+)"
)

# What a line must hold for one of the three above to find anything in it.
_SUSPICIOUS: Final = rb"(?i)passw|pwd|passphrase|passcode|secret|token|key|credential|auth|bearer|basic|://[^\s/]*@"
_LONGEST_LINE: Final = 1 << 16  # bytes; a longer one is data, in which only the shapes of well-known tokens are looked for

_ALWAYS: Final = frozenset("password passwd passphrase passcode pwd secret apikey credential credentials".split())
_SECRET_KEYS: Final = frozenset("api access private secret auth account service encryption signing deploy".split())
_SECRET_TOKENS: Final = frozenset(
    "api access auth authorization bearer bot client csrf github gitlab hf hub huggingface id oauth personal pypi refresh secret security"
    " session slack user wandb write read".split()
)
_DOUBTFUL: Final = frozenset("key token auth authorization".split())
_PATH: Final = r"^(?:~|\.{0,2}/)|\.(?:json|pem|key|txt|ya?ml|toml|env|crt)$"
_PLAIN: Final = r"(?i)^(?:[-+]?[\d.]+(?:[eE][-+]?\d+)?|true|false|none|null|yes|no|on|off|\*+|<.*|\[.*|\{.*|\$.*)$"

_SECRET_FILES: Final = frozenset(
    ".env .netrc _netrc .pgpass .pypirc .htpasswd .git-credentials .dockercfg credentials credentials.json kaggle.json secrets.toml"
    " id_rsa id_dsa id_ecdsa id_ed25519".split()
)
_SECRET_SUFFIXES: Final = (".p12", ".pfx", ".jks", ".keystore", ".kdbx")
_HARMLESS_ENDS: Final = (".example", ".sample", ".template", ".dist", ".defaults")


def redact(text: str) -> tuple[str, list[str]]:
    """`text` with every secret in it replaced by `***`, and what was found, in words.

    >>> redact("postgres://me:pa55@db/x and password = hunter2")
    ('postgres://***@db/x and password = ***', ['credentials in a URL', 'the value of password'])
    """
    found: list[str] = []

    def url(match: re.Match[str]) -> str:
        found.append("credentials in a URL")
        return f"{match[1]}{REDACTED}@"

    def bearer(match: re.Match[str]) -> str:
        if not looks_random(match[2]):
            return match[0]
        found.append("an authorization header")
        return match[1] + REDACTED

    def assignment(match: re.Match[str]) -> str:
        name, between, value = match[1], match[2], match[3]
        if value.lower() in ("bearer", "basic") or not is_secret(name, value):
            return match[0]
        found.append(f"the value of {name}")
        return f"{name}{between}{REDACTED}"

    text = _redact_shapes(text, found)
    if "://" in text:
        text = re.sub(_CREDENTIALS, url, text)
    if " " in text:
        text = re.sub(_BEARER, bearer, text)
    if "=" in text or ":" in text:
        text = re.sub(_ASSIGNMENT, assignment, text)
    return text, found


def redact_output(data: bytes) -> tuple[bytes, list[str]]:
    """As `redact`, for what a program printed: only lines that can hold a secret are looked at closely, and none of its other bytes change.

    >>> redact_output(b"loss=0.5\\ntoken: 12\\npassword: hunter2\\n")
    (b'loss=0.5\\ntoken: 12\\npassword: ***\\n', ['the value of password'])
    """
    found: list[str] = []
    if any(part in data for _, part, _ in _IN_BYTES):
        data = _redact_shapes(data.decode("utf-8", "surrogateescape"), found).encode("utf-8", "surrogateescape")
    if not re.search(_SUSPICIOUS, data):
        return data, found
    lines = data.splitlines(keepends=True)
    for place, line in enumerate(lines):
        if len(line) <= _LONGEST_LINE and re.search(_SUSPICIOUS, line):
            text, more = redact(line.decode("utf-8", "surrogateescape"))
            found += more
            lines[place] = text.encode("utf-8", "surrogateescape") if more else line
    return b"".join(lines), found


def redact_value(name: str, value: str) -> tuple[str, list[str]]:
    """The value of an option or variable of this name, `***` where name or value say that it is a secret."""
    if is_secret(name, value):
        return REDACTED, [f"the value of {name}"]
    return redact(value)


def redact_arguments(arguments: Sequence[str]) -> tuple[tuple[str, ...], list[Finding]]:
    """A command line without secrets, and a finding for each that was replaced by `***`.

    Seen are `--name value`, `--name=value`, `name=value`, credentials in URLs, and the shapes of well-known tokens anywhere.

    >>> redact_arguments(["train.py", "--api-key", "abc", "--token-dim", "64"])[0]
    ('train.py', '--api-key', '***', '--token-dim', '64')
    """
    redacted: list[str] = []
    findings: list[Finding] = []
    option = ""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if option and not argument.startswith("--") and is_secret(option, argument):
            kept, found = REDACTED, [f"the value of {option}"]
        elif equals and re.match(_NAME, name):
            kept, found = redact_value(name.lstrip("-+~"), value)
            kept = f"{name}={kept}"
        else:
            kept, found = redact(argument)
        redacted.append(kept)
        about = option or (name if equals and kept != argument else "")
        findings += [_finding(what, about) for what in found]
        option = argument if not equals and re.match(_OPTION, argument) else ""
    return tuple(redacted), findings


_NAME: Final = r"^[-+~]*[A-Za-z_][\w.-]*$"
_OPTION: Final = r"^--?[A-Za-z][\w.-]*$"


def secret_name(path: str) -> str:
    """Why a file is taken for a secret by its name alone; empty where it is not."""
    name = path.rpartition("/")[2].lower()
    if name in _SECRET_FILES or name.endswith(_SECRET_SUFFIXES):
        return "by its name a file of secrets"
    if name.startswith(".env.") and not name.endswith(_HARMLESS_ENDS):
        return "by its name a file of secrets"
    if name.endswith(".json") and name.startswith(("client_secret", "service_account", "service-account")):
        return "by its name a file of secrets"
    return ""


def secret_content(data: bytes) -> str:
    """Why a file is taken for a secret by its content: it holds a well-known token or a private key. Empty where it does not."""
    for what, begin, _ in shapes_in(data):
        line = data.count(b"\n", 0, begin) + 1
        return f"holds what looks like {what} (line {line})"
    return ""


def shapes_in(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Well-known tokens and private keys: what each is, its begin and its end."""
    for what, part, shape in _IN_BYTES:
        if part in data:
            for match in re.finditer(shape, data):
                if not is_example(match[0].decode("latin-1")):
                    yield what, *match.span()


def _redact_shapes(text: str, found: list[str]) -> str:
    for what, part, shape in _SHAPES:
        if part not in text:
            continue
        for match in reversed(list(re.finditer(shape, text))):
            if not is_example(match[0]):
                text = text[: match.start()] + REDACTED + text[match.end() :]
                found.append(what)
    return text


def is_secret(name: str, value: str) -> bool:
    """Whether the value of an option, key or variable of this name is to be hidden."""
    if not value or value == REDACTED:
        return False
    words = [word.lower() for word in re.findall(_WORDS, name)]
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in ("password", "passwd", "passphrase", "passcode", "pwd"):
        return True
    if last in _ALWAYS or (last == "key" and before in _SECRET_KEYS):
        return not re.match(_PLAIN, value) and not re.search(_PATH, value)
    if last == "token" and (not before or before in _SECRET_TOKENS):
        return not re.match(_PLAIN, value) and not re.search(_PATH, value)
    return last in _DOUBTFUL and looks_random(value)


_WORDS: Final = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+"


def looks_random(value: str) -> bool:
    """Whether a value is long, mixes letters and digits, and has the entropy of a token rather than of words."""
    letters = any(character.isalpha() for character in value)
    digits = any(character.isdigit() for character in value)
    return len(value) >= 16 and letters and digits and "/" not in value[:2] and _bits(value) >= 3.0


def is_example(token: str) -> bool:
    """Whether a token is one of a manual: named so, or made of repetitions."""
    return "EXAMPLE" in token.upper() or _bits(token[-24:]) < 2.5


def _bits(value: str) -> float:
    """Shannon entropy of the characters, in bits a character."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)


def _finding(what: str, about: str) -> Finding:
    return Finding(kind="secret redacted", about=about, text=f"{what} was taken for a secret and is not stored")
