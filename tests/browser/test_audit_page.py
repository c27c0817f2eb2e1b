"""The page of an audit in a real browser: nothing loads, overflows or acts; all of it is read."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.audit import (
    Audit,
    Band,
    Estimate,
    Evidence,
    Finding,
    GateOutcome,
    Group,
    Inspected,
    Metric,
    Section,
    Span,
    Table,
)
from tasks.report.audit_page import write_audit_report

pytestmark = pytest.mark.browser

HOSTILE = (
    '"><img src="http://localhost:1/x" onerror="document.title=1"><script>document.title=2</script>'
)
LONG = "unbroken" * 12_500
NUM_ROWS = 30


def row(number: int, text: str, **changes: Any) -> Evidence:
    facts = {"id": f"row-{number}", "text": text, "chars": len(text), "label": "card_arrival"}
    return Evidence(**(facts | changes))


def metric(name: str, group: Group, **changes: Any) -> Metric:
    facts: dict[str, Any] = {
        "name": name, "group": group, "title": f"Rows of {name}", "unit": "share",
        "better": "lower", "estimate": Estimate(value=0.08, low=0.06, high=0.1, n=500),
        "baseline": Estimate(value=0.02, low=0.01, high=0.03, n=500), "sampled": 500,
        "definition": f"Share of rows with {name}.", "source": "A paper, " + "unbroken" * 20,
    }  # fmt: skip
    return Metric(**(facts | changes))


def section(group: Group) -> Section:
    shown = (
        row(1, HOSTILE, spans=(Span(start=2, end=5),), note=HOSTILE),
        row(2, LONG, other="left\u202eright\u200b" + LONG, other_id=LONG),
        *(row(number, f"where is card {number}") for number in range(3, 9)),
    )
    return Section(
        group=group,
        metrics=(
            metric(f"{group}_one", group),
            metric(f"{group}_two", group, estimate=None, unmeasured="no reference was given"),
        ),
        tables=(
            Table(
                name=f"{group}_table", group=group, title=f"Table of {group}", caption=HOSTILE,
                columns=("n-gram", "rows", "share", *["wide"] * 9),
                rows=tuple((f"{n} {HOSTILE}", n, n / 50, *[LONG] * 9) for n in range(20)),
            ),
        ),
        findings=tuple(
            Finding(
                name=f"{group}_{severity}", group=group, severity=severity,
                what=f"7 rows of {group} are copies.", action=f"Drop them. {HOSTILE}", rows=7,
                evidence=shown,
            )
            for severity in ("block", "fix", "note")
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("audit")
    levels = ("good", "fair", "poor", "unmeasured")
    outcomes = ("pass", "warn", "fail", "unmeasured")
    audit = Audit(
        name=f"cards.csv {HOSTILE}", created="2026-11-21T07:45:08Z", corpusmith="0.1.0",
        inputs=(Inspected(role="audited", path=LONG, rows=500, text="text", label="label"),),
        verdict="block",
        reasons=("7 rows are copies.", HOSTILE, LONG),
        bands=tuple(
            Band(group=group, level=levels[place % 4], why=HOSTILE, action=LONG[:300])
            for place, group in enumerate(Group)
        ),
        gates=tuple(
            GateOutcome(
                metric=f"{group}_one", level=outcomes[place % 4], observed=0.08, bound="<= 0.05"
            )
            for place, group in enumerate(Group)
        ),
        sections=tuple(section(group) for group in Group),
        sample=(
            row(0, HOSTILE), row(1, LONG), row(2, "only zebras here", label=None),
            *(row(number, f"where is card {number}") for number in range(3, NUM_ROWS)),
        ),
        seconds={"shape": 1.5},
    )  # fmt: skip
    write_audit_report(audit, folder)
    return (folder / "report.html").as_uri()


def test_hostile_texts_stay_text(page: Any) -> None:
    assert page.title().startswith("cards.csv")
    assert page.title().endswith(": block")
    assert page.locator("img").count() == 0
    assert page.get_by_text(HOSTILE, exact=True).count() >= 1
    assert page.locator("b", has_text="202E").count() >= 1
    assert page.locator("mark").count() > len(Group)


def test_the_verdict_is_seen_without_scrolling(page: Any) -> None:
    verdict = page.get_by_role("heading", name="Block: do not train on this as it is")
    for part in (verdict, page.locator(".verdict li").first):
        box = part.bounding_box()
        assert box["y"] + box["height"] < 800


def test_the_filter_shows_matching_rows_and_their_number(page: Any) -> None:
    rows = page.locator("#rows ~ .group li.row:visible")
    before = rows.count()
    page.get_by_role("searchbox").fill("zebras")
    assert rows.count() == 1
    assert page.get_by_role("status").inner_text() == f"1 of {NUM_ROWS} rows"
    page.get_by_role("searchbox").fill("ROW-29")
    assert rows.count() == 1
    page.get_by_role("searchbox").fill("no row says this")
    assert rows.count() == 0
    assert page.locator("li.evidence:visible").count() > 0
    page.get_by_role("searchbox").fill("")
    assert rows.count() == before


def test_definitions_unfold_by_keyboard(page: Any) -> None:
    definition = page.get_by_text("Share of rows with shape_one.")
    assert not definition.is_visible()
    page.locator("details.definition summary").first.focus()
    page.keyboard.press("Enter")
    assert definition.is_visible()


def test_the_first_tab_skips_to_the_verdict(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_a_reader_of_the_outline_finds_every_room(
    page: Any, assert_outline: Callable[[], None]
) -> None:
    assert_outline()
    links = page.get_by_role("navigation").locator("a")
    assert {f"#room-{group}" for group in Group} <= {
        one.get_attribute("href") for one in links.all()
    }


@pytest.mark.parametrize("width", [390, 360])
def test_nothing_overflows_a_phone(overflow: Callable[[int], int], width: int) -> None:
    assert overflow(width) == 0


def test_text_has_contrast(assert_contrast: Callable[..., None]) -> None:
    assert_contrast(more_than=500)


def test_print_unfolds_what_is_folded_and_fits_the_paper(page: Any) -> None:
    folded = page.locator("details.more li.evidence").first
    definition = page.get_by_text("Share of rows with shape_one.")
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert definition.is_visible()
    assert not page.get_by_role("searchbox").is_visible()
    page.set_viewport_size({"width": 720, "height": 1000})
    assert page.evaluate(
        """[...document.querySelectorAll('table.measures')]
          .every((table) => table.getBoundingClientRect().right <= 720.5)"""
    )


def test_the_page_is_complete_without_script(browser: Any, page_url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(page_url)
    assert opened.get_by_role("heading", name="Block: do not train").is_visible()
    assert opened.locator("li.row:visible").count() > 10
    assert not opened.locator("#query").is_visible()
    context.close()
