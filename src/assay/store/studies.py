"""Studies: what was asked, written before the first trial and never again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from assay.errors import InvalidStudy, StoreDamaged
from assay.records.canonical import Record, canonical, decode, digest
from assay.store.failures import using
from assay.store.objects import write_new
from assay.store.process import discard, owned_name

R = TypeVar("R", bound=Record)


class Studies:
    """The studies of one store: `studies/ID/definition`, the id being that of the definition's canonical bytes.

    Args:
        store: the store's folder; `studies/` and `tmp/` in it exist.
    """

    def __init__(self, store: Path) -> None:
        self._folder = store / "studies"
        self._aside = store / "tmp"

    def put(self, definition: Record) -> str:
        """The id of a study, whose definition is in the store afterwards; putting it again changes nothing.

        Raises:
            InvalidValue: the definition has no canonical form.
            StoreUnusable: it cannot be written.
        """
        data = canonical(definition)
        study_id = digest(data)
        path = self._folder / study_id / "definition"
        with using(path):
            if not path.exists():
                aside = self._aside / owned_name()
                try:
                    write_new(str(aside), data)
                    path.parent.mkdir(exist_ok=True)
                    aside.rename(path)
                finally:
                    discard(aside)
        return study_id

    def get(self, study_id: str, kind: type[R]) -> R:
        """The definition of a study.

        Args:
            study_id: its id or a unique prefix of it.
            kind: the type of the definition.

        Raises:
            InvalidStudy: no study has this id, or several have this prefix.
            StoreTooNew: a newer Assay wrote it.
            StoreDamaged: the stored bytes are others.
            StoreUnusable: it cannot be read.
        """
        whole = self.resolve(study_id)
        path = self._folder / whole / "definition"
        with using(path):
            data = path.read_bytes()
        if digest(data) != whole:
            raise StoreDamaged("a study's definition was changed", value=str(path), expected=f"bytes whose BLAKE3 is {whole}")
        return decode(data, kind)

    def sealed_at(self, study_id: str) -> float:
        """When the definition was written here, in seconds since 1970; 0 where there is none."""
        return _written(str(self._folder / study_id))

    def resolve(self, study_id: str) -> str:
        """The whole id that a unique prefix stands for.

        Raises:
            InvalidStudy: no study has it, or several have.
            StoreUnusable: the folder cannot be read.
        """
        known = self.ids()
        found = [known_id for known_id in known if study_id and known_id.startswith(study_id)]
        if len(found) == 1:
            return found[0]
        shown = ", ".join(candidate[:12] for candidate in (found or known)[:6])
        raise InvalidStudy(
            "several studies have this prefix" if found else "no study has this id",
            value=study_id,
            expected=f"one of {shown}" if shown else "a study that was run here",
            next_step="`assay study ls` lists the studies.",
        )

    def ids(self) -> list[str]:
        """Ids of all studies, the newest first.

        Raises:
            StoreUnusable: the folder cannot be read.
        """
        with using(self._folder), os.scandir(self._folder) as folders:
            written = [(_written(folder.path), folder.name) for folder in folders]
        return [name for when, name in sorted(written, reverse=True) if when]


def _written(folder: str) -> float:
    """When the definition was written, in seconds since 1970; 0 where a study has none yet."""
    try:
        return os.stat(f"{folder}/definition").st_mtime  # noqa: PTH116 - one call for each study
    except (FileNotFoundError, NotADirectoryError):
        return 0.0
