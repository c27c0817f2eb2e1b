"""The report page in a real browser: nothing is loaded, nothing overflows, the filter filters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from schemas.manifest import (
    Determinism,
    GateResult,
    Hardware,
    Manifest,
    ModelInfo,
    RowCounts,
    StrategyAccount,
    TokenCounts,
)
from schemas.recipe import Recipe
from schemas.row import REJECTED_SCHEMA, RELEASED_SCHEMA, SCORES
from tasks.report import FindingsBuilder, write_report

pytestmark = pytest.mark.browser

HOSTILE = (
    '"><img src="http://localhost:1/x" onerror="document.title=1"><script>document.title=2</script>'
)
NUM_ROWS = 44
LABELS = {
    "card_arrival": "asks when a card arrives",
    "a-label-whose-name-is-much-longer-than-a-phone-is-wide-and-has-no-space-to-break": "is long",
    "../../x": "is no path",
    "<img onerror=alert(1)>": "is no image",
}


def rows() -> list[dict[str, Any]]:
    texts = {0: HOSTILE, 1: "unbroken" * 2000, 2: "left\u202eright\u200b", 3: "only zebras here"}
    edit = {"kind": "word_delete", "start": 0, "end": 6, "before": "where ", "after": ""}
    made = []
    for number in range(NUM_ROWS):
        text = texts.get(number, f"where is card number {number}")
        noised = number % 4 == 3 and number > 3
        made.append(
            {
                "id": f"page-{number:06d}-0",
                "text": text[6:] if noised else text,
                "label": list(LABELS)[number % 4],
                "clean_text": text if noised else None,
                "noise": [edit] if noised else [],
                "prompt": f"write: {text}",
                "template": "intent@0123abcd",
                "attributes": [("tone", "calm")],
                "model": "starter@0123abcd",
                "strategy": "nucleus",
                "seed": number,
                "attempt": 0,
                "num_tokens": 8,
                "logprob": -2.0,
                "finish_reason": "eos",
                "scores": dict.fromkeys(SCORES, 0.0)
                | {"num_chars": len(text), "num_words": len(text.split())},
            }
        )
    return made


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    recipe = Recipe(name="page", rows=NUM_ROWS - 5, labels=LABELS, attributes={"tone": ["calm"]})  # type: ignore[arg-type]
    made = rows()
    rejected = [
        row | {"stage": "select", "reason": "duplicate", "detail": "a copy"} for row in made[-5:]
    ]
    builder = FindingsBuilder(recipe)
    num_accepted = NUM_ROWS - 5
    accepted = pa.Table.from_pylist(made[:-5], schema=RELEASED_SCHEMA)
    builder.add_accepted(accepted, np.zeros(num_accepted, np.int64))
    lost = pa.Table.from_pylist(rejected, schema=REJECTED_SCHEMA)
    builder.add_rejected(lost, np.zeros(5, np.int64))
    gate = GateResult(name="distinct_2", passed=True, observed=0.5, bound=">= 0.1", meaning="pairs")
    manifest = Manifest(
        name="page",
        version="20261121T074508Z-0123abcd",
        created="2026-11-21T07:45:08Z",
        verdict="pass",
        recipe_sha256="ab" * 32,
        model=ModelInfo(
            id="starter", weights_sha256="cd" * 32, backend="transformers", context_length=256
        ),
        packages={"torch": "2.13.0"},
        rows=RowCounts(
            requested=num_accepted,
            generated=NUM_ROWS,
            accepted=num_accepted,
            shortfall=0,
            rejected={"duplicate": 5},
        ),
        splits={"train": num_accepted},
        tokens=TokenCounts(prompt=1000, generated=500),
        seconds={"generate": 3.2},
        strategies=(
            StrategyAccount(
                kind="nucleus",
                requested=num_accepted,
                generated=NUM_ROWS,
                accepted=num_accepted,
                tokens=500,
                seconds=3.1,
            ),
        ),
        determinism=Determinism(promise="exact", statement="No row depends on its neighbours."),
        hardware=Hardware(device="cpu", cpu="a processor", cpu_count=2),
        gates=(gate,),
        files=(),
    )
    write_report(builder.build(manifest), folder)
    return (folder / "report.html").as_uri()


def test_hostile_rows_stay_text(page: Any) -> None:
    assert page.title() == "page: released"
    assert page.locator("img").count() == 0
    assert page.get_by_text(HOSTILE, exact=True).count() >= 1
    assert page.locator("b", has_text="202E").count() >= 1


def test_the_filter_shows_matching_rows_and_their_number(page: Any) -> None:
    visible_rows = page.locator("li.row:visible")
    before = visible_rows.count()
    page.get_by_role("searchbox").fill("zebras")
    assert visible_rows.count() == 1
    num_rows = page.locator("li.row").count()
    assert page.get_by_role("status").inner_text() == f"1 of {num_rows} rows"
    assert not page.get_by_role("heading", name="Rejected").is_visible()
    page.get_by_role("searchbox").fill("DUPLICATE")
    assert visible_rows.count() == 5
    page.get_by_role("searchbox").fill("no row says this")
    assert visible_rows.count() == 0
    page.get_by_role("searchbox").fill("")
    assert visible_rows.count() == before


def test_nothing_overflows_a_phone(overflow: Callable[[int], int]) -> None:
    assert overflow(360) == 0


def test_the_dark_scheme_is_dark(page: Any) -> None:
    def brightness() -> list[int]:
        colours = """["backgroundColor", "color"]
          .map((name) => getComputedStyle(document.body)[name].match(/\\d+/g).slice(0, 3))
          .map((channels) => channels.reduce((sum, value) => sum + Number(value), 0))"""
        found: list[int] = page.evaluate(colours)
        return found

    page.emulate_media(color_scheme="light")
    ground, ink = brightness()
    assert ground > ink
    page.emulate_media(color_scheme="dark")
    ground, ink = brightness()
    assert ground < ink


def test_text_has_contrast(assert_contrast: Callable[..., None]) -> None:
    assert_contrast(more_than=50)


def test_print_unfolds_what_is_folded(page: Any) -> None:
    folded = page.locator("details.more li.row").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert not page.get_by_role("searchbox").is_visible()


def test_the_page_is_complete_without_script(browser: Any, page_url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(page_url)
    assert opened.get_by_role("heading", name="Released").is_visible()
    assert opened.locator("li.row:visible").count() > 10
    assert not opened.locator("#query").is_visible()
    context.close()
