"""A check that lasts: every run that is marked as a baseline is carried out again, and those that no longer come back are named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from assay.comparison.curves import curves
from assay.comparison.outputs import written
from assay.errors import AssayError
from assay.questions.reproduce.again import reproduce
from assay.records.finding import Finding
from assay.records.run import Run
from assay.records.verdict import Verdict
from assay.store.store import Store


class Rechecked(NamedTuple):
    """One baseline: the run, the run that repeated it, and the verdict; both None where it cannot be carried out, for the reason in `why`."""

    run: Run
    again: Run | None
    verdict: Verdict | None
    why: str = ""


def recheck(
    store: Store,
    root: Path,
    runs: Iterable[Run],
    *,
    tolerances: Mapping[str, tuple[float, float]] = {},
    timeout: float | None = None,
    report: Callable[[Run, Finding], None] = lambda *_: None,
) -> Iterator[Rechecked]:
    """Each of the runs, carried out again in the current environment, as soon as it is judged.

    Args:
        store, root: as for `reproduce`.
        runs: the baselines.
        tolerances: as for `reproduce`; those for metrics that a run does not have are passed over.
        timeout: seconds after which a run is ended; it has then not come back.
        report: told of each finding before a run starts.

    Raises:
        KeyboardInterrupt: the user stopped it.
    """
    for run in runs:
        known = {*curves(store, run), *written(store, run)}
        bounds = {name: bound for name, bound in tolerances.items() if name in known}

        def say(finding: Finding, run: Run = run) -> None:
            report(run, finding)

        try:
            again, verdict = reproduce(store, root, run, tolerances=bounds, timeout=timeout, report=say)
        except AssayError as error:  # what it needs is gone or another: that is the answer
            yield Rechecked(run, None, None, str(error))
        else:
            yield Rechecked(run, again, verdict)
