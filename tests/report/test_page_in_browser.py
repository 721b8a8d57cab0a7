"""The page, opened in a real browser: it draws everything, asks nobody for anything, and can be read on a wall and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from assay.records.effect import Effect
from assay.records.evidence import StudyEvidence
from assay.report.write import write_report

pytestmark = pytest.mark.browser

# Texts of drawings that reach out of their drawing, and texts of two labels that lie upon each other.
CLIPPED = """() => [...document.querySelectorAll('svg.forest')].filter(svg => svg.getBoundingClientRect().width).flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  }).map(text => text.textContent);
})"""
OVERLAPS = """() => [...document.querySelectorAll('svg.forest')].filter(svg => svg.getBoundingClientRect().width).flatMap(svg => {
  const boxes = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([one, a], i) => boxes.slice(i + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 4) found.push([one, other]);
  }));
  return found;
})"""


Opened = tuple[Page, list[str], list[str]]


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens a page and listens: returns it with the addresses it asked for and what its console said."""
    contexts = []

    def open_page(path: Path, width: int = 1200, **options: object) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        return page, asked, said

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def hard(effect: Callable[..., Effect], study: Callable[..., StudyEvidence]) -> StudyEvidence:
    """Forty components with long, wide and hostile names, and two metrics of very different size."""
    names = [
        "<script>document.title='taken'</script>",
        "日本語のとても長い部品の名前がここに書いてあります",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    ]
    names += [f"component number {i} with a long name" for i in range(37)]
    metrics = {
        "loss": {"baseline": [1e-9, 2e-9, 1e-9], **{name: [1e-9, 3e-9, i * 1e-10] for i, name in enumerate(names)}},
        "tokens": {"baseline": [1e12, 2e12, 1e12], **{name: [1e12, 3e12, i * 1e11] for i, name in enumerate(names)}},
    }
    effects = [
        effect(
            name,
            metric,
            [value - base for value, base in zip(by[name], by["baseline"], strict=True)],
            by["baseline"][0],
            "cannot tell",
        )
        for metric, by in metrics.items()
        for name in names
    ]
    return study(names, metrics, effects, name="<img src=x onerror=alert(1)>")


def test_the_page_asks_nobody_for_anything_and_complains_of_nothing(
    digits: StudyEvidence, opened: Callable[..., Opened], tmp_path: Path
) -> None:
    page, asked, said = opened(write_report(digits, tmp_path).index)
    page.wait_for_load_state("networkidle")
    assert [address for address in asked if not address.startswith(("file:", "data:"))] == []
    assert len([address for address in asked if address.startswith("file:")]) == 1
    assert said == []


@pytest.mark.parametrize(("width", "shape"), [(1200, "wide"), (400, "narrow")])
def test_every_effect_is_drawn_once(
    digits: StudyEvidence, opened: Callable[..., Opened], tmp_path: Path, width: int, shape: str
) -> None:
    """Of the two layouts of a drawing exactly the one that fits is shown, with each effect, its interval and its seeds."""
    page, _, _ = opened(write_report(digits, tmp_path).index, width)
    assert page.locator("svg.forest:visible").count() == 2
    assert page.locator(f"svg.forest.{shape}:visible g.effect").count() == len(digits.effects)
    assert page.locator(f"svg.forest.{shape}:visible .seed").count() == 9 * 5 + 4
    assert page.locator(f"svg.forest.{shape}:visible .mark").count() == len(digits.effects)


@pytest.mark.parametrize("width", [1200, 768, 400])
def test_no_text_is_clipped_and_nothing_scrolls_sideways(
    hard: StudyEvidence, digits: StudyEvidence, opened: Callable[..., Opened], tmp_path: Path, width: int, sideways: str
) -> None:
    for name, evidence in (("hard", hard), ("digits", digits)):
        page, _, _ = opened(write_report(evidence, tmp_path / name).index, width)
        assert page.evaluate(CLIPPED) == []
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate(sideways) <= 0


def test_hostile_names_are_shown_and_not_run(hard: StudyEvidence, opened: Callable[..., Opened], tmp_path: Path) -> None:
    page, asked, said = opened(write_report(hard, tmp_path).index)
    assert page.title() == "<img src=x onerror=alert(1)>: ablation study"
    assert page.locator("h1").inner_text() == "<img src=x onerror=alert(1)>"
    assert (len(asked), said) == (1, [])


def test_text_can_be_read_on_light_and_on_dark_ground(digits: StudyEvidence, opened: Callable[..., Opened], tmp_path: Path) -> None:
    """Contrast of the body's and the verdicts' text is at least 4.5 (WCAG 2.2, 1.4.3) under both colour schemes."""
    path = write_report(digits, tmp_path).index
    for scheme in ("light", "dark"):
        page, _, _ = opened(path, color_scheme=scheme)
        ground = luminance(page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
        for where in ("body", ".lede", ".said .good .verdict, .said li.good .verdict", ".said li.bad .verdict", ".note"):
            ink = luminance(page.evaluate("where => getComputedStyle(document.querySelector(where)).color", where))
            assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) >= 4.5, (scheme, where)


def luminance(colour: str) -> float:
    """Relative luminance of "rgb(r, g, b)" (WCAG 2.2)."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_printing_gives_a_page_with_the_wide_drawings(digits: StudyEvidence, opened: Callable[..., Opened], tmp_path: Path) -> None:
    page, _, _ = opened(write_report(digits, tmp_path).index, 400)
    page.emulate_media(media="print")
    assert page.locator("svg.wide:visible").count() == 2
    assert page.pdf().startswith(b"%PDF")


def test_each_drawing_has_a_name_and_a_description(digits: StudyEvidence, opened: Callable[..., Opened], tmp_path: Path) -> None:
    page, _, _ = opened(write_report(digits, tmp_path).index)
    for drawing in page.locator("svg.forest:visible").all():
        names = (drawing.get_attribute("aria-labelledby") or "").split()
        assert [page.locator(f"#{name}").count() for name in names] == [1, 1]
    assert page.get_by_role("img", name="Effects on accuracy").count() == 1
