"""The page of a matrix, opened in a real browser: every cell can be read, names are text, and nobody is asked for anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from assay.records.finding import Finding
from assay.records.matrix import Break, Matrix, MatrixCell
from assay.records.verdict import MetricComparison
from assay.report.matrix_page import matrix_page

pytestmark = pytest.mark.browser
HOSTILE = "<script>document.title='taken'</script>"


@pytest.fixture
def found() -> Matrix:
    """Thirty cells, one that cannot run, and a hostile name."""
    same = MetricComparison(name="loss", a=0.5, b=0.5, sameness="identical")
    cells = [
        MatrixCell(levels={"numpy": f"2.{minor}.0"}, verdict="identical", run=f"{minor:016d}", metrics=(same,))
        for minor in range(29)
    ]
    broken = MatrixCell(levels={"numpy": "9.9"}, why=f"no index has it {HOSTILE}", forced=("six 1.16.0 → 1.17.0",))
    return Matrix(
        original="a" * 16,
        axes={"numpy": (*(cell.levels["numpy"] for cell in cells), "9.9")},
        level="numerical",
        control=MatrixCell(levels={}, verdict="identical", run="c" * 16, metrics=(same,)),
        cells=(*cells, broken),
        breaks=(
            Break(
                axis="numpy", fixed={}, last_good="2.3.0", first_bad="2.4.0", verdict_before="identical",
                verdict_after="not reproduced", adjacent=True,
            ),
        ),
        changed=("numpy 2.4.0: was identical, is not reproduced",),
        findings=(Finding(kind="control", about="x", text=HOSTILE),),
    )  # fmt: skip


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_of_a_matrix(browser: Browser, found: Matrix, tmp_path: Path, width: int, sideways: str) -> None:
    """It draws every cell on a wall and on a phone, runs nothing, and loads nothing but itself."""
    path = tmp_path / "matrix.html"
    path.write_text(matrix_page(found), "utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(path.as_uri())
    assert page.title() == "Run aaaaaaaa: where its result holds"
    assert page.locator("#cells tbody tr").count() == 31
    assert page.locator("td.identical").count() == 30 and page.locator("td.none").inner_text() == "no verdict"
    assert HOSTILE in page.locator("#findings").inner_text()
    assert "numpy 2.4.0 is the first with which it is not reproduced" in page.locator("header").inner_text()
    assert "was identical, is not reproduced" in page.locator("header").inner_text()
    assert page.evaluate(sideways) <= 0
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == [] and said == []
    context.close()
