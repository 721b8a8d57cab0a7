"""The JSON documents that `--json` prints and the web page serves, as plain values: each carries its version.

Fields may be added within a version; none is renamed or removed. The document of a study is `assay.report.document.study_document`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assay.capture.environment import packages_in
from assay.comparison.diff import flatten
from assay.comparison.patched import patched_since
from assay.errors import AssayError
from assay.lineage.graph import Edge
from assay.lineage.parents import parents_of, trace_of
from assay.project.ancestry import FileOrigin
from assay.project.fidelity import judged
from assay.records.attribution import Attribution
from assay.records.causal import CausalReading
from assay.records.environment import Environment
from assay.records.finding import Finding
from assay.records.matrix import Matrix
from assay.records.recipe import Recipe
from assay.records.run import Metric, Result, Run
from assay.records.sensitivity import Sensitivity
from assay.records.verdict import Difference, Divergence, Verdict
from assay.report.document import VERSION, plain
from assay.store.store import Store
from assay.tracking.series import Series
from assay.tracking.so_far import metrics_so_far

Document = dict[str, Any]
PLAIN = ("id", "name", "state", "started", "ended", "study", "recipe")
"""Fields of RUN that are one value each."""


def listing(store: Store, runs: Iterable[Run], total: int) -> Document:
    """What `ls` prints; `total` counts the runs that match, of which `runs` may be the first."""
    return {"version": VERSION, "runs": [short(store, run) for run in runs], "total": total}


def shown(store: Store, run: Run) -> Document:
    """What `show` prints."""
    return {"version": VERSION, "run": long(store, run)}


def short(store: Store, run: Run) -> Document:
    """RUN, short. Of a run that has not ended, parameters are those known at its start, and metrics those reported until now."""
    trial = run.start.trial
    return {
        "id": run.id,
        "name": run.start.name,
        "state": run.state,
        "started": plain(run.start.started),
        "ended": plain(run.result.ended) if run.result else None,
        "params": plain(params(store, run)),
        "metrics": plain(_last(store, run)),
        "tags": store.marks.tags(run),
        "parents": plain(run.parents),
        "study": trial.study if trial else None,
        "recipe": run.start.recipe,
    }


def params(store: Store, run: Run) -> dict[str, Any]:
    """The run's parameters; where it has not ended, those known at its start."""
    return run.params if run.result else _recipe(store, run).params


def _last(store: Store, run: Run) -> dict[str, float]:
    return {name: metric.last for name, metric in metrics_so_far(store, run).items()}


def long(store: Store, run: Run) -> Document:
    """RUN with the long fields."""
    recipe, result = _recipe(store, run), run.result
    trace = trace_of(store, run)
    document = short(store, run)
    if result is None:
        document["parents"] = plain(parents_of(store, run))
    return document | {
        "command": list(run.start.command),
        "code": _code(run, recipe),
        "data": plain(recipe.data),
        "trace": {"loaded": plain(trace.loaded), "read": plain(trace.read), "written": plain(trace.written)},
        "environment": _environment(store, run),
        "determinism": plain(result.determinism) | _settings(recipe) if result else _settings(recipe),
        "resources": plain(result.resources) if result else None,
        "host": plain(run.start.host),
        "output": dict(result.output) if result else {},
        "fidelity": plain(result.fidelity) if result else None,
        "findings": plain((*_ending(result), *result.findings)) if result else [],
        "notes": notes(store, run),
        "patched": plain(patched_since(store, run)),
    }


def fidelity(run: Run) -> Document:
    """What `show --fidelity` prints: the grade, and of each thing that is missing why, what it means, and what to do."""
    found = judged(run)
    missing = [shortcoming._asdict() for shortcoming in found.missing]
    return {
        "version": VERSION,
        "run": run.id,
        "grade": found.grade,
        "says": found.says,
        "captured": list(found.captured),
        "missing": missing,
    }


def output(streams: Mapping[str, str]) -> Document:
    """What `show --output` prints: stream to text."""
    return {"version": VERSION, "output": dict(streams)}


def notes(store: Store, run: Run) -> list[Document]:
    """What was said of a run after it was recorded, the oldest first."""
    return [{"text": mark.text, "time": plain(mark.time), "user": mark.user} for mark in store.marks.of(run.id).notes]


def _recipe(store: Store, run: Run) -> Recipe:
    return store.objects.record(run.start.recipe, Recipe)


def _code(run: Run, recipe: Recipe) -> Document:
    return {
        "tree": recipe.code,
        "root": run.start.root,
        "directory": recipe.directory,
        "function": recipe.function,
        "git": plain(run.start.git),
        "left_out": plain(run.start.left_out),
    }


def _settings(recipe: Recipe) -> Document:
    """What was set before the start, beside what was found at the end."""
    return {"recipe": {"seed": recipe.seed, "threads": dict(recipe.threads), "flags": dict(recipe.flags)}}


def _environment(store: Store, run: Run) -> Document | None:
    seen = (run.result.environment if run.result else None) or run.start.environment
    if seen is None:
        return None
    environment = store.objects.record(seen, Environment)
    document: Document = plain(environment)
    return document | {"packages": plain(packages_in(store, environment))}


def _ending(result: Result) -> list[Finding]:
    """How a run that did not finish ended: RUN has no field for it, and a reader must not have to guess."""
    found = []
    if result.signal is not None:
        found.append(Finding(kind="signal", about=str(result.signal), text=f"ended by signal {result.signal}"))
    elif result.exit_code:
        found.append(Finding(kind="exit code", about=str(result.exit_code), text=f"the command returned {result.exit_code}"))
    # A command that ended without a word says no more than its exit code.
    if result.failure and result.failure.text:
        found.append(Finding(kind="failure", about=result.failure.kind, text=result.failure.text))
    return found


def log(found: Mapping[str, Series]) -> Document:
    """What `log` prints: of each series, steps (null where none was counted), values and seconds since 1970."""
    return {
        "version": VERSION,
        "series": {
            name: {"step": list(points.steps), "value": plain(points.values), "time": plain(points.times)}
            for name, points in found.items()
        },
    }


def diff(a: Run, b: Run, differences: Sequence[Difference], divergence: Divergence | None = None) -> Document:
    """What `diff` prints. `metrics` has every metric of either run, null where one did not report it.

    `divergence` is the first layer or point of a series in which their results part.
    """
    names = sorted(a.metrics.keys() | b.metrics.keys())
    return {
        "version": VERSION,
        "a": a.id,
        "b": b.id,
        "differences": plain(differences),
        "divergence": plain(divergence),
        "metrics": {
            name: {"a": plain(a.metrics.get(name)), "b": plain(b.metrics.get(name)), "measured": _is_measured(name, a, b)}
            for name in names
        },
    }


def _is_measured(name: str, *runs: Run) -> bool:
    summaries: list[Metric | None] = [run.result.metrics.get(name) if run.result else None for run in runs]
    return any(summary.measured for summary in summaries if summary)


def origin(store: Store, runs: Iterable[Run], edges: Iterable[Edge], files: Iterable[FileOrigin] = ()) -> Document:
    """What `origin` and `lineage` print: an edge leads from the run that came first to the one that builds on it, by the file at `path`.

    `files` has each file that was asked for: its content, and who wrote that where.
    """
    return {
        "version": VERSION,
        "files": [
            {"path": file.path, "content": file.content, "written": [{"run": run, "path": path} for run, path in file.written]}
            for file in files
        ],
        "runs": [short(store, run) for run in runs],
        "edges": [{"from": edge.source, "to": edge.target, "by": edge.by, "path": edge.path} for edge in edges],
    }


def reproduction(run: Run, verdict: Verdict) -> Document:
    """What `reproduce` prints: the verdict on `run`, which repeats another, and what it rests on."""
    found: Document = plain(verdict)
    return {"version": VERSION, **found, "run": run.id}


def attribution(found: Attribution) -> Document:
    """What `why` prints: causes by size; `runs` is how many were looked at, `tried` each of them."""
    document: Document = plain(found)
    gap = document.pop("gap")
    return {
        "version": VERSION,
        **document,
        "gap": gap["value"],
        "gap_low": gap["low"],
        "gap_high": gap["high"],
        "causes": [
            {
                "factor": cause["factor"],
                "kind": cause["kind"],
                "from": cause["a"],
                "to": cause["b"],
                "effect": cause["effect"]["value"],
                "low": cause["effect"]["low"],
                "high": cause["effect"]["high"],
                "share": cause["share"],
            }
            for cause in document["causes"]
        ],
        "interactions": [
            {
                "factors": each["factors"],
                "effect": each["effect"]["value"],
                "low": each["effect"]["low"],
                "high": each["effect"]["high"],
            }
            for each in document["interactions"]
        ],
        "runs": len(found.tried),
    }


def matrix(found: Matrix) -> Document:
    """What `matrix` prints: the control and each cell with its verdict against the record, and where the result is lost."""
    document: Document = plain(found)
    return {"version": VERSION, **document}


def sensitivity(found: Sensitivity) -> Document:
    """`assay sensitivity`: every conclusion under every condition, and the variance by source."""
    return {"version": VERSION, **plain(found)}


def causal(reading: CausalReading) -> Document:
    """`assay study show --causal`: what a study says of causes."""
    return {"version": VERSION, **plain(reading)}


def rechecked(found: Iterable[tuple[Run, Run | None, Verdict | None, str]]) -> Document:
    """What `recheck` prints: each baseline with the run that repeated it and its verdict, null where it could not be carried out."""
    baselines = [
        {
            "id": run.id,
            "name": run.start.name,
            "verdict": verdict.verdict if verdict else None,
            "divergence": plain(verdict.divergence) if verdict else None,
            "run": again.id if again else None,
            "why": why,
        }
        for run, again, verdict, why in found
    ]
    return {"version": VERSION, "baselines": baselines}


def error(problem: AssayError) -> Document:
    """What stands in the place of any document where the request failed."""
    return {
        "version": VERSION,
        "error": {
            "code": problem.code,
            "message": str(problem),
            "value": plain(problem.value),
            "expected": problem.expected,
            "next": problem.next_step,
        },
    }


def rows(store: Store, runs: Iterable[Run]) -> list[Document]:
    """One flat row for each run, as a table wants it: `params.NAME` and `metrics.NAME` are columns, NaN stays NaN."""
    found = []
    for run in runs:
        document = short(store, run)
        row = {name: document[name] for name in PLAIN}
        row["tags"] = store.marks.tags(run)
        row |= {f"params.{name}": value for name, value in flatten(params(store, run))}
        found.append(row | {f"metrics.{name}": value for name, value in _last(store, run).items()})
    return found
