"""Sizes of effects in a terminal: every effect once, nothing where nothing is known, and no interval over splits of the same data."""

from __future__ import annotations

from math import nan

from msgspec.structs import replace

from assay.records.evidence import StudyEvidence
from assay.report.sizes import chance_words, sizes_text


def test_every_effect_has_its_line_with_what_is_known(digits: StudyEvidence) -> None:
    text = sizes_text(digits, 160)
    lines = [line for line in text.splitlines() if any(line.startswith(effect.component) for effect in digits.effects)]
    assert len(lines) == len(digits.effects)
    assert "0.90 [0.50, 1.00]" in text and "Chance to win: share of pairs" in text
    assert all(len(line) <= 100 for line in sizes_text(digits, 100).splitlines())


def test_a_share_over_splits_has_no_interval_and_nothing_has_none(digits: StudyEvidence) -> None:
    effect = digits.effects[0]
    assert chance_words(replace(effect, superiority=0.8, superiority_low=nan, superiority_high=nan)) == "0.80"
    assert chance_words(replace(effect, superiority=nan)) == ""
