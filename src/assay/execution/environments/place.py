"""Where environments stand: in the user's cache, each whole or not there at all, built by many processes at once without a lock.

Scripts and `pyvenv.cfg` name their own folder, so an environment cannot be built aside and renamed. It is built in the folder that it
stays in, and is there for others from the moment that a file beside it names that folder.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from assay.capture.stat_cache import cache_folder
from assay.records.environment import Packages
from assay.records.finding import Finding
from assay.store.process import owned_name, surely_dead


class Whole(msgspec.Struct, frozen=True):
    """An environment that is whole.

    Attributes:
        folder: its name in the place.
        installed: what its interpreter could import when it was made.
        findings: what is not as it was recorded.
    """

    folder: str
    installed: Packages
    findings: tuple[Finding, ...]


class Place:
    """All builds of one environment: `whole.json` names the one that counts.

    Args:
        digest: of everything that the environment is made from.
    """

    def __init__(self, digest: str) -> None:
        self.path = Path(cache_folder()) / "environments" / digest

    def whole(self) -> Whole | None:
        """The environment that counts; None where there is none yet, or its record cannot be read."""
        try:
            return msgspec.json.decode((self.path / "whole.json").read_bytes(), type=Whole)
        except (OSError, msgspec.MsgspecError):
            return None

    @contextmanager
    def building(self) -> Iterator[Path]:
        """A name for a new folder in the place; what is built there is gone unless `publish` was called for it.

        Who builds is written beside the folder before it is made, so that what a kill leaves is known to be nobody's.

        Raises:
            OSError: the cache folder cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        _remove_left(self.path.parent)
        folder = self.path / secrets.token_hex(4)
        mark = folder.with_suffix(".building")
        mark.symlink_to(owned_name())
        try:
            yield folder
        finally:
            known = self.whole()
            if known is None or known.folder != folder.name:
                shutil.rmtree(folder, ignore_errors=True)
            mark.unlink(missing_ok=True)

    def publish(self, whole: Whole, instead_of: Whole | None) -> None:
        """Make an environment the one that counts, unless another process was first: afterwards `whole` gives one that is.

        Args:
            whole: what was built.
            instead_of: one that is damaged, and must not stay.

        Raises:
            OSError: the cache folder cannot be written.
        """
        aside = self.path / f"{whole.folder}.json"
        aside.write_bytes(msgspec.json.encode(whole))
        try:
            if instead_of is not None and self.whole() == instead_of:
                aside.replace(self.path / "whole.json")
                shutil.rmtree(self.path / instead_of.folder, ignore_errors=True)
                return
            # A link, unlike a renamed file, does not take the place of one that is there.
            os.link(aside, self.path / "whole.json")
        except FileExistsError:
            return
        finally:
            with suppress(FileNotFoundError):
                aside.unlink()


def _remove_left(environments: Path) -> None:
    """Remove what killed builds left, of any environment: most are never asked for again."""
    for mark in environments.glob("*/*.building"):
        with suppress(OSError):  # another process removes it at the same time
            if surely_dead(str(mark.readlink())):
                folder = mark.with_suffix("")
                known = Place(mark.parent.name).whole()
                # It may have been killed between the moment from which its build counts and the removal of its mark.
                if known is None or known.folder != folder.name:
                    shutil.rmtree(folder, ignore_errors=True)
                    folder.with_suffix(".json").unlink(missing_ok=True)
                mark.unlink()
