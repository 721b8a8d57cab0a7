"""Writes docs/commands.md from the commands themselves; with --check, says whether it is what they are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from assay.cli.main import assay

TARGET = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
HEAD = """\
# Commands

Written by `tools/commands.py` from the commands themselves; `make docs` writes it again, `make check` fails where it is out of date.

A *RUN* is an id or a unique prefix of it, a name, `last`, `last~2` (the second before the last), `min:METRIC` or `max:METRIC` (over
finished runs with finite values). Runs that `why`, `matrix` and `doctor` made of another are named by id or name alone: `last`, `min:` and
`max:` pass over them. Every command but `run` takes `--json`: one JSON document on standard output and nothing else there,
errors too: `{"error": {"code", "message", "value", "expected", "next"}}`.

| exit code | meaning |
|---|---|
| 0 | yes, or done |
| 1 | the answer is no: not reproduced, differs, no run made it |
| 2 | wrong use |
| 3 | something broke |

`assay run` returns the command's own exit code (128 + n for signal n), 125 where Assay could not start it, 127 where it was not found.
"""


def main(arguments: list[str]) -> int:
    """Write or check the manual; 1 where it is out of date."""
    text = "\n".join([HEAD, *sections(assay, "assay")])
    if "--check" not in arguments:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.stderr.write(f"{TARGET} is out of date; `make docs` writes it again.\n")
        return 1
    return 0


def sections(command: click.Command, path: str) -> Iterator[str]:
    """The part of the manual on a command, then those on the commands below it."""
    context = click.Context(command, info_name=path)
    if command is not assay:
        yield section(command, path, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from sections(below, f"{path} {name}")


def section(command: click.Command, path: str, context: click.Context) -> str:
    """Usage, description and options of one command."""
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    parts = [f"## {path}", f"```\n{usage}\n```", paragraphs(command.help or "")]
    records = [parameter.get_help_record(context) for parameter in command.params if isinstance(parameter, click.Option)]
    options = [(spec, text) for spec, text in filter(None, records)]
    if options:
        parts.append(
            "\n".join(["| option | what it does |", "|---|---|", *(f"| `{cell(spec)}` | {cell(text)} |" for spec, text in options)])
        )
    if command.epilog:
        parts.append(paragraphs(command.epilog))
    return "\n\n".join(parts) + "\n"


def cell(text: str) -> str:
    """Text on one line, with what would end a table's cell escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def paragraphs(text: str) -> str:
    """Paragraphs of a help text, a line each."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
