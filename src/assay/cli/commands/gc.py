"""`assay gc`: what nothing needs any more."""

from __future__ import annotations

import click

from assay.cli.moving import counted
from assay.cli.output import emit, hint, json_option, say, size
from assay.project.documents_store import collected
from assay.project.project import Project
from assay.store.gc import GRACE

_DAY = 86400.0


@click.command(name="gc")
@click.option("--delete", is_flag=True, help="Remove it; without this, only say what would be removed.")
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=GRACE / _DAY,
    show_default=True,
    metavar="DAYS",
    help="Keep what was written or used in the last DAYS.",
)
@json_option
def command(delete: bool, grace: float, as_json: bool) -> int:
    """Find what no run, study or data set needs, and what dead processes left half-written; remove it with --delete.

    Bundles that `assay reproduce` and its like have unpacked into the cache go once nobody has opened them for 30 days; one from which runs
    were carried out stays.

    What is young is kept, since a run that is being recorded now may be about to name it. --grace 0 is safe only while nothing is recorded.
    """
    found = Project.open().gc(delete=delete, grace=grace * _DAY)
    if as_json:
        emit(collected(found))
        return 0
    did = "removed" if found.deleted else "would remove"
    temporary = f"{counted(found.temporary, 'temporary file')}, {size(found.temporary_bytes)}"
    say(f"{did} {counted(found.objects, 'object')}, {size(found.bytes)}, and {temporary}")
    if found.bundles:
        say(f"{did} {counted(found.bundles, 'unpacked bundle')}, {size(found.bundles_bytes)}, that nobody opened for 30 days")
    say(f"kept {counted(found.kept, 'object')}, {size(found.kept_bytes)}")
    if found.young:
        hint(f"assay: of these, {found.young} ({size(found.young_bytes)}) are kept for their age alone (--grace).")
    for folder in found.bundles_kept:
        hint(
            f"assay: nobody opened this bundle for 30 days, but runs were carried out from it, so it stays until you remove it: {folder}"
        )
    if not found.deleted and (found.objects or found.temporary or found.bundles):
        hint("assay: nothing was removed; `assay gc --delete` does.")
    return 0
