"""A report is four files, whole, the same for the same evidence, and harmless whatever the names in it are."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from assay.errors import BrokenError
from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.report.write import write_report

EVIL = "<script>alert('x')</script>"

Effects = Callable[..., Effect]
Studies = Callable[..., StudyEvidence]


class Tags(HTMLParser):
    """Names of all elements, and every address that a browser would load."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.loads += [value or "" for key, value in attrs if key in ("src", "data", "srcset") or (tag == "link" and key == "href")]


def tags(path: Path) -> Tags:
    parser = Tags()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def test_the_same_evidence_gives_the_same_bytes(digits: StudyEvidence, tmp_path: Path) -> None:
    first, second = write_report(digits, tmp_path / "a"), write_report(digits, tmp_path / "b")
    for name in ("index", "markdown", "latex", "effects"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["effects.json", "index.html", "table.md", "table.tex"]


def test_the_page_needs_nothing_else(digits: StudyEvidence, tmp_path: Path) -> None:
    """No script, and nothing that a browser would fetch."""
    seen = tags(write_report(digits, tmp_path).index)
    assert "script" not in seen.names
    assert all(address.startswith("data:") for address in seen.loads)


def test_the_page_says_all_that_the_evidence_says(digits: StudyEvidence, tmp_path: Path) -> None:
    page = write_report(digits, tmp_path).index.read_text(encoding="utf-8")
    for said in (
        "Handwritten digits", "supported", "model.kind", "scikit-learn 1.9.1", "is not a weight", "leave-one-out", "does anything read it?",
        "Components that matter only together", "more than apart", "200 MiB", digits.study, "blocked Dunnett",
    ):  # fmt: skip
        assert said in page, said
    for term in ("ablation", "baseline", "effect", "seed", "interaction", "estimand"):
        assert f"<dfn>{term}</dfn>" in page


def test_a_trial_without_a_result_says_why_in_its_row(digits: StudyEvidence, tmp_path: Path) -> None:
    page = write_report(digits, tmp_path).index.read_text(encoding="utf-8")
    assert "<td>failed: ValueError: &#39;balanced&#39; is not a weight</td>" in page


def test_names_are_text_and_never_markup(effect: Effects, study: Studies, tmp_path: Path) -> None:
    """The same elements whatever the names: nothing in a name, value or failure becomes an element."""

    def page(name: str, folder: str) -> list[str]:
        evidence = study(
            [name], {name: {"baseline": [1.0, 2.0], name: [2.0, 2.5]}}, [effect(name, name, [1.0, 0.5], 0.2, "matters")],
            name=name, baseline={name: name}, notes=(name,), environment=name,
        )  # fmt: skip
        failed = replace(evidence.rows[-1], state="failed", failure=name)
        return tags(write_report(replace(evidence, rows=(*evidence.rows[:-1], failed)), tmp_path / folder).index).names

    assert page(EVIL, "evil") == page("plain", "plain")


def test_the_numbers_are_json_that_every_reader_takes(effect: Effects, study: Studies, tmp_path: Path) -> None:
    evidence = study(["a"], {"m": {"baseline": [math.inf], "a": [math.nan]}}, [effect("a", "m", [math.nan], 1.0, "cannot tell")])
    document = json.loads(write_report(evidence, tmp_path).effects.read_text(), parse_constant=pytest.fail)
    assert document["study"] == evidence.study and document["version"] == 1
    assert [trial["metrics"]["m"] for trial in document["trials"]] == ["Infinity", "NaN"]
    assert {"component", "metric", "estimand", "estimate", "low", "high", "n", "verdict"} <= set(document["effects"][0])


def test_a_folder_that_cannot_be_made_is_named(digits: StudyEvidence, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(BrokenError, match="taken"):
        write_report(digits, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "a file"


def test_names_that_are_no_text_do_not_lose_the_report(digits: StudyEvidence, tmp_path: Path) -> None:
    assert "udcff" in write_report(replace(digits, baseline={"path": "\udcff"}), tmp_path).index.read_text(encoding="utf-8")
