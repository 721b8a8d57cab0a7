"""The ranks of a distributed program, which are one run: what each printed and used stands under its name."""

from __future__ import annotations

import time
from itertools import accumulate

from assay.capture.secrets import redact
from assay.capture.trace_reports import Rank
from assay.records.journal import Point
from assay.tracking.sources.harvest import Output


def printed(rank: Rank) -> Output:
    """What a rank wrote to its standard output and standard error, in the order of time, without secrets."""
    pieces = [text.encode("utf-8", "backslashreplace") for _, _, text in rank.words]
    whole = b"".join(pieces).decode("utf-8")
    told = redact(whole)[0]
    if told != whole:  # a secret may stand across several pieces, and what replaces it is of another length
        return Output(told.encode(), [(len(told.encode()), rank.words[-1][0])])
    ends = accumulate(map(len, pieces))
    return Output(whole.encode(), [(end, moment) for end, (moment, _, _) in zip(ends, rank.words, strict=True)])


def usage(number: int, rank: Rank) -> Point:
    """What a rank used, as measurements of the run: seconds of CPU time and bytes of memory."""
    values = {f"rank{number}/{name}": float(value) for name, value in rank.used.items()}
    return Point(time=time.time(), step=None, values=values, measured=True, source="rank")
