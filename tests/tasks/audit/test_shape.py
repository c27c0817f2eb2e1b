"""The section on shape: what is planted is found, what is missing is said, nothing crashes."""

import json

import numpy as np
import pytest

from schemas.audit import Group, Section
from tasks.audit.corpus import Corpus
from tasks.audit.shape import measure

ENGLISH = "could you please tell me when the new card that I ordered will arrive at home"
GERMAN = "können Sie mir bitte sagen, wann meine neue Karte bei mir zu Hause ankommt"


def english(num, *, seed=1):
    draws = np.random.default_rng(seed)
    return [" ".join(draws.permutation(ENGLISH.split())[:12]) for _ in range(num)]


def corpus_of(texts, labels=None, **columns):
    ids = [f"row-{number}" for number in range(len(texts))]
    return Corpus(name="made", ids=ids, texts=texts, labels=labels, columns=columns)


def measured(corpus, *, reference=None, language="en", asked=None, attributes=None):
    section = measure(
        corpus=corpus,
        reference=reference,
        language=language,
        asked=asked,
        asked_attributes=attributes or {},
    )
    # What a report writes, it must be able to read.
    return Section.model_validate_json(section.model_dump_json())


def metrics(section):
    return {metric.name: metric for metric in section.metrics}


def findings(section):
    return {finding.name: finding for finding in section.findings}


def table(section, name):
    return next(table for table in section.tables if table.name == name)


PLANTED = {
    "empty_rate": " \u200b\n",
    "mojibake_rate": "the cafÃ© is open",
    "lost_character_rate": "half \ud83d of a pair",
    "control_character_rate": "a bell \x07 rings",
    "invisible_character_rate": "zero\u200bwidth",
    "html_entity_rate": "salt &amp; pepper",
    "unusual_space_rate": "no\u00a0break",
    "template_rate": "dear {{ name }}",
    "markup_rate": "so **very** good",
    "list_number_rate": "3. where is it",
    "meta_rate": "As an AI language model, I have no card",
}


@pytest.mark.parametrize(("name", "text"), PLANTED.items())
def test_planted_faults_are_found(name, text, severities):
    texts = english(200)
    texts[17] = texts[150] = text
    section = measured(corpus_of(texts, ["a", "b"] * 100))
    metric, finding = metrics(section)[name], findings(section)[name]
    assert metric.estimate.value == 2 / 200
    assert metric.estimate.low < 2 / 200 < metric.estimate.high
    assert finding.rows == 2
    assert severities(section)[name] == ("note" if name == "unusual_space_rate" else "fix")
    assert [row.id for row in finding.evidence] == ["row-150", "row-17"]
    assert all(span.end <= len(row.text) for row in finding.evidence for span in row.spans)


def test_clean_texts_have_no_findings():
    section = measured(corpus_of(english(300), ["a", "b", "c"] * 100))
    assert section.findings == ()
    assert {metric.group for metric in section.metrics} == {Group.SHAPE}
    assert len({metric.name for metric in section.metrics}) == len(section.metrics)


def test_nulls_are_counted_apart_from_empties(severities):
    section = measured(corpus_of([None, "", *english(98)], [None, "a"] * 50))
    found = metrics(section)
    assert found["null_rate"].estimate.value == 0.01
    assert found["empty_rate"].estimate.value == 0.01
    assert found["null_label_rate"].estimate.value == 0.5
    assert severities(section)["null_label_rate"] == "block"


def test_faults_that_the_reference_has_too_are_notes(severities):
    texts = ["fish &amp; chips", *english(99)]
    alone = measured(corpus_of(texts))
    beside = measured(corpus_of(texts), reference=corpus_of(texts))
    assert severities(alone)["html_entity_rate"] == "fix"
    assert severities(beside)["html_entity_rate"] == "note"


def test_baselines_come_from_as_many_rows():
    reference = corpus_of(english(500, seed=2), ["a", "b"] * 250)
    section = measured(corpus_of(english(100), ["a", "b"] * 50), reference=reference)
    baselines = {m.name: m.baseline for m in section.metrics if m.estimate is not None}
    assert all(baseline is not None and baseline.n <= 100 for baseline in baselines.values())
    assert baselines["null_rate"].n == 100


def test_evidence_is_short_and_says_how_long_the_text_is():
    text = "&amp;" * 20_000
    row = findings(measured(corpus_of([text] * 30)))["html_entity_rate"].evidence
    assert len(row) == 20
    assert (len(row[0].text), row[0].chars, len(row[0].spans)) == (300, 100_000, 20)


def test_the_order_of_rows_does_not_matter():
    texts = english(60)
    texts[3] = texts[9] = "fish &amp; chips"
    corpus = corpus_of(texts, ["a", "b", "c"] * 20, tone=["x", "y"] * 30)
    turned = corpus.take(np.arange(60)[::-1])
    arguments = {"asked": {"a": 1, "b": 2}, "attributes": {"tone": {"x": 3, "y": 1}}}
    assert measured(corpus, **arguments) == measured(turned, **arguments)


@pytest.mark.parametrize(
    "corpus",
    [
        corpus_of([]),
        corpus_of([], []),
        corpus_of([None, None], [None, None]),
        corpus_of(["one"], ["a"], tone=[None]),
        corpus_of(["same text"] * 5, ["a"] * 5, tone=["x"] * 5),
        corpus_of(["\ud800", "x" * 100_000, "\x00"], ["\ud800", "a", None]),
    ],
)
@pytest.mark.parametrize("reference", [None, corpus_of([]), corpus_of([None]), corpus_of(["real"])])
@pytest.mark.parametrize("asked", [None, {"a": 1, "b": 1}])
def test_small_and_odd_corpora(corpus, reference, asked):
    section = measured(
        corpus,
        reference=reference,
        asked=asked,
        attributes={"tone": {"x": 1}, "absent": {"y": 1}} if asked else {},
    )
    assert len(section.metrics) == 24


def test_what_is_missing_is_said():
    found = metrics(measured(corpus_of(english(20)), language="tlh"))
    assert found["null_label_rate"].unmeasured == "the data have no labels"
    assert found["label_evenness"].unmeasured == "the data have no labels"
    assert found["label_balance"].unmeasured == "no shares were asked for"
    assert found["too_short_rate"].unmeasured == "no reference was given"
    assert found["attribute_balance"].unmeasured == "no attributes were asked for"
    assert found["language_share"].unmeasured == "the model does not know the language tlh"
    assert metrics(measured(corpus_of([])))["null_rate"].unmeasured == "the dataset has no rows"


def test_another_language_is_found(severities):
    section = measured(corpus_of(english(90) + [GERMAN] * 10 + ["hi"] * 5))
    found = metrics(section)
    assert found["language_share"].estimate.value == 0.9
    assert found["language_unjudged_rate"].estimate.value == 5 / 105
    finding = findings(section)["language_share"]
    assert severities(section, language="en")[finding.name] == "fix"
    assert finding.rows == 10
    assert {row.note for row in finding.evidence} == {"looks like de"}
    assert table(section, "languages").rows[:2] == (
        ("en", 90, 90 / 105, None),
        ("de", 10, 10 / 105, None),
    )


def test_texts_all_in_another_language_block(severities):
    section = measured(corpus_of([GERMAN] * 10))
    assert severities(section, language="en")["language_share"] == "block"


def test_without_a_language_the_commonest_is_measured(severities):
    section = measured(corpus_of([*english(5), *[GERMAN] * 95]), language=None)
    assert metrics(section)["language_share"].estimate.value == 0.95
    assert severities(section)["language_share"] == "note"


def test_many_rows_are_sampled_for_language():
    section = measured(corpus_of(["the card arrives at home on Monday"] * 20_001))
    assert metrics(section)["language_share"].sampled == 20_000
    assert metrics(section)["language_share"].estimate.n == 20_000


def test_lengths_beyond_those_of_the_reference(severities):
    reference = corpus_of(english(400, seed=3))
    section = measured(corpus_of(english(80) + ["card"] * 20), reference=reference)
    found = metrics(section)
    assert found["too_short_rate"].estimate.value == 0.2
    assert severities(section)["too_short_rate"] == "fix"
    assert "too_long_rate" not in findings(section)
    assert found["words_per_text"].estimate.value == pytest.approx(0.8 * 12 + 0.2)
    assert found["words_per_text"].baseline.value == 12
    assert table(section, "lengths").rows[0][:4] == ("this dataset", "words", 1, 1)


def test_labels_beside_what_was_asked(severities):
    labels = ["a"] * 80 + ["b"] * 20
    section = measured(corpus_of(english(100), labels), asked={"a": 1, "b": 1, "c": 2})
    found = metrics(section)
    assert found["label_balance"].estimate.value == pytest.approx(0.45)
    assert found["label_balance"].estimate.low < 0.45 < found["label_balance"].estimate.high
    finding = findings(section)["label_balance"]
    assert severities(section)[finding.name] == "fix"
    assert finding.rows == 55
    assert findings(section)["values_never_seen"].what.endswith("asked for: c.")
    assert severities(section)["values_never_seen"] == "fix"
    assert [row[0] for row in table(section, "label_shares").rows] == ["a", "b", "c"]
    assert table(section, "label_shares").rows[2][5] == 0.5
    assert table(section, "label_test").rows[0][-2] == 0.001


def test_exact_quotas_are_no_finding():
    section = measured(corpus_of(english(90), ["a", "b", "b"] * 30), asked={"a": 1, "b": 2})
    assert metrics(section)["label_balance"].estimate.value == pytest.approx(1)
    assert section.findings == ()


def test_uneven_labels_are_noted_when_nothing_was_asked(severities):
    labels = ["a"] * 95 + ["b"] * 5
    assert severities(measured(corpus_of(english(100), labels)))["label_evenness"] == "note"
    asked = measured(corpus_of(english(100), labels), asked={"a": 19, "b": 1})
    assert asked.findings == ()


def test_labels_that_look_like_free_text():
    labels = [f"label {number}" for number in range(5001)]
    found = metrics(measured(corpus_of(["a card"] * 5001, labels)))
    assert found["label_evenness"].unmeasured.startswith("labels take more than 5,000 values")


def test_attributes_beside_what_was_asked():
    corpus = corpus_of(english(100), tone=["calm"] * 50 + ["cross"] * 50, channel=["chat"] * 100)
    attributes = {"tone": {"calm": 1, "cross": 1}, "channel": {"chat": 3, "email": 1}}
    attributes["length"] = {"short": 1}
    section = measured(corpus, attributes=attributes)
    assert metrics(section)["attribute_balance"].estimate.value == pytest.approx(0.75)
    assert "channel" in findings(section)["attribute_balance"].what
    assert table(section, "attribute_shares").rows[:2] == (
        ("channel", "chat", 100, 1.0, 0.75),
        ("channel", "email", 0, 0.0, 0.25),
    )
    tests = table(section, "attribute_tests").rows
    assert [(row[0], row[-1]) for row in tests] == [
        ("channel", ""),
        ("length", "there is no column length"),
        ("tone", ""),
    ]


@pytest.mark.shared
def test_supergen_beside_sst2(shared, severities):
    rows = json.loads((shared / "data/supergen_sst2/train.json").read_text("utf-8"))
    lines = (shared / "data/sst2/stsa.binary.train").read_text("utf-8").splitlines()
    section = measured(
        corpus_of([row["text"] for row in rows], [row["label"] for row in rows]),
        reference=corpus_of([line[2:] for line in lines], [line[0] for line in lines]),
        asked={"0": 1, "1": 1},
    )
    assert severities(section) == {"html_entity_rate": "fix"}
    assert section.findings[0].rows == 47
    assert metrics(section)["language_share"].estimate.value > 0.995
