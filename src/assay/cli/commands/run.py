"""`assay run`: a command, recorded while it runs as if Assay were not there."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click

from assay.cli.output import hint
from assay.errors import InvalidValue
from assay.records.canonical import legible
from assay.report.numbers import duration
from assay.store.root import find_root
from assay.store.store import Store
from assay.tracking.command import scalar
from assay.tracking.supervise import supervise

NOW = "now"
_FROM = "--from-snapshot"


class _RunCommand(click.Command):
    """Takes `--from-snapshot` without a value too: the word after it is the command, and never that value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Arguments with a bare `--from-snapshot` among Assay's own options completed."""
        takes_value = {
            name for param in self.params if isinstance(param, click.Option) and not param.is_flag for name in param.opts
        } - {_FROM}
        done: list[str] = []
        rest = iter(args)
        for word in rest:
            done.append(f"{_FROM}={NOW}" if word == _FROM else word)
            if word in takes_value:
                done += [value for value in (next(rest, None),) if value is not None]
            elif word == "--" or not word.startswith("-"):
                break
        return super().parse_args(ctx, [*done, *rest])


@click.command(
    cls=_RunCommand,
    name="run",
    context_settings={"allow_interspersed_args": False},
    epilog="Returns the command's own exit code (128 + n for signal n), 125 where Assay could not start it, 127 where it was not found.",
)
@click.option("--name", default="", metavar="N", help="What to call the run.")
@click.option("--tag", "tags", multiple=True, metavar="T", help="A word to find the run by; may be repeated.")
@click.option(
    "--param", "params", multiple=True, metavar="K=V", help="A parameter to record, beside those in the arguments; may be repeated."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), metavar="S",
    help="Exports PYTHONHASHSEED and ASSAY_SEED, and seeds the script's libraries as they load.",
)  # fmt: skip
@click.option("--data", multiple=True, type=click.Path(), metavar="PATH", help="An input to declare and to keep; may be repeated.")
@click.option(
    _FROM, "snapshot", metavar="[=RUN|TREE]",
    help="Run the code of a snapshot in a folder of its own: taken now, that of a run, or a tree that `assay snapshot` named.",
)  # fmt: skip
@click.argument("cmd", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    name: str,
    tags: tuple[str, ...],
    params: tuple[str, ...],
    seed: int | None,
    data: tuple[str, ...],
    snapshot: str | None,
    cmd: tuple[str, ...],
) -> int:
    """Run CMD and record what produced its result.

    Everything after the first word that is no option, or after --, is the command, untouched.
    """
    given = dict(parameter(text) for text in params)
    if snapshot is not None:
        # Late: carrying out in a folder of its own is heavy, and most runs need no such folder.
        from assay.cli.commands.run_snapshot import run_snapshot

        source = None if snapshot == NOW else snapshot
        return run_snapshot(list(cmd), source, name=name, tags=tags, params=given, seed=seed, data=data)
    root = find_root(Path.cwd())
    done = supervise(Store.open(root), root, list(cmd), cwd=Path.cwd(), name=name, tags=tags, params=given, seed=seed, data=data)
    if sys.stderr.isatty():
        # Only for a person: a program that reads standard error gets what the command wrote, and nothing else.
        result = done.run.result
        took = f" after {duration(result.resources.wall)}" if result else ""
        with contextlib.suppress(OSError):  # the terminal may be gone by now; the command's own code is what counts
            hint(f"assay: run {done.run.id[:8]} {done.run.state}{took} (`assay show {done.run.id[:8]}`)")
    return done.exit_code


def parameter(text: str) -> tuple[str, Any]:
    """Name and value of `K=V`; the value is read as a study file's would be (YAML 1.2).

    Raises:
        InvalidValue: there is no name, or no "=".

    >>> parameter("lr=1e-3"), parameter("model=a=b")
    (('lr', 0.001), ('model', 'a=b'))
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InvalidValue("a parameter needs a name and a value", value=text, expected="K=V", next_step="Write --param lr=0.1.")
    return legible(key), scalar(legible(value))
