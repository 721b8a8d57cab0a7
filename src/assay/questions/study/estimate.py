"""How long a study will take, from what earlier ones of the same function or command took."""

from __future__ import annotations

from statistics import mean

from assay.errors import InvalidStudy
from assay.questions.study.archive import kept_evidence, studies
from assay.questions.study.definition import Definition
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
