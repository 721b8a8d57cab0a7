"""Where-expressions and sort keys over runs: a small part of Python's syntax, read but never executed.

    metrics.loss < .3 and params.lr == .1
    state == 'finished' and 'paper' in tags
    params["model.depth"] in (2, 4) and not metrics["Loss/test@min"] > 1

A comparison with something that a run does not have is false, as is an ordering between a number and a text.
"""

from __future__ import annotations

import ast
import difflib
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from assay.errors import InvalidValue

PLAIN_FIELDS = ("id", "name", "state", "started", "ended", "tags", "study", "recipe")
MAPS = ("params", "metrics")
_SUMMARIES = ("last", "min", "max", "mean")
_LONGEST = 10_000  # characters; no expression that a person writes is near it
_SHOWN = 200


class Facts(NamedTuple):
    """What can be asked of a run. `metrics` holds last, minimum, maximum and mean of each series; `params` may be nested."""

    id: str
    name: str
    state: str
    started: float
    ended: float | None
    tags: list[str]
    study: str | None
    recipe: str
    params: dict[str, Any]
    metrics: dict[str, tuple[float, float, float, float]]


class _Missing:
    """Stands for what a run does not have."""


MISSING = _Missing()
Value = Callable[[Facts], Any]

_OPERATORS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, many: item in many,
    ast.NotIn: lambda item, many: item not in many,
}


def condition(text: str) -> Callable[[Facts], bool]:
    """The test that a where-expression stands for.

    Raises:
        InvalidValue: it is not an expression of this small language; the message names the part and the fields that there are.

    >>> run = Facts("a" * 16, "", "finished", 0.0, 1.0, ["paper"], None, "", {"lr": 0.1}, {"loss": (0.2, 0.1, 0.9, 0.4)})
    >>> condition("metrics.loss < .3 and 'paper' in tags")(run), condition("metrics.accuracy > 0")(run)
    (True, False)
    """
    node = parsed(text)
    try:
        value = _value(node)
    except RecursionError as error:
        raise _refused(text, f"cannot be read ({error})") from error
    return lambda facts: _truth(value(facts))


def parsed(text: str) -> ast.expr:
    """An expression in the form of Python's own syntax, of which this language is a part.

    Raises:
        InvalidValue: it is no expression of Python's either.
    """
    if len(text) > _LONGEST:
        raise _refused(text, f"has {len(text)} characters, more than {_LONGEST}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of odd escapes in texts; the user did not write Python
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _refused(text, f"cannot be read ({getattr(error, 'msg', error)})") from error


def sort_key(text: str) -> tuple[Value, bool]:
    """What a sort key such as "-started" or "metrics.loss" looks at, and whether the largest come first.

    Raises:
        InvalidValue: there is no such field.
    """
    descending = text.startswith("-")
    name = text.removeprefix("-")
    head, _, rest = name.partition(".")
    if head in MAPS and rest:
        return _looked_up(head, rest), descending
    if name in PLAIN_FIELDS:
        return _field(name), descending
    raise _unknown(name)


def sorted_metric(text: str) -> str | None:
    """The metric whose last value a sort key looks at; None where it looks at something else."""
    head, _, name = text.removeprefix("-").partition(".")
    return name if head == "metrics" and not is_summary(name) else None


def is_summary(metric: str) -> bool:
    """Whether a name such as "loss@min" may ask for another value of a series than its last."""
    return "@" in metric and metric.rpartition("@")[2] in _SUMMARIES


def number_of(facts: Facts, metric: str) -> float | None:
    """A run's value of "loss", or of "loss@min", "loss@max", "loss@mean"; None where it has none."""
    found = _metric(facts, metric)
    return found if isinstance(found, float) else None


def is_missing(value: object) -> bool:
    """Whether a key looked at something that the run does not have."""
    return value is MISSING


def _value(node: ast.expr) -> Value:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            tests = [_value(part) for part in parts]
            return lambda facts: all(_truth(test(facts)) for test in tests)
        case ast.BoolOp(values=parts):
            tests = [_value(part) for part in parts]
            return lambda facts: any(_truth(test(facts)) for test in tests)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            test = _value(operand)
            return lambda facts: not _truth(test(facts))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float() as number)):
            signed = -number if isinstance(node.op, ast.USub) else number
            return lambda _: signed
        case ast.Compare():
            return _comparison(node)
        case ast.Constant(value=str() | int() | float() | None as constant):
            return lambda _: constant
        case ast.List(elts=items) | ast.Tuple(elts=items):
            values = [_value(item) for item in items]
            return lambda facts: [value(facts) for value in values]
        case _:
            return _name(node)


def _comparison(node: ast.Compare) -> Value:
    for sign in node.ops:
        if type(sign) not in _OPERATORS:
            raise _refused(ast.unparse(node), "uses `is`; write == or !=")
    values = [_value(part) for part in (node.left, *node.comparators)]
    operators = [_OPERATORS[type(sign)] for sign in node.ops]

    def holds(facts: Facts) -> bool:
        operands = [value(facts) for value in values]
        return all(_compare(sign, left, right) for sign, left, right in zip(operators, operands, operands[1:], strict=False))

    return holds


def _compare(sign: Callable[[Any, Any], Any], left: Any, right: Any) -> bool:
    if left is MISSING or right is MISSING:
        return False
    try:
        return bool(sign(left, right))
    except TypeError:
        return False


def _name(node: ast.expr) -> Value:
    head, name = field_of(node)
    return _field(head) if name is None else _looked_up(head, name)


def field_of(node: ast.expr) -> tuple[str, str | None]:
    """A field: a plain name and None, or `params` or `metrics` and the path of attributes and texts in brackets that follows.

    Raises:
        InvalidValue: there is no such field.
    """
    path: list[str] = []
    here = node
    while True:
        match here:
            case ast.Attribute(value=below, attr=part) | ast.Subscript(value=below, slice=ast.Constant(value=str() as part)):
                path.insert(0, part)
                here = below
            case ast.Name(id=head):
                break
            case _:
                raise _refused(ast.unparse(here), "is not part of this language")
    if head in MAPS and path:
        return head, ".".join(path)
    if head in PLAIN_FIELDS and not path:
        return head, None
    if head in MAPS:
        raise _refused(head, f"needs a name: {head}.NAME")
    raise _unknown(ast.unparse(node))


def _field(name: str) -> Value:
    def get(facts: Facts) -> Any:
        value = getattr(facts, name)
        return MISSING if value is None else value

    return get


def _looked_up(head: str, name: str) -> Value:
    if head == "metrics":
        return lambda facts: _metric(facts, name)
    return lambda facts: param_of(facts.params, name)


def _metric(facts: Facts, name: str) -> Any:
    if name in facts.metrics:
        return facts.metrics[name][0]
    series, _, summary = name.rpartition("@")
    if series in facts.metrics and summary in _SUMMARIES:
        return facts.metrics[series][_SUMMARIES.index(summary)]
    return MISSING


def param_of(params: Mapping[str, Any], name: str) -> Any:
    """A parameter by its whole name, or by the path to it in nested ones."""
    if name in params:
        return params[name]
    for end in range(len(name) - 1, 0, -1):
        inner = params.get(name[:end]) if name[end] == "." else None
        if isinstance(inner, dict):
            found = param_of(cast("dict[str, Any]", inner), name[end + 1 :])
            if found is not MISSING:
                return found
    return MISSING


def _truth(value: object) -> bool:
    return value is not MISSING and bool(value)


def _unknown(name: str) -> InvalidValue:
    head = name.partition(".")[0].partition("[")[0]
    near = difflib.get_close_matches(head, (*PLAIN_FIELDS, *MAPS), n=1)
    return _refused(name, "is not a field of a run", f"Did you mean `{near[0]}`?" if near else "")


def _refused(part: str, why: str, hint: str = "") -> InvalidValue:
    fields = ", ".join(PLAIN_FIELDS)
    return InvalidValue(
        f"this part of the expression {why}",
        value=part[:_SHOWN],
        expected=f"comparisons of {fields}, params.NAME and metrics.NAME (params['a/b'] where a name is no identifier), joined by and, or, not",
        next_step=hint or "For example: metrics.loss < .3 and params.lr == .1",
    )
