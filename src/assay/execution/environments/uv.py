"""uv as this package uses it: where it is, what it is told, and why it refused."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from assay.capture.secrets import redact
from assay.errors import EnvironmentUnavailable
from assay.execution.environments.pip_settings import uv_environment, uv_options

_LONGEST: Final = 900  # characters of a reason: uv may name every version there ever was


class Answer(NamedTuple):
    """What uv said: its standard output, and where it refused, why, in one line without secrets."""

    output: str
    refusal: str | None


class Uv(NamedTuple):
    """A uv that finds packages where the user's pip would.

    Attributes:
        program: absolute path.
        env: its environment variables.
        options: of commands that look for packages.
    """

    program: str
    env: dict[str, str]
    options: tuple[str, ...]

    def ask(self, *arguments: str | Path, text: str = "") -> Answer:
        """Run `uv ARGUMENTS` with `text` on standard input.

        It runs in the folder for temporary files, where no project's own settings of uv are met.

        Raises:
            EnvironmentUnavailable: uv cannot be started.
        """
        try:
            done = subprocess.run(
                [self.program, *map(str, arguments)],
                env=self.env,
                cwd=tempfile.gettempdir(),
                input=text,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise EnvironmentUnavailable(
                f"uv cannot be started ({error.strerror or error})",
                value=self.program,
                expected="an executable uv",
                next_step=_INSTALL,
            ) from error
        return Answer(done.stdout, None if done.returncode == 0 else _reason(done.stderr))

    def find(self, *arguments: str | Path, text: str = "") -> Answer:
        """`ask` for a command of `uv pip` that looks for packages."""
        return self.ask("pip", *arguments, *self.options, text=text)


def find_uv(environ: Mapping[str, str] | None = None, indexes: Sequence[str] = ()) -> Uv:
    """The uv beside Assay, else the one on PATH; `indexes` are further ones to look in.

    Raises:
        EnvironmentUnavailable: there is none; the message says how to get it.
    """
    env = os.environ if environ is None else environ
    program = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv", path=env.get("PATH", os.defpath))
    if program is None:
        raise EnvironmentUnavailable(
            "environments are built with uv, which is not here",
            value="uv",
            expected="uv beside Assay or on PATH",
            next_step=_INSTALL,
        )
    return Uv(program, uv_environment(env, indexes), uv_options(env))


_INSTALL: Final = "Install it with `pip install uv` where Assay is installed, or put uv on PATH."


def _reason(said: str) -> str:
    """The cause in what uv said on standard error, without its progress, advice and drawing."""
    lines = [re.sub(r"^\s*(?:[×│├╰─▶]+\s*)*(?:error: |cause: )?", "", line).strip() for line in said.splitlines()]
    kept: list[str] = []
    for line in lines:
        if line.startswith(("hint:", "help:")):
            break
        if line and not line.startswith(("Using ", "Resolved ", "Prepared ", "warning:", "No solution found")):
            kept.append(line)
    text = " ".join(kept).removesuffix(", we can conclude that your requirements are unsatisfiable.")
    text = redact(text)[0] or "uv gave no reason"
    return text if len(text) <= _LONGEST else text[: _LONGEST // 2] + " … " + text[-_LONGEST // 2 :]
