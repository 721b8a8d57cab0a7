"""What is carried out again: a run with the records that say how, which a variant may change before it is carried out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from assay.capture.code import Snapshot
from assay.comparison.diff import show_path
from assay.errors import MissingContent, UsageError
from assay.records.environment import Environment
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import Trace
from assay.store.store import Store
from assay.store.tree import read_tree
from assay.tracking.cells import cells_in


class Original(NamedTuple):
    """A recorded run, with what it is carried out from. A variant of it has another recipe, code tree or inputs.

    Attributes:
        run: the run as it was recorded.
        recipe: command (of a session in a notebook, the one that runs its cells) or function, parameters, seed, threads and flags.
        code: id of the code tree.
        trace: inputs that are laid beside the code, with their content.
        environment: what the run ran in.
        variables: further environment variables, None: absent; they win over the recipe's.
    """

    run: Run
    recipe: Recipe
    code: str
    trace: Trace
    environment: Environment
    variables: Mapping[str, str | None] = {}

    def surroundings(self, env: Mapping[str, str]) -> dict[str, str]:
        """The environment variables `env` with those of this run's own."""
        merged = {**env, **self.variables}
        return {name: value for name, value in merged.items() if value is not None}

    def snapshot(self, store: Store) -> Snapshot:
        """The code tree as it was recorded; looked for anew, it would lack what only git knew of."""
        files = {show_path(path): content for path, (_, content) in read_tree(store.objects, self.code).items()}
        return Snapshot(self.code, files, dict(self.run.start.left_out), None, {})


def read_original(store: Store, run: Run) -> Original:
    """A run that has ended, with its records.

    Raises:
        UsageError: the run still goes on.
        MissingContent: it has no code tree, or a record of it is not in this store.
    """
    if run.state in ("running", "queued"):
        raise UsageError(
            f"this run is still {run.state}",
            value=run.id,
            expected="a run that has ended",
            next_step="Wait for its end; `assay show` tells its state.",
        )
    recipe = store.objects.record(run.start.recipe, Recipe)
    code = recipe.code
    if code is None:
        raise MissingContent(
            "this run was recorded without its code, so it cannot be carried out again",
            value=run.id,
            expected="a run with a code tree",
            next_step="`assay show` says under fidelity why the code is missing.",
        )
    trace = _trace_of(store, run)
    if recipe.function is None and not recipe.command:
        recipe = _with_cells(recipe, trace)
    result = run.result
    seen = (result.environment if result else None) or run.start.environment
    environment = store.objects.record(seen, Environment) if seen else Environment()
    return Original(run, recipe, code, trace, environment)


def _with_cells(recipe: Recipe, trace: Trace) -> Recipe:
    """What ran in a notebook or terminal, as the command that runs its cells in their order; unchanged where they are not in the record."""
    cells = cells_in(trace)
    if cells is None:
        return recipe
    return msgspec.structs.replace(recipe, command=("python", os.path.relpath(cells.path, recipe.directory)))


def _trace_of(store: Store, run: Run) -> Trace:
    """What the run was seen to read; of a run that crashed, what a finished one of the same recipe did."""
    for each in (run, *(store.runs.read(run_id) for run_id in store.catalogue.with_recipe(run.start.recipe))):
        if each.result and each.result.trace:
            return store.objects.record(each.result.trace, Trace)
    return Trace()
