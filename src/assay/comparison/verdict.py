"""Whether a result came back: identical, numerically the same, or not reproduced."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assay.comparison.closeness import Tolerance, Yardstick, is_given, number_sameness, tolerance_for, worst
from assay.comparison.curves import Curve, curves, unheard
from assay.comparison.divergence import first_divergence, first_parting, is_measured
from assay.comparison.layers import layer_divergence, recorded_sums, sums_sameness
from assay.comparison.noise import Learned
from assay.comparison.outputs import compare_outputs, written
from assay.comparison.values import compare_text
from assay.errors import UnknownMetric
from assay.records.finding import Finding
from assay.records.run import Run
from assay.records.verdict import Divergence, FileComparison, MetricComparison, Sameness, Verdict
from assay.store.store import Store


def compare(
    store: Store,
    a: Run,
    b: Run,
    *,
    tolerances: Mapping[str, tuple[float, float]] = {},
    learned: Mapping[str, Learned] = {},
) -> Verdict:
    """Whether `b` has the result of `a`.

    Results are the metrics that are not measurements, point by point and step by step, and the files that were written, but for those
    that only tell of a result (logs, pictures, event files). The end counts too: a run that failed is not one that finished. Checksums of
    layers that differ deny that the runs are identical.

    Args:
        store: where both runs are.
        a, b: the runs; the answer does not depend on their order, but for the words "a" and "b" in it.
        tolerances: metric (or path of an output file) to relative and absolute tolerance; rtol 1e-6 and atol 1e-9 for all others.
        learned: metric to the tolerance that equal runs justify (`assay.comparison.noise.learned`), where none is given.

    Raises:
        UnknownMetric: a tolerance is given for something that neither run has.
        InvalidValue: a tolerance is negative or NaN.
    """
    series_a, series_b = curves(store, a), curves(store, b)
    silent = unheard(series_a, series_b, a, b)
    check_tolerances(tolerances, {*series_a, *series_b, *written(store, a), *written(store, b)})
    known = {name: limit for name, limit in learned.items() if not is_given(tolerances, name)}
    bounds = {name: limit.tolerance for name, limit in known.items()} | dict(tolerances)
    metrics = [
        compare_metric(name, series_a, series_b, tolerance_for(bounds, name), known[name].runs if name in known else 0)
        for name in sorted((series_a.keys() | series_b.keys()) - silent.keys())
    ]
    files = compare_outputs(store, a, b, tolerances)
    sums_a, sums_b = recorded_sums(store, a), recorded_sums(store, b)
    ends, findings = _compare_ends(a, b)
    counted = [metric.sameness for metric in metrics if not metric.measured] + [file.sameness for file in files if file.counts]
    verdict = worst([ends, sums_sameness(sums_a, sums_b), *counted])
    series_a, series_b = ({name: curve for name, curve in each.items() if name not in silent} for each in (series_a, series_b))
    parted = first_divergence(series_a, series_b, files, layer_divergence(sums_a, sums_b))
    return Verdict(
        verdict=verdict,
        metrics=tuple(metrics),
        files=tuple(files),
        divergence=None if verdict == "identical" else parted,
        findings=(*findings, *silent.values(), *_limits(a, b, metrics, files)),
    )


def check_tolerances(tolerances: Mapping[str, tuple[float, float]], known: set[str]) -> None:
    """Nothing, where every tolerance is for something that exists.

    Raises:
        UnknownMetric: one is not; the message names what there is.
        InvalidValue: a bound is negative or NaN.
    """
    for name in tolerances:
        tolerance_for(tolerances, name)
        if name not in known:
            raise UnknownMetric(
                "a tolerance is given for a metric or file that no run has",
                value=name,
                expected=", ".join(sorted(known)) or "no tolerance, since there is neither metric nor file",
                next_step="`assay show RUN` lists metrics and files.",
            )


def divergence_of(store: Store, a: Run, b: Run) -> Divergence | None:
    """The first layer or point of a series in which two runs part; None where neither does. Files are not looked at."""
    parted = layer_divergence(recorded_sums(store, a), recorded_sums(store, b))
    return first_divergence(curves(store, a), curves(store, b), (), parted)


def compare_metric(
    name: str, a: Mapping[str, Curve], b: Mapping[str, Curve], tolerance: Tolerance, learned: int = 0
) -> MetricComparison:
    """One metric under both runs, every point of it; its tolerance may have been `learned` from so many runs."""
    one, other = a.get(name), b.get(name)
    sameness, note = _curve_sameness(name, one, other, tolerance)
    return MetricComparison(
        name=name,
        a=one.values[-1] if one else None,
        b=other.values[-1] if other else None,
        sameness=sameness,
        rtol=tolerance.rtol,
        atol=tolerance.atol,
        measured=is_measured(name, a, b),
        points=max(len(curve.values) for curve in (one, other) if curve),
        note=note,
        learned=learned,
    )


def _curve_sameness(name: str, a: Curve | None, b: Curve | None, tolerance: Tolerance) -> tuple[Sameness, str]:
    if a is None or b is None:
        return "not reproduced", f"only in {'a' if a else 'b'}"
    if len(a.values) != len(b.values):
        return "not reproduced", f"{len(a.values)} points against {len(b.values)}"
    if a.steps != b.steps:
        return "not reproduced", "logged at other steps"
    if first_parting(name, a, b) is None:
        return "identical", ""
    sameness = worst(number_sameness(one, other, tolerance) for one, other in zip(a.values, b.values, strict=True))
    largest = max((abs(one - other) for one, other in zip(a.values, b.values, strict=True) if one != other), default=0.0)
    return sameness, f"largest difference {largest:.3g}"


def _compare_ends(a: Run, b: Run) -> tuple[Sameness, list[Finding]]:
    code_a, code_b = (run.result.exit_code if run.result else None for run in (a, b))
    # A live process has no exit code of its own, and its reproduction as a command does.
    codes_differ = code_a is not None and code_b is not None and code_a != code_b
    if a.state == b.state and not codes_differ:
        if a.state == "finished":
            return "identical", []
        said_a, said_b = (_complaint(run) for run in (a, b))
        if compare_text(said_a, said_b, Yardstick(root_a=a.start.root, root_b=b.start.root)).sameness == "not reproduced":
            text = (
                f"they failed in different ways: {said_a.decode() or 'nothing was said'} / {said_b.decode() or 'nothing was said'}"
            )
            return "not reproduced", [Finding(kind="state", about=b.id, text=text)]
        text = f"both runs {_ended(a)}: what is compared is what they had produced by then"
        return "identical", [Finding(kind="state", about=b.id, text=text)]
    text = f"{a.id} {_ended(a)}, {b.id} {_ended(b)}" + "".join(
        f"; {run.id} said: {said.decode()}" for run in (a, b) if (said := _complaint(run)) and run.state != "finished"
    )
    return "not reproduced", [Finding(kind="state", about=b.id, text=text)]


def _complaint(run: Run) -> bytes:
    """What a failed run said of its failure, without the addresses that Python shows of objects."""
    text = run.result.failure.text if run.result and run.result.failure else ""
    return re.sub(r"\b0x[0-9a-f]+\b", "<address>", text).encode("utf-8", "replace")


def _ended(run: Run) -> str:
    code = run.result.exit_code if run.result else None
    word = {"running": "is still running", "queued": "is queued", "interrupted": "was interrupted"}.get(run.state, run.state)
    return f"{word} (exit code {code})" if code else word


def _limits(a: Run, b: Run, metrics: list[MetricComparison], files: list[FileComparison]) -> list[Finding]:
    """What this verdict could not look at."""
    found = []
    if not any(not metric.measured for metric in metrics) and not any(file.counts for file in files):
        text = "neither run logged a result or left an output file that counts, so only how they ended could be compared"
        found.append(Finding(kind="nothing compared", about=b.id, text=text))
    for run in (a, b):
        if run.result and run.result.fidelity.grade == "blind":
            text = "no interpreter of this run reported what it wrote, so output files may be missing from the comparison"
            found.append(Finding(kind="fidelity", about=run.id, text=text))
    return found + _other_words(a, b)


def _other_words(a: Run, b: Run) -> list[Finding]:
    one, other = (run.result.output if run.result else {} for run in (a, b))
    streams = [stream for stream in sorted(one.keys() & other.keys()) if one[stream] != other[stream]]
    return [Finding(kind="output", about=stream, text=f"the words on {stream} differ (they are no result)") for stream in streams]
