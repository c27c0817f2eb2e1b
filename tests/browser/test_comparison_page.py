"""The page of a comparison in a real browser: nothing loads, overflows or acts."""

import itertools
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
    Table,
)
from schemas.comparison import Change, Comparison, GatePair, LabelPair, MetricPair
from tasks.report.comparison_page import write_comparison

pytestmark = pytest.mark.browser

HOSTILE = (
    '"><img src="http://localhost:1/x" onerror="document.title=1"><script>document.title=2</script>'
)
LONG = "unbroken" * 12_500
CHANGES: tuple[Change, ...] = ("worse", "better", "changed", "unknown", "same")
LOW, HIGH = (Estimate(value=v, low=v - 0.01, high=v + 0.01, n=500) for v in (0.02, 0.08))


def section(group: Group, side: str, estimate: Estimate) -> Section:
    shown = (
        Evidence(id="row-1", text=HOSTILE, chars=len(HOSTILE), label=LONG, note=HOSTILE),
        Evidence(id=LONG, text=LONG, chars=len(LONG), other="left\u202eright\u200b" + LONG),
    )
    return Section(
        group=group,
        metrics=tuple(
            Metric(
                name=f"{group}_{change}", group=group, title=f"Rows of {group}, {change}",
                unit="share", better="lower", estimate=estimate, baseline=LOW,
                definition=f"Share of rows of {group}, {change}.", source="A paper, " + LONG[:160],
            )
            for change in CHANGES
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
                name=f"{group}_{severity}_{side}", group=group, severity=severity,
                what=f"7 rows of {group} are copies.", action=f"Drop them. {HOSTILE}", rows=7,
                evidence=shown,
            )
            for severity in ("block", "fix", "note")
        ),
    )  # fmt: skip


def audit(name: str, side: str, estimate: Estimate, verdict: Any) -> Audit:
    levels = itertools.cycle(("good", "fair", "poor", "unmeasured"))
    return Audit(
        name=name, created="2026-11-21T07:45:08Z", corpusmith="0.1.0", verdict=verdict,
        inputs=(Inspected(role="audited", path=LONG, rows=500, text="text", label="label"),),
        reasons=("7 rows are copies.", HOSTILE, LONG),
        bands=tuple(
            Band(group=group, level=level, why=HOSTILE, action=LONG[:300])
            for group, level in zip(Group, levels, strict=False)
        ),
        gates=(), sections=tuple(section(group, side, estimate) for group in Group),
    )  # fmt: skip


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("comparison")
    first = audit(f"old.csv {HOSTILE}", "first", LOW, "ship")
    second = audit(f"new.csv {HOSTILE}", "second", HIGH, "block")
    bound = {"observed": 0.08, "bound": "<= 0.05"}
    outcomes = [
        GateOutcome.model_validate(bound | {"metric": f"{group}_worse", "level": level})
        for group in (Group.SHAPE, Group.BIAS)
        for level in ("pass", "fail")
    ]
    found = Comparison(
        created="2026-11-21T07:45:08Z", corpusmith="0.1.0", first=first, second=second,
        metrics=tuple(
            MetricPair(
                name=metric.name, group=metric.group, title=metric.title, unit="share",
                first=None if change == "unknown" else LOW,
                second=LOW if change == "same" else HIGH, change=change,
            )
            for metric in second.metrics().values()
            for change in CHANGES
            if metric.name.endswith(f"_{change}")
            # One room in which nothing changed.
            and (change == "same" or metric.group != Group.DIVERSITY)
        ),
        gates=tuple(
            GatePair(metric=old.metric, first=old, second=new, change=change)
            for old, new, change in (
                (outcomes[0], outcomes[1], "worse"), (outcomes[3], outcomes[2], "better")
            )
        ),
        labels=tuple(
            LabelPair(
                label=name, first_rows=10, second_rows=40, first=LOW, second=HIGH, change="changed"
            )
            for name in (LONG, HOSTILE, "card_arrival", None)
        ),
        drift=section(Group.FIDELITY, "drift", HIGH), new_labels=(LONG, HOSTILE), kept_rows=3,
    )  # fmt: skip
    write_comparison(found, folder)
    return (folder / "report.html").as_uri()


def test_hostile_texts_stay_text(page: Any) -> None:
    assert page.title().startswith("new.csv")
    assert page.locator("img").count() == 0
    assert page.get_by_text(HOSTILE, exact=True).count() >= 1
    assert page.locator("b", has_text="202E").count() >= 1


def test_what_got_worse_is_seen_without_scrolling(page: Any) -> None:
    for part in (
        page.get_by_role("heading", name="1 gate got worse; "),
        page.locator(".verdict li").first,
    ):
        box = part.bounding_box()
        assert box["y"] + box["height"] < 800


def only_what_changed(page: Any) -> None:
    switch = page.get_by_role("checkbox", name="Show only what changed")
    same = page.get_by_text("Rows of shape, same", exact=True)
    worse = page.locator(".compared").get_by_text("Rows of shape, worse", exact=True)
    note = page.get_by_text("Nothing changed here.")
    assert same.is_visible()
    assert not note.is_visible()
    switch.focus()
    page.keyboard.press("Space")
    assert switch.is_checked()
    assert not same.is_visible()
    assert worse.is_visible()
    assert note.is_visible()
    switch.uncheck()
    assert same.is_visible()


def test_only_what_changed_is_shown_when_asked(page: Any) -> None:
    only_what_changed(page)


def test_the_page_is_complete_and_filters_without_script(browser: Any, page_url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(page_url)
    only_what_changed(opened)
    context.close()


def test_the_two_verdicts_stand_side_by_side_and_below_each_other_on_a_phone(page: Any) -> None:
    def boxes() -> list[dict[str, float]]:
        return [page.locator("article.verdict").nth(place).bounding_box() for place in (0, 1)]

    left, right = boxes()
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    page.set_viewport_size({"width": 380, "height": 740})
    upper, lower = boxes()
    assert upper["y"] + upper["height"] <= lower["y"]


def test_a_reader_of_the_outline_finds_every_part(assert_outline: Callable[[], None]) -> None:
    assert_outline()


@pytest.mark.parametrize("width", [390, 360])
def test_nothing_overflows_a_phone(overflow: Callable[[int], int], width: int) -> None:
    assert overflow(width) == 0


def test_text_has_contrast(assert_contrast: Callable[..., None]) -> None:
    assert_contrast(more_than=300)


def test_print_unfolds_what_is_folded(page: Any) -> None:
    definition = page.get_by_text("Share of rows of shape, worse.")
    assert not definition.is_visible()
    page.emulate_media(media="print")
    assert definition.is_visible()
    assert not page.get_by_role("checkbox").is_visible()
