"""The document of a diagnosis."""

from __future__ import annotations

from assay.project.documents import Document
from assay.questions.doctor.diagnosis import Diagnosis, Mover
from assay.questions.doctor.grade import settings_named
from assay.questions.doctor.sources import BY_NAME, shown
from assay.report.document import VERSION, plain


def diagnosis(found: Diagnosis) -> Document:
    """What `doctor` prints: the grade with the settings that it stands on, each cause with what it moves, and what was not tested.

    `after` is what was measured with all causes held and everything else as it comes: "identical", or null where that was not reached.
    """
    return {
        "version": VERSION,
        "grade": found.grade,
        "settings": settings_named(found.movers, found.together),
        "equal": found.equal,
        "apart": found.apart,
        "divergence": plain(found.parting),
        "causes": [_cause(mover) for mover in found.movers],
        "together": list(found.together),
        "after": "identical" if found.enough else None,
        "unknown": found.unknown,
        "cleared": list(found.cleared),
        "untested": [{"source": each.source, "why": each.why} for each in found.untested],
        "alike": found.alike,
        "rarest": round(found.rarest, 3),
        "runs": found.runs,
        "run": found.first,
    }


def _cause(mover: Mover) -> Document:
    return {
        "source": mover.source,
        "shown": shown(mover.source),
        "sameness": mover.sameness,
        "by_itself": mover.by_itself,
        "metrics": plain(mover.metrics),
        "files": plain(mover.files),
        "divergence": plain(mover.divergence),
        "places": [{"file": place.file, "line": place.line, "call": place.call} for place in mover.places],
        "failure": mover.failure,
        "change": BY_NAME[mover.source].change,
        "run": mover.run,
        "reference": mover.reference,
    }
