"""A patch with much changed data in it, as a person gets to see it: made of real trees."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from assay.comparison.abridged import abridged
from assay.comparison.patch import patch_of_trees
from assay.store.objects import Objects


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    for folder in ("store/objects", "store/tmp"):
        (tmp_path / folder).mkdir(parents=True)
    return Objects(tmp_path / "store")


def patch(objects: Objects, name: bytes, before: bytes, after: bytes) -> str:
    a, b = ({name: ("file", objects.put(content)), b"z.py": ("file", objects.put(content[:9]))} for content in (before, after))
    return patch_of_trees(objects, a, b)


def rows(word: str, count: int) -> bytes:
    return "".join(f"{word}{row}\n" for row in range(count)).encode()


@pytest.mark.parametrize("name", ["big.csv", "sub/ü ä.dat", "words.txt"])
def test_of_data_the_beginning_is_shown_and_how_much_follows(objects: Objects, name: str) -> None:
    """And whatever changed beside it, whole."""
    text = abridged(patch(objects, name.encode(), rows("a", 1000), rows("b", 900)))
    assert "-a25\n" in text and "-a40\n" not in text
    assert "more lines of its difference are not shown (+900 -1000 lines in all)\n" in text
    assert text.index("not shown") < text.index("b/z.py")


def test_source_and_small_changes_of_data_are_whole(objects: Objects) -> None:
    """What reads like a patch stays one."""
    for name, count in ((b"big.py", 1000), (b"small.csv", 60)):
        text = patch(objects, name, rows("a", count), rows("b", count))
        assert abridged(text) == text


def test_of_scattered_changes_the_first_places_are_shown(objects: Objects) -> None:
    """Three of them, each with the lines around it."""
    after = b"".join(b"b%d\n" % row if row % 10 == 0 else b"a%d\n" % row for row in range(2000))
    text = abridged(patch(objects, b"x.tsv", rows("a", 2000), after))
    assert text.partition("b/z.py")[0].count("@@ -") == 3 and "(+200 -200 lines in all)" in text


def test_of_binary_content_nothing_is_shown(objects: Objects) -> None:
    """Base 85 tells a person nothing."""
    noise = random.Random(0).randbytes(40_000)
    text = abridged(patch(objects, b"x.bin", b"\0" + noise, b"\0\0" + noise[::-1]))
    assert "... x.bin: binary, its content is not shown\n" in text and len(text) < 2000
