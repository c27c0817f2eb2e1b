"""A headless Chromium, and a page in it that may neither load anything nor complain."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CONTRASTS = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
  };
  return [...document.querySelectorAll("main *:not(svg *)")]
    .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((e) => {
      const [a, b] = [parse(getComputedStyle(e).color), ground(e)].map(light);
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.className, e.tagName];
    });
}"""
"""WCAG 2.2, 1.4.3: ratio, class and tag of every element with a text of its own."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start Chromium for one module: the driver's event loop runs in this thread until it leaves.

    An `asyncio.run` of any test that came while it stays would be refused.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser: Any, page_url: str) -> Iterator[Any]:
    """Open the module's page on a desktop and fail on any console message, error or request."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    opened = context.new_page()
    events: list[str] = []
    opened.on("console", lambda message: events.append(message.text))
    opened.on("pageerror", lambda error: events.append(str(error)))
    opened.on("dialog", lambda dialog: events.append(dialog.message))
    opened.on("request", lambda request: events.append(request.url))
    opened.goto(page_url)
    yield opened
    context.close()
    assert events == [page_url]


@pytest.fixture
def overflow(page: Any) -> Callable[[int], int]:
    """Unfold everything at a width, and count the elements that reach beyond it."""

    def count(width: int) -> int:
        page.set_viewport_size({"width": width, "height": 740})
        page.evaluate("document.querySelectorAll('details').forEach((f) => { f.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        outside: int = page.evaluate(
            """(width) => [...document.querySelectorAll("body *")]
              .filter((e) => !e.closest(".scroll, .skip, svg"))
              .filter((e) => e.getBoundingClientRect().right > width + 0.5).length""",
            width,
        )
        return outside

    return count


@pytest.fixture(params=["light", "dark"])
def assert_contrast(page: Any, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Unfold everything, and measure each text against the ground that is really behind it."""

    def check(*, more_than: int) -> None:
        page.emulate_media(color_scheme=request.param)
        page.evaluate("document.querySelectorAll('details').forEach((f) => { f.open = true; })")
        ratios: list[Any] = page.evaluate(CONTRASTS)
        assert len(ratios) > more_than, "texts are missing"
        assert min(ratios)[0] >= 4.5, min(ratios)

    return check


@pytest.fixture
def assert_outline(page: Any) -> Callable[[], None]:
    """Headings are the map of a screen reader: none is skipped, and links lead to the parts."""

    def check() -> None:
        levels = page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        links = page.get_by_role("navigation").locator("a").all()
        assert links
        for link in links:
            place = link.get_attribute("href")
            link.click()
            assert page.locator(f"h2{place}").is_visible()

    return check
