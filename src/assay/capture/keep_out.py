"""What the user wants no record to hold: the rules of `.assayignore` in the project's root, written as git's are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

RULES: Final = ".assayignore"
KEPT_OUT: Final = f"kept out by {RULES}"


class KeepOut(NamedTuple):
    """Rules in order, each with whether it keeps out or lets in again (`!`); the last that matches decides."""

    rules: tuple[tuple[re.Pattern[str], bool], ...] = ()

    @classmethod
    def of(cls, text: str) -> KeepOut:
        """The rules in a text: a pattern a line, `#` before a remark.

        >>> rules = KeepOut.of("private/\\n*.key\\n!public.key\\n/only/here.txt\\n# a remark")
        >>> [bool(rules.reason(name)) for name in ("private/a/b.md", "private", "x/a.key", "public.key", "only/here.txt", "x/only/here.txt")]
        [True, False, True, False, True, False]
        """
        lines = (line.rstrip() for line in text.splitlines())
        rules = [(line.removeprefix("!"), not line.startswith("!")) for line in lines if line and not line.startswith("#")]
        return cls(tuple((_compiled(pattern.removeprefix("\\")), out) for pattern, out in rules if pattern.strip("/")))

    @classmethod
    def read(cls, root: str) -> KeepOut:
        """The rules of the project at `root`; none where it has no such file, or it cannot be read."""
        try:
            return cls.of(Path(root, RULES).read_text(encoding="utf-8", errors="surrogateescape"))
        except OSError:
            return cls()

    def reason(self, name: str) -> str:
        """Why a file is kept out, by its path relative to the root; empty where it is not."""
        out = False
        for pattern, keeps_out in self.rules:
            if out != keeps_out and pattern.fullmatch(name):
                out = keeps_out
        return KEPT_OUT if out else ""


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of `gitignore` (its manual, "Pattern format") for the files that it is about, those below a folder included."""
    folder = pattern.endswith("/")
    bare = pattern.rstrip("/")
    anchored = "/" in bare
    parts = re.split(r"(\*\*/|/\*\*$|\*|\?|\[!?\]?[^\]/]*\])", bare.lstrip("/"))
    body = "".join(_part(part) for part in parts)
    around = ("" if anchored else "(?:.*/)?", "/.*" if folder else "(?:/.*)?")
    try:
        return re.compile(body.join(around), re.DOTALL)
    except re.error:  # a range that is none, such as [z-a]
        return re.compile(re.escape(bare.lstrip("/")).join(around), re.DOTALL)


def _part(part: str) -> str:
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        negated = part[1] == "!"
        inner = re.sub(r"([\\\]\[^&~|])", r"\\\1", part[1 + negated : -1])
        return f"[{'^' if negated else ''}{inner}]"
    return {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part)
