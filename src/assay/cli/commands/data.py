"""`assay data`: versions of data sets."""

from __future__ import annotations

import click

from assay.cli.lazy import Entry, LazyGroup

DATA_COMMANDS = {
    "add": Entry("data_add", "Add what a file or folder holds now as a version of a data set."),
    "ls": Entry("data_ls", "List data sets, or the versions of one."),
    "diff": Entry("data_diff", "Say which files differ between two versions, or a version and what lies there now."),
    "restore": Entry("data_restore", "Put a version of a data set back, so that nothing is lost."),
    "split": Entry("data_split", "Split a version into parts by a rule and a seed."),
    "leaks": Entry("data_leaks", "Look for files and rows that two versions share."),
    "card": Entry("data_card", "Print the data card of a version as a Croissant document."),
}


@click.group(
    name="data",
    cls=LazyGroup,
    entries=DATA_COMMANDS,
    epilog="A VERSION is NAME (its last version), NAME@last~2, or NAME@PREFIX with a unique prefix of its content id.",
)
def command() -> None:
    """Keep versions of data sets: add, compare and put them back.

    Every file has the id that `b3sum` prints; the whole has the id of its tree. A data set is either kept (its content is in the store,
    each content once, and large files in parts) or only hashed. Files that look like secrets, or that .assayignore names, are only hashed.
    """
