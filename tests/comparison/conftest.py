"""Runs written straight into a real store, so that a test says exactly in what they differ."""

from __future__ import annotations

import itertools

import pytest

from assay.records.environment import Determinism, Environment, Packages
from assay.records.journal import Point
from assay.records.recipe import Recipe
from assay.records.run import Metric, Result, Run, Start
from assay.records.trace import FileUse, Trace
from assay.store.runs import new_run_id
from assay.store.store import Store
from assay.store.tree import write_tree


class Bench:
    """Makes runs."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._moments = itertools.count(1)

    def run(
        self, series=None, *, measured=(), outputs=None, state="finished", exit_code=0, code=None, loaded=(), read=None, packages=(),
        environment=None, determinism=None, params=None, parents=(), root="/p", finish=True, keep=True, failure=None, **recipe,
    ) -> Run:  # fmt: skip
        """A run with these series (name to values, or to pairs of step and value), output files and settings."""
        objects = self.store.objects
        tree = write_tree(objects, {path.encode(): ("file", objects.put(text)) for path, text in (code or {}).items()})
        environment = Environment(packages=objects.put_record(Packages(packages=tuple(packages))), **(environment or {}))
        recipe_id = objects.put_record(Recipe(code=tree, **recipe))
        start = Start(id=new_run_id(), recipe=recipe_id, parents=tuple(parents), root=root, started=float(next(self._moments)))
        writer = self.store.runs.create(start)
        journal = writer.journal()
        metrics = {name: self._log(journal, name, points, name in measured) for name, points in (series or {}).items()}
        uses = {
            "written": [self._use(path, content, keep) for path, content in (outputs or {}).items()],
            "read": [self._use(path, content, keep) for path, content in (read or {}).items()],
            "loaded": [self._use(path, content, keep) for path, content in dict(loaded).items()],
        }
        if finish:
            trace = objects.put_record(Trace(**{kind: tuple(files) for kind, files in uses.items()}))
            result = Result(
                state=state, ended=float(next(self._moments)), exit_code=exit_code, metrics=metrics, params=params or {}, trace=trace,
                environment=objects.put_record(environment), determinism=determinism or Determinism(), failure=failure,
            )  # fmt: skip
            writer.finish(result)
        return self.store.runs.read(start.id)

    def _use(self, path: str, content: bytes | None, keep: bool) -> FileUse:
        if content is None:
            return FileUse(path=path, note="vanished")
        content_id = self.store.objects.put(content)
        if not keep:
            self.store.objects.path(content_id).unlink()
        return FileUse(path=path, id=content_id, size=len(content), kept=keep)

    def _log(self, journal, name, points, measured) -> Metric:
        pairs = [point if isinstance(point, tuple) else (step, point) for step, point in enumerate(points)]
        for step, value in pairs:
            journal.append(Point(float(next(self._moments)), step, {name: value}, measured))
        values = [value for _, value in pairs]
        return Metric(last=values[-1], minimum=min(values), maximum=max(values), mean=sum(values) / len(values), measured=measured)


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(Store.open(tmp_path))
