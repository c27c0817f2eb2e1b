"""The room of duplicates: its figures, what it leaves unmeasured, and the rows that it shows."""

import json
import random

import numpy as np
import pytest

from schemas.audit import Section
from tasks.audit.corpus import Corpus
from tasks.audit.duplicates import measure

WORDS = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "islet", "knoll")
RATES = {
    "exact_duplicate_rate",
    "duplicate_rate",
    "folded_duplicate_rate",
    "near_duplicate_rate",
    "semantic_duplicate_rate",
}


def sentence(number: int) -> str:
    return " ".join(random.Random(number).choices(WORDS, k=9)) + f" {number * 7919}"


def corpus(texts, labels=None, split=None, name="some"):
    return Corpus(
        name=name,
        ids=[f"{name}-{row}" for row in range(len(texts))],
        texts=texts,
        labels=labels,
        columns={} if split is None else {"split": split},
    )


def audit(some: Corpus, reference: Corpus | None = None, embed=None) -> Section:
    return measure(corpus=some, reference=reference, embed=embed)


def counts(section: Section) -> dict[str, int]:
    return {
        metric.name: round(metric.estimate.value * metric.estimate.n)
        for metric in section.metrics
        if metric.estimate is not None
    }


def finding(section: Section, name: str):
    return next(found for found in section.findings if found.name == name)


PLAIN = [sentence(number) for number in range(60)]
COPIED = [*PLAIN, PLAIN[0], PLAIN[1].upper(), PLAIN[2] + "!", PLAIN[3] + "x"]


def test_every_kind_of_copy_is_counted() -> None:
    found = counts(audit(corpus(COPIED)))
    assert found["exact_duplicate_rate"] == 1
    assert found["duplicate_rate"] == found["folded_duplicate_rate"] == 3
    assert found["near_duplicate_rate"] == 4


def test_rows_without_a_text_are_no_copies() -> None:
    section = audit(corpus([None, None, "", "", *PLAIN]))
    assert {metric.estimate.n for metric in section.metrics if metric.estimate} == {60}
    assert counts(section)["exact_duplicate_rate"] == 0
    assert section.findings == ()


def test_texts_without_letters_are_compared_as_they_are() -> None:
    found = counts(audit(corpus(["!", "?", "?", "-_-"])))
    assert found["duplicate_rate"] == found["folded_duplicate_rate"] == 1
    assert found["near_duplicate_rate"] == 1


def test_folding_is_not_measured_where_it_would_drop_the_text() -> None:
    section = audit(corpus(["iPhone где мой", "iPhone где твой", "iPhone кто там"]))
    folded = next(m for m in section.metrics if m.name == "folded_duplicate_rate")
    assert folded.estimate is None
    assert "beyond a-z" in str(folded.unmeasured)
    assert counts(section)["duplicate_rate"] == 0


@pytest.mark.parametrize("texts", [[], [None], [""]])
def test_nothing_to_measure_is_said(texts) -> None:
    section = audit(corpus(texts), reference=corpus(PLAIN))
    assert {metric.unmeasured for metric in section.metrics} == {"no row holds a text"}
    assert len(section.metrics) == 9
    assert section.findings == ()


def test_one_row_and_equal_rows(severities) -> None:
    assert set(counts(audit(corpus(["alone"]))).values()) == {0}
    section = audit(corpus(["again and again"] * 30))
    found = counts(section)
    assert {name: found[name] for name in RATES} == {
        **dict.fromkeys(RATES, 29),
        "semantic_duplicate_rate": 30,
    }
    assert severities(section)["copies"] == "block"
    assert len(finding(section, "copies").evidence) == 1


def test_missing_labels_and_splits_are_said() -> None:
    section = audit(corpus(PLAIN, labels=[None] * 60, split=["train"] * 60))
    why = {metric.name: metric.unmeasured for metric in section.metrics}
    assert why["conflicting_label_rate"] == why["near_conflicting_label_rate"]
    assert why["conflicting_label_rate"] == "the rows have no labels"
    assert why["split_overlap_rate"] == why["near_split_overlap_rate"] == "there are not two splits"


def test_figures_do_not_depend_on_the_order() -> None:
    some = corpus(COPIED, labels=[str(row % 3) for row in range(64)])
    turned = some.take(np.random.default_rng(1).permutation(64))
    assert counts(audit(turned)) == counts(audit(some))


def test_a_larger_reference_is_the_baseline_at_equal_n() -> None:
    section = audit(corpus(COPIED), reference=corpus([sentence(n) for n in range(100, 300)]))
    for metric in section.metrics:
        if metric.name in RATES:
            assert metric.baseline is not None
            assert metric.baseline.n == 64
            assert metric.baseline.value == 0
    assert section.tables == ()
    assert "Of as many rows of the reference it is 0.0%." in finding(section, "copies").what


def test_a_smaller_reference_stands_beside_as_many_rows() -> None:
    section = audit(corpus([*PLAIN, *PLAIN]), reference=corpus(["one", "one", "two"], name="real"))
    whole = next(m for m in section.metrics if m.name == "duplicate_rate")
    assert whole.baseline is None
    assert whole.estimate.n == 120
    meaning = next(m for m in section.metrics if m.name == "semantic_duplicate_rate")
    assert meaning.sampled == meaning.estimate.n == meaning.baseline.n == 3
    (table,) = section.tables
    assert table.columns == ("measure", "some", "real")
    assert [row[2] for row in table.rows] == pytest.approx([1 / 3] * 4)


def test_what_the_reference_has_as_well_is_a_note(severities) -> None:
    copied = corpus([*PLAIN, *PLAIN[:10]])
    assert severities(audit(copied))["copies"] == "fix"
    assert severities(audit(copied, reference=copied))["copies"] == "note"


def test_labels_that_copies_contradict() -> None:
    texts = [*PLAIN[:40], *PLAIN[:3], PLAIN[4] + "x"]
    labels = ["a"] * 40 + ["b", "a", None, "c"]
    section = audit(corpus(texts, labels=labels))
    found = counts(section)
    assert found["conflicting_label_rate"] == 1
    assert found["near_conflicting_label_rate"] == 2
    assert next(m for m in section.metrics if m.name == "conflicting_label_rate").estimate.n == 43
    conflicts = finding(section, "conflicting_labels")
    assert conflicts.rows == 2
    assert [(e.id, e.other_id, e.note) for e in conflicts.evidence] == [
        ("some-0", "some-40", "labelled a, the other b"),
        ("some-4", "some-43", "labelled a, the other c"),
    ]


def test_rows_that_two_splits_hold(severities) -> None:
    texts = [*PLAIN[:40], PLAIN[0].upper(), PLAIN[1] + "x", PLAIN[50], PLAIN[50], PLAIN[51]]
    split = ["train"] * 40 + ["test", "test", "test", "test", None]
    section = audit(corpus(texts, split=split))
    rates = {m.name: m.estimate for m in section.metrics if m.name.endswith("overlap_rate")}
    assert (rates["split_overlap_rate"].value, rates["split_overlap_rate"].n) == (0.25, 4)
    assert rates["near_split_overlap_rate"].value == 0.5
    overlap = finding(section, "split_overlap")
    assert severities(section)[overlap.name] == "fix"
    assert [(e.id, e.other_id, e.note) for e in overlap.evidence] == [
        ("some-40", "some-0", "in test, the other in train"),
        ("some-41", "some-1", "in test, the other in train"),
    ]


def test_the_largest_split_is_the_training_split_where_none_is_named_so() -> None:
    section = audit(corpus([*PLAIN, PLAIN[0]], split=["big"] * 60 + ["small"]))
    overlap = next(m for m in section.metrics if m.name == "split_overlap_rate")
    assert (overlap.estimate.value, overlap.estimate.n) == (1, 1)


def test_evidence_shows_what_differs() -> None:
    texts = ["please send the new red card to my old house today", *PLAIN]
    section = audit(corpus([*texts, texts[0].replace("red", "rod")]))
    (pair,) = finding(section, "near_duplicates").evidence
    (span,) = pair.spans
    assert (pair.id, pair.other_id) == ("some-61", "some-0")
    assert pair.text[span.start : span.end] == "o"
    assert pair.note.endswith("a group of 2 rows")


def test_hostile_texts_are_cut_and_shown() -> None:
    texts = ["\ud800 lone", "\ud800 lone", "x" * 100_000, "x" * 100_000, "\0\0", "\0\0"]
    copies = finding(audit(corpus(texts)), "copies")
    assert [e.chars for e in copies.evidence] == [6, 100_000, 2]
    assert [len(e.text) for e in copies.evidence] == [6, 300, 2]
    assert json.loads(copies.model_dump_json())["rows"] == 3


def test_at_most_twenty_rows_show_a_finding_the_largest_groups_first() -> None:
    section = audit(corpus([*PLAIN, *PLAIN, PLAIN[30], PLAIN[30]]))
    copies = finding(section, "copies")
    assert len(copies.evidence) == 20
    assert copies.evidence[0].other_id == "some-30"
    assert copies.evidence[0].note == "one of 4 rows, byte for byte"
    assert copies.rows == 62


def test_a_model_of_meaning_takes_the_place_of_words() -> None:
    vectors = {"the cat is here": [1, 0], "a feline arrived": [1, 0.1], "it rains": [0, 1]}

    def embed(texts: list[str]):
        return np.array([vectors[text] for text in texts], dtype=np.float32)

    section = audit(corpus(list(vectors)), embed=embed)
    assert counts(section)["semantic_duplicate_rate"] == 2
    assert counts(audit(corpus(list(vectors))))["semantic_duplicate_rate"] == 0
    (pair,) = finding(section, "same_meanings").evidence
    assert {pair.id, pair.other_id} == {"some-0", "some-1"}


@pytest.mark.parametrize("shape", [(2, 3), (3,), (4, 2)])
def test_a_model_that_returns_something_else_is_an_error(shape) -> None:
    with pytest.raises(ValueError, match="vector"):
        audit(corpus(["a b", "c d", "e f"]), embed=lambda texts: np.ones(shape, dtype=np.float32))


def test_same_meanings_shows_no_near_duplicates() -> None:
    texts = ["when does the bus to oslo leave", "the bus to oslo when does leave", *COPIED]
    section = audit(corpus(texts))
    assert counts(section)["semantic_duplicate_rate"] >= 8
    pairs = finding(section, "same_meanings").evidence
    assert {frozenset((e.id, e.other_id)) for e in pairs} == {frozenset(("some-0", "some-1"))}


@pytest.mark.shared
def test_a_real_synthetic_set_beside_the_real_one(shared, severities) -> None:
    rows = json.loads((shared / "data/supergen_sst2/train.json").read_text("utf-8"))
    lines = (shared / "data/sst2/stsa.binary.train").read_text("utf-8").splitlines()
    section = audit(
        corpus([row["text"] for row in rows], labels=[row["label"] for row in rows]),
        reference=corpus([line.split(" ", 1)[1] for line in lines], name="real"),
    )
    found = counts(section)
    assert found["exact_duplicate_rate"] == 4
    assert found["duplicate_rate"] == found["folded_duplicate_rate"] == 476
    assert found["near_duplicate_rate"] > 2000
    near = next(m for m in section.metrics if m.name == "near_duplicate_rate")
    assert near.baseline.high < 0.01
    assert severities(section)["copies"] == "fix"
    assert severities(section)["near_duplicates"] == "fix"


@pytest.mark.shared
def test_a_real_set_is_not_blocked(shared, severities) -> None:
    data = json.loads((shared / "data/clinc150/data_full.json").read_text("utf-8"))
    rows = [(text, label, name) for name in sorted(data) for text, label in data[name][::3]]
    texts, labels, split = zip(*rows, strict=True)
    section = audit(corpus(texts, labels=labels, split=split))
    assert set(severities(section).values()) <= {"note"}
