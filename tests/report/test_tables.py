"""The table of a study in each format holds the same numbers and shows what is missing."""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from assay.errors import InvalidValue
from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.records.factor import Factor, Level
from assay.report.latex import escape as latex_escape
from assay.report.layout import width_of
from assay.report.markdown import escape as markdown_escape
from assay.report.tables import Format, table

Effects = Callable[..., Effect]
Studies = Callable[..., StudyEvidence]


@pytest.mark.parametrize("width", [80, 200])
def test_terminal_tables_fit_and_hold_every_number(digits: StudyEvidence, width: int) -> None:
    """Mean ± std, difference, interval and remark of a configuration are all there, at 80 columns and at 200."""
    text = table(digits, width=width)
    assert max(width_of(line) for line in text.splitlines()) <= width
    assert "0.9347 ± 0.0044" in text and "−0.0250" in text and "[−0.0298, −0.0202]" in text
    assert "ddof 1" in text


def test_200_columns_hold_all_metrics_in_one_table(digits: StudyEvidence) -> None:
    assert table(digits, width=200).count("configuration ") == 1
    assert table(digits, width=80).count("configuration ") == 2


def test_failed_and_nan_trials_are_counted_and_named(digits: StudyEvidence) -> None:
    text = " ".join(table(digits, width=200).split())
    assert "0.9465 ± 0.0047 (4 of 5)" in text
    assert "1 of 5 failed (seed 4)" in text


def test_a_nan_is_shown_where_the_trial_finished(effect: Effects, study: Studies) -> None:
    evidence = study(
        ["a"], {"m": {"baseline": [1.0, 2.0], "a": [1.0, math.nan]}}, [effect("a", "m", [0.0, math.nan], 1.0, "cannot tell")]
    )
    assert "m NaN (seed 1)" in " ".join(table(evidence, width=120).split())


def test_a_no_op_is_called_one(digits: StudyEvidence) -> None:
    assert "no-op: nothing changed" in table(digits, width=200)


def test_what_changes_another_metric_is_not_called_a_no_op(effect: Effects, study: Studies) -> None:
    values = {"baseline": [1.0, 2.0], "a": [1.0, 2.0]}
    found = [effect("a", "m", [0.0, 0.0], math.nan, "no-op"), effect("a", "cost", [2.0, 2.0], math.nan, "exact", better=False)]
    text = table(study(["a"], {"m": values, "cost": {"baseline": [1.0, 1.0], "a": [3.0, 3.0]}}, found), width=80)
    assert "no-op" not in text and "exactly 0 at every seed" in text and "exact, worse" in text


def test_parameter_counts_get_a_column(effect: Effects, study: Studies) -> None:
    counted = {"m": {"baseline": [1.0], "a": [2.0]}, "parameters": {"baseline": [1234567.0], "a": [9.0]}}
    evidence = study(["a"], counted, [effect("a", "m", [1.0], 0.5, "cannot tell")], goals=())
    assert "1\u202f234\u202f567" in table(evidence, width=120)


def test_a_design_without_effects_still_shows_differences(study: Studies) -> None:
    """Configurations that no effect speaks of (of a factorial) show their mean paired difference, without an interval."""
    evidence = study(["a"], {"m": {"baseline": [1.0, 2.0], "a": [1.5, 2.7]}}, [])
    assert "+0.60" in table(evidence)


@pytest.mark.parametrize("format", ["terminal", "markdown", "latex"])
def test_effects_that_are_no_configurations_difference_have_lines_of_their_own(
    effect: Effects,
    study: Studies,
    format: Format,  # noqa: A002 - as the argument of `table`
) -> None:
    """Of a factorial every table has the averages with their intervals and verdicts, and says what they are averages of."""
    values = {"baseline": [1.0, 2.0], "without a": [1.5, 2.7], "without b": [1.0, 2.0], "without both": [1.4, 2.6]}
    about = {"estimand": "mean change, averaged over the others"}
    found = [
        effect("a", "m", [0.45, 0.65], 0.3, "matters", better=True, **about),
        effect("b", "m", [0.0, 0.0], math.nan, "exact", **about),
    ]
    factors = tuple(Factor(name=name, kind="remove", levels=(Level(name="removed"),)) for name in "ab")
    evidence = study(list(values)[1:], {"m": values}, found, factors=factors)
    evidence = replace(evidence, plan=replace(evidence.plan, design="full"))
    text = " ".join(table(evidence, format, width=120).split())
    assert "without a, on average" in text and "matters, better" in text and "0.25" in text and "0.85" in text
    assert "without b, on average" in text and "exactly 0 at every seed" in text
    assert text.count("on average") == 2 and "Lines without a mean are effects. Mean change, averaged over the others." in text


def test_a_comparison_with_a_control_has_a_line_under_its_own_name(effect: Effects, study: Studies) -> None:
    evidence = study(
        ["a"],
        {"m": {"baseline": [1.0, 2.0], "a": [1.5, 2.7]}},
        [effect(name, "m", [0.5, 0.7], 0.3, "matters", better=True) for name in ("a", "a, beyond size")],
    )
    lines = [line.split("  ")[0] for line in table(evidence, width=120).splitlines()]
    assert "a, beyond size" in lines and "with a, beyond size" not in lines


def test_what_rounding_leaves_of_no_difference_is_shown_as_none(study: Studies) -> None:
    """Shares of 72 that change by as much up as down add up to 4e-17 in 64 bits."""
    before, after = [70 / 72, 71 / 72, 1.0], [71 / 72, 71 / 72, 71 / 72]
    evidence = study(["a"], {"m": {"baseline": before, "a": after}}, [])
    assert sum(b - a for a, b in zip(before, after, strict=True)) != 0
    assert "e−" not in table(evidence) and "0.000" in table(evidence)


def test_markdown_is_a_table_of_equal_rows(digits: StudyEvidence) -> None:
    rows = [line for line in table(digits, "markdown").splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 6
    assert len({row.count("|") for row in rows}) == 1


def test_names_cannot_break_out_of_a_table() -> None:
    assert markdown_escape("a|b\n# x <script>") == r"a\|b \# x \<script\>"
    assert latex_escape(r"\input{x} & 5% $_#^~") == (r"\textbackslash{}input\{x\} \& 5\% \$\_\#\textasciicircum{}\textasciitilde{}")


def test_latex_has_the_rules_of_booktabs_and_as_many_cells_in_each_row(digits: StudyEvidence) -> None:
    text = table(digits, "latex")
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 2
    rows = [line for line in text.splitlines() if line.endswith(r"\tabularnewline")]
    assert {row.count(" & ") for row in rows} == {3}


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs a LaTeX installation")
def test_latex_compiles(digits: StudyEvidence, tmp_path: Path) -> None:
    hostile = replace(digits, name=r"50% of \a_b & {c}^~#$<>|\"")
    (tmp_path / "table.tex").write_text(table(hostile, "latex"))
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\\input{table}\\end{document}"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_an_unknown_format_is_refused_by_name(digits: StudyEvidence) -> None:
    with pytest.raises(InvalidValue, match="terminal, markdown or latex"):
        table(digits, "html")  # type: ignore[arg-type]


def test_a_design_that_draws_its_combinations_shows_effects_and_how_many_were_drawn(effect: Effects, study: Studies) -> None:
    drawn = {"baseline": [1.0, math.nan, 2.0], "a": [2.0, math.nan, 3.0], "a + b": [1.5, 2.5, math.nan]}
    evidence = study(["a", "a + b"], {"m": drawn}, [effect("a", "m", [0.9, 1.1], 0.4, "matters", better=True)])
    evidence = replace(evidence, plan=replace(evidence.plan, design="adaptive"), factors=evidence.factors[:1])
    text = " ".join(table(evidence, width=120).split())
    assert "a + b" not in text and "without a, on average" in text and "+1.00" in text and "matters, better" in text
    assert "2 combinations were drawn beside the baseline, in 9 trials" in text
    named = replace(evidence, plan=replace(evidence.plan, named=("a + b",)))
    assert "a + b" in table(named, width=120) and "1 combinations" not in table(named, width=120)
