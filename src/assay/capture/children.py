"""Processes that a run started and that nothing was seen of."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from assay.capture.secrets import redact_arguments
from assay.capture.trace_reports import Observed

_LONGEST: Final = 120  # characters of a command that are shown
# Programs that tell of the machine or of the repository, both of which are recorded, and that read nothing else.
_TELLING: Final = frozenset(
    (
        *("arch", "date", "df", "free", "getconf", "git", "hostname", "id", "ldconfig", "lsb_release", "lscpu", "lspci", "nproc"),
        *("nvidia-smi", "rocm-smi", "stty", "sysctl", "uname", "which", "whoami"),
    )
)
_SHELLS: Final = frozenset(("sh", "bash", "dash", "zsh"))


def unseen_children(observed: Observed) -> Iterator[tuple[str, str]]:
    """Started commands of which no interpreter reported, shortened and without secrets, with the reason."""
    reported = [[str(word) for word in fact.get("argv", ())] for fact in observed.interpreters if not fact.get("forked")]
    for words in observed.children:
        if not words or _name(words) in _TELLING or any(_is_same(words, argv) for argv in reported):
            continue
        if words in observed.apart:
            why = "it was started with an environment of its own, in which no interpreter reports; what it read is not recorded"
        else:
            why = "it is no Python interpreter that reported; what it read is not recorded"
        yield _shown(words), why


def _is_same(words: Sequence[str], argv: Sequence[str]) -> bool:
    """Whether an interpreter's own argument list shows that it carried out this command."""
    if _name(words) in _SHELLS and len(words) == 3 and words[1] == "-c":
        try:
            words = shlex.split(words[2])
        except ValueError:
            return False
    if not words or len(argv) < len(words):
        return False
    # A script with a first line that names Python stands behind its interpreter.
    tail = list(argv[-len(words) :])
    return tail[1:] == list(words[1:]) and (_name(tail) == _name(words) or (len(tail) == len(argv) and len(words) > 1))


def _name(words: Sequence[str]) -> str:
    return words[0].rpartition("/")[2]


def _shown(words: Sequence[str]) -> str:
    text = shlex.join(redact_arguments(list(words))[0])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
