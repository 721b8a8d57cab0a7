"""Differences of two command lines, argument by argument."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from assay.execution.again import Original
from assay.questions.why.flips import Flip, Variant
from assay.tracking.command import own_arguments, parameters

_OPTION = re.compile(r"--?[A-Za-z_][^\s=]*")
_PAIR = re.compile(r"(?P<name>[+~]{0,2}[A-Za-z_][\w./@-]*)=.*", re.DOTALL)


class Argument(NamedTuple):
    """Words of a command that belong together: an option with its values, a pair, or a loose word."""

    name: str
    words: tuple[str, ...]

    @property
    def value(self) -> str:
        """What stands for its value in a list of differences."""
        first, *rest = self.words
        if rest:
            return " ".join(rest)
        return first.partition("=")[2] if "=" in first else first


def arguments_of(words: Sequence[str]) -> list[Argument]:
    """A program's own arguments in groups; a name that comes again is numbered.

    >>> [tuple(each) for each in arguments_of(["data", "--lr", "0.1", "-v", "model.depth=3"])]
    [('argument 1', ('data',)), ('lr', ('--lr', '0.1')), ('v', ('-v',)), ('model.depth', ('model.depth=3',))]
    """
    groups: list[list[str]] = []
    for word in words:
        head = word.partition("=")[0]
        begins = _OPTION.fullmatch(head) is not None or _PAIR.fullmatch(word) is not None
        if begins or not groups or not groups[-1][0].startswith("-") or "=" in groups[-1][0]:
            groups.append([word])
        else:
            groups[-1].append(word)
    found: list[Argument] = []
    count: dict[str, int] = {}
    for group in groups:
        name = _name(group[0])
        count[name] = count.get(name, 0) + 1
        numbered = f"argument {count[name]}" if not name else name if count[name] == 1 else f"{name} ({count[name]})"
        found.append(Argument(numbered, tuple(group)))
    return found


def _name(word: str) -> str:
    pair = _PAIR.fullmatch(word)
    if word.startswith("-") and word != "-":
        return word.lstrip("-").partition("=")[0]
    return pair["name"].lstrip("+~") if pair else ""


class CommandPart:
    """Arguments, program and working directory that differ.

    What is only recorded as a parameter (`--param`, or what a script says of itself) is idle: nothing reads it.

    Args:
        good, bad: the runs.
        seed: the argument that is the seed of both, which makes blocks and is no difference.
    """

    def __init__(self, good: Original, bad: Original, *, seed: str | None = None) -> None:
        one, other = good.recipe, bad.recipe
        self._bad = other
        self._program_a, own_a = _split(one.command)
        self._program_b, own_b = _split(other.command)
        self._a, self._b = arguments_of(own_a), arguments_of(own_b)
        self._given = {name: value for name, value in one.params.items() if name not in parameters(one.command)}
        self.flips: list[Flip] = []
        if self._program_a != self._program_b:
            self.flips.append(Flip("param", "program", " ".join(self._program_a), " ".join(self._program_b)))
        if one.directory != other.directory:
            self.flips.append(Flip("param", "directory", one.directory, other.directory))
        values_a, values_b = ({each.name: each for each in side} for side in (self._a, self._b))
        for name in dict.fromkeys([*values_a, *values_b]):
            a, b = values_a.get(name), values_b.get(name)
            if name != seed and (a is None or b is None or a.words != b.words):
                self.flips.append(Flip("param", name, a and a.value, b and b.value))
        self.flips += self._recorded_only(other.params, other.command)

    def apply(self, variant: Variant, bad: frozenset[str]) -> Variant:
        """The variant with the command of the combination: in the order of the good one, with what only the bad one has behind."""
        recipe = variant.original.recipe
        program = self._program_b if "param program" in bad else self._program_a
        directory = self._bad.directory if "param directory" in bad else recipe.directory
        others = {each.name: each for each in self._b}
        chosen: list[str] = []
        for each in self._a:
            taken = others.get(each.name) if f"param {each.name}" in bad else each
            chosen += taken.words if taken else ()
        names = {each.name for each in self._a}
        for each in self._b:
            if each.name not in names and f"param {each.name}" in bad:
                chosen += each.words
        command = (*program, *chosen)
        changed = msgspec.structs.replace(recipe, command=command, directory=directory, params=parameters(command) | self._given)
        return variant._replace(original=variant.original._replace(recipe=changed))

    def _recorded_only(self, params: dict[str, object], command: Sequence[str]) -> list[Flip]:
        theirs = {name: value for name, value in params.items() if name not in parameters(command)}
        names = sorted(name for name in self._given.keys() | theirs.keys() if self._given.get(name) != theirs.get(name))
        known = {flip.name for flip in self.flips}
        idle = "it is only recorded; nothing of the command reads it"
        return [
            Flip("param", name, _text(self._given, name), _text(theirs, name), idle=idle) for name in names if name not in known
        ]


def _text(values: dict[str, object], name: str) -> str | None:
    return str(values[name]) if name in values else None


def _split(command: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Interpreter, its options and the script; and what the script gets."""
    own = own_arguments(command)
    return tuple(command[: len(command) - len(own)]), tuple(own)
