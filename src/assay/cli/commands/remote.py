"""`assay remote`: names of remotes."""

from __future__ import annotations

import click

from assay.cli.lazy import Entry, LazyGroup

REMOTE_COMMANDS = {
    "add": Entry("remote_add", "Save a remote under a name."),
    "ls": Entry("remote_ls", "List the saved remotes."),
    "rm": Entry("remote_rm", "Forget a saved name."),
}


@click.group(name="remote", cls=LazyGroup, entries=REMOTE_COMMANDS)
def command() -> None:
    """Names of remotes, for `push`, `pull` and `clone`. Where these name no remote, they mean the one that is saved as origin.

    Names belong to this store alone. No credentials are saved: they are found as S3 tools find them.
    """
