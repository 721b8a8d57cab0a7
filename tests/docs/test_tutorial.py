"""The tutorial is true: its files are written, its commands run in order, and each prints what the page shows."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
FENCE = re.compile(r"^```(?P<kind>\w+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def steps() -> Iterator[tuple[str, str, str]]:
    """("file", name, content) and ("command", line, expected output), in the order of the page."""
    for fence in FENCE.finditer(TUTORIAL.read_text(encoding="utf-8")):
        if fence["name"]:
            yield "file", fence["name"], fence["text"]
        elif fence["kind"] == "console":
            for part in re.split(r"^\$ ", fence["text"], flags=re.MULTILINE)[1:]:
                command, _, expected = part.partition("\n")
                yield "command", command, expected


def matches(expected: str, found: str) -> bool:
    """Whether the output is what the page shows: `…` alone on a line stands for any lines, within one for any text.

    Any decimal number stands for any other: another processor rounds otherwise, and one test image more or less moves the last digits. Columns
    may be wider: "13 s ago" takes more room than "9 s ago".
    """
    pattern = ""
    for line in expected.splitlines():
        pattern += r"(?:.*\n)*?" if line == "…" else re.sub(r"\d+\\\.\d+", r"\\d+\\.\\d+", _escaped(line)) + r"[ ]*\n"
    # Lines that the page leaves out may hide words, never a failure.
    return re.fullmatch(pattern, found) is not None and ("[exit code" in found) == ("[exit code" in expected)


def _escaped(line: str) -> str:
    text = re.escape(line).replace("…", ".*")
    return re.sub(r"(?:\\ ){2,}", "[ ]+", re.sub("─{2,}", "─+", text))


def run(command: str, folder: Path) -> str:
    """What the command prints, with its exit code where it is not 0; `assay` and `python` are this environment's."""
    program, *arguments = shlex.split(command)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    ended = subprocess.run(
        ["env", f"PATH={path}", "COLUMNS=120", program, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True, check=False
    )
    return ended.stdout + (f"[exit code {ended.returncode}]\n" if ended.returncode else "")


def test_every_command_of_the_tutorial_prints_what_the_page_shows(tmp_path: Path) -> None:
    ran = 0
    for kind, what, text in steps():
        if kind == "file":
            (tmp_path / what).write_text(text, encoding="utf-8")
            continue
        found = run(what, tmp_path)
        ran += 1
        if not matches(text, found):
            pytest.fail(f"$ {what}\nprinted\n{found}\nwhere the tutorial shows\n{text}")
    assert ran >= 10, "the tutorial's commands were not found on the page"


def test_the_comparison_itself_can_fail() -> None:
    assert matches("a …\n…\nend\n", "a 1\nx\ny\nend\n")
    assert not matches("a …\nend\n", "a 1\nx\nend\n")
    assert not matches("end\n", "")
    assert not matches("…\n", "[exit code 2]\n")
    assert matches("loss=0.25 at 3\n", "loss=1.5 at 3\n")
    assert not matches("loss=0.25 at 3\n", "loss=0.25 at 4\n")
    assert matches("age      x\n───────  ─\n", "age       x\n────────  ─\n")
    assert not matches("age x\n", "agex\n")
