"""Files of the project that commands need beside the code, named by the user, seen in earlier runs, or found out by a failure."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from assay.errors import MissingContent
from assay.execution.reuse import Reuse, content_now
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import Trace
from assay.store.store import Store

_FORMER = 20
"""Earlier runs of the same program whose inputs are looked at."""
_FILES = 20_000
"""Files that one folder may add to a trial's own."""
_QUOTED = re.compile(r"""['"`]([^'"`\n]{1,400})['"`]|([^\s'"`:,;()\[\]]{1,400})""")


class Needed:
    """Files of the project that trials need beside the code, with the content that they had when they were first needed.

    Args:
        root: the project.
        cwd: where commands run; what they name is relative to it.
        code: files of the code tree, which every trial has.

    Attributes:
        root: the project.
        files: relative path to content id.
    """

    def __init__(self, root: Path, cwd: Path, code: Iterable[str]) -> None:
        self.root = root
        self._cwd = cwd
        self._code = frozenset(code)
        self._found: set[str] = set()
        self.files: dict[str, str] = {}

    def add(self, paths: Iterable[str], *, required: bool = False) -> list[str]:
        """Add files, and those below folders, given relative to the root; what was new. What lies elsewhere or is code adds nothing.

        Raises:
            MissingContent: `required`, and a path does not exist.
        """
        new = []
        for path in paths:
            whole = Path(os.path.normpath(self.root / path))
            if required and not whole.exists():
                raise MissingContent(
                    "the study names data that does not exist", value=path, expected=f"a file or folder below {self.root}"
                )
            new += [name for file in self._below(whole) if (name := self._add(file)) is not None]
        return new

    def add_missed(self, text: str) -> list[str]:
        """Add what a failed command's last words name and the user's folder has: what was new."""
        words = [quoted or bare for quoted, bare in _QUOTED.findall(text)]
        paths = [os.path.relpath(os.path.normpath(self._cwd / word), self.root) for word in words]
        new = self.add(path for path in dict.fromkeys(paths) if not path.startswith("..") and path != ".")
        self._found.update(new)
        return new

    def add_listed(self, folders: Iterable[str]) -> None:
        """Add all files of folders that a command listed."""
        self._found.update(self.add(folder for folder in folders if not Path(folder).is_absolute()))

    def findings(self, advice: str = "Name it under `data:` to spare that.") -> list[Finding]:
        """What had to be found by running trials again, and what to do about it."""
        if not self._found:
            return []
        shown = ", ".join(sorted(self._found)[:5]) + (f" and {len(self._found) - 5} more" if len(self._found) > 5 else "")
        text = f"Trials were run again with {shown}, which they had missed. {advice}"
        return [Finding(kind="data found", about="data", text=text)]

    def _below(self, whole: Path) -> Iterator[Path]:
        if whole.is_file():
            yield whole
        elif whole.is_dir():
            for count, file in enumerate(file for file in sorted(whole.rglob("*")) if file.is_file()):
                if count >= _FILES:
                    raise MissingContent(
                        "a folder has too many files to give every trial a copy",
                        value=str(whole),
                        expected=f"at most {_FILES:,}",
                        next_step="Name it by its absolute path in the command: it is then used in place.",
                    )
                yield file

    def _add(self, file: Path) -> str | None:
        if not file.is_relative_to(self.root):
            return None
        name = file.relative_to(self.root).as_posix()
        if name in self._code or name in self.files or name.startswith((".git/", ".assay/")):
            return None
        content = content_now(file)
        if content is None:
            return None
        self.files[name] = content
        return name


def inputs_of_former(store: Store, reuse: Reuse, command: tuple[str, ...]) -> list[str]:
    """Paths below the root that earlier runs of the same program were seen to read or to import, be they part of the code or not."""
    program = _program(command)
    return _inputs(store, reuse, lambda recipe: _program(recipe.command)[:2] == program[:2])


def inputs_of_calls(store: Store, reuse: Reuse, function: str) -> list[str]:
    """The same for earlier trials of a function, by the name that recipes have."""
    return _inputs(store, reuse, lambda recipe: recipe.function == function)


def _inputs(store: Store, reuse: Reuse, wanted: Callable[[Recipe], bool]) -> list[str]:
    paths: dict[str, None] = {}
    runs = [run for run in store.catalogue.runs(limit=200) if run.state == "finished" and _is_wanted(store, run, wanted)]
    for run in runs[:_FORMER]:
        trace = reuse.trace(run) or Trace()
        paths |= dict.fromkeys(use.path for use in (*trace.read, *trace.loaded) if not Path(use.path).is_absolute())
    return list(paths)


def _program(command: Sequence[str]) -> tuple[str, ...]:
    """The words up to the first option of the program's own: the interpreter and the script."""
    words: list[str] = []
    for word in command:
        if word.startswith("-") and len(words) > 1:
            break
        words.append(word)
    return tuple(words)


def _is_wanted(store: Store, run: Run, wanted: Callable[[Recipe], bool]) -> bool:
    try:
        return wanted(store.objects.record(run.start.recipe, Recipe))
    except MissingContent:
        return False
