"""What the pages tell a reader to type exists: every `assay …` in them names a command and options that the command line has."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from ruamel.yaml import YAML

from assay.cli.main import assay

ROOT = Path(__file__).parents[2]
# The reference is generated; decisions tell of what was, and the history of what came.
PAGES = [ROOT / "README.md", *sorted(page for page in (ROOT / "docs").glob("*.md") if page.name != "commands.md")]
_BLOCK = re.compile(r"```[^\n]*\n(.*?)```", re.S)
_LINE = re.compile(r"^\s*(?:\$ |- run: |run: |- )?(assay [a-z].*)$")
_INLINE = re.compile(r"`(assay [a-z][^`]*)`")
_END = re.compile(r"\s(?:#|\||>|&&|;)\s.*$")
_PASSED_ON = {"run", "doctor"}
"""Commands whose arguments go on to another program."""


def said(page: Path) -> Iterator[str]:
    """Command lines of a page: those of its blocks, joined where a backslash ends a line, and those within sentences."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if found := _LINE.match(line):
                yield _END.sub("", f"{found[1]} ")
    for inline in _INLINE.findall(_BLOCK.sub("", text)):
        yield _END.sub("", f"{inline} ".replace("\n", " "))


def misnamed(line: str) -> str:
    """What of a command line does not exist; empty where all of it does."""
    words = shlex.split(line.replace("…", "").replace("[", "").replace("]", ""))[1:]
    command: click.Command = assay
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name = words.pop(0)
        if "|" in name:  # alternatives, in a sentence
            return next((f"no command {one}" for one in name.split("|") if _command(command, one) is None), "")
        found = _command(command, name)
        if found is None:
            return f"no command {name}"
        command = found
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    for word in words:
        if word == "--":
            break
        if not word.startswith("-"):
            if command.name in _PASSED_ON:
                break
            continue
        if not word.startswith("--") and len(word) > 2:
            continue
        if word.partition("=")[0] not in known:
            return f"no option {word} of {command.name}"
    return ""


def _command(group: click.Group, name: str) -> click.Command | None:
    return group.get_command(click.Context(group), name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    wrong = {line.strip(): fault for line in said(page) if (fault := misnamed(line))}
    assert wrong == {}


def test_what_does_not_exist_is_noticed() -> None:
    """The test above can fail."""
    assert misnamed("assay publicise last") == "no command publicise"
    assert misnamed("assay study dance FILE") == "no command dance"
    assert misnamed("assay ls --weird 3") == "no option --weird of ls"
    assert misnamed("assay run --name a python train.py --lr 0.1") == ""
    assert len([line for page in PAGES for line in said(page)]) > 60


def test_workflows_for_continuous_integration_have_the_form_of_one() -> None:
    """GitHub reads `on`, `jobs`, and of each job what it runs on and its steps, each of which uses an action or runs a command."""
    found = 0
    for page in PAGES:
        for block in re.findall(r"```ya?ml\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
            document = YAML(typ="safe").load(block)
            if not isinstance(document, dict) or "jobs" not in document:
                continue
            found += 1
            assert set(document) <= {"name", "on", "jobs", "permissions", "concurrency", "env", "defaults"}
            assert set(document["on"]) <= {"schedule", "pull_request", "push", "workflow_dispatch"}
            for job in document["jobs"].values():
                assert job["runs-on"]
                assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    assert found
