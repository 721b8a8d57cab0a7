"""What a study file says of components: levels, ranges, constraints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.ablation.components import ADDED, REMOVED, add, between, change, placebo, remove, replace, vary
from assay.ablation.constraints import excludes, requires
from assay.project.study_patches import KEYS, patches_in
from assay.project.study_reader import Reader
from assay.project.study_syntax import parse_text
from assay.records.factor import Constraint, Factor, FactorKind, Level

_COMPONENT_KEYS = ("remove", "replace", "change", "add", "vary", "placebo")
_WITH_CONTROLS = ("remove", "replace", "change")
_RANGE_KEYS = ("low", "high", "levels", "log")
_CONSTRAINT = re.compile(r"(?P<thing>.+?)\s+(?P<kind>requires|excludes)\s+(?P<others>.+?)\s*")


class Levels(NamedTuple):
    """Makes levels of what a file says of them: parameters, and patches where the baseline has no parameter of that name.

    Attributes:
        baseline: the configuration as it stands.
        root: of the project.
        folder: of the file.
    """

    baseline: Mapping[str, Any]
    root: Path
    folder: Path

    def factor(
        self, kind: FactorKind, name: str, level: str, values: Mapping[str, Any], matched: Mapping[str, Any] | None = None
    ) -> Factor:
        """A component with one level, and the settings of its matched control where it has one.

        Raises:
            InvalidStudy: it sets nothing, or one of its patches cannot be read.
        """
        if not any(key in values and key not in self.baseline for key in KEYS):
            if kind == "add":
                return add(name, values)
            if kind == "remove":
                return remove(name, values, matched=matched)
            return (replace if kind == "replace" else change)(name, level, values, matched=matched)
        settings, patches = patches_in(values, self.root, self.folder)
        made = Level(name=level, settings=settings, patches=patches, matched=dict(matched or {}))
        return Factor(name=name, kind=kind, levels=(made,))


def components(read: Reader, levels: Levels) -> list[Factor]:
    """`remove`, `replace`, `change`, `add`, `vary` or `placebo` of each component, and the placebo that `placebo: true` adds.

    Raises:
        InvalidStudy: a component has another shape, or a patch that cannot be read.
    """
    found = []
    for name, item in read.mapping("components").items():
        found += component(read, levels, name, item)
    if read.content.get("placebo", False) is True:
        found.append(placebo())
    elif "placebo" in read.content:
        raise read.wrong(
            "placebo is not true", ("placebo",), read.content["placebo"], "true, or a component with settings of its own"
        )
    return found


def components_in(texts: Sequence[str], baseline: Mapping[str, Any], root: Path, directory: str) -> list[Factor]:
    """Components as a command line has them, each as one line of a study file: `mixup: {add: {mixup: 0.2}}`.

    Raises:
        InvalidStudy: one of them is none.
    """
    levels = Levels(baseline, root, root / directory)
    found = []
    for text in texts:
        content, lines = parse_text(Path("--component"), text)
        read = Reader(Path("--component"), {"components": content}, {("components", *path): line for path, line in lines.items()})
        found += components(read, levels)
    return found


def component(read: Reader, levels: Levels, name: str, item: object) -> list[Factor]:
    """The levels of one component, each a factor of its own.

    Raises:
        InvalidStudy: as for `components`.
    """
    place = ("components", name)
    body = read.checked(item, place)
    matched = body.pop("matched", None)
    read.only(body, _COMPONENT_KEYS, place, f"the component {name!r}")
    if len(body) != 1:
        raise read.wrong(
            f"the component {name!r} does not say one thing", place, sorted(body), "one of " + ", ".join(_COMPONENT_KEYS)
        )
    ((kind, inner),) = body.items()
    if matched is not None and kind not in _WITH_CONTROLS:
        raise read.wrong(
            f"{kind} of {name!r} has no matched control", (*place, "matched"), matched, "one of remove, replace and change"
        )
    settings = {} if kind == "placebo" and inner is True else read.checked(inner, (*place, kind))
    if kind == "vary":
        return [_varied(read, name, settings, (*place, kind))]
    if kind == "placebo":
        return [placebo(name, settings)]
    if kind == "add":
        return [levels.factor("add", name, ADDED, settings)]
    if kind == "remove":
        control = None if matched is None else read.checked(matched, (*place, "matched"))
        return [levels.factor("remove", name, REMOVED, settings, control)]
    made: FactorKind = "replace" if kind == "replace" else "change"
    controls = _controls(read, name, matched, settings)
    return [
        levels.factor(made, name, level, read.checked(values, (*place, kind, level)), controls.get(level))
        for level, values in settings.items()
    ]


def _controls(read: Reader, name: str, matched: object, levels: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Matched controls by level: `{LEVEL: {PATH: VALUE}}`, or `{PATH: VALUE}` where there is a single level."""
    if matched is None:
        return {}
    place = ("components", name, "matched")
    whole = read.checked(matched, place)
    if len(levels) == 1 and not set(whole) <= set(levels):
        return {next(iter(levels)): whole}
    read.only(whole, list(levels), place, f"the matched controls of {name!r}")
    return {level: read.checked(values, (*place, level)) for level, values in whole.items()}


def _varied(read: Reader, name: str, settings: Mapping[str, Any], place: tuple[str | int, ...]) -> Factor:
    """`{PATH: [VALUE, …]}`, or `{PATH: {low: L, high: H, levels: N, log: true}}` for a range."""
    if len(settings) != 1:
        raise read.wrong(f"{name!r} varies more than one thing", place, sorted(settings), "one parameter with its values")
    ((path, values),) = settings.items()
    if not isinstance(values, Mapping):
        return vary(name, path, values)
    read.only(values, _RANGE_KEYS, (*place, path), f"the range of {name!r}")
    if not {"low", "high"} <= set(values):
        raise read.wrong(f"the range of {name!r} has no ends", (*place, path), dict(values), "low and high")
    return vary(name, path, between(values["low"], values["high"], values.get("levels", 2), log=values.get("log") is True))


def constraints(read: Reader) -> list[Constraint]:
    """Sentences such as "mixup requires augmentation" or "mobilenet excludes a, b".

    Raises:
        InvalidStudy: one is no such sentence.
    """
    found = []
    for number, item in enumerate(read.sentences("constraints")):
        said = _CONSTRAINT.fullmatch(item) if isinstance(item, str) else None
        if said is None:
            expected = '"COMPONENT requires COMPONENT" or "COMPONENT: LEVEL excludes COMPONENT, COMPONENT"'
            raise read.wrong("a constraint cannot be read", ("constraints", number), item, expected)
        make = requires if said["kind"] == "requires" else excludes
        found.append(make(said["thing"], *(other.strip() for other in said["others"].split(","))))
    return found
