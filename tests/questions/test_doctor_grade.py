"""The promise that follows from what moves a result."""

from __future__ import annotations

import pytest

from assay.questions.doctor.diagnosis import Diagnosis, Mover
from assay.questions.doctor.grade import grade_of, settings_named
from assay.records.verdict import Sameness


def mover(source: str, sameness: Sameness) -> Mover:
    return Mover(source, sameness, True, (), (), None, (), "", "run", "reference")


@pytest.mark.parametrize(
    ("apart", "movers", "unknown", "grade"),
    [
        ("identical", [], False, "identical"),
        ("identical", [("thread count", "numerical"), ("CPU class", "not reproduced")], False, "identical under named settings"),
        ("not reproduced", [("hash seed", "not reproduced")], False, "identical under named settings"),
        ("not reproduced", [("numpy", "not reproduced"), ("thread count", "numerical")], False, "statistical"),
        ("numerical", [("random", "numerical")], False, "numerical"),
        ("numerical", [("random", "numerical"), ("thread count", "not reproduced")], False, "numerical"),
        ("identical", [("clock", "not reproduced")], False, "statistical"),
        ("numerical", [], True, "numerical"),
        ("not reproduced", [], True, "statistical"),
        ("not reproduced", [("hash seed", "not reproduced")], True, "statistical"),
    ],
)
def test_grade(apart: Sameness, movers: list[tuple[str, Sameness]], unknown: bool, grade: str) -> None:
    assert grade_of(apart, [mover(*each) for each in movers], (), unknown) == grade


def test_the_settings_are_named_once_each() -> None:
    assert settings_named([mover("hash seed", "numerical")], ("hash seed", "cpus")) == [
        "PYTHONHASHSEED",
        "the same number of processors",
    ]


@pytest.mark.parametrize(("alike", "rarest"), [(0, 1.0), (1, 0.95), (29, 0.0982)])
def test_what_may_have_gone_unseen_is_the_exact_bound_of_a_share(alike: int, rarest: float) -> None:
    """Clopper and Pearson's upper bound after n trials without an event, 1 − α^(1/n); 29 trials exclude one in ten at 95 %."""
    found = Diagnosis("identical", True, "identical", (), (), True, False, (), (), None, 2, alike, "run")
    assert found.rarest == pytest.approx(rarest, abs=1e-4)
