"""Secrets inside code: the kept copy of a file has a marker in the place of each, and is the same file in all else.

What was replaced is not kept anywhere, so whoever runs the copy misses it. On the machine of the original that need not be: a file there
that gives the same copy differs from the original in nothing but its secrets, and stands in for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from assay.capture.secrets import is_example, is_secret, looks_random, shapes_in
from assay.records.canonical import digest
from assay.records.finding import Finding, Gap
from assay.store.objects import Objects
from assay.store.tree import read_tree

MARKER: Final = b"REDACTED-BY-ASSAY"
_LARGEST: Final = 1 << 20  # bytes; larger files are no code
_WITHOUT: Final = "kept without its secrets: "

# Of these names any chosen value is a secret; of the others only one that looks random.
_PASSWORDS: Final = rb"(?:passw(?:or)?d|pwd|passphrase|passcode)"
_NAMES: Final = _PASSWORDS + rb"|secret(?:[_-]?key)?|token|key|credentials?"
# Looked for in the file in lower case, each by itself: ten times faster than one expression that is tried at every letter.
_WORDS: Final = (b"passw", b"pwd", b"passphrase", b"passcode", b"secret", b"token", b"key", b"credential")
_QUOTED: Final = (
    rb"(?:" + _NAMES + rb")(?:\\?['\"])?\]?\s?(?::\s*[\w.\[\]| ]{1,40}=|[:=])\s*[rbu]?\\?(['\"])([^'\"\s\\]{6,200})\\?\1"
)
_BARE: Final = rb"(?m)^[ \t-]*([\w.-]*(?:" + _NAMES + rb"))[ \t]*[:=][ \t]*([^\s'\"#]{6,200})[ \t]*(?:#.*)?$"
_BARE_IN: Final = (".yaml", ".yml", ".ini", ".cfg", ".conf", ".toml", ".properties", ".sh", ".env", ".envrc")
# In a text, as connections are written: "host=db user=me password=…".
_IN_TEXT: Final = _PASSWORDS + rb"=([^\s'\";&{}%$<>()\\]{6,200})(?=[\s;&'\"])"
_URL: Final = rb"://([^\s/:@'\"]*):([^\s/:@'\"]{4,200})@(?=[\w\[])"
_PLACEHOLDER: Final = (
    rb"(?i)[{}<>$%*()\[\]]|\.{3}|^(?:my|your|the|some|test|fake|dummy|s3cr3t|pa55w0rd|p4ssw0rd|pass\d*$|pw\d*$|abc|foo|bar|123)"
    rb"|passw|secret|changeme|change_me|example|placeholder|redacted|xxx|token|key$|^(?:self|args|config|os|cfg)\."
)


class _Found(NamedTuple):
    begin: int
    end: int
    what: str


def without_secrets(path: str, data: bytes) -> tuple[bytes, str]:
    """The file as it may be kept, and in words what was replaced in it and where; empty where nothing was.

    Line ends stay where they were, so a traceback names the same lines. Replaced are tokens of a known form, private keys, passwords in
    URLs, values that a name says are passwords, and what looks random behind a name such as `api_key`.

    >>> without_secrets("train.py", b"import x\\npassword = 'hunter2'\\n")
    (b"import x\\npassword = 'REDACTED-BY-ASSAY'\\n", 'the value of password (line 2)')
    >>> without_secrets("train.py", b"pad_token = '<pad>'; password = 'your-password'\\n")[1]
    ''
    """
    found = sorted({*_tokens(data), *_in_urls(data), *_assigned(path, data)})
    if not found:
        return data, ""
    kept: list[bytes] = []
    words: list[str] = []
    at = 0
    for one in found:
        if one.begin < at:
            continue  # inside the one before
        lines = b"" if b'"' in data[one.begin : one.end] else b"\n" * data.count(b"\n", one.begin, one.end)
        kept += (data[at : one.begin], MARKER, lines)
        line = data.count(b"\n", 0, one.begin) + 1
        words.append(f"{one.what} (line {line})")
        at = one.end
    return b"".join((*kept, data[at:])), ", ".join(words)


def left_out_of(words: str) -> str:
    """Why a file that is kept stands among what was left out: part of it was."""
    return f"{_WITHOUT}{words}"


def findings_of(left_out: Mapping[str, str]) -> Iterator[tuple[Gap, Finding]]:
    """What a run says of each file of its code of which such a copy is kept."""
    for path, why in sorted(left_out.items()):
        if why.startswith(_WITHOUT):
            text = f"{why.removeprefix(_WITHOUT)}: taken for a secret, and not stored; the kept copy has {MARKER.decode()} in its place"
            yield Gap(what=path, why=why), Finding(kind="secret redacted", about=path, text=text)


def stands_for(here: str | bytes | os.PathLike[str], kept: bytes) -> bytes | None:
    """The content of the file `here` where it differs from a kept copy in the secrets that were replaced there, and in nothing else."""
    if MARKER not in kept:
        return None
    data = read_small(here)
    return data if data is not None and without_secrets(os.fsdecode(here), data)[0] == kept else None


def is_original(path: str | os.PathLike[str], content: str) -> bool:
    """Whether a file holds secrets, and the copy that is kept of it has this content."""
    data = read_small(path)
    kept, words = without_secrets(os.fspath(path), data) if data is not None else (b"", "")
    return bool(words) and digest(kept) == content


def read_small(path: str | bytes | os.PathLike[str]) -> bytes | None:
    """The content of a file that is small enough to be code; None of any other, or where it cannot be read."""
    try:
        if os.stat(path).st_size > _LARGEST:  # noqa: PTH116 - names need not be valid Unicode
            return None
        with open(path, "rb") as file:
            return file.read(_LARGEST)
    except OSError:
        return None


def fill_in(objects: Objects, tree: str, folder: Path, roots: Iterable[Path]) -> list[str]:
    """Put the secrets that files below `roots` hold into the copies in `folder` that miss them; names of those that miss them still.

    Raises:
        MissingContent, StoreDamaged: the tree cannot be read.
        OSError: a copy cannot be written.
    """
    missing = []
    for name, content in _redacted(objects, tree):
        kept = objects.get(content)
        whole = next((data for root in roots if (data := stands_for(root / name, kept)) is not None), None)
        if whole is None:
            missing.append(name)
        else:
            (folder / name).write_bytes(whole)
    return missing


@lru_cache(maxsize=8)
def _redacted(objects: Objects, tree: str) -> tuple[tuple[str, str], ...]:
    """Path and content id of the files of a tree that miss secrets; a tree never changes, and a study asks once for each trial."""
    entries = read_tree(objects, tree).items()
    return tuple(
        (os.fsdecode(path), content) for path, (kind, content) in entries if kind != "link" and MARKER in objects.get(content)
    )


def _tokens(data: bytes) -> Iterator[_Found]:
    for what, begin, end in shapes_in(data):
        yield _Found(begin, end, what)


def _in_urls(data: bytes) -> Iterator[_Found]:
    if b"://" not in data or b"@" not in data:
        return
    for match in re.finditer(_URL, data):
        if match[1] != match[2] and _is_chosen(match[2]):
            yield _Found(*match.span(2), "a password in a URL")


def _assigned(path: str, data: bytes) -> Iterator[_Found]:
    low = data.lower()
    quoted, in_text = re.compile(_QUOTED), re.compile(_IN_TEXT)
    for begin in _places(low):
        match = quoted.match(low, begin)
        if match is not None:
            yield from _value(data, begin, match.span(2))
        elif (match := in_text.match(low, begin)) is not None and _in_quotes(data, begin):
            yield from _value(data, begin, match.span(1))
    if path.endswith(_BARE_IN):
        for match in re.finditer(_BARE, low):
            yield from _value(data, match.end(1), match.span(2))


def _in_quotes(data: bytes, at: int) -> bool:
    """Whether a text has begun on the line before `at`, and not ended."""
    line = data[data.rfind(b"\n", 0, at) + 1 : at]
    return bool(line.count(b'"') % 2 or line.count(b"'") % 2)


def _places(low: bytes) -> Iterator[int]:
    for word in _WORDS:
        at = low.find(word)
        while at >= 0:
            yield at
            at = low.find(word, at + 1)


def _value(data: bytes, at: int, span: tuple[int, int]) -> Iterator[_Found]:
    """The value at `span` if the name in which `at` lies, or at which it ends, says that it is a secret."""
    before = re.search(rb"[\w.-]*\Z", data[max(0, at - 60) : at])
    tail = re.match(rb"[\w-]*", data[at : span[0]])
    name = ((before[0] if before else b"") + (tail[0] if tail else b"")).decode("latin-1")
    value = data[slice(*span)]
    if _is_chosen(value) and _tells(name, value.decode("latin-1")):
        yield _Found(*span, f"the value of {name}")


def _tells(name: str, value: str) -> bool:
    last = re.split(r"[_.-]", name.lower())[-1]
    if re.search(_PASSWORDS.decode() + "$", last):
        return True
    if name.lower() == "key":  # of anything at all, but for what services hand out
        return re.fullmatch(r"[A-Za-z0-9]{32,}", value) is not None and not is_example(value)
    return is_secret(name, "value") and looks_random(value) and not is_example(value)  # the name alone, and the value by itself


def _is_chosen(value: bytes) -> bool:
    """Whether somebody chose a value as a secret: no word of a manual, and of letters and something else."""
    letters, digits = re.search(rb"[A-Za-z]", value), re.search(rb"[0-9!#&?^~]", value)
    return letters is not None and digits is not None and not re.search(_PLACEHOLDER, value)
