"""Every error that Assay raises, drawn as one tree.

    AssayError
    ├── UsageError            exit 2: the request cannot be right as it was written
    │   ├── InvalidValue          an argument, option or setting has a value that cannot be used
    │   ├── UnknownRun            no run answers to this id, prefix, name or selector
    │   ├── AmbiguousRun          several runs answer to this prefix or name
    │   ├── UnknownMetric         no run or trial reported a metric of this name
    │   ├── UnknownParameter      a component sets a key that the configuration does not have
    │   ├── InvalidStudy          a study or its file contradicts itself, or has a key that nothing reads
    │   ├── CommandNotFound       the command to run does not exist (exit 127 from `assay run`)
    │   └── MissingContent        content that the request needs is not in this store
    └── BrokenError           exit 3: the request was right, something under it is not
        ├── StoreUnusable         the store's folder cannot be made, read or written (full disk included)
        ├── StoreTooNew           a newer Assay wrote this store or record
        ├── StoreDamaged          stored bytes do not have the content that their id promises
        ├── RemoteUnusable        a remote cannot be reached, read or written, or is none
        ├── TargetUnusable        the folder that files are put into cannot be written (full disk included)
        ├── InputChanged          an observed input no longer has the content that was recorded
        ├── EnvironmentUnavailable  an environment cannot be had as it was recorded: a package or a Python is gone
        │   └── PackagesConflict      these versions of packages do not go together
        ├── ExecutorUnusable      what should start trials elsewhere is not there, refuses, or its jobs end at once
        └── TrialsFailed          the trials that an answer needs did not finish

Each error carries four fields beside its text: ``problem`` (what is wrong, in a clause), ``value`` (what was given), ``expected``
(what would have been right) and ``next_step`` (what to do). The text is made of them, so none can be forgotten.
"""

from __future__ import annotations

from typing import ClassVar


class AssayError(Exception):
    """What went wrong, in fields.

    Args:
        problem: a clause that says what is wrong, without a full stop.
        value: what was given, shown as `repr` where it is not text.
        expected: what would have been right.
        next_step: what the user can do now, as a sentence.

    >>> print(UnknownRun("no run has this id", value="abc", next_step="`assay ls` lists the runs."))
    no run has this id: 'abc'. `assay ls` lists the runs.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3

    def __init__(self, problem: str, *, value: object = None, expected: str = "", next_step: str = "") -> None:
        self.problem = problem
        self.value = value
        self.expected = expected
        self.next_step = next_step
        super().__init__(self._sentence())

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only fields do not survive the default pickling of exceptions, and trials send errors between processes.
        return _rebuild, (type(self), self.problem, self.value, self.expected, self.next_step)

    def _sentence(self) -> str:
        text = self.problem
        if self.value is not None:
            text += f": {self.value!r}"
        if self.expected:
            text += f"; expected {self.expected}"
        text += "."
        return f"{text} {self.next_step}" if self.next_step else text


def _rebuild(kind: type[AssayError], problem: str, value: object, expected: str, next_step: str) -> AssayError:
    return kind(problem, value=value, expected=expected, next_step=next_step)


class UsageError(AssayError):
    """The request cannot be right as it was written."""

    code = "usage"
    exit_code = 2


class InvalidValue(UsageError):
    """An argument, option or setting has a value that cannot be used."""

    code = "invalid_value"


class UnknownRun(UsageError):
    """No run answers to this id, prefix, name or selector."""

    code = "unknown_run"


class AmbiguousRun(UsageError):
    """Several runs answer to this prefix or name."""

    code = "ambiguous_run"


class UnknownMetric(UsageError):
    """No run or trial reported a metric of this name."""

    code = "unknown_metric"


class UnknownParameter(UsageError):
    """A component sets a key that the configuration does not have."""

    code = "unknown_parameter"


class InvalidStudy(UsageError):
    """A study or its file contradicts itself, or has a key that nothing reads."""

    code = "invalid_study"


class PatchConflict(InvalidStudy):
    """Two patches change the same lines, so that one of them cannot be made beside the other."""

    code = "patch_conflict"


class NoWinner(InvalidStudy):
    """No change of a study clearly helps, so the next study would be the same."""

    code = "no_winner"


class CommandNotFound(UsageError):
    """The command to run does not exist, or may not be executed."""

    code = "command_not_found"


class MissingContent(UsageError):
    """Content that the request needs is not in this store."""

    code = "missing_content"


class BrokenError(AssayError):
    """The request was right, something under it is not."""

    code = "broken"
    exit_code = 3


class StoreUnusable(BrokenError):
    """The store's folder cannot be made, read or written."""

    code = "store_unusable"


class StoreTooNew(BrokenError):
    """A newer Assay wrote this store or record."""

    code = "store_too_new"


class StoreDamaged(BrokenError):
    """Stored bytes do not have the content that their id promises."""

    code = "store_damaged"


class RemoteUnusable(BrokenError):
    """A remote cannot be reached, read or written, or is none."""

    code = "remote_unusable"


class TargetUnusable(BrokenError):
    """The folder that files are put into cannot be written."""

    code = "target_unusable"


class InputChanged(BrokenError):
    """An observed input no longer has the content that was recorded."""

    code = "input_changed"


class EnvironmentUnavailable(BrokenError):
    """An environment cannot be had as it was recorded: a package or a Python is gone, or what builds it is missing."""

    code = "environment_unavailable"


class PackagesConflict(EnvironmentUnavailable):
    """These versions of packages do not go together, or with this Python."""

    code = "packages_conflict"


class ExecutorUnusable(BrokenError):
    """What should start trials elsewhere is not there, refuses, or its jobs end at once."""

    code = "executor_unusable"


class TrialsFailed(BrokenError):
    """The trials that an answer needs did not finish."""

    code = "trials_failed"
