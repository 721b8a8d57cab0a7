"""Expressions over runs: a white list of Python's syntax, and nothing of Python behind it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InvalidValue
from assay.store.query import Facts, condition, sort_key

RUN = Facts(
    "a" * 16,
    "base",
    "finished",
    1.0,
    2.0,
    ["paper"],
    None,
    "",
    {"lr": 0.1, "flag": True, "a": {"b.c": 1}},
    {"loss": (0.2, 0.1, 0.9, 0.4)},
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "metrics.loss <",
        "(((",
        "[" * 3000,
        "a" * 20_000,
        "\0",
        "metrics",
        "params",
        "metrics[0]",
        "metrics[loss]",
        "loss < 1",
        "name.upper == 'A'",
        "tags[0] == 'x'",
        "__import__('os').system('true')",
        "().__class__",
        "f(1)",
        "metrics.loss ** 9",
        "metrics.loss + 1 > 2",
        "-params.lr < 1",
        "lambda: 1",
        "[x for x in tags]",
        "1 if 2 else 3",
        "metrics.loss is 3",
        "name := 3",
        "f'{name}'",
        "{1: 2}",
        "...",
        "1; 2",
        "not " * 4000 + "name",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_what_is_not_in_the_language_is_refused(text: str) -> None:
    """With the part, the fields that there are, and an example."""
    with pytest.raises(InvalidValue, match=r"metrics\.NAME") as caught:
        condition(text)
    assert caught.value.next_step
    assert len(str(caught.value)) < 800


@given(st.text(max_size=60) | st.text("metrics.loparn ()[]'<>=!&|not and or in 0123456789.,-", max_size=60))
def test_any_text_is_an_expression_or_an_error(text: str) -> None:
    """Nothing that a person can type is a traceback, and nothing warns."""
    try:
        test = condition(text)
    except InvalidValue:
        return
    assert test(RUN) in (True, False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params.lr == .1", True),
        ("params.lr == '.1'", False),
        ("params.flag == True", True),
        ("params.flag", True),
        ("params['a']['b.c'] == 1", True),
        ("params.a.b.c == 1", True),
        ("params.a.x == 1", False),
        ("params.lr.x == 1", False),
        ("study == None", False),
        ("'paper' in tags and 'draft' not in tags", True),
        ("'ase' in name", True),
        ("3 in name", False),
        ("name == 'base' and (metrics.loss > 1 or metrics.loss < .3)", True),
        ("not (metrics.none < 1)", True),
        ("metrics['loss@max'] == .9 and metrics['loss@mean'] == .4 and metrics['loss@last'] == .2", True),
        ("metrics['loss@median'] == .4", False),
        ("metrics.loss > -1 and metrics.loss < +1", True),
        ("ended - 1 == started", None),
        ("  name == 'base'  ", True),
    ],
)
def test_meaning(text: str, expected: bool | None) -> None:
    """Each form once; None where it is not in the language."""
    if expected is None:
        with pytest.raises(InvalidValue):
            condition(text)
    else:
        assert condition(text)(RUN) is expected


@pytest.mark.parametrize("text", ["", "-", "metrics", "metrics.", "loss", "--started", "started.x"])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    """With the fields that there are."""
    with pytest.raises(InvalidValue, match=r"params\.NAME"):
        sort_key(text)
