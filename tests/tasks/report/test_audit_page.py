import json
import re
from collections import Counter
from collections.abc import Callable
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
from schemas.audit_json_schema import audit_json_schema
from schemas.errors import CorpusmithError
from tasks.report import audit_wording
from tasks.report.audit_page import LIMITS, render_audit_page, write_audit_report
from tasks.report.bounded_page import MAX_BYTES

EVIL = "<script>alert(1)</script> & \u202eevil\x07\ud800"


def metric(name: str, **changes: Any) -> Metric:
    facts: dict[str, Any] = {
        "name": name, "group": Group.DUPLICATES, "title": f"Rows of {name}", "unit": "share",
        "better": "lower", "estimate": Estimate(value=0.08, low=0.06, high=0.1, n=500),
        "definition": "Share of rows that repeat another.", "source": "Lee et al., ACL 2022.",
    }  # fmt: skip
    return Metric(**(facts | changes))


def finding(name: str, **changes: Any) -> Finding:
    facts: dict[str, Any] = {
        "name": name, "group": Group.DUPLICATES, "severity": "fix", "what": f"Found {name}.",
        "action": "Drop them.", "rows": 3,
    }  # fmt: skip
    return Finding(**(facts | changes))


def evidence(text: str, **changes: Any) -> Evidence:
    return Evidence(**({"id": "r-1", "text": text, "chars": len(text)} | changes))


def section(**changes: Any) -> Section:
    return Section(**({"group": Group.DUPLICATES, "metrics": (metric("copies"),)} | changes))


def audit(*sections: Section, **changes: Any) -> Audit:
    facts: dict[str, Any] = {
        "name": "demo.csv", "created": "2026-11-21T08:15:00Z", "corpusmith": "1", "verdict": "fix",
        "inputs": (
            Inspected(role="audited", path="/data/demo.csv", rows=500, text="text", label=None),
            Inspected(role="reference", path="real.csv", rows=700, text="text", label="label"),
        ),
        "reasons": ("First reason.", "Second reason."),
        "bands": (Band(group=Group.DUPLICATES, level="fair", why="Copies.", action="Drop."),),
        "gates": (GateOutcome(metric="copies", level="warn", observed=0.08, bound="<= 0.05"),),
        "sections": sections or (section(),),
    }  # fmt: skip
    return Audit(**(facts | changes))


def everywhere(text: str, *, times: int = 1, rows: int = 20) -> Audit:
    """Put a text wherever a text can stand, in every room, `times` times each."""
    row = evidence(
        text, id=text, label=text, note=text, other=text, other_id=text,
        spans=tuple(Span(start=place, end=place + 1) for place in range(0, 2 * rows, 2)),
    )  # fmt: skip
    sections = []
    for group in Group:
        names = [f"{group}_{number}" for number in range(times)]
        words = {"group": group, "title": text, "definition": text, "source": text}
        sections.append(
            Section(
                group=group,
                metrics=tuple(
                    made
                    for name in names
                    for made in (
                        metric(name, baseline=Estimate(value=0.5, n=3), **words),
                        metric(f"{name}_not", estimate=None, unmeasured=text, **words),
                    )
                ),
                tables=tuple(
                    Table(
                        name=name, group=group, title=text, caption=text,
                        columns=(text, "share", *[text] * rows),
                        rows=(((text, 0.5, *[text] * rows),) * rows),
                    )
                    for name in names
                ),
                findings=tuple(
                    finding(name, group=group, what=text, action=text, evidence=(row,) * rows)
                    for name in names
                ),
            )
        )  # fmt: skip
    return audit(
        *sections, name=text, created=text, corpusmith=text, reasons=(text,) * 3,
        sample=(row,) * 5 * rows, seconds={text: 1.0},
        inputs=(Inspected(role="audited", path=text, rows=1, text=text, label=text),),
        bands=tuple(Band(group=group, level="poor", why=text, action=text) for group in Group),
        gates=tuple(
            GateOutcome(metric=f"{group}_{number}", level="fail", observed=0.5, bound=text)
            for group in Group for number in range(times)
        ),
    )  # fmt: skip


def plain(page: str) -> str:
    """Return what a reader reads, white space as one space."""
    body = page[page.index("<body>") : page.index("<script>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body))


def test_the_page_is_self_contained_and_nothing_in_it_acts(tags_of: Any) -> None:
    page = render_audit_page(everywhere(EVIL))
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
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; style-src &#39;sha256-")


def test_every_link_leads_somewhere_and_no_two_places_share_a_name(tags_of: Any) -> None:
    tags = tags_of(render_audit_page(everywhere("x", times=3)))
    places = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(places) == len(set(places))
    for _, attributes in tags:
        if "href" in attributes:
            assert str(attributes["href"]).removeprefix("#") in places
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in places


@pytest.mark.parametrize("verdict", ["ship", "fix", "block"])
def test_the_verdict_comes_first_with_its_reasons(verdict: str) -> None:
    words = plain(render_audit_page(audit(verdict=verdict)))
    assert audit_wording.VERDICTS[verdict].word in words
    assert words.index(verdict.capitalize()) < words.index("First reason.")
    assert (
        words.index("First reason.")
        < words.index("Second reason.")
        < words.index("What the audit says")
    )


def test_a_metric_stands_beside_interval_baseline_gate_and_definition() -> None:
    baseline = Estimate(value=0.02, low=0.01, high=0.04, n=500)
    words = plain(
        render_audit_page(
            audit(section(metrics=(metric("copies", baseline=baseline, sampled=500),)))
        )
    )
    at = words.index("Do rows repeat each other?", words.index("How to read"))
    for wanted in (
        "Rows of copies", "8.0 %", "6.0 % to 10.0 %", "2.0 %",
        "1.0 % to 4.0 %", "500", "sample of 500", "! warns", "at most 5 %",
        "Lower is better", "Share of rows that repeat another.", "Lee et al., ACL 2022.", "copies",
    ):  # fmt: skip
        at = words.index(wanted, at)


def test_what_was_not_measured_says_why() -> None:
    unmeasured = metric("copies", estimate=None, unmeasured="the data have no labels")
    gates = (GateOutcome(metric="copies", level="unmeasured", observed=None, bound="<= 0.05"),)
    page = render_audit_page(audit(section(metrics=(unmeasured,)), gates=gates))
    assert "the data have no labels" in page
    assert "\N{EN DASH} not judged" in plain(page)
    assert '<table class="measures">' not in page


def test_findings_come_worst_first_with_marked_rows_and_pairs() -> None:
    row = evidence("one two three", spans=(Span(start=4, end=7),), other="ONE TWO", other_id="r-9")
    findings = (
        finding("known", severity="note"),
        finding("few", rows=2),
        finding("many", rows=9, evidence=(row,)),
        finding("worst", severity="block", rows=1),
    )
    page = render_audit_page(audit(section(findings=findings)))
    places = [page.index(f">Found {name}.</h4>") for name in ("worst", "many", "few", "known")]
    assert places == sorted(places)
    assert "one <mark>two</mark> three" in page
    words = plain(page)
    assert words.index("Compared with r-9") < words.index("ONE TWO") < words.index("r-1")


def test_shares_of_a_table_are_percentages_with_bars() -> None:
    table = Table(
        name="t", group=Group.DUPLICATES, title="Labels", caption="c",
        columns=("label", "rows", "share", "low", "p", "weight"),
        rows=(("a", 1200, 0.6, 0.5, 1.2e-9, 2.5), ("b", 800, 0.3, None, 0.5, 1.0)), left_out=7,
    )  # fmt: skip
    page = render_audit_page(audit(section(tables=(table,))))
    body = page[page.index('<table class="figures">') :]
    cells = re.findall(r"<td class=n>([^<]*)</td>", body)
    assert cells == [
        "1,200", "60.0\u00a0%", "50.0\u00a0%", "1.2e-09", "2.50",
        "800", "30.0\u00a0%", "\N{EN DASH}", "0.500", "1",
    ]  # fmt: skip
    assert re.findall(r'class="fill" width="(\d+)"', body) == ["100", "50"]
    assert "Not shown: 7 further rows." in plain(page)


def test_an_empty_audit_has_a_page() -> None:
    empty = audit(verdict="ship", sections=(), bands=(), gates=(), inputs=(), reasons=())
    words = plain(render_audit_page(empty.model_copy(update={"sections": ()})))
    assert "Ship: nothing found stands against training on this" in words
    assert "Rows to look at" not in words


@pytest.mark.parametrize(
    ("make", "rung"),
    [
        (lambda: everywhere("x" * 100_000), 0),
        (lambda: audit(section(metrics=tuple(metric(f"m{n}") for n in range(500)))), 0),
        (lambda: everywhere("An ordinary sentence of a definition.", times=50, rows=6), 1),
        (lambda: everywhere("'\u202e" * 50_000, times=30), 2),
        (lambda: everywhere("\U000e0001" * 100_000, times=30), 2),
    ],
    ids=["long", "500 metrics", "500 of each", "bidirectional", "tags"],
)
def test_a_page_stays_small(make: Callable[[], Audit], rung: int) -> None:
    """The first of the limits that is small enough is taken; ordinary audits fit the first."""
    page = render_audit_page(make())
    assert len(page.encode()) <= MAX_BYTES
    assert page.count('<li class="row">') == min(LIMITS[rung].sample, len(make().sample))


def test_what_a_page_leaves_out_it_says() -> None:
    words = plain(render_audit_page(everywhere("x", times=30, rows=30)))
    for pattern in (
        r"\d+ further findings, none of them worse", r"\d+ further examples are in report.json",
        r"\d+ further gates",
        r"Not shown: \d+ further rows and \d+ further columns",
        r"\d+ further measures and tables",
    ):  # fmt: skip
        assert re.search(pattern, words.replace(" report.json ", " report.json")), pattern


def test_page_and_twin_lie_in_the_folder(tmp_path: Path) -> None:
    found = audit(seconds={"duplicates": 1.5})
    write_audit_report(found, tmp_path)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render_audit_page(found)
    assert Audit.model_validate_json((tmp_path / "report.json").read_bytes()) == found


def test_a_twin_of_what_no_file_can_hold_is_valid(tmp_path: Path) -> None:
    table = Table(
        name="t", group=Group.SHAPE, title="t", caption="c", columns=("a",), rows=((float("nan"),),)
    )
    found = everywhere(EVIL)
    odd = found.model_copy(update={"sections": (section(tables=(table,)), *found.sections[1:])})
    write_audit_report(odd, tmp_path)
    written = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(written, audit_json_schema())
    assert written["name"] == EVIL.replace("\ud800", "\ufffd")
    assert written["sections"][0]["tables"][0]["rows"] == [[None]]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusmithError) as caught:
        write_audit_report(audit(), tmp_path / "missing")
    assert caught.value.code == "CS-O001"


def test_every_choice_has_words() -> None:
    def choices(model: Any, field: str) -> set[str]:
        return set(get_args(model.model_fields[field].annotation))

    assert set(audit_wording.ROOMS) == set(Group)
    assert set(audit_wording.VERDICTS) == choices(Audit, "verdict")
    assert set(audit_wording.BANDS) == choices(Band, "level")
    assert set(audit_wording.OUTCOMES) == choices(GateOutcome, "level")
    assert set(audit_wording.SEVERITIES) == choices(Finding, "severity")
    assert set(audit_wording.SEVERITY_HEADINGS) == choices(Finding, "severity")
    assert set(audit_wording.ROLES) == choices(Inspected, "role")
    assert set(audit_wording.BETTER) == choices(Metric, "better")
