"""What a user tells a design, and what other designs would cost and tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from assay.ablation.alternatives import Alternative, alternatives
from assay.errors import InvalidStudy
from assay.questions.study.definition import Definition
from assay.questions.study.pilot import Noise
from assay.records.factor import Constraint
from assay.records.plan import PLAIN, DesignOptions, Spreads, Until
from assay.report.numbers import duration


def told(
    resolution: int | None,
    budget: int | None,
    groups: Mapping[str, Sequence[str]],
    constraints: Iterable[Constraint],
    priors: bool = False,
    until: Until = "confirmed",
    spreads: str = "unknown",
) -> DesignOptions:
    """What a design is told, as a record.

    Raises:
        InvalidStudy: nothing is known by this word of the spreads.
    """
    known = next((one for one in get_args(Spreads) if one == spreads), None)
    if known is None:
        raise InvalidStudy(
            "this says nothing of how noisy the configurations are",
            value=spreads,
            expected=", ".join(get_args(Spreads)),
            next_step='Leave spreads out where you do not know that all are equally noisy ("alike").',
        )
    found = DesignOptions(
        resolution=resolution,
        budget=budget,
        groups={name: tuple(members) for name, members in groups.items()},
        constraints=tuple(constraints),
        priors=priors,
        until=until,
        spreads=known,
    )
    return PLAIN if found == PLAIN else found


def others(definition: Definition) -> list[Alternative]:
    """Designs for the components of a study, the smallest first."""
    return alternatives(definition.factors, definition.options, named=len(definition.configurations))


def detect(
    definition: Definition, noise: Mapping[str, Noise], effect: str, seconds: float | None, *, workers: int = 1
) -> dict[str, Any]:
    """Seeds and runs with which each design sees an effect, as a document.

    Args:
        definition: the study.
        noise: of its metrics, from earlier trials.
        effect: "0.01" for the first metric, or "accuracy=0.01".
        seconds: mean of earlier trials; None where it is not known.
        workers: trials at once, for the hours.

    Raises:
        InvalidStudy: it is no size, the study has no such metric, or no earlier trial tells its noise.
    """
    name, _, number = effect.rpartition("=")
    goals = [goal.name for goal in definition.goals]
    metric = name or goals[0]
    size = _size(effect, number)
    if metric not in goals:
        raise InvalidStudy("the study asks about no such metric", value=metric, expected=" or ".join(map(repr, goals)))
    if metric not in noise:
        raise InvalidStudy(
            "no earlier trial tells how noisy this metric is",
            value=metric,
            expected="a study of the same function or command with two seeds that finished, and some noise",
            next_step="Run the study with 3 seeds first: its trials are reused.",
        )
    known = noise[metric]
    rows = [_row(one, size / known.deviation, seconds, workers) for one in others(definition)]
    return {
        "metric": metric,
        "effect": size,
        "noise": known.deviation,
        "df": known.df,
        "paired": known.paired,
        "study": known.study,
        "power": 0.8,
        "designs": rows,
    }


def detect_in_words(document: Mapping[str, Any]) -> str:
    """The document of `detect` as a table."""
    of = "one paired difference" if document["paired"] else "a difference of unlike seeds, which is more than under the same"
    head = (
        f"To see an effect of {document['effect']:g} on {document['metric']} with 80 % power (standard deviation of {of}: "
        f"{document['noise']:.3g}, from study {document['study'][:8]}, {document['df']} degrees of freedom):"
    )
    names = max(len(row["design"]) for row in document["designs"])
    lines = [head, f"  {'design':{names}}  seeds   runs       time  tells"]
    for row in document["designs"]:
        seeds, runs = (str(row[key] if row[key] is not None else ">1000") for key in ("seeds", "runs"))
        time = duration(row["seconds"]) if row["seconds"] is not None else "?"
        lines.append(
            f"  {row['design']:{names}}  {seeds:>5}  {runs if row['runs'] is not None else '?':>5}  {time:>9}  {row['tells']}"
        )
    lines.append("  adaptive has no number of its own: it goes on until each comparison is decided, at most to its --budget.")
    return "\n".join(lines)


def _row(one: Alternative, effect: float, seconds: float | None, workers: int) -> dict[str, Any]:
    seeds = one.blocks_needed(effect)
    runs = None if seeds is None else seeds * one.configurations
    return {
        "design": one.design,
        "configurations": one.configurations,
        "seeds": seeds,
        "runs": runs,
        "seconds": None if runs is None or seconds is None else runs * seconds / min(workers, runs),
        "tells": one.tells,
    }


def _size(effect: str, number: str) -> float:
    try:
        size = float(number)
    except ValueError:
        size = 0.0
    if not 0 < size < float("inf"):
        raise InvalidStudy("this is no effect to detect", value=effect, expected="a positive number, or METRIC=NUMBER")
    return size
