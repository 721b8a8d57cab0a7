"""A group of commands that loads each when it is called, so that help and every other command start fast."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from assay.errors import UsageError


class Entry(NamedTuple):
    """The module of `assay.cli.commands` that defines a command (as `command`), and what it does, in a line."""

    module: str
    help: str


class LazyGroup(click.Group):
    """Commands by name, each imported when it is asked for; a name that does not exist is answered with the nearest one.

    Args:
        entries: the commands, in the order in which a user meets them.
    """

    def __init__(self, *arguments: Any, entries: Mapping[str, Entry], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in their order."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; None where there is none."""
        found = self.entries.get(cmd_name)
        if found is None:
            return None
        command = import_module(f"assay.cli.commands.{found.module}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with.

        Raises:
            UsageError: there is no such command.
        """
        if args[0] not in self.entries and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.entries, n=1, cutoff=0.5)
            raise UsageError(
                "there is no such command",
                value=args[0],
                expected=f"one of {', '.join(self.entries)}",
                next_step=f"Did you mean {near[0]!r}?" if near else f"`{ctx.command_path} --help` lists what they do.",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.entries.items()])
