"""A run: one recipe carried out once. `Start` is written before it, `Result` once after it; `Run` is the two read back together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from assay.records.canonical import Record
from assay.records.environment import Determinism
from assay.records.finding import Fidelity, Finding

State = Literal["queued", "running", "finished", "failed", "interrupted", "crashed"]


HEARTBEAT = 30.0
"""Seconds between signs of life that readers on other hosts may expect of a run."""


class Host(Record, frozen=True, kw_only=True):
    """Which process carries the run out, so that any reader can tell whether it still lives.

    Attributes:
        name: host name.
        boot: kernel boot id; differs after a restart of the machine.
        namespace: PID namespace, since containers share host names and reuse process ids.
        pid: process id.
        started: start time of the process in clock ticks since boot, since process ids are reused.
    """

    name: str = ""
    boot: str = ""
    namespace: str = ""
    pid: int = 0
    started: int = 0


class Parent(Record, frozen=True, kw_only=True):
    """A run this one builds on: "read" (it read a file the parent wrote), "resume", "reproduction", "prepare"; `path` for files."""

    run: str
    by: str
    path: str = ""


class TrialOf(Record, frozen=True, kw_only=True):
    """The place of a trial in its study: configuration name, levels of the factors that differ from the baseline, block, index.

    `call` is the id of the object that holds a function trial's function and configuration, as they were shipped to it; `split` the split
    or fold that it was given. `side` says that the study serves a question about another one, as `assay sensitivity` asks it.
    """

    study: str
    configuration: str
    levels: dict[str, str] = {}
    block: int = 0
    index: int = 0
    call: str | None = None
    split: int | str | None = None
    side: bool = False

    LATER: ClassVar[Mapping[str, object]] = {"split": None, "side": False}


class Git(Record, frozen=True, kw_only=True):
    """Where the working tree stood: commit (None before the first), branch (None when detached), and whether files differed from it."""

    commit: str | None = None
    branch: str | None = None
    dirty: bool = False


class Start(Record, frozen=True, kw_only=True, tag_field="assay", tag="start/1"):
    """What is known when a run starts. Written whole before the run becomes visible.

    Attributes:
        id: 16 characters of a-z and 2-7 (80 random bits): a run is an event, so its id is not made of content.
        recipe: id of the recipe.
        started: seconds since 1970, UTC.
        command: arguments as they were typed, secrets redacted; for a live process, its own command line.
        cwd: absolute working directory.
        root: absolute project root.
        trial: set where the run is a trial of a study.
        heartbeat: seconds between signs of life that readers on other hosts may expect.
        git: state of the repository that holds the root; None outside git.
        left_out: files that the code tree left out, with the reason.
    """

    id: str
    recipe: str
    name: str = ""
    tags: tuple[str, ...] = ()
    parents: tuple[Parent, ...] = ()
    trial: TrialOf | None = None
    started: float = 0.0
    command: tuple[str, ...] = ()
    cwd: str = ""
    root: str = ""
    user: str = ""
    host: Host = Host()
    environment: str | None = None
    heartbeat: float = HEARTBEAT
    git: Git | None = None
    left_out: dict[str, str] = {}


class Metric(Record, frozen=True, kw_only=True):
    """Summary of one metric's series. NaN counts as a value: `last` is the last logged, and `n` counts every point.

    `minimum` and `maximum` are over the values that are not NaN (NaN where there is none); `mean` is NaN where any value is.
    `measured` marks what Assay measured or the user said is a measurement (time, memory): it is never part of sameness.
    """

    last: float
    minimum: float
    maximum: float
    mean: float
    n: int = 1
    step: int | None = None
    measured: bool = False
    source: str = "log"


class Resources(Record, frozen=True, kw_only=True):
    """What the run used: seconds of wall and CPU time (children counted), peak resident bytes of its largest process, GPU where seen."""

    wall: float = 0.0
    cpu_user: float = 0.0
    cpu_system: float = 0.0
    peak_memory: int = 0
    gpu_peak_memory: int | None = None
    gpu_utilisation: float | None = None


class Failure(Record, frozen=True, kw_only=True):
    """An exception that ended a run or a trial: its type, text and traceback."""

    kind: str
    text: str
    traceback: str = ""


class Result(Record, frozen=True, kw_only=True, tag_field="assay", tag="result/1"):
    """What came of a run. Written once, at its end; its absence is how a crash is seen.

    Attributes:
        state: "finished" (exit 0), "failed", or "interrupted" (SIGINT, SIGTERM or KeyboardInterrupt).
        exit_code: of the command; None for a live process.
        signal: number of the signal that ended it.
        metrics: name to summary.
        params: parameters that were given or parsed from arguments; those of the recipe included.
        trace: id of the `Trace` record.
        environment: id of the `Environment` record as it was seen by the end.
        output: stream ("stdout", "stderr", "terminal") to the id of its whole content.
    """

    state: State
    ended: float
    exit_code: int | None = None
    signal: int | None = None
    metrics: dict[str, Metric] = {}
    params: dict[str, Any] = {}
    trace: str | None = None
    environment: str | None = None
    determinism: Determinism = Determinism()
    resources: Resources = Resources()
    output: dict[str, str] = {}
    parents: tuple[Parent, ...] = ()
    fidelity: Fidelity = Fidelity()
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None


class Run(Record, frozen=True, kw_only=True):
    """A run as a reader sees it: its start, its result where there is one, and the state that follows from both and the host."""

    start: Start
    state: State
    result: Result | None = None

    @property
    def id(self) -> str:
        """The run's id."""
        return self.start.id

    @property
    def metrics(self) -> dict[str, float]:
        """Last value of every metric; empty until the run has ended."""
        return {name: metric.last for name, metric in self.result.metrics.items()} if self.result else {}

    @property
    def params(self) -> dict[str, Any]:
        """Parameters; empty until the run has ended (before, the recipe has them)."""
        return dict(self.result.params) if self.result else {}

    @property
    def parents(self) -> tuple[Parent, ...]:
        """Runs this one builds on, known before or found by its end."""
        return self.start.parents + (self.result.parents if self.result else ())
