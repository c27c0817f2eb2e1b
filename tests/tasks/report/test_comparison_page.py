import re
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import jsonschema
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
from schemas.audit_json_schema import written_schema
from schemas.comparison import Change, Comparison, GatePair, LabelPair, MetricPair
from schemas.errors import CorpusmithError
from tasks.report.bounded_page import MAX_BYTES
from tasks.report.comparison_page import render_comparison_page, write_comparison
from tasks.report.comparison_wording import CHANGES

EVIL = "<script>alert(1)</script> & \u202eevil\x07\ud800"
LOW, HIGH = (Estimate(value=v, low=v - 0.01, high=v + 0.01, n=500) for v in (0.02, 0.08))


def metric(name: str, estimate: Estimate | None = LOW, **changes: Any) -> Metric:
    facts: dict[str, Any] = {
        "name": name, "group": Group.DUPLICATES, "title": f"Rows of {name}", "unit": "share",
        "better": "lower", "estimate": estimate, "definition": f"Share of rows with {name}.",
        "unmeasured": None if estimate else f"no {name} here",
    }  # fmt: skip
    return Metric(**(facts | changes))


def finding(name: str, severity: str = "fix", **changes: Any) -> Finding:
    facts: dict[str, Any] = {
        "name": name, "group": Group.DUPLICATES, "severity": severity, "what": f"Found {name}.",
        "action": "Drop them.", "rows": 3,
    }  # fmt: skip
    return Finding(**(facts | changes))


def section(*metrics: Metric, **changes: Any) -> Section:
    return Section(**({"group": Group.DUPLICATES, "metrics": metrics} | changes))


def audit(name: str, *sections: Section, **changes: Any) -> Audit:
    facts: dict[str, Any] = {
        "name": name, "created": "2026-11-21T08:15:00Z", "corpusmith": "1", "verdict": "ship",
        "inputs": (Inspected(role="audited", path=name, rows=500, text="text", label="label"),),
        "reasons": (f"A reason of {name}.",), "gates": (), "sections": sections,
        "bands": tuple(
            Band(group=one.group, level="fair", why=f"Why {name}.", action="Drop.")
            for one in sections
        ),
    }  # fmt: skip
    return Audit(**(facts | changes))


def pair(first: Metric, second: Metric, change: Change) -> MetricPair:
    facts = {key: getattr(second, key) for key in ("name", "group", "title", "unit")}
    return MetricPair(first=first.estimate, second=second.estimate, change=change, **facts)


def gates(name: str, first: str, second: str, change: Change) -> GatePair:
    sides = [
        GateOutcome.model_validate(
            {"metric": name, "level": level, "observed": 0.08, "bound": "<= 0.05"}
        )
        for level in (first, second)
    ]
    return GatePair(metric=name, first=sides[0], second=sides[1], change=change)


def comparison(first: Audit, second: Audit, **changes: Any) -> Comparison:
    facts: dict[str, Any] = {
        "created": "2026-11-21T08:15:00Z", "corpusmith": "1", "first": first, "second": second,
        "metrics": (), "gates": (), "kept_rows": 450,
        "drift": Section(
            group=Group.FIDELITY,
            metrics=(metric("mauve", group=Group.FIDELITY, title="MAUVE of B to A"),),
        ),
    }  # fmt: skip
    return Comparison(**(facts | changes))


def label(name: str | None, first: int, second: int, change: Change = "same") -> LabelPair:
    return LabelPair(
        label=name, first_rows=first, second_rows=second, change=change,
        first=Estimate(value=first / 500, n=500), second=Estimate(value=second / 500, n=500),
    )  # fmt: skip


def usual() -> Comparison:
    old = [metric("worse"), metric("better", HIGH), metric("same"), metric("only", None)]
    new = [metric("worse", HIGH), metric("better"), metric("same"), metric("only")]
    old, new = [*old, metric("neither", None)], [*new, metric("neither", None)]
    changes: list[Change] = ["worse", "better", "same", "unknown", "same"]
    return comparison(
        audit("old.csv", section(*old, findings=(finding("gone"), finding("stays")))),
        audit(
            "new.csv",
            section(*new, findings=(finding("stays"), finding("come", "block"))),
            verdict="block",
        ),
        metrics=tuple(map(pair, old, new, changes)),
        gates=(
            gates("same", "pass", "pass", "same"),
            gates("better", "fail", "warn", "better"),
            gates("worse", "pass", "fail", "worse"),
        ),
        labels=(label("fresh", 0, 200, "changed"), label("dead", 100, 0, "changed"),
                label(None, 400, 300)),
        new_labels=("fresh",), lost_labels=("dead",),
    )  # fmt: skip


def everywhere(text: str, *, times: int = 1, rows: int = 20) -> Comparison:
    """Put a text wherever a text can stand, in every room, `times` times each."""
    row = Evidence(
        id=text, text=text, chars=len(text), label=text, note=text, other=text, other_id=text,
        spans=(Span(start=0, end=1),),
    )  # fmt: skip
    words = {"title": text, "definition": text, "source": text}
    rooms: dict[str, list[Section]] = {"first": [], "second": []}
    for side, estimate in (("first", LOW), ("second", HIGH)):
        for group in Group:
            names = [f"{group}_{number}" for number in range(times)]
            table = Table(
                name="t", group=group, title=text, caption=text, columns=(text, "share", text),
                rows=((text, 0.5, text),) * rows,
            )  # fmt: skip
            rooms[side].append(
                section(
                    *(metric(name, estimate, group=group, **words) for name in names),
                    group=group,
                    tables=tuple(table.model_copy(update={"name": f"{name}_t"}) for name in names),
                    findings=tuple(
                        finding(f"{side}_{name}", group=group, what=text, action=text,
                                evidence=(row,) * rows)
                        for name in names
                    ),
                )
            )  # fmt: skip
    audits = [
        audit(
            text, *sections, corpusmith=text, created=text, reasons=(text,) * 3, verdict="fix",
            inputs=(Inspected(role="audited", path=text, rows=9, text=text, label=text),),
            bands=tuple(Band(group=group, level="poor", why=text, action=text) for group in Group),
        )
        for sections in rooms.values()
    ]  # fmt: skip
    old, new = (found.metrics() for found in audits)
    outcomes = [gates(name, "pass", "fail", "worse") for name in new]
    hostile = {"bound": text}
    return comparison(
        *audits, created=text, corpusmith=text, drift=rooms["second"][5], kept_rows=3,
        metrics=tuple(pair(old[name], new[name], "worse") for name in new),
        gates=tuple(
            one.model_copy(
                update={side: getattr(one, side).model_copy(update=hostile)
                        for side in ("first", "second")}
            )
            for one in outcomes
        ),
        labels=tuple(label(f"{text}{number}", 1, 2) for number in range(times)),
        new_labels=(text,) * times, lost_labels=(text,) * times,
    )  # fmt: skip


def plain(page: str) -> str:
    """Return what a reader reads, white space as one space."""
    body = page[page.index("<body>") : page.index("<script>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_the_page_is_self_contained_and_nothing_in_it_acts(tags_of: Any) -> None:
    page = render_comparison_page(everywhere(EVIL))
    tags = tags_of(page)
    names = Counter(tag for tag, _ in tags)
    assert (names["script"], names["style"]) == (1, 1)
    assert not {"img", "link", "iframe", "object", "base", "form"} & names.keys()
    for tag, attributes in tags:
        assert not any(name.startswith("on") for name in attributes)
        assert not {"src", "style"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
        assert tag == "meta" or "evil" not in str(attributes)
    assert not {"\u202e", "\x07", "\ud800"} & set(page)
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>0007 D800</b>" in page


@pytest.mark.parametrize("found", [usual(), everywhere("x", times=3)], ids=["usual", "full"])
def test_every_link_leads_somewhere_and_no_two_places_share_a_name(
    found: Comparison, tags_of: Any
) -> None:
    tags = tags_of(render_comparison_page(found))
    places = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(places) == len(set(places))
    for _, attributes in tags:
        if "href" in attributes:
            assert str(attributes["href"]).removeprefix("#") in places
        names = f"{attributes.get('aria-labelledby') or ''} {attributes.get('for') or ''}"
        for name in names.split():
            assert name in places


def test_regressions_come_first_then_both_verdicts_with_their_reasons() -> None:
    words = plain(render_comparison_page(usual()))
    at = 0
    for wanted in (
        "1 gate got worse; 1 measure got worse, 1 got better.",
        "Gates: Rows of worse (passes in A, fails in B).",
        "Measures: Rows of worse (higher by 6 percentage points).",
        "The verdict got worse: ship for A, block for B.",
        "1 label is new in B, 1 label of A is lost; 2 shares differ",
        "450 of 500 rows of B (90.0",
        "A · old.csv · 500 rows", "Ship: nothing found", "A reason of old.csv.",
        "B · new.csv · 500 rows", "Block: do not train", "A reason of new.csv.",
    ):  # fmt: skip
        at = words.index(wanted, at)


def test_gates_that_moved_come_before_those_that_did_not() -> None:
    page = render_comparison_page(usual())
    body = page[page.index('id="gates"') : page.index('id="findings"')]
    assert re.findall(r"<code><bdi>(\w+)</bdi></code>", body) == ["worse", "better", "same"]
    assert body.index("1 gate that says the same") < body.index("<code><bdi>same")
    words = plain(f"<body>{body}<script>")
    assert re.search(r"▼ worse ✓ passes .* ✕ fails", words)
    assert re.search(r"▲ better ✕ fails .* ! warns", words)


def test_findings_are_what_came_and_what_went() -> None:
    page = render_comparison_page(usual())
    body = page[page.index('id="findings"') : page.index('id="measures"')]
    come, _, gone = body.partition("Gone since A")
    assert "Found come." in come
    assert "Found gone." in gone
    assert "Found stays." not in body


def test_a_finding_that_got_worse_is_new_and_one_that_got_milder_is_gone() -> None:
    levels = [("note", "fix"), ("fix", "block"), ("block", "fix"), ("fix", "note"), ("fix", "fix")]
    first, second = (
        audit("x", section(findings=tuple(
            finding(f"f{place}", severities[side]) for place, severities in enumerate(levels)
        )))
        for side in (0, 1)
    )  # fmt: skip
    page = render_comparison_page(comparison(first, second))
    body = page[page.index('id="findings"') : page.index('id="measures"')]
    come, _, gone = body.partition("Gone since A")
    assert re.findall(r"Found (f\d)", come) == ["f1", "f0"]
    assert re.findall(r"Found (f\d)", gone) == ["f2", "f3"]


def test_measures_show_both_sides_the_change_in_words_and_a_drawing() -> None:
    page = render_comparison_page(usual())
    body = page[page.index('id="room-duplicates"') : page.index('id="room-fidelity"')]
    rows = {
        name: plain(f"<body>{row}<script>")
        for row in body.split("<tbody")
        for name in re.findall(r'<th scope="rowgroup">Rows of (\w+)', row)
    }
    assert list(rows) == ["worse", "better", "only", "same"]
    assert re.search(
        r"▼ worse higher by 6 percentage points 2.0 % 1.0 % to 3.0 % n = 500 8.0 % ",
        rows["worse"],
    )
    assert re.search(r"▲ better lower by 6 percentage points", rows["better"])
    assert "= same equal" in rows["same"]
    assert "not measured 2.0 %" in rows["only"]
    assert "only in B" in rows["only"]
    assert body.count('<tbody class="same">') == 1
    assert body.count('<svg class="both"') == 3
    words = plain(f"<body>{body}<script>")
    assert "1 measured in neither, and why Rows of neither : no neither here" in words.replace(
        "Rows of neither no", "Rows of neither : no"
    )
    assert "Show only what changed: 3 of 4 measures" in plain(page)


def test_labels_that_are_new_or_lost_say_so() -> None:
    page = render_comparison_page(usual())
    body = page[page.index('<table class="both-labels">') :]
    rows = [plain(f"<body>{row}<script>") for row in body.split("<tr>")[2:5]]
    assert re.search(r"fresh \+ new in B 0 % 0 40.0 % 200", rows[0])
    assert re.search(r"dead . lost 20.0 % 100 0 % 0", rows[1])
    assert re.search(
        r"no label = same lower by 20.0 percentage points 80.0 % 400 60.0 % 300", rows[2]
    )


def test_bias_tables_stand_side_by_side() -> None:
    def table(side: str, name: str) -> Table:
        return Table(
            name=name, group=Group.BIAS, title=f"Table {name}", caption="c", columns=("a",),
            rows=(("x" if name == "alike" else side,),),
        )  # fmt: skip

    first, second = (
        audit(
            name,
            section(
                metric(f"m_{name}", group=Group.BIAS),
                group=Group.BIAS,
                tables=tuple(table(name, one) for one in tables),
                findings=(finding("b", "note", group=Group.BIAS, what=f"Bias of {name}."),),
            ),
        )
        for name, tables in (("old", ("both", "alike", "old")), ("new", ("both", "alike")))
    )
    words = plain(render_comparison_page(comparison(first, second)))
    at = words.index("Bias, side by side")
    for wanted in (
        "A · old", "Bias of old.", "B · new", "Bias of new.",
        "Table both", " old ", " new ",
        "Table alike", "A and B alike", " x ",
        "Table old", "B: no such table",
    ):  # fmt: skip
        at = words.index(wanted, at)


def test_empty_datasets_and_audits_have_a_page() -> None:
    nothing = audit(
        "empty.csv",
        inputs=(Inspected(role="audited", path="e", rows=0, text="text", label=None),),
    )
    words = plain(render_comparison_page(comparison(nothing, nothing, kept_rows=0)))
    for wanted in ("No gate was set; no measure changed by more than chance explains.",
                   "Neither dataset has labels.", "B has no rows."):  # fmt: skip
        assert wanted in words


@pytest.mark.parametrize(
    "found",
    [
        everywhere("x" * 100_000),
        everywhere("An ordinary sentence of a definition.", times=30, rows=6),
        everywhere("'\u202e" * 50_000, times=30),
    ],
    ids=["long", "30 of each", "bidirectional"],
)
def test_a_page_stays_small(found: Comparison) -> None:
    assert len(render_comparison_page(found).encode()) <= MAX_BYTES


def test_what_a_page_leaves_out_it_says() -> None:
    words = plain(render_comparison_page(everywhere("x", times=250)))
    for pattern in (r"\d+ further labels", r"\d+ further gates", r"\d+ further measures of this"):
        assert re.search(pattern, words), pattern


def test_page_and_twin_lie_in_the_folder(tmp_path: Path) -> None:
    found = usual()
    write_comparison(found, tmp_path)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render_comparison_page(found)
    assert Comparison.model_validate_json((tmp_path / "report.json").read_bytes()) == found


def test_a_twin_of_what_no_file_can_hold_is_valid(tmp_path: Path) -> None:
    write_comparison(everywhere(EVIL), tmp_path)
    written = Comparison.model_validate_json((tmp_path / "report.json").read_bytes())
    jsonschema.validate(written.model_dump(mode="json"), written_schema(Comparison))
    assert written.first.name == EVIL.replace("\ud800", "\ufffd")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusmithError) as caught:
        write_comparison(usual(), tmp_path / "missing")
    assert caught.value.code == "CS-O001"


def test_every_change_has_words() -> None:
    assert set(CHANGES) == set(get_args(Change))
