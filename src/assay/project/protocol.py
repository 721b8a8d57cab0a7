"""`perform_ablation_study`: ablations of a model that can be cloned, loaded, trained and evaluated."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np

from assay.ablation.plans import make_blocks
from assay.errors import InvalidStudy, InvalidValue, TrialsFailed
from assay.execution.fingerprint import fingerprint
from assay.execution.functions import Callables, FunctionExecutor
from assay.execution.pool import refuse_recursion
from assay.execution.shipping import function_name
from assay.project.progress import progress
from assay.questions.study.definition import Definition
from assay.questions.study.running import run_study
from assay.records.evidence import TrialResult
from assay.records.factor import MetricGoal
from assay.records.plan import Configuration, Plan, Trial
from assay.store.root import find_root
from assay.store.store import Store

SCORE = "score"
_METHODS = ("clone", "state_dict", "load_state_dict", "train", "evaluate")


class Scores(TypedDict):
    """Scores of one configuration.

    Attributes:
        mean_score: their mean.
        std_dev: their population standard deviation (ddof 0).
        individual_scores: one for each run, in the order of the seeds.
    """

    mean_score: float
    std_dev: float
    individual_scores: list[float]


def perform_ablation_study(
    base_model: Any,
    dataset: Any,
    ablation_configurations: Mapping[str, Callable[[Any], Any]],
    n_runs: int = 3,
    random_seed: int = 42,
) -> dict[str, Scores]:
    """Scores of every configuration, each run under the seeds `random_seed`, `random_seed + 1`, …

    Each run is a recorded run in a clean process of its own. There `random`, NumPy and the deep-learning libraries are seeded; the base
    model is cloned, a copy of its state loaded, the configuration applied, and the result trained and evaluated. The base model is
    never changed, whatever a configuration or a training does to what it was given. Runs that have been made before with the same code,
    model, data set, configuration and seed are not made again.

    Args:
        base_model: has `clone()`, `state_dict()`, `load_state_dict(state)`, `train(dataset)` and `evaluate(dataset)`, which returns a number.
        dataset: given to `train` and `evaluate`.
        ablation_configurations: name to a function that edits the model in place or returns another; lambdas and closures work.
        n_runs: runs of each configuration.
        random_seed: seed of the first; an integer of 0 or more.

    Returns:
        For each name, in the order given: "mean_score", "std_dev" (population, ddof 0) and "individual_scores".

    Raises:
        InvalidStudy: the model lacks a method, there is no configuration, or one cannot be called.
        InvalidValue: `n_runs` is less than 1, or something cannot be shipped to another process.
        TrialsFailed: a run did not finish: a mean over the others would not be the one that was asked for.
        StoreUnusable: what is recorded cannot be written.
    """
    refuse_recursion()
    _check(base_model, ablation_configurations)
    seeds = _seeds(n_runs, random_seed)
    root = find_root(Path.cwd())
    store = Store.open(root)
    trial = _Protocol(base_model, dataset)
    configurations = [
        Configuration(name=name, params={"configuration": name, "edit": function_name(edit)})
        for name, edit in ablation_configurations.items()
    ]
    plan = _plan(configurations, seeds)
    calls = Callables(trial, lambda chosen: _Edit(ablation_configurations[chosen.name]), name="ablation", train_name=trial.name())
    with progress(len(plan.trials), 1) as told:
        executor = FunctionExecutor(store, root, calls)
        evidence = run_study(store, _definition(trial, configurations, seeds), plan, executor, report=told)
    return {configuration.name: _scores(configuration.name, evidence.rows) for configuration in configurations}


class _Edit(NamedTuple):
    """A configuration as a trial gets it."""

    apply: Callable[[Any], Any]


class _Protocol:
    """What one run does. Instances are shipped whole, with the base model and the data set."""

    def __init__(self, base_model: Any, dataset: Any) -> None:
        self.base_model = base_model
        self.dataset = dataset

    def __call__(self, edit: _Edit, seed: int) -> dict[str, float]:
        model = self.base_model.clone()
        # A state that the base shares with its clones would carry one run's training into the next.
        model.load_state_dict(copy.deepcopy(self.base_model.state_dict()))
        edited = edit.apply(model)
        model = model if edited is None else edited
        model.train(self.dataset)
        return {SCORE: model.evaluate(self.dataset)}

    def name(self) -> str:
        """As recipes name it: the function that the user called, with the content of model and data set."""
        return f"{__name__}:perform_ablation_study#{fingerprint((self.base_model, self.dataset))[:16]}"


def _check(base_model: Any, configurations: Mapping[str, Callable[[Any], Any]]) -> None:
    missing = [name for name in _METHODS if not callable(getattr(base_model, name, None))]
    if missing:
        raise InvalidStudy(
            f"the model has no {' and no '.join(f'{name}()' for name in missing)}",
            value=type(base_model).__qualname__,
            expected=f"a model with {', '.join(_METHODS)}",
            next_step="Add what is missing, or write the experiment as a function and use assay.Study.",
        )
    if not isinstance(configurations, Mapping) or not configurations:
        raise InvalidStudy("there is nothing to compare", value=configurations, expected="a dictionary of names to functions")
    for name, edit in configurations.items():
        if not isinstance(name, str) or not callable(edit):
            raise InvalidStudy("a configuration is no function of the model", value={name: edit}, expected="a name and a function")


def _seeds(n_runs: int, random_seed: int) -> Sequence[int]:
    if isinstance(n_runs, bool) or not isinstance(n_runs, int) or n_runs < 1:
        raise InvalidValue("an ablation study needs runs", value=n_runs, expected="n_runs of at least 1")
    return [block.seed for block in make_blocks([random_seed + number for number in range(n_runs)])]


def _plan(configurations: Sequence[Configuration], seeds: Sequence[int]) -> Plan:
    """The first configuration is what the others are compared with."""
    pairs = [(block, seed, configuration) for block, seed in enumerate(seeds) for configuration in configurations]
    return Plan(
        design="named configurations",
        estimand=f"Configuration minus {configurations[0].name!r} under the same seed.",
        configurations=tuple(configurations),
        blocks=make_blocks(seeds),
        trials=tuple(
            Trial(index=index, configuration=configuration.name, block=block, seed=seed)
            for index, (block, seed, configuration) in enumerate(pairs)
        ),
        comparisons=len(configurations) - 1,
        named=tuple(configuration.name for configuration in configurations[1:]),
    )


def _definition(trial: _Protocol, configurations: Sequence[Configuration], seeds: Sequence[int]) -> Definition:
    return Definition(
        name="perform_ablation_study",
        subject=trial.name(),
        evaluation=None,
        baseline=configurations[0].params,
        factors=(),
        goals=(MetricGoal(name=SCORE, goal="maximize"),),
        seeds=tuple(seeds),
        design="named configurations",
        configurations={configuration.name: configuration.params for configuration in configurations},
        hypotheses=(),
    )


def _scores(name: str, rows: Sequence[TrialResult]) -> Scores:
    mine = [row for row in rows if row.configuration == name]
    for row in mine:
        if row.state != "finished":
            raise TrialsFailed(
                f"the run of {name!r} with seed {row.seed} did not finish",
                value=row.failure or row.state,
                expected="a score from every run",
                next_step=f"`assay show {row.run}` has its traceback and output." if row.run else "",
            )
    scores = [row.metrics[SCORE] for row in mine]
    return Scores(mean_score=float(np.mean(scores)), std_dev=float(np.std(scores)), individual_scores=scores)
