"""Wall-clock stamps: what names or texts carry only because they were written at some moment, and what says nothing of a result."""

from __future__ import annotations

import re

# 2026-11-21, 20261121_023621, 2026-11-21T02:36:21.5+00:00, Nov21_02-36-21, 02:36:21, and seconds since 1970 (2001 to 2286)
_STAMP = re.compile(
    r"(?<!\d)(?:19|20)\d{2}([-_./]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])"
    r"(?:[-_T ]?(?:[01]\d|2[0-3])[-_:]?[0-5]\d(?:[-_:]?[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?!\d)"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ _-]?\d{1,2}[ _-]\d{2}[-:]\d{2}[-:]\d{2}(?: \d{4})?"
    r"|(?<![\d.])(?:[01]\d|2[0-3])([-:])[0-5]\d\2[0-5]\d(?:\.\d+)?(?!\d)"
    r"|(?<![\d.])1\d{9}(?:\.\d+)?(?![\d.])"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CLOCK = frozenset({
    "time", "times", "timing", "timings", "timestamp", "timestamps", "date", "datetime", "elapsed", "duration", "durations", "runtime",
    "walltime", "wall", "latency", "seconds", "secs", "ms", "created", "started", "ended", "finished", "updated", "eta",
})  # fmt: skip
_UNITS = frozenset({"s", "sec", "us", "ns", "min", "mins", "minutes", "h", "hours"})


def without_stamps(text: str) -> str:
    """`text` with every date, time of day and epoch second replaced by ``<time>``.

    >>> without_stamps("runs/Nov21_02-36-21/model.pt"), without_stamps("out/2026-11-21/02-36-21/a.json")
    ('runs/<time>/model.pt', 'out/<time>/<time>/a.json')
    """
    return _STAMP.sub("<time>", text)


def is_clock(name: str) -> bool:
    """Whether a field of this name holds a moment, a duration or a speed. Its last word decides, a unit after it left aside.

    >>> [is_clock(name) for name in ("fit_time", "elapsed_s", "trainTime", "timesteps", "time_to_event_auc", "update")]
    [True, True, True, False, False, False]
    >>> [is_clock(name) for name in ("train_samples_per_second", "it/s", "tokens_per_sec", "per_class")]
    [True, False, True, False]
    """
    words = [word.lower() for word in _WORDS.findall(name)]
    if words[-2:-1] == ["per"] and words[-1] in ("second", "sec", "s"):
        return True
    while len(words) > 1 and words[-1] in _UNITS:
        words.pop()
    return bool(words) and words[-1] in _CLOCK
