"""Studies to report on, made up so that every number in them is known."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace as msgspec_replace
from playwright.sync_api import Browser, sync_playwright

from assay.records.effect import Answer, Effect, Interaction
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.factor import Factor, Hypothesis, Level, MetricGoal
from assay.records.finding import Finding
from assay.records.plan import Block, Configuration, Plan, Trial
from assay.records.run import Resources

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ESTIMAND = "The change when one component alone is changed and all others stay as in the baseline."


def make_effect(component: str, metric: str, differences: list[float], half: float, verdict: str, **more: object) -> Effect:
    """An effect around the mean of its differences."""
    complete = [value for value in differences if not math.isnan(value)]
    mean = sum(complete) / len(complete) if complete else math.nan
    fields: dict[str, object] = {
        "component": component, "metric": metric, "estimand": ESTIMAND, "estimate": mean, "low": mean - half, "high": mean + half,
        "n": len(complete), "verdict": verdict, "differences": tuple(differences), "method": "blocked Dunnett", "p": 0.01,
        "words": f"Without {component}, {metric} changes by {mean:.4g}: {verdict}.",
    }  # fmt: skip
    return Effect(**{**fields, **more})  # type: ignore[arg-type]


def make_study(
    names: list[str], metrics: dict[str, dict[str, list[float]]], effects: list[Effect], **more: object
) -> StudyEvidence:
    """Evidence of a leave-one-out study: `metrics[metric][configuration]` are the values by seed, "baseline" among the configurations."""
    configurations = [Configuration(name="baseline", params={"lr": 0.1})]
    configurations += [Configuration(name=name, levels={name: "off"}, params={"lr": 0.1}) for name in names]
    count = len(next(iter(metrics.values()))["baseline"]) if metrics else 1
    blocks = tuple(Block(index=i, seed=i) for i in range(count))
    trials, rows = [], []
    for block in blocks:
        for configuration in configurations:
            index = len(trials)
            trials.append(Trial(index=index, configuration=configuration.name, block=block.index, seed=block.seed))
            values = {name: by[configuration.name][block.index] for name, by in metrics.items() if configuration.name in by}
            rows.append(
                TrialResult(
                    index=index, configuration=configuration.name, block=block.index, seed=block.seed, run=f"run{index:013d}",
                    state="finished", metrics=values, seconds=1.5,
                    resources=Resources(wall=1.5, cpu_user=1.2, cpu_system=0.1, peak_memory=200 * 2**20),
                )
            )  # fmt: skip
    plan = Plan(
        design="leave-one-out", estimand=ESTIMAND, configurations=tuple(configurations), blocks=blocks, trials=tuple(trials),
        comparisons=len(names), cannot_see=("Components that matter only together are not seen by a leave-one-out design.",), detectable=1.7,
    )  # fmt: skip
    fields: dict[str, object] = {
        "study": "5f" * 32, "plan": plan, "rows": tuple(rows), "effects": tuple(effects), "baseline": {"lr": 0.1},
        "factors": tuple(Factor(name=name, kind="remove", levels=(Level(name="off", settings={name: False}),)) for name in names),
        "goals": tuple(MetricGoal(name=name, goal="maximize") for name in metrics),
    }  # fmt: skip
    return StudyEvidence(**{**fields, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser, for the pages of one module."""
    if CHROMIUM is None:
        pytest.skip("needs a Chromium on the path")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def sideways() -> str:
    """Tells in a page by how many pixels it reaches beyond its window."""
    return "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="session")
def effect() -> Callable[..., Effect]:
    """Makes effects: `effect(component, metric, differences, half_width, verdict, **fields)`."""
    return make_effect


@pytest.fixture(scope="session")
def study() -> Callable[..., StudyEvidence]:
    """Makes studies: `study(names, values by metric and configuration, effects, **fields)`."""
    return make_study


@pytest.fixture
def digits() -> StudyEvidence:
    """The study most pages are like: two metrics, five components, every verdict, a failed and a NaN trial."""
    accuracy = {
        "baseline": [0.9611, 0.9583, 0.9639, 0.9556, 0.9597],
        "scaling": [0.9611, 0.9583, 0.9639, 0.9556, 0.9597],
        "feature extraction": [0.9361, 0.9389, 0.9333, 0.9278, 0.9375],
        "augmentation by shifts": [0.9472, 0.9444, 0.9528, 0.9417, math.nan],
        "class weighting": [0.9604, 0.9590, 0.9632, 0.9551, 0.9603],
        "model choice": [0.9672, 0.9521, 0.9701, 0.9490, 0.9622],
    }
    names = [name for name in accuracy if name != "baseline"]
    base = accuracy["baseline"]
    gaps = {name: [value - base[i] for i, value in enumerate(accuracy[name])] for name in names}
    slow = {
        "baseline": [1.31, 1.28, 1.33, 1.30, 1.29],
        **{name: [1.1 + 0.1 * i + 0.01 * j for j in range(5)] for i, name in enumerate(names)},
    }
    slow_gaps = {name: [value - slow["baseline"][i] for i, value in enumerate(slow[name])] for name in names}
    effects = [
        make_effect("scaling", "accuracy", gaps["scaling"], math.nan, "no-op", p=math.nan, method=""),
        make_effect("feature extraction", "accuracy", gaps["feature extraction"], 0.0048, "matters", better=False, margin=0.005, p=0.0001, d_z=-5.1),
        make_effect("augmentation by shifts", "accuracy", gaps["augmentation by shifts"], 0.0052, "matters", better=False, margin=0.005),
        make_effect("class weighting", "accuracy", gaps["class weighting"], 0.0039, "no effect", margin=0.005, p=0.9),
        make_effect("model choice", "accuracy", gaps["model choice"], 0.0066, "cannot tell", margin=0.005, p=0.7, seeds_needed=34),
        *(
            make_effect(name, "inference_ms", slow_gaps[name], 0.03, "matters", better=sum(slow_gaps[name]) < 0, superiority=0.9,
                   superiority_low=0.5, superiority_high=1.0)
            for name in names
        ),
    ]  # fmt: skip
    evidence = make_study(
        names, {"accuracy": accuracy, "inference_ms": slow}, effects, name="Handwritten digits",
        baseline={"model": {"kind": "svm", "C": 10.0}, "augment": {"shifts": 1}, "scale": True, "classes": [0, 1, 2]},
        goals=(MetricGoal(name="accuracy", goal="maximize", margin=0.005), MetricGoal(name="inference_ms", goal="minimize", measured=True)),
        answers=(Answer(hypothesis=Hypothesis(component="augmentation by shifts", metric="accuracy", direction="raises", by=0.01),
                        answer="supported", evidence="Without it accuracy falls by 0.0132 [0.008, 0.0184]."),),
        findings=(Finding(kind="no-op", about="scaling", text="Nothing changed when it was removed: does anything read it?"),),
        interactions=(Interaction(components=("scaling", "model choice"), metric="accuracy", estimand="", estimate=0.001, low=-0.01, high=0.012,
                                  n=5, verdict="cannot tell", words="The two together change accuracy by +0.001 [−0.010, +0.012] more than apart."),),
        notes=("Intervals are simultaneous over 5 comparisons per metric.",),
        environment="CPython 3.11.7, scikit-learn 1.9.1, 2 cores, Linux 6.1",
    )  # fmt: skip
    failed = msgspec_replace(evidence.rows[-3], state="failed", metrics={}, failure="ValueError: 'balanced' is not a weight")
    return msgspec_replace(evidence, rows=(*evidence.rows[:-3], failed, *evidence.rows[-2:]))
