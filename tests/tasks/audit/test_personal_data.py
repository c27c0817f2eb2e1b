from collections.abc import Sequence
from pathlib import Path

import pytest

from schemas.audit import Group, Metric, Section
from tasks.audit import intervals, personal_data
from tasks.audit.corpus import Corpus
from tasks.audit.masking import mask_section

EMAIL, CARD, PHONE = "jo.doe@acme.de", "4539 5787 6362 1486", "+49 30 901820"
TEXTS = [
    f"write to {EMAIL} or ring {PHONE}",
    f"pay with {CARD}",
    "see jo@example.org",
    None,
    f"{'z' * 400} {EMAIL.upper()}",
    "nothing",
]


def corpus_of(texts: Sequence[str | None], name: str = "some") -> Corpus:
    return Corpus(name=name, ids=[f"{name}{i}" for i in range(len(texts))], texts=texts)


def metrics_of(section: Section) -> dict[str, Metric]:
    return {metric.name: metric for metric in section.metrics}


def measure(texts: Sequence[str | None], reference: Sequence[str | None] | None) -> Section:
    real = None if reference is None else corpus_of(reference, "real")
    return personal_data.measure(corpus=corpus_of(texts), reference=real, region=None)


def test_rows_with_personal_data_are_counted_by_kind(severities) -> None:
    section = measure(TEXTS, None)
    assert section.group is Group.PRIVACY
    metrics = metrics_of(section)
    shares = {name: metric.estimate and metric.estimate.value for name, metric in metrics.items()}
    assert shares == {
        "personal_data_rate": 3 / 6,
        "email_rate": 2 / 6,
        "phone_rate": 1 / 6,
        "card_rate": 1 / 6,
        "iban_rate": 0,
        "ip_rate": 0,
        "url_credentials_rate": 0,
        "copied_personal_data_rate": None,
    }
    assert metrics["email_rate"].estimate == intervals.share(2, 6)
    assert metrics["copied_personal_data_rate"].unmeasured == "no reference was given"
    table = {row[0]: row[1:] for row in section.tables[0].rows}
    # Rows, values, distinct values, reserved ones, rows of the reference.
    assert table["email"] == (2, 2, 1, 1, None)
    assert severities(section) == {
        "personal_data_email": "fix",
        "personal_data_card": "fix",
        "personal_data_phone": "fix",
    }


def test_a_report_gives_no_value_away() -> None:
    found = measure(TEXTS, TEXTS)
    section = mask_section(found, [corpus_of(TEXTS)], region=None)
    printed = section.model_dump_json()
    for value in (EMAIL, EMAIL.upper(), CARD, PHONE, "acme", "901820", "6362"):
        assert value not in printed
    email = next(f for f in section.findings if f.name == "personal_data_email")
    near, far = sorted(email.evidence, key=lambda row: row.chars)
    assert near.text == "write to jo**********de or ring +4*********20"
    assert near.text[near.spans[0].start : near.spans[0].end] == "jo**********de"
    assert near.note == "email jo**********de at character 10"
    assert (far.text, far.spans, far.chars) == ("z" * 300, (), 415)
    assert "at character 402" in far.note


def test_values_of_the_reference_are_copies(severities) -> None:
    section = measure(TEXTS, ["my card 4539-5787-6362-1486 is", "hello", "jo@example.org"])
    metrics = metrics_of(section)
    assert metrics["copied_personal_data_rate"].estimate == intervals.share(1, 6)
    assert metrics["card_rate"].baseline == intervals.share(1, 3)
    first = section.findings[0]
    assert (first.name, first.rows) == ("personal_data_copied", 1)
    assert severities(section)[first.name] == "fix"
    assert [row.id for row in first.evidence] == ["some1"]


def test_the_baseline_is_of_as_many_rows_and_copies_are_sought_in_all() -> None:
    section = measure([EMAIL], [f"{EMAIL} {i}" if i == 7 else str(i) for i in range(50)])
    metrics = metrics_of(section)
    baseline, copied = metrics["email_rate"].baseline, metrics["copied_personal_data_rate"].estimate
    assert baseline is not None
    assert baseline.n == 1
    assert copied is not None
    assert copied.value == 1


@pytest.mark.parametrize("texts", [[], [None], [""], ["\ud800 a@b.de \udfff"], ["x"] * 5])
def test_odd_corpora_are_measured(texts: list[str | None]) -> None:
    for reference in (None, [], texts):
        section = measure(texts, reference)
        assert all(metric.estimate or metric.unmeasured for metric in section.metrics)
        assert section.model_dump_json()


def test_many_rows_show_the_worst_twenty() -> None:
    rows = [f"{EMAIL} a{i}@acme.de" if i == 40 else EMAIL for i in range(60)]
    (finding,) = measure(rows, None).findings
    assert (finding.rows, len(finding.evidence)) == (60, 20)
    assert finding.evidence[0].id == "some40"


def test_national_numbers_count_where_a_country_is_named() -> None:
    some = corpus_of(["ring 030 901820"])
    rates = []
    for region in (None, "DE"):
        section = personal_data.measure(corpus=some, reference=None, region=region)
        metric = metrics_of(section)["phone_rate"]
        assert metric.estimate is not None
        rates.append(metric.estimate.value)
    assert rates == [0, 1]
    assert "those of DE" in metric.definition


@pytest.mark.shared
def test_intent_data_hold_no_personal_data(shared: Path) -> None:
    import csv

    with (shared / "data/banking77/train.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    section = personal_data.measure(corpus=corpus_of(texts), reference=None, region="GB")
    assert section.findings == ()
