"""Slurm: each server of trials is a job."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from assay.errors import ExecutorUnusable, InvalidValue
from assay.execution.elsewhere.keeper import keeper_command
from assay.execution.elsewhere.meeting import Invitation
from assay.execution.elsewhere.place import Sighting, output_of, printed

_ENDED = frozenset(
    ("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT")
)
_LOST = Sighting("UNKNOWN", ended=True, reason="Slurm does not know it any more")
_UNKNOWN = "Invalid job id"
_OURS = (
    *("--array", "-a", "--wrap", "--output", "-o", "--export", "--parsable", "--test-only", "--wait", "-W", "--chdir", "-D"),
    *("--clusters", "-M"),
)
"""Options of `sbatch` that a user may not give, since a job would then not be the one that is waited for."""
_PATIENCE = 120.0
"""Seconds that Slurm may take for an answer: a busy controller is slow."""


class Slurm:
    """Jobs of `sbatch`.

    Args:
        options: further ones for `sbatch`, such as "--partition=gpu --time=2:00:00 --gres=gpu:1".

    Raises:
        InvalidValue: the options cannot be read, or would change what is submitted.

    >>> Slurm("--time=10 train.sh")
    Traceback (most recent call last):
    assay.errors.InvalidValue: this is no option of sbatch: 'train.sh'; expected options alone, such as --partition=gpu --time=2:00:00.
    """

    name = "Slurm"

    def __init__(self, options: str | Sequence[str] = "") -> None:
        self._options = _read(options)

    def submit(self, invitation: Invitation) -> str:
        """The id of a new job.

        Raises:
            ExecutorUnusable: there is no Slurm here, or it refuses.
        """
        # What enters the job's environment are names alone: values would stand in a command line that everyone can read.
        ours = ["--parsable", "--no-requeue", "--chdir=/", "--export=HOME,USER,LOGNAME,PATH,LD_LIBRARY_PATH"]
        output = f"--output={output_of(Path(invitation.folder), '%j')}"
        script = f"#!/bin/sh\nexec {shlex.join(keeper_command(invitation, 'SLURM_JOB_ID'))}\n"
        done = _ask("sbatch", "--job-name=assay", *self._options, *ours, output, script=script)
        job = done.stdout.strip().partition(";")[0]
        if done.returncode or not job.isdecimal():
            raise ExecutorUnusable(
                "Slurm refuses the job",
                value=(done.stderr or done.stdout).strip(),
                next_step="Change the options for sbatch, or ask `sinfo` and `squeue` what Slurm can take.",
            )
        return job

    def look(self, jobs: Sequence[str]) -> dict[str, Sighting]:
        """What Slurm says of these jobs; nothing where it cannot be reached just now."""
        done = _ask("squeue", "--noheader", "--states=all", "--format=%i|%T", f"--jobs={','.join(jobs)}")
        if done.returncode and _UNKNOWN not in done.stderr:
            return {}
        states = dict(line.strip().split("|", 1) for line in done.stdout.splitlines() if "|" in line)
        return {job: self._closely(job) if states.get(job, "") in ("", *_ENDED) else Sighting(states[job], False) for job in jobs}

    def cancel(self, jobs: Sequence[str]) -> None:
        """These jobs end."""
        if jobs:
            _ask("scancel", *jobs)

    def said(self, job: str, folder: Path) -> str:
        """The end of what the job printed, as far as it can be read here."""
        return printed(folder, job)

    def leave(self) -> None:
        """Nothing is kept of Slurm."""

    def _closely(self, job: str) -> Sighting:
        """Of a job that has ended, what `squeue` does not tell: its exit code."""
        done = _ask("scontrol", "show", "job", job, "--oneliner")
        fields = dict(word.split("=", 1) for word in done.stdout.split() if "=" in word)
        state = fields.get("JobState", "")
        if state not in _ENDED:
            return _LOST
        code, _, number = fields.get("ExitCode", "").partition(":")
        reason = "" if fields.get("Reason", "None") in ("None", state, "NonZeroExitCode") else fields["Reason"]
        if state == "FAILED":
            reason = f"signal {number}" if number not in ("", "0") else f"exit code {code}"
        node = fields.get("BatchHost", fields.get("NodeList", ""))
        return Sighting(
            state, True, node.replace("(null)", ""), reason, int(code) if code.isdecimal() else None, state == "TIMEOUT"
        )


def _read(options: str | Sequence[str]) -> list[str]:
    try:
        words = shlex.split(options) if isinstance(options, str) else [str(word) for word in options]
    except ValueError as error:
        raise InvalidValue(
            f"the options for sbatch cannot be read ({error})", value=options, expected="words as a shell has them"
        ) from error
    before = ""
    for word in words:
        # A word that no option can have taken as its value would be the script that is submitted, in place of Assay's own.
        if not word.startswith("-") and (not before.startswith("-") or "=" in before):
            raise InvalidValue(
                "this is no option of sbatch", value=word, expected="options alone, such as --partition=gpu --time=2:00:00"
            )
        if _is_ours(word):
            raise InvalidValue("this option of sbatch is set by Assay", value=word, expected="other options")
        before = word
    return words


def _is_ours(word: str) -> bool:
    """Also abbreviated, as `sbatch` allows, and with the value of a short option behind it."""
    if word.startswith("--"):
        name = word.partition("=")[0]
        return len(name) > 3 and any(ours.startswith(name) for ours in _OURS)
    return word[:2] in _OURS


def _ask(program: str, *words: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [program, *words],
            input=script,
            stdin=subprocess.DEVNULL if script is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_PATIENCE,
            start_new_session=True,  # Ctrl-C is for the study, which then ends its jobs
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise ExecutorUnusable(
            "there is no Slurm here",
            value=program,
            expected=f"the command {program} in PATH",
            next_step="Start the study on a machine from which jobs are submitted, or run it with the executor local.",
        ) from None
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess([program], 1, "", f"{program} did not answer within {_PATIENCE:.0f} s")
