"""Trials of a diagnosis: the script carried out with sources held or varied, each in a folder that the next one has again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from assay.comparison.verdict import compare
from assay.execution.again import Terms, carry_out, read_original
from assay.execution.again.inputs import born
from assay.questions.doctor.levels import Levels, held, other, shown_levels, with_levels
from assay.questions.doctor.places import Place, Places, read_places, variables
from assay.questions.doctor.sources import FOLDER, HASH_SEED, THREADS
from assay.records.environment import Environment
from assay.records.run import Run
from assay.records.verdict import Verdict
from assay.store.process import owned_name
from assay.store.store import Store

Say = Callable[[str], None]


class Trials:
    """Carries out the script under levels of the sources, and compares; counts the runs.

    Args:
        store: has the first run, and gets the others.
        root: the project.
        first: the run of the script as it is.
        timeout: seconds after which a run is ended; None for never.
        say: is told of each run before it starts.

    Attributes:
        runs: how many there were, the first one counted.
        places: where the program used which source; None where it was not watched.
        alike: how many runs had the result that they were compared with.
    """

    def __init__(self, store: Store, root: Path, first: Run, timeout: float | None, say: Say) -> None:
        self.store = store
        self._root = root
        self._original = read_original(store, first)
        self._timeout = timeout
        self._say = say
        self._folders: dict[int, str] = {}
        self.runs = 1
        self.alike = 0
        self.places: Places | None = None
        self._unset: list[str] = []
        self.environment: Environment = self._original.environment
        self.natural = {THREADS: self._threads(), HASH_SEED: int(self._hash_seed or 0)}

    def _threads(self) -> int:
        given = self._original.recipe.threads.get("OMP_NUM_THREADS", "").partition(",")[0]
        return int(given) if given.isdigit() else self.environment.hardware.cpus

    @property
    def _hash_seed(self) -> str:
        given = self._original.recipe.flags.get("PYTHONHASHSEED", "")
        return given if given.isdigit() else ""

    @property
    def fixes_hash_seed(self) -> bool:
        """Whether the user has fixed the hash seed."""
        return bool(self._hash_seed)

    def run(self, levels: Levels, *, watch: bool = False) -> Run:
        """The script, carried out with these levels in a folder that all trials of one level of the folder share.

        Raises:
            InputChanged, MissingContent, StoreUnusable, KeyboardInterrupt: as `assay.execution.again.carry_out`.
        """
        self.runs += 1
        name = "watched" if watch else shown_levels(levels)
        self._say(f"run {self.runs}: {name}")
        # Temporary files have a folder that is empty each time: one that is left behind would make the next name another.
        with tempfile.TemporaryDirectory(prefix="assay-doctor-") as aside:
            above = Path(tempfile.gettempdir()) / self._folder(levels)
            reports = Path(aside)
            try:
                above.mkdir()
                variant = with_levels(self._original, levels, watch)._replace(
                    variables={
                        "ASSAY_PROBE_REPORT": str(reports),
                        "ASSAY_PROBE_WITHOUT": " ".join(self._unset),
                        "TMPDIR": str(above),
                    }
                )
                run = carry_out(self.store, self._root, variant, self._terms(name, levels))
            finally:
                shutil.rmtree(above, ignore_errors=True)
            if watch:
                self.places = read_places(reports, run.start.root)
                self._unset = variables(self.places or {})
        if run.state != "finished" and "host" in levels and self._unset:
            self._unset = []  # it needs one of the variables that it reads: an input, and no accident of the machine
            return self.run(levels)
        return run

    def _folder(self, levels: Levels) -> str:
        return self._folders.setdefault(levels.get(FOLDER, 1), owned_name())

    def _terms(self, name: str, levels: Levels) -> Terms:
        return Terms(
            f"doctor: {name}", by="variant", timeout=self._timeout, relay=False, tags=("doctor",), place=self._folder(levels)
        )

    def compare(self, reference: Run, run: Run) -> Verdict:
        """Whether `run` has the result of `reference`."""
        verdict = compare(self.store, reference, run)
        self.alike += verdict.verdict == "identical"
        return verdict

    def wrote_to_old_files(self, first: Run) -> bool:
        """Whether the first run wrote to files of the project that were there before it."""
        written = (use.path for use in self._original.trace.written if not use.path.startswith("/"))
        return any(born(self._root / path) < first.start.started for path in written)

    def moves(self, reference: Run, run: Run) -> bool:
        """Whether `run` has another result than `reference`."""
        return self.compare(reference, run).verdict != "identical"

    def varied(self, name: str, levels: Levels) -> dict[str, int]:
        """`levels` with one source at another level."""
        return other(name, levels, self.environment.hardware, self.natural)

    def held(self, names: set[str]) -> dict[str, int]:
        """Those of these sources that can be held, at a fixed level."""
        return held(names)

    def seen_at(self, name: str) -> tuple[Place, ...]:
        """Where the program used a source."""
        return (self.places or {}).get(name, ())
