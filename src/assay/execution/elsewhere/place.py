"""What starts jobs on other machines: a scheduler, as the pool of trials sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from assay.execution.elsewhere.meeting import Invitation


class Sighting(NamedTuple):
    """What a scheduler says of a job.

    Attributes:
        state: in the scheduler's own word, "PENDING" or "OUT_OF_MEMORY".
        ended: it runs no more, and will not.
        node: machine that it ran on; empty where it never did.
        reason: why, where the scheduler says it.
        exit_code: of what it ran; None where that is not known.
        timed_out: it was ended by its limit of time.
    """

    state: str
    ended: bool
    node: str = ""
    reason: str = ""
    exit_code: int | None = None
    timed_out: bool = False

    @property
    def words(self) -> str:
        """State and reason, as the scheduler has them."""
        return f"{self.state} ({self.reason})" if self.reason else self.state


class Place(Protocol):
    """Starts keepers elsewhere.

    Duties: a job runs one keeper, with the user's interpreter; nothing secret reaches a command line; a job that has ended is said to
    have ended, with the scheduler's reason; `cancel` is silent about jobs that have ended already.
    """

    name: str
    """What messages call it."""

    def submit(self, invitation: Invitation) -> str:
        """The id of a new job, whose keeper comes to the invitation once the job runs.

        Raises:
            ExecutorUnusable: the scheduler is not there, or refuses.
        """
        ...

    def look(self, jobs: Sequence[str]) -> dict[str, Sighting]:
        """What is known of these jobs now; one of which nothing can be learned at this moment is left out."""
        ...

    def cancel(self, jobs: Sequence[str]) -> None:
        """These jobs end, whatever they do."""
        ...

    def said(self, job: str, folder: Path) -> str:
        """The end of what the keeper of a job printed, as far as it can be read here."""
        ...

    def leave(self) -> None:
        """No job will be asked for any more."""
        ...


def output_of(folder: Path, job: str) -> Path:
    """File in the meeting's folder for what the keeper of a job prints."""
    return folder / f"job-{job}.txt"


def printed(folder: Path, job: str) -> str:
    """The end of it, as far as it can be read here."""
    try:
        return output_of(folder, job).read_text(encoding="utf-8", errors="replace")[-2000:].strip()
    except OSError:
        return ""
