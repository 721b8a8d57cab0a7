"""A study of a command line."""

from __future__ import annotations

import copy
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.ablation.components import merge
from assay.ablation.plans import make_blocks
from assay.ablation.splits import Said, make_splits
from assay.errors import InvalidStudy, MissingContent
from assay.execution.commands import CommandExecutor, Commands
from assay.execution.elsewhere.choice import pools_of
from assay.execution.patches import Patches, files_below, patches_of
from assay.execution.pool import refuse_recursion
from assay.execution.prepared import PREPARED
from assay.execution.protocol import Pools
from assay.project.command_line import OverrideStyle, order_of, places_in, words_of
from assay.project.study import expected
from assay.project.study_aside import aside
from assay.project.study_designs import told
from assay.project.study_gate import carry_out, check_baseline
from assay.project.study_growth import extended, following
from assay.project.study_patches import apart
from assay.project.study_plan import PlanView
from assay.project.study_result import StudyResult
from assay.questions.study.archive import kept_evidence
from assay.questions.study.definition import Definition, define, plan_study
from assay.records.factor import Constraint, Factor, Hypothesis, MetricGoal, Patch
from assay.records.gate import GateAsked
from assay.records.origin import Origin, Terms
from assay.records.plan import Configuration, SplitName, Splits, Trial, Until
from assay.store.store import Store


class CommandStudy:
    """Which components of a command's configuration, or of its code, matter?

    Args:
        command: program and arguments; `{overrides}` stands for the configuration, `{seed}` for the seed, `{fold}` or `{split}` for the
            split, `{prepared}` for what was prepared, `{key}` for one value of the configuration, which is then not among the overrides.
        baseline: the configuration as it stands.
        components, metrics, seeds, folds, splits, configurations, hypotheses, constraints, groups, gate: as for `assay.Study`. The
            levels of components may have patches beside their settings.
        design, resolution, budget, priors, until: as for `assay.Study.plan`.
        prepare: program and arguments of what is run once for each block, and writes what its trials share to `{prepared}`.
        workers: how many trials run at once where `run` is not told.
        data: files and folders, relative to `directory`, that every trial needs beside the code.
        override_style: "space" (`--key value`), "equals" (`--key=value`) or "hydra" (`key=value`).
        name: what reports call the study.
        origin: the study that this one goes on from.
        graph, spreads: as for `assay.Study`.
        root: project root.
        directory: where commands run, relative to the root.
    """

    def __init__(
        self,
        command: Sequence[str],
        baseline: Mapping[str, Any],
        components: Sequence[Factor],
        metrics: Sequence[MetricGoal],
        *,
        root: Path,
        directory: str = ".",
        seeds: int | Sequence[int] = 5,
        folds: Said | None = None,
        splits: Said | Splits | None = None,
        design: str = "leave-one-out",
        resolution: int | None = None,
        budget: int | None = None,
        priors: bool = False,
        until: Until = "confirmed",
        constraints: Sequence[Constraint] = (),
        groups: Mapping[str, Sequence[str]] | None = None,
        configurations: Mapping[str, Mapping[str, Any]] | None = None,
        hypotheses: Sequence[Hypothesis] = (),
        prepare: Sequence[str] | None = None,
        workers: int = 1,
        data: Sequence[str] = (),
        override_style: OverrideStyle = "space",
        gate: GateAsked | None = None,
        name: str = "",
        origin: Origin | None = None,
        graph: Mapping[str, Sequence[str]] | None = None,
        spreads: str = "unknown",
    ) -> None:
        self.command = tuple(command)
        self.baseline = baseline
        self.components = components
        self.metrics = metrics
        self.root = root
        self.directory = directory
        self.seeds = seeds
        self.splits = splits if isinstance(splits, Splits) else make_splits(folds, splits)
        self.design = design
        self.resolution = resolution
        self.budget = budget
        self.priors = priors
        self.until = until
        self.constraints = constraints
        self.groups = groups or {}
        self.configurations = configurations or {}
        self.hypotheses = hypotheses
        self.prepare = None if prepare is None else tuple(prepare)
        self.workers = workers
        self.data = data
        self.override_style = override_style
        self.gate = gate
        self.name = name
        self.origin = origin
        self.graph = graph
        self.spreads = spreads
        self.serves = ""

    def plan(
        self,
        design: str | None = None,
        *,
        resolution: int | None = None,
        budget: int | None = None,
        priors: bool = False,
        until: Until | None = None,
    ) -> PlanView:
        """The trials of a design (by default the study's own); nothing is run or written.

        Another design than the study's own is not told the study's resolution and budget.

        Raises:
            InvalidStudy: the study contradicts itself, the command names a key that the configuration does not have, or a patch does not
                apply to the code as it is.
            UnknownParameter: a component sets a key that the baseline does not have.
            InvalidValue: a value cannot be recorded.
        """
        other = design is not None and design != self.design
        resolution = resolution if other or resolution is not None else self.resolution
        budget = budget if other or budget is not None else self.budget
        patches = Patches(files_below(self.root))
        constraints = (*self.constraints, *apart(merge(self.components), patches))
        priors = priors or (self.priors and not other)
        until = until or ("confirmed" if other else self.until)
        definition = define(
            name=self.name,
            subject=shlex.join(self.command),
            evaluation=None if self.prepare is None else shlex.join(self.prepare),
            baseline=self.baseline,
            components=self.components,
            metrics=self.metrics,
            seeds=[block.seed for block in make_blocks(self.seeds)],
            design=design or self.design,
            configurations=self.configurations,
            hypotheses=self.hypotheses,
            options=told(resolution, budget, self.groups, dict.fromkeys(constraints), priors, until, self.spreads),
            splits=self.splits,
            origin=self.origin,
            terms=Terms(
                directory=self.directory,
                data=tuple(self.data),
                override_style=self.override_style,
                order=order_of(self.baseline),
            ),
            gate=self.gate,
            serves=self.serves,
            graph=self.graph,
        )
        plan = plan_study(definition)
        self._check_places()
        for configuration in plan.configurations:
            self.arguments(configuration, plan.trials[0].seed, plan.trials[0].split)
            patches.composed(self.patches(configuration))
        return PlanView(definition, plan, expected(self.root, definition, len(plan.trials)), self.workers)

    def run(
        self,
        plan: PlanView | str | None = None,
        workers: int | None = None,
        *,
        accept_baseline: str = "",
        minutes: float | None = None,
        executor: str = "local",
        slurm: str | Sequence[str] = "",
        ray: str | Mapping[str, float] = "",
    ) -> StudyResult:
        """Carry the plan out; run again after a kill or an interruption, it repeats no trial that has finished.

        Args:
            plan: what `plan` gave, or the name of a design.
            workers: how many trials run at once; results are the same with any number.
            accept_baseline, minutes, executor, slurm, ray: as for `assay.Study.run`.

        Raises:
            InvalidStudy, UnknownParameter, InvalidValue: as for `plan`.
            ExecutorUnusable: trials cannot be started there.
            CommandNotFound: the program does not exist.
            MissingContent: a file or folder of `data` does not exist.
            UnknownMetric: no trial reports a metric that is asked for.
            StoreUnusable: what is recorded cannot be written.
            TrialsFailed: no trial could be started.
            KeyboardInterrupt: stopped by the user; finished trials are kept.
        """
        with pools_of(executor, slurm, ray) as pools:
            view, store, ready = self._ready(plan, pools)
            result = carry_out(store, view, ready, workers or self.workers, accept=accept_baseline, source=self, minutes=minutes)
        return result.kept_with(store, ready.findings)

    def check_baseline(
        self,
        plan: PlanView | str | None = None,
        workers: int | None = None,
        *,
        executor: str = "local",
        slurm: str | Sequence[str] = "",
        ray: str | Mapping[str, float] = "",
    ) -> StudyResult:
        """Send the baseline through the gate, and run nothing else; `result.gate` says what was found.

        Raises:
            AssayError: as for `run`.
            KeyboardInterrupt: stopped by the user; finished trials are kept.
        """
        with pools_of(executor, slurm, ray) as pools:
            view, store, ready = self._ready(plan, pools)
            return check_baseline(store, view, ready, workers or self.workers).with_findings(ready.findings)

    def _ready(self, plan: PlanView | str | None, pools: Pools) -> tuple[PlanView, Store, CommandExecutor]:
        refuse_recursion()
        view = plan if isinstance(plan, PlanView) else self.plan(plan)
        store = Store.open(self.root)
        return view, store, CommandExecutor(store, self.root, self._commands(), pools=pools)

    def with_data(self, old: str, new: str) -> CommandStudy:
        """This study with another file or folder in the place of one that the command or the baseline names.

        Raises:
            InvalidStudy: neither names `old`.
            MissingContent: `new` does not exist.
        """
        changed = copy.copy(self)
        changed.command = tuple(_swapped(word, old, new) for word in self.command)
        changed.baseline = _swapped_values(self.baseline, old, new)
        changed.data = tuple(new if path == old else path for path in self.data)
        if (changed.command, changed.baseline) == (self.command, self.baseline):
            raise InvalidStudy(
                "neither the command nor the baseline names this data, so that other data would not be read",
                value=old,
                expected="a word of the command or a value of the baseline",
            )
        if not (self.root / self.directory / new).exists():
            raise MissingContent(
                "the data for a condition does not exist", value=new, expected="a file or folder beside the study's own"
            )
        return changed

    def extend(self, seeds: int | str | Sequence[int] | None = None, components: Sequence[Factor] = ()) -> CommandStudy:
        """The study with more seeds or components; arguments, value and errors as for `assay.Study.extend`."""
        return self.grown_from(self.plan().definition, seeds, components)

    def grown_from(
        self, former: Definition, seeds: int | str | Sequence[int] | None = None, components: Sequence[Factor] = ()
    ) -> CommandStudy:
        """This study, with more seeds or components, as an extension of a former one; errors as for `assay.Study.extend`."""
        return extended(self, former, Store.open(self.root), seeds, components)

    def next(self) -> CommandStudy:
        """A study from this one's winner; value and errors as for `assay.Study.next`."""
        return following(self, kept_evidence(Store.open(self.root), self.plan().study))

    def arguments(self, configuration: Configuration, seed: int, split: SplitName | None = None) -> tuple[str, ...]:
        """The command of a configuration under a seed, and a split where the study has some.

        Raises:
            InvalidStudy: the command names a key that the configuration does not have.
        """
        return words_of(self.command, configuration.params, self._given(seed, split), self.override_style)

    def patches(self, configuration: Configuration) -> tuple[Patch, ...]:
        """The changes of the code that a configuration is made of."""
        known = {(factor.name, level.name): level.patches for factor in merge(self.components) for level in factor.levels}
        return patches_of(configuration.levels, known)

    def _commands(self) -> Commands:
        data = tuple(os.path.normpath(os.path.join(self.directory, path)) for path in self.data)  # noqa: PTH118 - text
        return Commands(
            lambda configuration, trial: self.arguments(configuration, trial.seed, trial.split),
            self.directory,
            data,
            self.name,
            tuple(self.metrics),
            self.patches,
            self._prepare if self.prepare is not None else None,
            self.splits.parameter if self.splits else "split",
            aside(self.root, self.directory, self.components),
            side=bool(self.serves),
        )

    def _prepare(self, trial: Trial) -> tuple[str, ...]:
        return words_of(self.prepare or (), {}, self._given(trial.seed, trial.split))

    def _given(self, seed: int, split: SplitName | None = None) -> dict[str, object]:
        given: dict[str, object] = {"seed": seed}
        if self.splits is not None:
            given[self.splits.parameter] = split
        return given if self.prepare is None else given | {"prepared": PREPARED}

    def _check_places(self) -> None:
        """Passes where every trial gets what makes its block."""
        prepared = self.prepare or ()
        if self.splits is not None and self.splits.parameter not in places_in((*self.command, *prepared)):
            place = f"{{{self.splits.parameter}}}"
            raise InvalidStudy(
                f"the command has no {place}, so no trial would see its {self.splits.parameter}",
                value=shlex.join(self.command),
                expected=f"{place} in an argument",
                next_step=f"Put {place} where the program takes it.",
            )
        for what, command in (("command", self.command), ("prepare", prepared)):
            if self.prepare is not None and "prepared" not in places_in(command):
                raise InvalidStudy(
                    f"the study prepares something, and its {what} has no {{prepared}}",
                    value=shlex.join(command),
                    expected="{prepared} in an argument of both prepare and command",
                    next_step="It stands for the file or folder that prepare writes and the command reads.",
                )
        if self.prepare is not None:
            words_of(prepared, {}, self._given(0))


def _swapped(word: str, old: str, new: str) -> str:
    return new if word == old else f"{word.removesuffix(old)}{new}" if word.endswith(f"={old}") else word


def _swapped_values(values: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    return {
        key: _swapped_values(value, old, new) if isinstance(value, Mapping) else new if value == old else value
        for key, value in values.items()
    }
