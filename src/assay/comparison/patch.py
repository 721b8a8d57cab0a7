"""The difference of two code trees as a patch that `git apply` takes."""

from __future__ import annotations

import base64
import difflib
import hashlib
import itertools
import zlib
from collections.abc import Iterator, Mapping

from assay.comparison.diff import Facts
from assay.records.run import Run
from assay.store.objects import Objects
from assay.store.store import Store

_MODES = {"file": "100644", "exec": "100755", "link": "120000"}
_NOWHERE = "0" * 40
_MOST_SEARCHED = 5000
_Side = tuple[str, bytes]  # kind and content


def patch(store: Store, a: Run, b: Run) -> str:
    """A patch that turns the code tree of `a` into that of `b`; empty where they are the same.

    It is in git's extended format: texts line by line, everything else as base-85 of its whole content, new and deleted files, changed
    modes and symbolic links. Applied to the tree of `a`, it gives that of `b`, byte for byte.

    Raises:
        MissingContent: a tree or a file of it is not in this store.
    """
    return patch_of_trees(store.objects, Facts(store, a).tree, Facts(store, b).tree)


def patch_of_trees(objects: Objects, a: Mapping[bytes, tuple[str, str]], b: Mapping[bytes, tuple[str, str]]) -> str:
    """As `patch`, for two trees as `assay.store.tree.read_tree` gives them."""
    changed = (path for path in sorted(a.keys() | b.keys()) if a.get(path) != b.get(path))
    return "".join(part for path in changed for part in _file(path, _side(objects, a.get(path)), _side(objects, b.get(path))))


def _side(objects: Objects, entry: tuple[str, str] | None) -> _Side | None:
    return (entry[0], objects.get(entry[1])) if entry else None


def _file(path: bytes, a: _Side | None, b: _Side | None) -> Iterator[str]:
    # A file that becomes a link is two acts for git.
    if a and b and "link" in {a[0], b[0]} and a[0] != b[0]:
        yield from _file(path, a, None)
        yield from _file(path, None, b)
        return
    yield f"diff --git {_quoted(b'a/' + path)} {_quoted(b'b/' + path)}\n"
    if a is None and b is not None:
        yield f"new file mode {_MODES[b[0]]}\n"
    elif b is None and a is not None:
        yield f"deleted file mode {_MODES[a[0]]}\n"
    elif a and b and a[0] != b[0]:
        yield f"old mode {_MODES[a[0]]}\nnew mode {_MODES[b[0]]}\n"
    before, after = (side[1] if side else b"" for side in (a, b))
    if before == after and a and b:
        return
    yield f"index {_blob(a)}..{_blob(b)}\n"
    texts = _texts(before, after)
    if texts is None:
        yield f"GIT binary patch\n{_literal(after)}\n{_literal(before)}\n"
    else:
        yield from _hunks(path, *texts, added=a is None, removed=b is None)


def _texts(before: bytes, after: bytes) -> tuple[str, str] | None:
    """Both contents as text; None where one is not, or where a carriage return could be lost on the way."""
    if any(byte in content for content in (before, after) for byte in (b"\0", b"\r")):
        return None
    try:
        return before.decode("utf-8"), after.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _hunks(path: bytes, before: str, after: str, *, added: bool, removed: bool) -> Iterator[str]:
    source = "/dev/null" if added else _quoted(b"a/" + path)
    target = "/dev/null" if removed else _quoted(b"b/" + path)
    for index, line in enumerate(_unified(_lines(before), _lines(after), source, target)):
        if index < 2:  # git ends a name with blanks in it by a tab
            yield line.rstrip("\n") + ("\t\n" if " " in line[4:].rstrip("\n") else "\n")
        else:
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _unified(before: list[str], after: list[str], source: str, target: str) -> Iterator[str]:
    """As difflib has it; where its search, whose time grows with the square of the lines, would not end soon, one hunk of all lines."""
    if min(len(before), len(after)) <= _MOST_SEARCHED:
        return difflib.unified_diff(before, after, source, target)
    head = [f"--- {source}\n", f"+++ {target}\n", f"@@ -1,{len(before)} +1,{len(after)} @@\n"]
    return itertools.chain(head, (f"-{line}" for line in before), (f"+{line}" for line in after))


def _lines(text: str) -> list[str]:
    """Lines as git counts them: only a line feed ends one."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _blob(side: _Side | None) -> str:
    """The name that git gives to the content; a binary patch must carry it in full."""
    if side is None:
        return _NOWHERE
    return hashlib.sha1(b"blob %d\0" % len(side[1]) + side[1], usedforsecurity=False).hexdigest()


def _literal(content: bytes) -> str:
    """`content` as git's binary patches have it: deflated, 52 bytes a line in base 85, a letter for the length of the line before."""
    packed = zlib.compress(content)
    lines = [f"literal {len(content)}"]
    for start in range(0, len(packed), 52):
        part = packed[start : start + 52]
        size = chr(ord("A") + len(part) - 1) if len(part) <= 26 else chr(ord("a") + len(part) - 27)
        lines.append(size + base64.b85encode(part, pad=True).decode())
    return "\n".join(lines) + "\n"


def _quoted(path: bytes) -> str:
    """A path as git writes it: in quotes, with octal escapes, where it holds anything but plain printable ASCII."""
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in path):
        return path.decode()
    plain = "".join(chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:03o}" for byte in path)
    return f'"{plain}"'
