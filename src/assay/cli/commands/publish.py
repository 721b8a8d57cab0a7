"""`assay publish`: one run or one study as one file."""

from __future__ import annotations

import click

from assay.cli.moving import counted
from assay.cli.output import emit, hint, json_option, pairs, say, size
from assay.project.documents_bundle import published
from assay.project.publishing import Packed, publish
from assay.publishing.pack import absent_words
from assay.report.layout import safe


@click.command(
    name="publish",
    epilog="The record tells the user's name, the machine's and where the project stood; notes and other runs stay behind.",
)
@click.argument("what", metavar="RUN|STUDY")
@click.option("--to", required=True, type=click.Path(), metavar="FILE", help="The bundle, a zip.")
@click.option("--without-outputs", is_flag=True, help="Name what the runs wrote by its content only.")
@click.option("--without-data", is_flag=True, help="Name what the runs read by its content only.")
@click.option("--with-parents", is_flag=True, help="Put in, whole, the runs that wrote what was read; else they are named.")
@click.option("--accept-findings", is_flag=True, help="Publish though something in it looks like a secret.")
@click.option("--dry-run", is_flag=True, help="Say what would go in, and how large it is; write nothing.")
@click.option("--force", is_flag=True, help="Replace a file that stands there.")
@json_option
def command(
    what: str,
    to: str,
    without_outputs: bool,
    without_data: bool,
    with_parents: bool,
    accept_findings: bool,
    dry_run: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Write RUN, or the STUDY of this id or name, as one file that anyone can verify and run again: an RO-Crate with exactly what it needs.

    Data that was only hashed is taken from the project where it still has its content. The same record gives the same bytes.
    """

    def tell(packed: Packed) -> None:
        total = sum(packed.sizes.values())
        contents, runs = counted(len(packed.manifest.objects), "content"), counted(len(packed.manifest.runs), "run")
        hint(f"assay: {contents} of {runs}, {size(total)} before they are packed")

    done = publish(
        what,
        to=to,
        outputs=not without_outputs,
        data=not without_data,
        parents=with_parents,
        accept_findings=accept_findings,
        dry_run=dry_run,
        force=force,
        report=tell,
    )
    if as_json:
        emit(published(done))
        return 0
    say(
        f"{'would be written' if dry_run else 'written'}: {safe(str(done.path))}"
        + ("" if done.size is None else f", {size(done.size)}")
    )
    pairs([(kind, size(count)) for kind, count in done.sizes.items()])
    for words in absent_words(done.manifest.absent):
        say(f"  not in it, {safe(words)}")
    return 0
