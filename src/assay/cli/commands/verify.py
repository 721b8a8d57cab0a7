"""`assay verify`: whether a bundle is whole."""

from __future__ import annotations

from pathlib import Path

import click

from assay.cli.boundary import NO, YES
from assay.cli.moving import counted
from assay.cli.output import emit, json_option, moment, say, styled
from assay.project.documents_bundle import verified
from assay.project.publishing import verify
from assay.publishing.pack import absent_words
from assay.report.layout import safe

_LISTED = 20


@click.command(name="verify", epilog="Returns 0 where the bundle is whole, 1 where it is not.")
@click.argument("file", type=click.Path())
@json_option
def command(file: str, as_json: bool) -> int:
    """Say whether FILE is as `assay publish` wrote it: every byte and content, every reference, what its crate says, questions before answers."""
    found = verify(Path(file))
    if as_json:
        emit(verified(found, file))
        return YES if found.whole else NO
    if found.whole:
        what = f"the {found.kind} {found.name or found.subject[:16]}"
        say(styled(f"whole: {safe(what)}, as it was published", fg="green", bold=True))
        runs, contents, files = counted(found.runs, "run"), counted(found.objects, "content"), counted(found.files, "file")
        say(f"  {runs}, {contents}, {files}, {found.references} references checked")
        if found.sealed:
            say(
                f"  {counted(found.sealed, 'trial')} with the hash of the question in the start: the question was there before the answer"
            )
        for study, written in found.written.items():
            say(f"  the question of the study {study[:12]} was written {moment(written)}, before its first trial began")
        for words in absent_words(found.absent):
            say(f"  not in it, {safe(words)}")
    else:
        say(styled("not whole", fg="red", bold=True))
        for problem in found.problems[:_LISTED]:
            say(f"  {safe(problem)}")
        if len(found.problems) > _LISTED:
            say(f"  and {len(found.problems) - _LISTED} more (--json names all)")
    return YES if found.whole else NO
