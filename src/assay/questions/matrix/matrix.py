"""One run in many environments: does its result come back in each, and with which version is it lost?"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from assay.comparison.verdict import compare
from assay.errors import AssayError, InvalidValue
from assay.execution.again import Carried, Original, Terms, carry_out_all, check_runnable, read_original
from assay.execution.environments import available_versions
from assay.questions.matrix.axes import PYTHON, cells_of, lines_along
from assay.questions.matrix.building import Environments
from assay.records.finding import Finding
from assay.records.matrix import Break, Matrix, MatrixCell
from assay.records.run import Run
from assay.records.verdict import Sameness, holds
from assay.store.store import Store

Levels = dict[str, str]


class Asked:
    """How a matrix is carried out.

    Args:
        level: how well a result has to come back to hold.
        tolerances: as for `assay.comparison.verdict.compare`.
        bisect: look for the version between two levels with which the result is lost.
        workers: runs at once.
        timeout: seconds for each run.
        report: told of what a reader must know as environments are built.
        progress: told of every cell as it is known.
    """

    def __init__(
        self,
        *,
        level: Sameness = "numerical",
        tolerances: Mapping[str, tuple[float, float]] | None = None,
        bisect: bool = True,
        workers: int = 1,
        timeout: float | None = None,
        report: Callable[[Finding], None] = lambda _: None,
        progress: Callable[[MatrixCell], None] = lambda _: None,
    ) -> None:
        self.level: Sameness = level
        self.tolerances = dict(tolerances or {})
        self.bisect = bisect
        self.workers = workers
        self.timeout = timeout
        self.report = report
        self.progress = progress


def matrix(store: Store, root: Path, run: Run, axes: Mapping[str, Sequence[str]], asked: Asked | None = None) -> Matrix:
    """Carry a run out under every combination of versions, in environments that are built for it, and compare each with the record.

    Everything but the versions is as it was recorded, packages included; what a version forces along is named. The user's project and
    environment are not written. Runs that are there already stand for cells of the same recipe.

    Args:
        store: where the run is, and where those of the cells go.
        root: the project's root now.
        run: of a command or a script that records itself.
        axes: package, or "python", to its versions.
        asked: how.

    Raises:
        InvalidValue: there is no axis, or a package of one is none that the run had.
        UsageError: the run still goes on, or cannot be carried out again from its record.
        MissingContent: it has no code tree, or a record of it is not in this store.
        EnvironmentUnavailable: there is no uv.
        KeyboardInterrupt: the user stopped it; runs that have ended are kept, and a second call goes on from them.
    """
    asked = asked or Asked()
    original = read_original(store, run)
    check_runnable(original)
    work = _Work(store, root, original, axes, asked)
    work.check()
    return work.carry_out()


class _Work:
    """One call."""

    def __init__(self, store: Store, root: Path, original: Original, axes: Mapping[str, Sequence[str]], asked: Asked) -> None:
        self._store = store
        self._root = root
        self._original = original
        self._axes = {name: tuple(levels) for name, levels in axes.items()}
        self._asked = asked
        self._environments = Environments(store, original, asked.report)
        self._known: dict[tuple[tuple[str, str], ...], MatrixCell] = {}

    def check(self) -> None:
        if not self._axes:
            raise InvalidValue(
                "a matrix varies something", expected="at least one axis", next_step="Write --vary numpy==1.26.4,2.0.2."
            )
        if self._original.recipe.function is not None:
            raise InvalidValue(
                "a trial of a function runs in Assay's own interpreter, whose packages cannot be varied",
                value=self._original.run.id,
                expected="a run of a command or a script",
                next_step="Put the function behind a command, and record that.",
            )
        names = {package.name for package in self._environments.packages}
        for name in self._axes:
            if name != PYTHON and name not in names:
                raise InvalidValue(
                    "the run's environment had no package of this name",
                    value=name,
                    expected="python, or one of the packages that `assay show` lists",
                )

    def carry_out(self) -> Matrix:
        cells = list(cells_of(self._axes))
        self._judge([{}, *cells])
        breaks = [found for name in self._axes for fixed in lines_along(self._axes, name) if (found := self._break(name, fixed))]
        asked_for = [self._cell(levels) for levels in cells]
        between = [cell for key, cell in self._known.items() if key and dict(key) not in cells]
        control = self._cell({})
        return Matrix(
            original=self._original.run.id,
            axes=self._axes,
            level=self._asked.level,
            control=control,
            cells=(*asked_for, *between),
            breaks=tuple(breaks),
            findings=tuple(self._findings(control)),
        )

    def _cell(self, levels: Levels) -> MatrixCell:
        return self._known[tuple(sorted(levels.items()))]

    def _judge(self, wanted: Sequence[Levels], *, between: bool = False) -> None:
        """Make the cells known that are not yet; environments are built as workers become free."""
        missing = [levels for levels in wanted if tuple(sorted(levels.items())) not in self._known]
        for carried in carry_out_all(self._store, self._root, self._jobs(missing, between), workers=self._asked.workers):
            self._keep(self._compared(dict(carried.key), carried, between))

    def _jobs(self, wanted: Sequence[Levels], between: bool) -> Iterator[tuple[tuple[tuple[str, str], ...], Original, Terms]]:
        for levels in wanted:
            try:
                interpreter = self._environments.python_for(levels)
            except AssayError as error:  # versions that cannot be had, or do not go together, are an answer
                self._keep(MatrixCell(levels=levels, why=str(error), between=between))
                continue
            shown = ", ".join(f"{name} {version}" for name, version in levels.items()) or "as recorded"
            name = f"matrix {self._original.run.start.name or self._original.run.id[:8]}: {shown}"
            terms = Terms(name=name, by="variant", interpreter=interpreter, timeout=self._asked.timeout, reuse=True)
            # The recorded run itself is what the cells are compared with.
            terms = terms._replace(used=frozenset((self._original.run.id,)))
            yield tuple(sorted(levels.items())), self._original, terms

    def _compared(self, levels: Levels, carried: Carried[tuple[tuple[str, str], ...]], between: bool) -> MatrixCell:
        forced = self._environments.forced(levels)
        if carried.run is None:
            return MatrixCell(levels=levels, forced=forced, why=str(carried.error), between=between)
        names = set(self._original.run.metrics) | set(carried.run.metrics)
        tolerances = {name: bounds for name, bounds in self._asked.tolerances.items() if name in names}
        verdict = compare(self._store, self._original.run, carried.run, tolerances=tolerances)
        failure = carried.run.result.failure if carried.run.result else None
        said = failure.text.strip().splitlines()[-1:] if failure else []
        ended = (
            ""
            if carried.run.state == self._original.run.state
            else f"the run {carried.run.state}" + "".join(f": {line}" for line in said)
        )
        return MatrixCell(
            levels=levels,
            verdict=verdict.verdict,
            run=carried.run.id,
            metrics=verdict.metrics,
            divergence=verdict.divergence,
            forced=forced,
            why=ended,
            between=between,
        )

    def _keep(self, cell: MatrixCell) -> None:
        self._known[tuple(sorted(cell.levels.items()))] = cell
        self._asked.progress(cell)

    def _holds(self, cell: MatrixCell) -> bool:
        return holds(cell.verdict, self._asked.level)

    def _break(self, name: str, fixed: Levels) -> Break | None:
        """The first place along one line of cells where the result is lost or found, narrowed down to neighbours where that can be."""
        levels = self._axes[name]
        pairs = itertools.pairwise(levels)
        for before, after in pairs:
            one, other = (self._cell({**fixed, name: level}) for level in (before, after))
            if self._holds(one) != self._holds(other) and None not in (one.verdict, other.verdict):
                adjacent = False
                if self._asked.bisect and name != PYTHON:
                    before, after, adjacent = self._narrowed(name, fixed, before, after)
                return self._named(name, fixed, before, after, adjacent)
        return None

    def _narrowed(self, name: str, fixed: Levels, before: str, after: str) -> tuple[str, str, bool]:
        """Bisect the versions between; those that cannot run are passed over."""
        try:
            versions = available_versions(name, self._environments.python_for({**fixed, name: before}))
        except AssayError:
            return before, after, False
        if before not in versions or after not in versions:
            return before, after, False
        first, last = versions.index(before), versions.index(after)
        between = versions[first + 1 : last] if first < last else versions[last + 1 : first][::-1]
        holds = self._holds(self._cell({**fixed, name: before}))
        passed: set[str] = set()
        while candidates := [version for version in between if version not in passed]:
            version = candidates[len(candidates) // 2]
            levels = {**fixed, name: version}
            self._judge([levels], between=True)
            cell = self._cell(levels)
            place = between.index(version)
            if cell.verdict is None:
                passed.add(version)
            elif self._holds(cell) == holds:
                before, between = version, between[place + 1 :]
            else:
                after, between = version, between[:place]
        return before, after, not passed

    def _named(self, name: str, fixed: Levels, before: str, after: str, adjacent: bool) -> Break:
        if not self._holds(self._cell({**fixed, name: before})):
            before, after = after, before
        return Break(
            axis=name,
            fixed=fixed,
            last_good=before,
            first_bad=after,
            verdict_before=self._cell({**fixed, name: before}).verdict or "",
            verdict_after=self._cell({**fixed, name: after}).verdict or "",
            adjacent=adjacent,
        )

    def _findings(self, control: MatrixCell) -> Iterator[Finding]:
        if control.verdict is None:
            text = f"the recorded environment itself could not be built or run here, so there is no control: {control.why}"
            yield Finding(kind="control", about=self._original.run.id, text=text)
        elif not self._holds(control):
            text = (
                f"the result does not come back in the recorded environment either ({control.verdict}): the script is not deterministic, or what "
                "differs here is no package. `assay doctor` and `assay reproduce` say more."
            )
            yield Finding(kind="control", about=self._original.run.id, text=text)
