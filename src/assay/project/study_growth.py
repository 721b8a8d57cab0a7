"""Studies that grow out of others: the same question with more seeds or components, or the next question from the winner."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from assay.ablation.components import ADDED, REMOVED, merge
from assay.ablation.configurations import configure, former_values, plain, same
from assay.ablation.constraints import check_constraints
from assay.ablation.plans import make_blocks
from assay.errors import InvalidStudy
from assay.questions.study.archive import kept_evidence
from assay.questions.study.definition import Definition
from assay.questions.study.winner import winner
from assay.records.evidence import StudyEvidence
from assay.records.factor import Constraint, Factor, Hypothesis, Level
from assay.records.origin import Origin
from assay.store.store import Store

_BEFORE = "as before"
"""Level of a component that has been replaced: what it was."""


class Asking(Protocol):
    """What studies of functions and of commands have in common."""

    baseline: Any
    components: Sequence[Factor]
    seeds: int | Sequence[int]
    configurations: Mapping[str, Mapping[str, Any]]
    constraints: Sequence[Constraint]
    groups: Mapping[str, Sequence[str]]
    hypotheses: Sequence[Hypothesis]
    name: str
    origin: Origin | None


S = TypeVar("S", bound=Asking)


def extended(
    study: S, former: Definition, store: Store, seeds: int | str | Sequence[int] | None, components: Sequence[Factor]
) -> S:
    """A study with more seeds or components than the former one, which has been run to its end.

    Args:
        study: what the extension is made of; it may have more than `former` itself.
        former: definition of the study that was run.
        store: has its evidence.
        seeds: how many altogether, "+N" for so many more, or all of them; None: those of `study`.
        components: beside those of `study`.

    Raises:
        InvalidStudy: the former study has not been run to its end, or nothing is new, or one of its seeds is missing.
    """
    _check_ablated(kept_evidence(store, former.id))
    grown = copy.copy(study)
    grown.components = (*study.components, *components)
    grown.seeds = _seeds(former.seeds, [block.seed for block in make_blocks(study.seeds)] if seeds is None else seeds)
    new = {factor.name for factor in merge(grown.components)} - {factor.name for factor in former.factors}
    if not new and len(grown.seeds) == len(former.seeds):
        raise InvalidStudy(
            "this extension adds nothing",
            value=former.name or former.id[:12],
            expected="more seeds, or components that the study does not have",
            next_step="Say --seeds +5, for example.",
        )
    before = former.origin.looks if former.origin is not None and former.origin.by == "extend" else 1
    grown.origin = Origin(study=former.id, by="extend", looks=before + 1, seeds=len(former.seeds))
    return grown


def following(study: S, evidence: StudyEvidence) -> S:
    """A study whose baseline is the former one's winner.

    Args:
        study: the former study, as it was run.
        evidence: what it found.

    Raises:
        InvalidStudy: no change clearly helps, its ablations were not run, or the effects are not those at the baseline.
    """
    _check_ablated(evidence)
    won = winner(evidence)
    factors = merge(study.components)
    settings = {
        path: value
        for factor in factors
        for level in factor.levels
        if won.levels.get(factor.name) == level.name
        for path, value in level.settings.items()
    }
    former = former_values(study.baseline, settings)
    grown = copy.copy(study)
    grown.baseline = configure(study.baseline, settings)
    turned = [
        _turned(factor, won.levels[factor.name], study.baseline) if factor.name in won.levels else factor for factor in factors
    ]
    grown.components = [one for factor in turned if (one := _left(factor, grown.baseline)) is not None]
    grown.configurations = _configurations(study.configurations, former, grown.baseline)
    grown.constraints = [one for one in study.constraints if _holds(one, grown.components)]
    names = {factor.name for factor in grown.components}
    grown.groups = {name: [member for member in members if member in names] for name, members in study.groups.items()}
    blocks = [block.seed for block in make_blocks(study.seeds)]
    # The former seeds chose this baseline, so on them it looks better than it is.
    grown.seeds = list(range(max(blocks) + 1, max(blocks) + 1 + len(blocks)))
    grown.hypotheses = ()
    grown.name = _numbered(study.name)
    grown.origin = Origin(study=evidence.study, by="next", seeds=len(blocks), applied=won.words)
    return grown


def _check_ablated(evidence: StudyEvidence) -> None:
    """Passes where the ablations have been run; a baseline that failed at the gate stopped them."""
    if evidence.stopped:
        raise InvalidStudy(
            "this study's baseline failed at the gate, so none of its ablations has been run",
            value=evidence.name or evidence.study[:12],
            expected="a study that has been run to its end",
            next_step="Mend the baseline, or run the study with --accept-baseline REASON (in Python accept_baseline=), first.",
        )


def _seeds(former: Sequence[int], asked: int | str | Sequence[int]) -> list[int]:
    if isinstance(asked, str):
        if not re.fullmatch(r"\+?[1-9]\d*", asked):
            raise InvalidStudy("these are no seeds to add", value=asked, expected="a number of all, or +N for N more")
        more = int(asked) if asked.startswith("+") else int(asked) - len(former)
        asked = [*former, *range(max(former) + 1, max(former) + 1 + more)]
    elif isinstance(asked, int):
        return _seeds(former, str(asked))
    missing = [seed for seed in former if seed not in asked]
    if missing or len(asked) < len(former):
        raise InvalidStudy(
            "an extension keeps the seeds that have been run",
            value=list(asked),
            expected=f"{', '.join(map(str, former))}, and more",
        )
    return list(asked)


def _turned(factor: Factor, taken: str, baseline: Any) -> Factor:
    """A component seen from its new side: what was removed can be added, what was replaced can be as before."""
    own = next(level for level in factor.levels if level.name == taken)
    former = former_values(baseline, own.settings)
    if factor.kind in ("remove", "add"):
        kind, name = ("add", ADDED) if factor.kind == "remove" else ("remove", REMOVED)
        return Factor(name=factor.name, kind="add" if kind == "add" else "remove", levels=(Level(name=name, settings=former),))
    others = [
        msgspec.structs.replace(level, settings={**former, **level.settings}) for level in factor.levels if level.name != taken
    ]
    return Factor(name=factor.name, kind=factor.kind, levels=(Level(name=_BEFORE, settings=former), *others))


def _left(factor: Factor, baseline: Any) -> Factor | None:
    """The levels that still change something, a placebo as it is; None where there are none."""
    levels = tuple(
        level
        for level in factor.levels
        if level.patches or factor.kind == "placebo" or not same(plain(configure(baseline, level.settings)), plain(baseline))
    )
    return Factor(name=factor.name, kind=factor.kind, levels=levels) if levels else None


def _configurations(
    named: Mapping[str, Mapping[str, Any]], former: Mapping[str, Any], baseline: Any
) -> dict[str, Mapping[str, Any]]:
    """Named combinations as they were, said from the new baseline; without those that are it."""
    whole = {name: {**former, **settings} for name, settings in named.items()}
    return {name: settings for name, settings in whole.items() if not same(plain(configure(baseline, settings)), plain(baseline))}


def _holds(constraint: Constraint, factors: Sequence[Factor]) -> bool:
    try:
        check_constraints([constraint], factors)
    except InvalidStudy:
        return False
    return True


def _numbered(name: str) -> str:
    """The name of the next study: "toy 2" after "toy", "toy 3" after that."""
    if not name:
        return ""
    found = re.fullmatch(r"(.+) (\d+)", name)
    return f"{found[1]} {int(found[2]) + 1}" if found else f"{name} 2"
