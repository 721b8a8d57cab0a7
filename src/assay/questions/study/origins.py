"""What has to be said of a study that goes on from another one, or that only evaluates what was trained before."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from assay.questions.study.definition import Definition
from assay.records.effect import Answer
from assay.records.finding import Finding
from assay.records.origin import Origin
from assay.tracking.command import as_written


def origin_findings(definition: Definition) -> list[Finding]:
    """That a study was extended after results were known, and at which level its intervals then hold; or which study it grew out of."""
    origin = definition.origin
    if origin is None:
        return []
    former = origin.study[:8]
    if origin.by == "next":
        taken = " ".join(origin.applied)
        return [Finding(kind="grew out of", about="study", text=f"The baseline is the winner of study {former}. {taken}".rstrip())]
    # Each look misses with at most 5 %, so all of them together with at most the sum: Bonferroni's bound, which needs no assumption.
    together = max(0, 100 - 5 * origin.looks)
    now = len(definition.seeds)
    seeds = f" It had {origin.seeds} seed{'s' * (origin.seeds > 1)}, and this one has {now}." if origin.seeds != now else ""
    text = (
        f"Study {former} was extended to this one after its results were known.{seeds} Each interval here holds at 95 % as if "
        f"it had been planned so; that all {origin.looks} analyses of the question are right holds at {together} %. "
        f"What {former} answered to its hypotheses stands as it was."
    )
    return [Finding(kind="extended", about="study", text=text)]


def labelled(answers: Sequence[Answer], origin: Origin | None) -> tuple[Answer, ...]:
    """The answers, those of an extended study marked as given once results were known."""
    if origin is None or origin.by != "extend":
        return tuple(answers)
    said = f"Not confirmatory, since seeds or components were added once the results of {origin.study[:8]} were known."
    return tuple(msgspec.structs.replace(one, evidence=f"{said} {one.evidence}") for one in answers)


def evaluation_notes(definition: Definition) -> list[str]:
    """That nothing was trained anew, where the study prepares a model once for each block; else nothing."""
    if definition.evaluation is None:
        return []
    return [f"Evaluation only: of what `{as_written(definition.evaluation)}` made once for each block, without retraining."]
