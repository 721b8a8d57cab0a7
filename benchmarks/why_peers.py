"""What others would find in the same cases: bisection over an arbitrary order of the changes, and mlbisect where it is installed.

Both are told the losses of the same script; where there is noise, bisection is given the number of repeats that the noise demands.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from why_cases import Script


class Found(NamedTuple):
    """What was named as causes, whether it was said to be sure, and how many runs it took beside the two recorded ones."""

    named: frozenset[int]
    decided: bool
    runs: int


def bisection(script: Script, repeats: int, seed: int) -> Found:
    """As `git bisect` goes: the first change, in some order, with which the loss is nearer to that of the bad state."""
    order = [int(at) for at in np.random.default_rng(seed).permutation(len(script.case.changes))]
    states = 2

    def mean(bad: frozenset[int]) -> float:
        return float(script.over(bad, repeats).mean())

    good, gap = mean(frozenset()), mean(script.case.everything) - mean(frozenset())
    low, high = 0, len(order)
    while high - low > 1:
        middle, states = (low + high) // 2, states + 1
        is_bad = (mean(frozenset(order[:middle])) - good) / gap > 0.5
        low, high = (low, middle) if is_bad else (middle, high)
    return Found(frozenset([order[low]]), True, states * repeats - 2)


def has_mlbisect() -> bool:
    return find_spec("mlbisect") is not None


def mlbisect(script: Script) -> Found:
    """mlbisect's search with its own budget of repeats, told that half of the recorded gap is what matters."""
    from mlbisect.config import Configuration
    from mlbisect.executors.base import RunResult
    from mlbisect.manifest import Axis, BudgetConfig, Manifest, MetricConfig, RunConfig
    from mlbisect.search import find_culprits

    class Executor:
        def run(self, config: Configuration, seed: int) -> RunResult:
            bad = frozenset(int(name.removeprefix("axis")) for name in config.axes)
            return RunResult(config.axes, seed, script(bad, seed), True, 0.0)

    gap = script(script.case.everything) - script(frozenset())
    manifest = Manifest(
        version=1,
        name="case",
        metric=MetricConfig(
            name="loss", direction="lower_is_better" if gap > 0 else "higher_is_better", min_effect=max(abs(gap), 1e-12)
        ),
        run=RunConfig(command="-"),
        axes=[Axis(name=f"axis{index}", old="0", new="1") for index in range(len(script.case.changes))],
        budget=BudgetConfig(max_runs=200),
    )
    result = find_culprits(Executor(), manifest)
    named = frozenset(int(name.removeprefix("axis")) for culprits in result.culprit_sets for name in culprits)
    return Found(named, result.status != "inconclusive", result.runs_used - 2)
