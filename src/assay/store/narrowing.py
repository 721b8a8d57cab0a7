"""Where-expressions as conditions of SQL, so that what a run is asked for is looked up in an index and no run is decoded.

Each value of a run that can be compared is a row of the table `fact` (`values_of`): numbers and texts as they are; NaN, None, lists and mappings
as NULL, since against a number or a text these answer alike: unequal to it, and neither less nor greater. What a condition of SQL cannot say
exactly as `assay.store.query` says it is left out of it: the runs that it lets through are then more than those that fulfil the expression.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from assay.store.marks import Marked
from assay.store.query import MISSING, Facts, field_of, is_summary, param_of, parsed

_MOST = 50  # parts that are translated; SQLite limits the depth of a condition and the number of its arguments
_COLUMNS = ("id", "name", "state", "recipe")  # texts that every run has
_SIGNS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "=", ast.NotEq: "IS NOT", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "IN", ast.NotIn: "NOT IN",
}  # fmt: skip
_MIRRORED = {"=": "=", "IS NOT": "IS NOT", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_WORD = "(SELECT n FROM word WHERE text = ?)"
_AMONG = f"r.n IN (SELECT run FROM fact WHERE word = {_WORD} AND %s)"
_PROBED = f"EXISTS (SELECT 1 FROM fact WHERE run = r.n AND word = {_WORD} AND %s)"
_HUGE = 2.0**63  # from here on integers are kept as floats


class Narrowed(NamedTuple):
    """A condition on the rows `r` of the table of runs, its arguments, and whether it lets through no other run than the expression."""

    sql: str
    arguments: tuple[object, ...]
    exact: bool


class _Part(NamedTuple):
    sql: str
    arguments: tuple[object, ...] = ()


def values_of(facts: Facts) -> Iterator[tuple[str, object]]:
    """What can be asked of a run through the table `fact`: names such as "metrics.loss" and "params.model.depth", each once, and values.

    >>> facts = Facts("a" * 16, "", "finished", 0.0, 1.0, ["paper"], None, "", {"m": {"d": 2}}, {"loss": (0.2, 0.1, 0.9, 0.4)})
    >>> list(values_of(facts))
    [('metrics.loss', 0.2), ('params.m', None), ('params.m.d', 2), ('tags.paper', 1)]
    """
    for name, (last, *_) in facts.metrics.items():
        yield f"metrics.{name}", _comparable(last)
    for name in _paths(facts.params):
        if (value := param_of(facts.params, name)) is not MISSING:
            yield f"params.{name}", _comparable(value)
    for word in dict.fromkeys(facts.tags):
        yield f"tags.{word}", 1
    if facts.study is not None:
        yield "study", facts.study


def narrowed(text: str | None, marked: Mapping[str, Marked], *, probing: bool) -> Narrowed:
    """What of an expression SQL can say.

    Args:
        text: the expression; None: every run.
        marked: what was said about runs after their start.
        probing: for rows that are walked along in some order until enough are found; otherwise for all that fulfil it.

    Raises:
        InvalidValue: it is no expression.
    """
    if text is None:
        return Narrowed("1", (), exact=True)
    translation = _Translation(_PROBED if probing else _AMONG, marked)
    parts = [translation.part(each) for each in _conjuncts(parsed(text))]
    found = _joined(" AND ", [part for part in parts if part is not None])
    return Narrowed(found.sql, found.arguments, exact=None not in parts)


class _Translation:
    """From nodes of an expression to conditions; None for what cannot be said exactly."""

    def __init__(self, lookup: str, marked: Mapping[str, Marked]) -> None:
        self._lookup = lookup
        self._marked = marked
        self._left = _MOST

    def part(self, node: ast.expr) -> _Part | None:
        self._left -= 1
        if self._left < 0:
            return None
        match node:
            case ast.BoolOp(op=sign, values=nodes):
                parts = [self.part(each) for each in nodes]
                known = [part for part in parts if part is not None]
                return _joined(" AND " if isinstance(sign, ast.And) else " OR ", known) if len(known) == len(parts) else None
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                inner = self.part(operand)
                return inner and _Part(f"NOT {inner.sql}", inner.arguments)
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                return self._comparison(left, _SIGNS[type(sign)], right)
            case ast.Compare():
                return self.part(ast.BoolOp(op=ast.And(), values=cast("list[ast.expr]", _pairs(node))))
            case _:
                return None

    def _comparison(self, left: ast.expr, sign: str, right: ast.expr) -> _Part | None:
        if _is_field(right):
            if sign in ("IN", "NOT IN"):
                return self._tagged(left, right, sign)
            left, sign, right = right, _MIRRORED[sign], left
        constants = _constants(right, many=sign in ("IN", "NOT IN"))
        if not _is_field(left) or constants is None:
            return None
        head, name = field_of(left)
        if head in _COLUMNS:
            return _column(head, sign, constants)
        word = head if name is None else f"{head}.{name}"
        if head not in ("study", "params", "metrics") or (head == "metrics" and is_summary(word)) or not is_text(word):
            return None
        return _Part(self._lookup % _test(sign, constants), (word, *constants))

    def _tagged(self, word: ast.expr, field: ast.expr, sign: str) -> _Part | None:
        """Whether a run has a tag: by what it began with, and by what was said since."""
        if not (isinstance(word, ast.Constant) and isinstance(word.value, str) and is_text(word.value)):
            return None
        if field_of(field)[0] != "tags":
            return None
        tag = word.value
        latest = {run: dict(marked.changes)[tag] for run, marked in self._marked.items() if tag in dict(marked.changes)}
        given, taken = (json.dumps([run for run, stands in latest.items() if stands is which]) for which in (True, False))
        among = "r.id IN (SELECT value FROM json_each(?))"
        has = f"(({self._lookup % '1'} OR {among}) AND NOT {among})"
        return _Part(has if sign == "IN" else f"NOT {has}", (f"tags.{tag}", given, taken))


def _conjuncts(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of an expression that must all be fulfilled."""
    match node:
        case ast.BoolOp(op=ast.And(), values=nodes):
            for each in nodes:
                yield from _conjuncts(each)
        case ast.Compare(ops=[_, _, *_]):
            yield from _pairs(node)
        case _:
            yield node


def _pairs(node: ast.Compare) -> list[ast.Compare]:
    """The comparisons of which a chain such as `.1 < metrics.loss < .3` is made."""
    operands = [node.left, *node.comparators]
    return [
        ast.Compare(left=left, ops=[sign], comparators=[right])
        for left, sign, right in zip(operands[:-1], node.ops, operands[1:], strict=True)
    ]


def _joined(word: str, parts: list[_Part]) -> _Part:
    sql = word.join(part.sql for part in parts)
    return _Part(f"({sql})" if parts else "1", tuple(each for part in parts for each in part.arguments))


def _column(name: str, sign: str, constants: tuple[object, ...]) -> _Part | None:
    if not all(isinstance(each, str) for each in constants):
        return None
    return _Part(f"r.{name} {sign} {_marks(sign, constants)}", constants)


def _test(sign: str, constants: tuple[object, ...]) -> str:
    """A comparison of a fact's value. To SQLite every number is less than every text, and NULL neither fulfils `<` nor `>`."""
    right = _marks(sign, constants)
    if sign == "NOT IN":
        return f"(value IS NULL OR value NOT IN {right})"
    if sign in ("<", "<=") and isinstance(constants[0], str):
        return f"value {sign} {right} AND value >= ''"
    if sign in (">", ">=") and not isinstance(constants[0], str):
        return f"value {sign} {right} AND value < ''"
    return f"value {sign} {right}"


def _marks(sign: str, constants: tuple[object, ...]) -> str:
    return f"({', '.join('?' * len(constants))})" if sign in ("IN", "NOT IN") else "?"


def _constants(node: ast.expr, *, many: bool) -> tuple[object, ...] | None:
    """The constant, or the several in brackets, that SQLite compares as Python does."""
    nodes = node.elts if many and isinstance(node, ast.List | ast.Tuple) else [] if many else [node]
    found = [_constant(each) for each in nodes]
    if None in found or (many and not isinstance(node, ast.List | ast.Tuple)) or len(found) > _MOST:
        return None
    return tuple(found)


def _constant(node: ast.expr) -> object:
    match node:
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)):
            value: object = -number if isinstance(sign, ast.USub) else number
        case ast.Constant(value=str() | int() | float() as constant):
            value = constant
        case _:
            return None
    if isinstance(value, float) and _HUGE <= abs(value) < math.inf:
        return None  # integers as large may stand in the table as the float beside them
    if isinstance(value, int) and not -_HUGE <= value < _HUGE:
        return None
    return None if isinstance(value, str) and not is_text(value) else value


def _is_field(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def is_text(text: str) -> bool:
    """Whether SQLite can hold it: what a terminal passed on may have lone surrogates."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def _comparable(value: object) -> object:
    if isinstance(value, int) and value >= _HUGE:
        return float(value)
    return value if isinstance(value, int | float | str) and value == value else None


def _paths(params: Mapping[str, Any]) -> Iterator[str]:
    """Every name by which a parameter may be asked for: its own, and those that lead to nested ones."""
    seen: set[str] = set()
    waiting = list(params.items())[::-1]
    while waiting:
        name, value = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
        if isinstance(value, dict):
            inner = cast("dict[str, Any]", value)
            waiting += [(f"{name}.{key}", below) for key, below in inner.items()][::-1]
