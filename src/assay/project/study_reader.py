"""Values of a parsed study file, each checked, with the line in every complaint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from assay.errors import InvalidStudy
from assay.project.study_syntax import Lines

T = TypeVar("T", bound=str)


class Reader:
    """What a study file says, key by key.

    Args:
        file: names the file in complaints.
        content, lines: what `assay.project.study_syntax.parse` found in it.

    Attributes:
        content: the whole file.
    """

    def __init__(self, file: Path, content: Mapping[str, Any], lines: Lines) -> None:
        self._file = file
        self.content = content
        self._lines = lines

    def wrong(
        self, problem: str, place: Sequence[str | int], value: object = None, expected: str = "", next_step: str = ""
    ) -> InvalidStudy:
        """An error that says where."""
        line = next((self._lines[part] for part in _outwards(tuple(place)) if part in self._lines), None)
        where = f"{self._file.name}, line {line}" if line else self._file.name
        return InvalidStudy(f"{where}: {problem}", value=value, expected=expected, next_step=next_step)

    def only(self, found: Mapping[str, Any], known: Sequence[str], place: Sequence[str | int], what: str) -> None:
        """Nothing where all keys are known.

        Raises:
            InvalidStudy: one is not.
        """
        for key in found:
            if key not in known:
                near = get_close_matches(str(key), known, n=1)
                raise self.wrong(
                    f"{what} has a key that nothing reads",
                    (*place, key),
                    value=key,
                    expected=f"one of {', '.join(known)}",
                    next_step=f"Did you mean {near[0]!r}?" if near else "",
                )

    def checked(self, value: object, place: Sequence[str | int]) -> dict[str, Any]:
        """The value as a mapping with text keys.

        Raises:
            InvalidStudy: it is no mapping.
        """
        if not isinstance(value, Mapping):
            raise self.wrong(f"{'.'.join(map(str, place))} is no mapping", place, value=value, expected="keys with values")
        return {str(key): item for key, item in value.items()}

    def mapping(self, key: str) -> dict[str, Any]:
        """The mapping of a key of the file; empty where the file does not have it. Raises InvalidStudy where it is none."""
        return self.checked(self.content.get(key) or {}, (key,))

    def lists(self, key: str, called: str, holds: str) -> dict[str, list[str]]:
        """The mapping of a key of the file whose values are lists of names.

        Args:
            key: of the file.
            called: what complaints call one of its entries.
            holds: what the list of an entry is of.

        Raises:
            InvalidStudy: it is no such mapping.
        """
        found = self.mapping(key)
        for name, members in found.items():
            if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
                raise self.wrong(f"{called} {name!r} is no list", (key, name), members, f"a list of {holds}")
        return found

    def sentences(self, key: str) -> list[Any]:
        """The list of a key of the file; empty where the file does not have it. Raises InvalidStudy where it is none."""
        value = self.content.get(key) or []
        if not isinstance(value, list):
            raise self.wrong(f"{key} are no list", (key,), value, "a list of sentences")
        return value

    def text(self, key: str, default: str) -> str:
        """The text of a key of the file. Raises InvalidStudy where it is none."""
        value = self.content.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(f"{key} is no text", (key,), value=value, expected="text")
        return value

    def choice(self, key: str, choices: Sequence[T], problem: str) -> T:
        """What a key of the file chooses; the first of the choices where the file does not have it.

        Args:
            key: of the file.
            choices: what may be chosen, the default first.
            problem: what complaints say of anything else.

        Raises:
            InvalidStudy: it is none of these.
        """
        value = self.content.get(key, choices[0])
        for one in choices:
            if value == one:
                return one
        raise self.wrong(problem, (key,), value, f"{', '.join(choices[:-1])} or {choices[-1]}")


def _outwards(place: tuple[str | int, ...]) -> list[tuple[str | int, ...]]:
    """The place, then what it lies in: the line of a value that is short or missing is that of the key above it."""
    return [place[:length] for length in range(len(place), 0, -1)]
