"""How the runs of a study began, each read once however often the study is looked at: a start never changes."""

from __future__ import annotations

from assay.errors import UnknownRun
from assay.records.run import Start
from assay.store.store import Store


class Starts:
    """Starts by the id of their run.

    Args:
        store: has the runs.

    Attributes:
        store: where they are.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._known: dict[str, Start | None] = {}

    def of(self, run: str) -> Start | None:
        """How the run began; None where it has been removed.

        Raises:
            StoreTooNew, StoreDamaged, StoreUnusable: it cannot be read.
        """
        if run not in self._known:
            try:
                self._known[run] = self.store.runs.read(run).start
            except UnknownRun:
                self._known[run] = None
        return self._known[run]
