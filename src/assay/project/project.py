"""A project and its runs, as a user holds them: list, find, look into, compare, trace back, repeat."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from assay.capture.code import CodeCapture, Snapshot
from assay.capture.environment import packages_in, with_sources
from assay.capture.outside import restore_loaded, restored_folders
from assay.comparison.diff import differences
from assay.comparison.notebooks import notebook_patches
from assay.comparison.patched import Patched, patch_text, patched
from assay.errors import InvalidValue, MissingContent, UnknownMetric, UsageError
from assay.lineage.graph import Graph, ancestors, descendants
from assay.project import documents
from assay.project.ancestry import Traced, traced, traced_file
from assay.project.marking import bring_back, note, remove, tag
from assay.project.restore import PutBack, carry_out, plan, undo_plan
from assay.project.restore_choice import choose
from assay.records.attribution import Attribution
from assay.records.environment import Environment
from assay.records.mark import Mark
from assay.records.matrix import Matrix
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.snapshot import KeptSnapshot
from assay.records.trace import Trace
from assay.records.verdict import Difference, Divergence, Verdict
from assay.store.failures import writing
from assay.store.process import this_process
from assay.store.root import find_root
from assay.store.store import Store
from assay.store.tree import read_tree, restore_files
from assay.tracking.command import program
from assay.tracking.ending import user_name
from assay.tracking.series import Series, series

if TYPE_CHECKING:
    import pandas  # type: ignore[import-not-found, import-untyped, unused-ignore]

    from assay.execution.from_snapshot import OwnFolder
    from assay.project.data import DataSets
    from assay.questions.doctor.diagnosis import Diagnosis
    from assay.questions.matrix import Asked
    from assay.store.fsck import Checked
    from assay.store.gc import Collected
    from assay.store.remotes.transfer import Moved
    from assay.store.usage import Usage

RunLike = Run | str
_TREE = re.compile("[0-9a-f]{12,64}")  # as long a prefix as lists show; a run's id rarely is a hexadecimal number of that length


class Runs(Sequence[Run]):
    """Records of runs, in order; a list that also becomes a table."""

    def __init__(self, store: Store, found: Iterable[Run]) -> None:
        self._store = store
        self._found = list(found)

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        return Runs(self._store, self._found[index]) if isinstance(index, slice) else self._found[index]

    def __repr__(self) -> str:
        return (
            f"<{len(self)} runs: {', '.join(run.start.name or run.id for run in self._found[:5])}{' …' if len(self) > 5 else ''}>"
        )

    def to_pandas(self) -> pandas.DataFrame:
        """One row for each run, indexed by id; columns `params.NAME` and `metrics.NAME` (the last value, NaN as NaN), times in UTC.

        Raises:
            UsageError: pandas is not installed in this interpreter.
        """
        try:
            # pandas is not among Assay's dependencies: who asks for a table of it has it.
            import pandas
        except ModuleNotFoundError as error:
            raise UsageError(
                "a table needs pandas, which this interpreter does not have",
                next_step="Install it (`pip install pandas`), or go through the runs as a list.",
            ) from error
        frame = pandas.DataFrame(documents.rows(self._store, self._found), columns=None if self._found else list(documents.PLAIN))
        for moment in ("started", "ended"):
            frame[moment] = pandas.to_datetime(frame[moment], unit="s", utc=True)
        return frame.set_index("id")


class Project:
    """One project: a root and its store.

    Every method that takes a run takes a record, or text that names one: an id or unique prefix, a name, `last`, `last~2`,
    `min:METRIC`, `max:METRIC`. Text that names none raises UnknownRun, text that names several AmbiguousRun.

    Attributes:
        root: folder that paths are relative to.
        store: what was recorded.
    """

    def __init__(self, store: Store, root: Path) -> None:
        self.store = store
        self.root = root

    @classmethod
    def open(cls, path: str | Path | None = None, *, create: bool = False) -> Project:
        """The project that `path` (the working directory) lies in.

        Raises:
            StoreUnusable: nothing was recorded here yet (unless `create`), or the store cannot be used.
            StoreTooNew: a newer Assay made the store.
            InvalidValue: `path` is no folder, or too wide to be a project.
        """
        root = find_root(Path(path) if path is not None else Path.cwd())
        return cls(Store.open(root, create=create), root)

    @property
    def data(self) -> DataSets:
        """The data sets of this project: add versions, compare them, put them back."""
        from assay.project.data import DataSets

        return DataSets(self.store, self.root)

    def runs(self, where: str | None = None, sort: str = "-started", limit: int | None = None, *, variants: bool = False) -> Runs:
        """The runs that fulfil an expression such as "metrics.loss < .3 and params.lr == .1".

        Args:
            where, sort, limit: as for `assay ls`.
            variants: whether runs count that `why`, `matrix` and `doctor` made of another one.

        Raises:
            InvalidValue: the expression or the sort key cannot be read.
        """
        catalogue = self.store.catalogue
        if variants:
            return Runs(self.store, catalogue.runs(where=where, sort=sort, limit=limit))
        return Runs(self.store, catalogue.page(where=where, sort=sort, limit=limit, variants=False)[0])

    def page(
        self, where: str | None = None, sort: str = "-started", limit: int | None = None, *, variants: bool = False
    ) -> tuple[Runs, int]:
        """As `runs`, and how many there are without the limit; of many runs, that costs half of asking for both.

        Args:
            where, sort, limit: as for `runs`.
            variants: whether runs count that `why`, `matrix`, `doctor` and `sensitivity` made of another one.

        Raises:
            InvalidValue: the expression or the sort key cannot be read.
        """
        found, total = self.store.catalogue.page(where=where, sort=sort, limit=limit, variants=variants)
        return Runs(self.store, found), total

    def count(self, where: str | None = None) -> int:
        """How many runs fulfil an expression. Raises InvalidValue where it cannot be read."""
        return self.store.catalogue.count(where)

    def baselines(self, tag: str = "baseline") -> Runs:
        """The runs that bear a tag, the oldest first: those that are to come back whenever somebody looks."""
        found = self.store.catalogue.runs(sort="started")
        return Runs(self.store, (run for run in found if tag in self.store.marks.tags(run)))

    def resolve(self, selector: RunLike) -> Run:
        """The run that a text names, as it stands now.

        Raises:
            UnknownRun, AmbiguousRun: none, or several, answer to it.
            UnknownMetric: no finished run has the metric of `min:` or `max:`.
        """
        return selector if isinstance(selector, Run) else self.store.runs.read(self.store.catalogue.resolve(selector))

    def show(self, run: RunLike) -> documents.Document:
        """Everything that is known of a run, as `assay show --json` prints it."""
        return documents.shown(self.store, self.resolve(run))

    def printed(self, run: RunLike) -> dict[str, bytes]:
        """Stream to what a run printed there, without secrets; each rank of a distributed program too. See `assay.project.printed`."""
        from assay.project.printed import printed

        return printed(self.store, self.resolve(run))

    def log(self, run: RunLike, metrics: Sequence[str] | None = None) -> dict[str, Series]:
        """The series of a run, all or those named.

        Raises:
            UnknownMetric: the run did not report one of them.
        """
        found = series(self.store, self.resolve(run).id)
        for name in metrics or ():
            if name not in found:
                raise UnknownMetric(
                    "the run reported no metric of this name", value=name, expected=", ".join(sorted(found)) or "a run with metrics"
                )
        return found if metrics is None else {name: found[name] for name in metrics}

    def diff(self, a: RunLike, b: RunLike) -> list[Difference]:
        """Everything in which two runs differ, what acts most directly first."""
        return differences(self.store, self.resolve(a), self.resolve(b))

    def divergence(self, a: RunLike, b: RunLike) -> Divergence | None:
        """The first layer, or point of a series, in which the results of two runs part; see `assay.comparison.verdict.divergence_of`."""
        from assay.comparison.verdict import divergence_of

        return divergence_of(self.store, self.resolve(a), self.resolve(b))

    def programs(self, a: RunLike, b: RunLike) -> tuple[str, str]:
        """What each of two runs carried out: its program with its script, or its function."""
        found = [self.store.objects.record(self.resolve(run).start.recipe, Recipe) for run in (a, b)]
        one, other = (recipe.function.partition("#")[0] if recipe.function else program(recipe.command) for recipe in found)
        return one, other

    def patch(self, a: RunLike, b: RunLike) -> str:
        """A patch, as `git apply` takes it, from the code of `a` to that of `b`, modules that they loaded though git ignores them included."""
        from assay.comparison.patched import patch_text

        return patch_text(self.store, self.resolve(a), self.resolve(b))

    def notebook_patches(self, a: RunLike, b: RunLike) -> dict[str, str]:
        """For each notebook that differs in what it runs, a diff of its cells; see `assay.comparison.notebooks`."""
        return notebook_patches(self.store, self.resolve(a), self.resolve(b))

    def patch_since(self, parent: RunLike, run: RunLike) -> str:
        """What was patched between a run and one that goes on from it, as `git apply` takes it: with modules that git ignores, as loaded."""
        return patch_text(self.store, self.resolve(parent), self.resolve(run))

    def patched(self, a: RunLike, b: RunLike) -> Patched:
        """Every file of the code that differs between two runs, with the number of lines; see `assay.comparison.patched`."""
        return patched(self.store, self.resolve(a), self.resolve(b))

    def compare(self, a: RunLike, b: RunLike, tolerances: Mapping[str, tuple[float, float]] | None = None) -> Verdict:
        """Whether `b` has the result of `a`; see `assay.comparison.verdict.compare`."""
        from assay.comparison.verdict import compare

        return compare(self.store, self.resolve(a), self.resolve(b), tolerances=tolerances or {})

    def reproduce(
        self,
        run: RunLike,
        tolerances: Mapping[str, tuple[float, float]] | None = None,
        *,
        env: str = "current",
        runs: int | None = None,
        margins: Mapping[str, float | None] | None = None,
        seeds: int | None = None,
        learn: bool = False,
        timeout: float | None = None,
        keep: bool = False,
    ) -> tuple[Run, Verdict]:
        """Carry a run out again in a fresh folder, once or several times, and say whether its result came back.

        Args:
            run: what is repeated.
            tolerances, env, timeout, keep: as for `assay.questions.reproduce.reproduce`.
            runs, seeds, learn: as for `assay.questions.reproduce.Asked`.
            margins: metric to the difference up to which means are called equal: with them, a statistical verdict is enough.

        Raises:
            UsageError, InvalidValue, UnknownMetric: what is asked does not go together, or not with this run.
            AssayError: as for `assay.questions.reproduce.reproduce`.
        """
        # Late: what carries runs out is heavy, and most who open a project only look.
        from assay.questions.reproduce import Asked, repeat, reproduce

        asked = Asked(runs, seeds, margins is not None, margins or {}, tolerances or {}, learn)

        def again(each: Run, seed: int | None) -> tuple[Run, Verdict]:
            return reproduce(
                self.store, self.root, each, tolerances=tolerances or {}, timeout=timeout, env=env, keep=keep, seed=seed
            )

        return repeat(self.store, self.resolve(run), asked, again)

    def why(self, good: RunLike, bad: RunLike, metric: str, **options: Any) -> Attribution:
        """Which differences between two runs moved a metric, and by how much; see `assay.questions.why.why` for what else it takes."""
        from assay.questions.why import why

        return why(self.store, self.root, self.resolve(good), self.resolve(bad), metric, **options)

    def matrix(self, run: RunLike, axes: Mapping[str, Sequence[str]], asked: Asked | None = None) -> Matrix:
        """Carry a run out under every combination of versions; see `assay.questions.matrix.matrix`."""
        from assay.questions.matrix import matrix

        return matrix(self.store, self.root, self.resolve(run), axes, asked)

    def diagnose(self, command: Sequence[str], *, cwd: Path | None = None, **options: Any) -> Diagnosis:
        """What keeps a command from giving the same result twice; see `assay.questions.doctor.diagnose`, which takes the options."""
        from assay.questions.doctor import diagnose

        return diagnose(self.store, self.root, command, cwd=cwd or Path.cwd(), **options)

    def snapshot(self) -> Snapshot:
        """The code as it is now, kept in the store until it is let go; `tree` is its id, which `run_from_snapshot` takes.

        With it goes the code of editable installations beyond the project, of the Python that a command would run in here.

        Raises:
            StoreUnusable: the store cannot take it.
        """
        from assay.capture.interpreter import interpreter_of
        from assay.capture.outside_snapshot import snapshot_outside
        from assay.capture.packages import installed_in

        taken = CodeCapture(self.store, self.root).snapshot()
        interpreter = interpreter_of(["python"], os.environ, Path.cwd())
        packages = with_sources(installed_in(interpreter)) if interpreter is not None else ()
        kept = KeptSnapshot(
            tree=taken.tree,
            taken=time.time(),
            files=len(taken.files),
            user=user_name(),
            host=this_process().name,
            outside=snapshot_outside(self.store, self.root, packages),
        )
        self.store.snapshots.keep(kept)
        return taken

    def snapshots(self) -> list[KeptSnapshot]:
        """What `snapshot` has kept and nobody has let go since, the newest first."""
        return self.store.snapshots.listed()

    def let_go(self, *prefixes: str) -> list[str]:
        """Keep snapshots no longer for their own sake; the ids of their trees. What runs need of them stays.

        Raises:
            InvalidValue: a prefix names no kept snapshot, or several; then all are still kept.
        """
        trees = list(dict.fromkeys(map(self.store.snapshots.resolve, prefixes)))
        for tree in trees:
            self.store.snapshots.let_go(tree)
        return trees

    def run_from_snapshot(
        self, command: Sequence[str], source: RunLike | None = None, *, cwd: Path | None = None, **options: Any
    ) -> OwnFolder:
        """Run a command with the code of a snapshot in a folder of its own; see `assay.execution.from_snapshot.run_from_snapshot`.

        Args:
            command: program and arguments.
            source: a run, text that names one, the id of a tree, or at least 12 digits of that of a kept snapshot; None: the code as
                it is now.
            cwd: where the command would run in the project; the working directory where it is None.
            options: name, tags, params, seed, data and env, as there.

        Raises:
            UnknownRun, AmbiguousRun: `source` names no run and no tree, or several runs.
        """
        # Late: what carries runs out is heavy, and most who open a project only look.
        from assay.execution.from_snapshot import run_from_snapshot

        found = None if source is None else (self._tree(source) if isinstance(source, str) else None) or self.resolve(source)
        return run_from_snapshot(self.store, self.root, command, cwd=cwd or Path.cwd(), source=found, **options)

    def _tree(self, text: str) -> str | None:
        """The tree that a text names; None where it is no id of one, nor the beginning of that of a kept snapshot."""
        if not _TREE.fullmatch(text):
            return None
        kept = [tree for tree in self.store.snapshots.trees() if tree.startswith(text)]
        return kept[0] if len(kept) == 1 else text if len(text) == 64 and text in self.store.objects else None

    def origin(self, what: str | Path) -> Graph:
        """The runs that wrote a content (a file or the files of a folder, wherever they lie now, or an id or the first digits of it), and
        all that these build on; writers first.

        Raises:
            InvalidValue: it is neither a file that can be read nor the id of a content; several contents begin with these digits.
        """
        return self.origins(what).graph

    def origins(self, what: str | Path) -> Traced:
        """As `origin`, with each file's own writers beside the graph of all."""
        found = traced_file(self.store, what)
        return found._replace(graph=self._present(found.graph))

    def lineage(self, run: RunLike, *, down: bool = False) -> Graph:
        """The run and all that it builds on, to any depth; with `down` all that builds on it."""
        return self._present((descendants if down else ancestors)(self.store, self.resolve(run).id))

    def trace(self, what: str, *, down: bool = False) -> Traced:
        """As `lineage`, for a run or a file: what a text names that no run answers to is traced as `origin` does.

        Raises:
            UnknownRun: neither a run nor a file answers to it.
        """
        found = traced(self.store, what, down=down)
        return found._replace(graph=self._present(found.graph))

    def _present(self, found: Graph) -> Graph:
        """Without the runs that this store does not have (removed, or never pulled); edges go on to name them."""
        present = set(self.store.runs.ids())
        return found._replace(runs=tuple(run for run in found.runs if run in present))

    def restore(self, run: RunLike, paths: Sequence[str] = (), *, to: str | Path) -> Path:
        """The code of a run in a folder of its own; or the files and folders named, which may be kept artifacts and inputs too.

        Without names, modules that it loaded and that are no part of the code tree are there too: ignored ones in their places, those from
        beyond the project below `.outside` (`module_path` says how to import these).

        Args:
            run: whose code.
            paths: relative to the root, or to the working directory; empty: all.
            to: a folder that does not exist yet, or is empty.

        Raises:
            InvalidValue: `to` holds something, or is no folder; or a path leads out of the project.
            MissingContent: the run has no code tree, or no such file, or it was not kept.
            TargetUnusable: `to` cannot be written.
        """
        target = Path(to).absolute()
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InvalidValue(
                "code is put back only where nothing else is", value=str(target), expected="a new or empty folder",
                next_step="Name another with --to.",
            )  # fmt: skip
        found = self.resolve(run)
        tree = self.store.objects.record(found.start.recipe, Recipe).code
        if tree is None:
            raise MissingContent("this run has no code tree", value=found.id, next_step="`assay show` says why, under fidelity.")
        objects, loaded = self.store.objects, self._loaded(found)
        files = choose(self.store, found, paths, root=self.root, cwd=Path.cwd()).files if paths else read_tree(objects, tree)
        with writing(target):
            restore_files(objects, files, target)
            if loaded is not None and not paths:
                restore_loaded(objects, *loaded, target)
        return target

    # Below, late imports: what moves and looks after stores is of no use to the many commands that only ask.

    def push(self, remote: str | None = None, runs: Sequence[RunLike] = (), *, check: bool = False) -> Moved:
        """Give a remote what it lacks of these runs, or of everything; see `assay.project.sharing.push`."""
        from assay.project import sharing

        return sharing.push(self.store, remote, [self.resolve(run).id for run in runs], check=check)

    def pull(self, remote: str | None = None, runs: Sequence[str] = (), *, check: bool = False) -> Moved:
        """Get what is not here of a remote's runs; see `assay.project.sharing.pull`."""
        from assay.project import sharing

        return sharing.pull(self.store, remote, runs, check=check)

    def fsck(self, *, repair: bool = False) -> Checked:
        """Everything that is damaged or missing; see `assay.store.fsck.fsck`."""
        from assay.store.fsck import fsck

        return fsck(self.store, repair=repair)

    def gc(self, *, delete: bool = False, grace: float | None = None) -> Collected:
        """What nothing needs any more, removed where `delete` says so; see `assay.store.gc.collect`, which has its own `grace` for None.

        Unpacked bundles that nobody opened for 30 days are counted too, and go with it.
        """
        from assay.store.bundles.unused import remove, unused_bundles
        from assay.store.gc import GRACE, collect

        found = collect(self.store, delete=delete, grace=GRACE if grace is None else grace)
        unused = unused_bundles()
        bundles = [bundle for bundle in unused if not bundle.has_more and (not delete or remove(bundle))]
        found.bundles_kept = tuple(str(bundle.path) for bundle in unused if bundle.has_more)
        found.bundles, found.bundles_bytes = len(bundles), sum(bundle.bytes for bundle in bundles)
        return found

    def du(self) -> Usage:
        """What takes space, by kind and by run; see `assay.store.usage.usage`."""
        from assay.store.usage import usage

        return usage(self.store)

    def reindex(self) -> int:
        """Make the index over the runs anew; how many there are."""
        return self.store.catalogue.rebuild()

    def tag(self, run: RunLike, *words: str, remove: bool = False) -> list[str]:
        """Give a run words to be found by, or take them away; the words that stand afterwards. See `assay.project.marking.tag`."""
        return tag(self.store, self.resolve(run), words, remove=remove)

    def note(self, run: RunLike, text: str) -> Mark:
        """Put a text beside a run; see `assay.project.marking.note`."""
        return note(self.store, self.resolve(run), text)

    def remove(self, *runs: RunLike, force: bool = False) -> list[str]:
        """Take runs out of every answer; the ids of those that build on them and stay. See `assay.project.marking.remove`."""
        return remove(self.store, map(self.resolve, runs), force=force)

    def bring_back(self, prefix: str) -> str:
        """Undo `remove` for the run whose id begins so; its id. See `assay.project.marking.bring_back`."""
        return bring_back(self.store, prefix)

    def put_back(self, run: RunLike, paths: Sequence[str] = (), *, dry_run: bool = False) -> PutBack:
        """The code of a run, or the files and folders named, back in the project itself, so that nothing is lost.

        What would be overwritten is kept first; `undo(back)` leads back. Other files stay as they are, those that the run did not have
        included. With `dry_run` nothing is touched.

        Args:
            run: whose code, artifacts and kept inputs.
            paths: relative to the root, or to the working directory; empty: all code, and no artifacts.
            dry_run: only say what would happen.

        Raises:
            InvalidValue: a path leads through a link out of the project, into `.git` or into the store; or something stands in the way.
            MissingContent: the run has no code tree, or no such file, or it was not kept.
            InputChanged: a file was changed meanwhile.
            StoreUnusable: the folder or the store cannot be written.
        """
        found = self.resolve(run)
        chosen = choose(self.store, found, paths, root=self.root, cwd=Path.cwd())
        planned = plan(self.store, self.root, chosen.files)
        back = None if dry_run else carry_out(self.store, planned, run=found.id)
        return PutBack(planned.root, planned.steps, planned.unchanged, back, chosen.outside)

    def undo(self, which: str = "last", *, dry_run: bool = False) -> PutBack:
        """What stood there before files were put back, back again; what came instead is kept first, so that this too can be undone.

        Args:
            which: what `put_back` or `undo` gave as `back`, the first digits of it, or "last".
            dry_run: only say what would happen.

        Raises:
            InvalidValue: there is no such restoration; and as for `put_back`.
            MissingContent, InputChanged, StoreUnusable: as for `put_back`.
        """
        record, planned = undo_plan(self.store, which)
        back = None if dry_run else carry_out(self.store, planned, run=record.run)
        return PutBack(planned.root, planned.steps, planned.unchanged, back)

    def module_path(self, run: RunLike, restored: Path) -> list[str]:
        """Folders of a restored run to put on PYTHONPATH: they hold the code that it imported from beyond the project, if it did."""
        loaded = self._loaded(self.resolve(run))
        if loaded is None:
            return []
        trace, environment = loaded
        packages = packages_in(self.store, environment)
        return restored_folders(trace, environment, packages, restored)

    def _loaded(self, run: Run) -> tuple[Trace, Environment] | None:
        if run.result is None or run.result.trace is None:
            return None
        seen = run.result.environment or run.start.environment
        environment = self.store.objects.record(seen, Environment) if seen else Environment()
        return self.store.objects.record(run.result.trace, Trace), environment


def runs(
    where: str | None = None,
    sort: str = "-started",
    limit: int | None = None,
    *,
    variants: bool = False,
    path: str | Path | None = None,
) -> Runs:
    """The runs of the project that `path` (the working directory) lies in; see `Project.runs`.

    >>> runs("metrics.loss < .3").to_pandas()  # doctest: +SKIP
    """
    return Project.open(path).runs(where, sort, limit, variants=variants)
