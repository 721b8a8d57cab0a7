"""A study of a command as the file that describes it."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from assay.ablation.components import merge
from assay.ablation.configurations import plain
from assay.errors import BrokenError, InvalidStudy
from assay.project.command_study import CommandStudy
from assay.project.study_file_gate import written_gate
from assay.records.factor import Constraint, Factor, Level, MetricGoal, Patch
from assay.records.plan import Splits
from assay.tracking.command import as_written


def write_study(study: CommandStudy, file: Path, said: Sequence[str] = ()) -> None:
    """The file describes the study afterwards, with `said` as comments at its top.

    Raises:
        InvalidStudy: the file exists, is no YAML file by its name, or lies in another folder than the study's commands run in.
        BrokenError: it cannot be written.
    """
    folder = (study.root / study.directory).resolve()
    if file.resolve().parent != folder or file.suffix not in (".yaml", ".yml"):
        raise InvalidStudy("the study cannot be described there", value=str(file), expected=f"a .yaml file in {folder}")
    text = "".join(f"# {line}\n" for line in said) + study_text(study)
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError as error:
        raise InvalidStudy(
            "this file exists already", value=str(file), expected="a new file", next_step="Choose another name."
        ) from error
    except OSError as error:
        raise BrokenError(
            "the study file cannot be written", value=str(file), next_step=f"The system says: {error.strerror}."
        ) from error


def study_text(study: CommandStudy) -> str:
    """The study in YAML; `load_study_file` gives it back."""
    # Late: a YAML library takes 30 ms to load, and few commands need it.
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    out = io.StringIO()
    yaml.dump(_content(study), out)
    return out.getvalue()


def _content(study: CommandStudy) -> dict[str, Any]:
    content: dict[str, Any] = {
        "name": study.name,
        "origin": None if study.origin is None else msgspec.to_builtins(study.origin),
        "prepare": None if study.prepare is None else as_written(shlex.join(study.prepare)),
        "command": as_written(shlex.join(study.command)),
        "baseline": plain(study.baseline),
        "components": {factor.name: _component(factor) for factor in merge(study.components)},
        "constraints": [_constraint(one) for one in study.constraints],
        "groups": {name: list(members) for name, members in study.groups.items()},
        "configurations": plain(study.configurations),
        "metrics": {goal.name: _metric(goal) for goal in study.metrics},
        "seeds": study.seeds if isinstance(study.seeds, int) else list(study.seeds),
        **_splits(study.splits),
        "design": study.design,
        "resolution": study.resolution,
        "budget": study.budget,
        "priors": study.priors or None,
        "until": None if study.until == "confirmed" else study.until,
        "gate": None if study.gate is None else written_gate(study.gate),
        "graph": {node: list(children) for node, children in (study.graph or {}).items()},
        "spreads": None if study.spreads == "unknown" else study.spreads,
        "hypotheses": [one.sentence for one in study.hypotheses],
        "workers": study.workers,
        "data": list(study.data),
        "override_style": study.override_style,
    }
    return {key: value for key, value in content.items() if value not in (None, [], {})}


def _component(factor: Factor) -> dict[str, Any]:
    if factor.kind == "placebo":
        return {factor.kind: _level(factor.levels[0]) or True}
    controls = {level.name: plain(level.matched) for level in factor.levels if level.matched}
    if factor.kind in ("remove", "add"):
        return {factor.kind: _level(factor.levels[0])} | ({"matched": controls[factor.levels[0].name]} if controls else {})
    return {factor.kind: {level.name: _level(level) for level in factor.levels}} | ({"matched": controls} if controls else {})


def _level(level: Level) -> dict[str, Any]:
    commits = [patch.name for patch in level.patches if _is_commit(patch)]
    files = [patch.name for patch in level.patches if not _is_commit(patch)]
    return {**plain(level.settings), **({"patch": files} if files else {}), **({"commit": commits} if commits else {})}


def _is_commit(patch: Patch) -> bool:
    return re.fullmatch(r"[0-9a-f]{10}", patch.name) is not None


def _constraint(one: Constraint) -> str:
    return f"{one.thing} {one.kind} {', '.join(one.others)}"


def _metric(goal: MetricGoal) -> dict[str, Any]:
    body: dict[str, Any] = {
        "goal": goal.goal,
        "from": goal.source,
        "margin": goal.margin,
        "at": None if goal.at == "last" else goal.at,
    }
    body |= {"measured": goal.measured or None, "range": None if goal.range is None else list(goal.range)}
    return {key: value for key, value in body.items() if value is not None}


def _splits(splits: Splits | None) -> Mapping[str, Any]:
    if splits is None:
        return {}
    body: dict[str, Any] = {"names": list(splits.names), "parameter": splits.parameter}
    folds = splits.test == 1 / len(splits.names)
    return {"folds": body} if folds else {"splits": body | ({} if splits.test is None else {"test": splits.test})}
