"""Tables that are called logs, as Keras' `CSVLogger("training.log")` writes them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.tracking.sources.csvfile import read_table
from assay.tracking.sources.rows import is_step

_SEPARATORS = ",;\t"


def read_csv_log(text: str) -> Iterator[dict[str, float]]:
    """The rows of the table; none where the first line is no header that begins with what counts the rows, as in any other log."""
    first = text[:4096].partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    name, found, _ = first.partition(separator)
    if found and is_step(name.strip()):
        yield from read_table(text)
