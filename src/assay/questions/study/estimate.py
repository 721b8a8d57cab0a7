"""How long a study will take, from what earlier ones of the same function or command took."""

from __future__ import annotations

from statistics import mean

from assay.errors import InvalidStudy
from assay.questions.study.archive import kept_evidence, studies
from assay.questions.study.definition import Definition
from assay.records.plan import Plan
from assay.store.store import Store


def seconds_per_trial(store: Store, definition: Definition) -> float | None:
    """Mean wall time in seconds of a finished trial of the newest study with the same subject; None where there is none.

    The study itself, where it was run before, comes first.

    Raises:
        StoreTooNew, StoreDamaged: a study of the store cannot be read.
    """
    alike = [study for study, other in studies(store) if other.subject == definition.subject]
    alike.sort(key=lambda study: study != definition.id)
    for study in alike:
        try:
            evidence = kept_evidence(store, study)
        except InvalidStudy:  # begun, and never run to its end
            continue
        times = [row.seconds for row in evidence.rows if row.state == "finished"]
        if times:
            return mean(times)
    return None


def in_words(plan: Plan, per_trial: float | None, workers: int = 1) -> str:
    """The estimate as a plan prints it."""
    if per_trial is None:
        return "unknown until the first trial"
    total = per_trial * len(plan.trials) / workers
    return f"about {duration(total)} with {workers} worker{'s' * (workers > 1)} (earlier trials took {duration(per_trial)} each)"


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(0.031), duration(8.26), duration(75), duration(7260)
    ('31 ms', '8.3 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
