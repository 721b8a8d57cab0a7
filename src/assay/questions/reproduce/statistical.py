"""The statistical verdict: every metric that has a margin tested for being the same on average."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from assay.comparison.equivalence import Margin, Sides, equivalence
from assay.errors import UnknownMetric
from assay.questions.reproduce.design import Design, Done
from assay.records.finding import Finding
from assay.records.run import Run
from assay.records.verdict import Equivalence, MetricComparison, Verdict
from assay.tracking.series import choose


def with_equivalence(verdict: Verdict, done: Sequence[Done], design: Design, margins: Mapping[str, tuple[float, int]]) -> Verdict:
    """The verdict with each test in it: statistical where all pass and every run ended as what it repeats, else as it was.

    Args:
        verdict: what the repetitions show without statistics.
        done: all of them, the first under the run's own seed.
        design: how they were chosen.
        margins: metric to margin, and from how many runs it was learned.
    """
    # Under new seeds, the first repetition has the recorded seed: what it shows is not independent of what it is compared with.
    fresh = [each for each in done if each.seed is not None]
    sample = fresh or list(done)
    failed = [each.again for each in sample if each.again.state != "finished"]
    failed += [each.original for each in sample if each.original.state != "finished"]
    if failed:
        return _with(verdict, (), [_untested(failed)])
    tests, findings = [], []
    for name, (size, learned) in margins.items():
        again = [_value(each.again, name) for each in sample]
        recorded = [_value(run, name) for run in design.recorded]
        if None in again or None in recorded:
            findings.append(_missing(name, again, recorded))
        else:
            sides = Sides(_known(recorded), _known(again), design.paired)
            tests.append(equivalence(name, sides, Margin(size, learned)))
    passed = not findings and all(test.verdict == "equivalent" for test in tests)
    findings += _unjudged(verdict, margins) if passed else []
    verdict = _with(verdict, tests, findings)
    return msgspec.structs.replace(verdict, verdict="statistical", metrics=_marked(verdict, tests)) if passed else verdict


def _marked(verdict: Verdict, tests: Sequence[Equivalence]) -> tuple[MetricComparison, ...]:
    """The comparisons of metrics, with those that passed their test as statistically the same."""
    passed = {test.metric.partition("@")[0] for test in tests} | {test.metric for test in tests}
    return tuple(
        msgspec.structs.replace(each, sameness="statistical") if each.name in passed and each.sameness == "not reproduced" else each
        for each in verdict.metrics
    )


def _with(verdict: Verdict, tests: Sequence[Equivalence], findings: Sequence[Finding]) -> Verdict:
    return msgspec.structs.replace(verdict, equivalence=tuple(tests), findings=(*verdict.findings, *findings))


def _untested(failed: Sequence[Run]) -> Finding:
    ids = ", ".join(dict.fromkeys(run.id for run in failed))
    text = f"no mean was compared: {ids} did not finish, and what a run that failed would have given is never left out of a mean"
    return Finding(kind="not tested", about=failed[0].id, text=text)


def _missing(name: str, again: Sequence[float | None], recorded: Sequence[float | None]) -> Finding:
    text = (
        f"{name} was not compared: {again.count(None)} of {len(again)} runs carried out again and {recorded.count(None)} of "
        f"{len(recorded)} recorded ones did not report it"
    )
    return Finding(kind="not tested", about=name, text=text)


def _unjudged(verdict: Verdict, margins: Mapping[str, object]) -> list[Finding]:
    """Results that did not come back and have no margin: the verdict is not about them, and says so."""
    judged = {name.partition("@")[0] for name in margins} | set(margins)
    metrics = [each.name for each in verdict.metrics if not each.measured and each.sameness == "not reproduced"]
    files = [each.path for each in verdict.files if each.counts and each.sameness == "not reproduced"]
    others = [name for name in metrics if name not in judged and name.rpartition(" [")[0] not in judged] + files
    if not others:
        return []
    text = f"these did not come back and have no margin, so the verdict says nothing of them: {', '.join(others)}"
    return [Finding(kind="no margin", about=others[0], text=text)]


def _value(run: Run, name: str) -> float | None:
    try:
        return choose(run.result.metrics if run.result else {}, name)
    except UnknownMetric:
        return None


def _known(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(value for value in values if value is not None)
