"""How long a study will take, from what earlier ones of the same function or command took."""

from __future__ import annotations

from statistics import mean

from assay.errors import InvalidStudy, MissingContent
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


def finished_trials(store: Store, definition: Definition, planned: int) -> int:
    """How many trials of the study have finished before, in whole runs of it or in one that was stopped.

    They are reused where nothing that they were seen to depend on has changed since.

    Args:
        store: where its runs are.
        definition: the study.
        planned: trials of its plan; later ones are the gate's, and are not counted.

    Raises:
        StoreTooNew, StoreDamaged: a run or the study's evidence cannot be read.
    """
    runs = store.catalogue.runs(where=f"study == {definition.id!r} and state == 'finished'")
    done = {
        (run.start.trial.configuration, run.start.trial.block)
        for run in runs
        if run.start.trial is not None and run.start.trial.index < planned
    }
    try:
        rows = kept_evidence(store, definition.id).rows
    except (InvalidStudy, MissingContent):  # never begun, or never run to its end
        rows = ()
    # Trials that were reused are runs of another study.
    return len(done | {(row.configuration, row.block) for row in rows if row.state == "finished"})
