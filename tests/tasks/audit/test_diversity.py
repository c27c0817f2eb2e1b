import json
import random

import numpy as np
import pytest

from schemas.audit import Finding, Metric, Section, Table
from tasks.audit.corpus import Corpus
from tasks.audit.diversity import measure
from tasks.audit.diversity_estimates import first_characters, random_order
from tasks.quality.compression import compression_ratio
from tasks.quality.diversity import distinct_n
from tasks.quality.self_bleu import self_bleu
from tasks.quality.vendi import character_kernel, vendi_score

WORDS = [a + b + c for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]


def corpus_of(texts, *, labels=None, strategies=None, **options) -> Corpus:
    columns = {} if strategies is None else {"strategy": strategies}
    ids = [f"r{place}" for place in range(len(texts))]
    return Corpus(name="c", ids=ids, texts=texts, labels=labels, columns=columns, **options)


def sentences(num: int, *, words: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS[:words], k=7)) for _ in range(num)]


def metric(section: Section, name: str) -> Metric:
    return next(metric for metric in section.metrics if metric.name == name)


def table(section: Section, name: str) -> Table:
    return next(table for table in section.tables if table.name == name)


def finding(section: Section, name: str) -> Finding | None:
    return next((finding for finding in section.findings if finding.name == name), None)


def test_the_figures_are_those_of_the_measures() -> None:
    texts = sentences(60, words=40, seed=0)
    section = measure(corpus=corpus_of(texts), reference=None)
    figures = {m.name: m.estimate.value for m in section.metrics if m.estimate}
    assert figures["vendi_score"] == pytest.approx(vendi_score(character_kernel(texts)))
    assert figures["self_bleu"] == pytest.approx(
        np.mean(self_bleu([text.split() for text in texts]))
    )
    assert [figures[f"distinct_{n}"] for n in (1, 2, 3, 4)] == [
        distinct_n(texts, n) for n in (1, 2, 3, 4)
    ]
    assert figures["compression_ratio"] == compression_ratio(texts)
    assert all(m.sampled is None for m in section.metrics)
    assert len({m.name for m in section.metrics}) == len(section.metrics)
    bounded = [m.estimate for m in section.metrics if m.estimate]
    assert all(one.low <= one.value <= one.high for one in bounded if one.low is not None)
    assert sum(one.low is not None for one in bounded) == 15


def test_the_order_of_the_rows_is_all_the_same() -> None:
    texts = sentences(300, words=30, seed=1)
    corpus = corpus_of(texts, labels=["ab"[i % 2] for i in range(300)])
    shuffled = corpus.take(np.random.default_rng(0).permutation(300))
    again = Corpus(name="c", ids=shuffled.ids, texts=shuffled.texts, labels=shuffled.labels)
    reference = corpus_of(sentences(90, words=60, seed=2))
    first, second = (measure(corpus=each, reference=reference) for each in (corpus, again))
    assert first.metrics == second.metrics
    assert first.tables == second.tables


def test_a_reference_is_measured_at_equal_size() -> None:
    small = corpus_of(sentences(60, words=40, seed=3))
    large = corpus_of(sentences(200, words=40, seed=3))
    section = measure(corpus=large, reference=small)
    for name, own in (("vendi_score", 60), ("self_bleu", 60), ("opening_3_entropy", 60)):
        found = metric(section, name)
        assert (found.estimate.n, found.baseline.n, found.sampled) == (own, own, 60)
    distinct = metric(section, "distinct_2")
    assert distinct.estimate.n == distinct.baseline.n == 60 * 6
    assert "420 words" in distinct.definition
    # Both are of one source: equal in the long run, as they would not be at unequal size.
    assert not section.findings


def test_a_reference_too_small_to_compare_shrinks_nothing() -> None:
    section = measure(
        corpus=corpus_of(sentences(200, words=40, seed=3)),
        reference=corpus_of(sentences(12, words=40, seed=4)),
    )
    found = metric(section, "vendi_score")
    assert (found.estimate.n, found.baseline, found.sampled) == (200, None, None)


def test_copies_are_one_text_and_blocked(severities) -> None:
    section = measure(corpus=corpus_of(["the card is late, it seems"] * 60), reference=None)
    assert metric(section, "vendi_score").estimate.value == pytest.approx(1)
    assert metric(section, "self_bleu").estimate.value == pytest.approx(1)
    assert metric(section, "opening_3_entropy").estimate.value == 0
    found = finding(section, "one_text")
    assert found is not None
    assert severities(section)[found.name] == "block"


def test_less_varied_than_the_reference(severities) -> None:
    section = measure(
        corpus=corpus_of(sentences(200, words=12, seed=5)),
        reference=corpus_of(sentences(200, words=150, seed=6)),
    )
    found = finding(section, "less_varied_than_reference")
    assert found is not None
    assert severities(section)[found.name] == "fix"
    assert "different pairs of words" in found.what
    # The other way round there is nothing to mend.
    swapped = measure(
        corpus=corpus_of(sentences(200, words=150, seed=6)),
        reference=corpus_of(sentences(200, words=12, seed=5)),
    )
    assert finding(swapped, "less_varied_than_reference") is None


def test_an_opening_that_is_everywhere(severities) -> None:
    texts = sentences(200, words=60, seed=7)
    texts[::2] = ["Well, I THINK: " + text for text in texts[::2]]
    section = measure(corpus=corpus_of(texts), reference=None)
    found = finding(section, "common_opening")
    assert found is not None
    assert severities(section)[found.name] == "fix"
    assert (found.rows, len(found.evidence)) == (100, 20)
    assert '"well i think"' in found.what
    first = found.evidence[0]
    assert first.text[first.spans[0].start : first.spans[0].end] == "Well, I THINK"
    # A reference that begins so too excuses it.
    other = corpus_of(["well i think " + text for text in sentences(200, words=60, seed=8)])
    section = measure(corpus=corpus_of(texts), reference=other)
    assert finding(section, "common_opening") is None


def test_labels_and_strategies_stand_side_by_side() -> None:
    texts = sentences(100, words=150, seed=9) + sentences(100, words=5, seed=10)
    labels = ["wide"] * 50 + ["broad"] * 50 + ["narrow"] * 95 + [None] * 2 + ["rare"] * 3
    strategies = ["beam"] * 100 + ["nucleus"] * 100
    section = measure(corpus=corpus_of(texts, labels=labels, strategies=strategies), reference=None)
    lines = table(section, "diversity_by_label")
    assert lines.rows[0][:2] == ("narrow", 95)
    assert lines.rows[-1][:3] == ("rare", 3, None)
    vendi = lines.columns.index("vendi_score")
    assert lines.rows[0][vendi] < lines.rows[1][vendi]
    assert "50 texts" in lines.caption
    found = finding(section, "narrow_label")
    assert found is not None
    assert (found.rows, len(found.evidence)) == (95, 20)
    assert all(row.label == "narrow" for row in found.evidence)
    assert metric(section, "least_varied_label").estimate.value < 0.5
    assert [row[0] for row in table(section, "diversity_by_strategy").rows] == ["nucleus", "beam"]


def test_tables_are_of_all_rows() -> None:
    texts = ["a b c d", "a b e f", "g"]
    section = measure(corpus=corpus_of(texts), reference=corpus_of(["a"]))
    words = table(section, "vocabulary")
    assert [row[1:4] for row in words.rows] == [(3, 9, 7), (1, 1, 1)]
    assert [row[:3] for row in table(section, "openings").rows] == [(1, "a", 2), (2, "a b", 2)]


@pytest.mark.parametrize(
    "texts", [[], ["one"], [None, None], ["", "!!"], ["\ud800"] * 30, ["x" * 100_000] * 25]
)
def test_what_cannot_be_measured_is_said(texts) -> None:
    labels = ["\ud800" for _ in texts]
    for reference in (None, corpus_of([]), corpus_of(sentences(30, words=9, seed=0))):
        section = measure(corpus=corpus_of(texts, labels=labels), reference=reference)
        json.loads(section.model_dump_json())
        for one in section.metrics:
            assert (one.estimate is None) == (one.unmeasured is not None)
        assert metric(section, "least_varied_strategy").unmeasured == "the data have no strategy"


def test_no_estimate_leaves_its_range() -> None:
    # Of copies and of strangers alike, every figure lies at one of its ends.
    for texts in (["a b c d e"] * 40, [f"{w} {w}x {w}y {w}z" for w in WORDS[:40]]):
        for one in measure(corpus=corpus_of(texts), reference=None).metrics:
            found = one.estimate
            if found is not None and found.low is not None:
                assert found.low <= found.value <= found.high
                assert one.unit != "share" or 0 <= found.low <= found.high <= 1


@pytest.mark.shared
def test_real_corpora(shared, severities) -> None:
    """A synthetic set falls short of the real one; real ones raise no alarm."""
    data = shared / "data"
    made = json.loads((data / "supergen_sst2" / "train.json").read_text("utf-8"))
    lines = (data / "sst2" / "stsa.binary.train").read_text("utf-8").splitlines()
    intents = json.loads((data / "clinc150" / "data_full.json").read_text("utf-8"))["train"]
    real = corpus_of([line[2:] for line in lines], labels=[line[0] for line in lines])
    synthetic = corpus_of([row["text"] for row in made], labels=[row["label"] for row in made])
    section = measure(corpus=synthetic, reference=real)
    assert severities(section) == {
        "less_varied_than_reference": "fix",
        "common_opening": "fix",
    }
    for name in ("vendi_score", "distinct_2", "self_bleu", "compression_ratio"):
        found = metric(section, name)
        assert found.baseline is not None
        assert (found.estimate.value > found.baseline.value) == (found.better == "lower")
    clinc = corpus_of([text for text, _ in intents], labels=[label for _, label in intents])
    assert measure(corpus=clinc, reference=None).findings == ()


def test_the_random_order_is_of_the_rows_and_not_of_the_file() -> None:
    corpus = corpus_of([f"text {i}" for i in range(50)])
    order = random_order(corpus).ids
    assert sorted(order) == sorted(corpus.ids)
    assert list(order) != list(corpus.ids)
    assert random_order(corpus.take(np.arange(50)[::-1])).ids == order


def test_the_first_characters() -> None:
    assert first_characters(["abc", "", "de"], 4) == ["abc", "", "d"]
    assert first_characters(["abc"], 0) == []
    assert first_characters(["abc"], 9) == ["abc"]
