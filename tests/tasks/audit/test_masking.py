"""Personal data never leave an audit, whatever room shows them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.audit import Audit, Band, Evidence, Finding, Group, Section, Span, Table
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_CHARS, excerpt
from tasks.audit.masking import leave_as_is, mask_audit, mask_section
from tasks.audit.reading import Choice
from tasks.audit.run import Request
from tasks.audit_dataset import audit_dataset
from tasks.quality.pii import find_personal_data

PLANTED = {
    "email": "jo.doe@acme-mail.de",
    "card": "4539 5787 6362 1486",
    "iban": "DE89 3704 0044 0532 0130 00",
    "phone": "+49 30 901820",
    "national": "030 901820",
    "ip": "93.184.216.34",
    "ip6": "2606:2800:220:1:248:1893:25c8:1946",
    "url": "https://jo:geheim7@shop.de/x",
}
VALUES = st.sampled_from(sorted(PLANTED.values()))


def corpus_of(texts: list[str]) -> Corpus:
    return Corpus(name="c", ids=[f"r{place}" for place in range(len(texts))], texts=texts)


def audit_of(section: Section, sample: tuple[Evidence, ...] = ()) -> Audit:
    what = section.findings[0].what if section.findings else "Nothing."
    privacy = Section(group=Group.PRIVACY, metrics=())
    return Audit(
        name="c",
        created="2026-11-21T00:00:00+00:00",
        corpusmith="0",
        inputs=(),
        verdict="fix",
        reasons=(what,),
        bands=(Band(group=section.group, level="fair", why=what, action=""),),
        gates=(),
        sections=(section, privacy),
        sample=sample,
    )


def section_of(*rows: Evidence, what: str = "Look.", cells: tuple[str, ...] = ("x",)) -> Section:
    finding = Finding(
        name="f", group=Group.SHAPE, severity="fix", what=what, action="", evidence=rows
    )
    table = Table(
        name="t", group=Group.SHAPE, title="T", caption="", columns=cells, rows=(cells, cells)
    )
    return Section(group=Group.SHAPE, metrics=(), tables=(table,), findings=(finding,))


def strings_of(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from strings_of(inner)
        case list() | tuple():
            for inner in value:
                yield from strings_of(inner)


@given(st.lists(st.one_of(VALUES, st.text(max_size=20)), min_size=1, max_size=6), st.data())
@settings(max_examples=30, deadline=None)
def test_no_string_that_leaves_holds_a_value(parts: list[str], data: st.DataObject) -> None:
    text = " ".join(parts)
    corpus = Corpus(name="c", ids=[text], texts=[text * 8], labels=[text])
    row = excerpt(corpus, 0, note=f"see {text}", beside=(text, text))
    start = data.draw(st.integers(0, len(row.text)))
    spanned = row.model_copy(update={"spans": (Span(start=start, end=len(row.text)),)})
    audit = audit_of(section_of(spanned, what=f"Look: {text}.", cells=(text,)), (row,))
    masked = mask_audit(audit, [corpus], region="DE")
    dumped = masked.model_dump(mode="json")
    shown = [text for text in strings_of(dumped) if not text.startswith("Personal data")]
    assert not find_personal_data(shown, region="DE")
    (shown_row,) = masked.sections[0].findings[0].evidence
    assert (len(shown_row.text), shown_row.spans) == (len(row.text), spanned.spans)
    assert shown_row.other is not None
    assert len(shown_row.other) == len(row.other or "")


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("kept", range(6, 36))
def test_a_cut_leaves_no_half_of_a_value(kind: str, kept: int) -> None:
    value = PLANTED[kind]
    begun = value[: min(kept, len(value) - 1)]
    text = f"{'z' * (MOST_CHARS - len(begun) - 1)} {value} and more"
    corpus = corpus_of([text])
    row = excerpt(corpus, 0, beside=(None, text))
    section = mask_section(section_of(row), [corpus], region=None)
    (shown,) = section.findings[0].evidence
    # What was not masked is too little to be known by.
    assert shown.other == shown.text
    left = shown.text.removeprefix("z" * (MOST_CHARS - len(begun) - 1)).strip("* ")
    assert sum(map(str.isdecimal, left)) <= 4
    assert not re.search("@..", left)
    assert "geheim" not in left


def test_ngrams_give_no_value_away() -> None:
    texts = [f"write to {PLANTED['email']} or ring {PLANTED['phone']}", "acme mail is here"]
    cells = (
        "write to jo doe acme mail de",
        "doe acme mail",
        "ring 49 30 901820",
        "30 901820",
        "901820",
        "acme mail",
        "to jo",
    )
    section = mask_section(section_of(cells=cells), [corpus_of(texts)], region=None)
    assert section.tables[0].rows[0] == (
        "write to jo***************de",
        "do*********il",
        "ring 49********20",
        "3*******0",
        "9****0",
        "acme mail",
        "to jo",
    )


def test_an_audit_says_what_was_masked() -> None:
    corpus = corpus_of([f"mail {PLANTED['email']}", "nothing"])
    audit = audit_of(section_of(excerpt(corpus, 0), excerpt(corpus, 1)))
    said = mask_audit(audit, [corpus], region=None).sections[1].tables[0]
    assert (said.name, said.rows[0][1]) == ("masked_texts", 1)
    plain = leave_as_is(audit)
    assert plain.sections[0] == audit.sections[0]
    assert "shown as they are" in plain.sections[1].tables[0].caption
    assert plain.sections[1].tables[0].rows == ()


def test_row_numbers_stay_readable() -> None:
    corpus = Corpus(name="c", ids=["030901820", PLANTED["email"]], texts=["a", "b"])
    rows = (excerpt(corpus, 0), excerpt(corpus, 1))
    section = mask_section(section_of(*rows), [corpus], region="DE")
    ids = [row.id for row in section.findings[0].evidence]
    assert ids == ["030901820", "jo***************de"]


@pytest.mark.slow
def test_a_report_of_planted_data_gives_none_away(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    values = list(PLANTED.values())
    rows = [
        {
            "id": f"row-{i}",
            "text": f"{'She' if i % 3 else 'He'} wrote &amp; gave {values[i % len(values)]} to us"
            + (f" in note {i}" if i % 4 else ""),
            "label": values[0] if i % 5 == 0 else "other",
        }
        for i in range(160)
    ]
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    gates = tmp_path / "gates.yaml"
    gates.write_text("language: en-DE\n")
    request = Request(data, Choice(), reference=data, holdout=data, gates=gates)
    found = audit_dataset.fn(request, tmp_path / "out")
    for name in ("report.html", "report.json"):
        report = (tmp_path / "out" / name).read_text("utf-8")
        assert [value for value in values if value in report] == []
        assert "acme-mail" not in report
    assert "acme mail" not in report
    sections = {section.group: section for section in found.sections}
    table = next(t for t in sections[Group.PRIVACY].tables if t.name == "masked_texts")
    assert int(str(table.rows[0][1])) > len(values)
