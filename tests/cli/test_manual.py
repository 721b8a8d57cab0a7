"""The manual and the command line say the same."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from assay.cli.main import assay

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "commands.md"


def commands(command: click.Command = assay, path: str = "assay") -> Iterator[tuple[str, click.Command]]:
    """Every command of the tree below `assay`, with its path."""
    if command is not assay:
        yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, f"{path} {name}")


def options(command: click.Command) -> set[str]:
    return {name for each in command.params if isinstance(each, click.Option) for name in (*each.opts, *each.secondary_opts)}


def test_every_command_and_option_is_in_the_manual_and_none_else() -> None:
    written: dict[str, set[str]] = {}
    for part in MANUAL.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        written[heading] = {
            option for row in re.findall(r"^\| `(.+?)` \|", body, flags=re.MULTILINE) for option in re.findall(r"--[\w-]+", row)
        }
    assert written == {path: options(command) for path, command in commands()}


def test_the_manual_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, "tools/commands.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_command_but_run_and_groups_prints_json() -> None:
    single = [(path, command) for path, command in commands() if not isinstance(command, click.Group)]
    assert [path for path, command in single if "--json" not in options(command)] == ["assay run"]


def test_every_command_and_option_says_what_it_does() -> None:
    for path, command in commands():
        assert command.help, path
        silent = [parameter.name for parameter in command.params if isinstance(parameter, click.Option) and not parameter.help]
        assert silent == [], path


def test_commands_that_the_readme_and_the_documents_show_exist() -> None:
    """Each `assay …` line of a code block names a command and options that there are."""
    known = dict(commands())
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for block in re.findall(
            r"^```(?:sh|console|bash)?\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
        ):
            for line in re.findall(r"^\$? ?(assay .+)$", block, flags=re.MULTILINE):
                words = re.sub(r'"[^"]*"', "TEXT", line).split()  # what is quoted is nothing of ours
                path = " ".join(words[:3]) if " ".join(words[:3]) in known else " ".join(words[:2])
                assert path in known, (page.name, line)
                own = words[: words.index("python")] if path == "assay run" and "python" in words else words
                unknown = {word.partition("=")[0] for word in own if word.startswith("--") and word != "--"} - options(known[path])
                assert not unknown, (page.name, line)
