import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from schemas.audit import Finding, Group, Metric, Section
from tasks.audit.corpus import Corpus
from tasks.audit.fidelity import measure

WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnrst"]
NAMES = [
    "mauve", "two_sample_accuracy", "two_sample_auc", "two_sample_p_value", "word_divergence",
    "word_pair_divergence", "length_distance", "length_ks", "nearest_rouge_l", "nearest_bleu",
    "unknown_word_share", "missing_word_share", "label_share_distance",
]  # fmt: skip


def corpus(
    texts: Sequence[str | None], labels: Sequence[str | None] | None = None, name: str = "some"
) -> Corpus:
    return Corpus(name=name, ids=[f"r{i}" for i in range(len(texts))], texts=texts, labels=labels)


def drawn(seed: int, size: int, *, words: list[str] = WORDS, longer: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, len(words) + 1)
    weights /= weights.sum()
    lengths = rng.integers(4, 12, size) + longer
    return [" ".join(rng.choice(words, length, p=weights)).capitalize() for length in lengths]


def labels(seed: int, size: int, share: float = 0.5) -> list[str]:
    return ["yes" if x < share else "no" for x in np.random.default_rng(seed).random(size)]


def metrics(section: Section) -> dict[str, Metric]:
    assert [metric.name for metric in section.metrics] == NAMES
    assert all(metric.group == Group.FIDELITY for metric in section.metrics)
    return {metric.name: metric for metric in section.metrics}


def found(section: Section) -> dict[str, Finding]:
    return {finding.name: finding for finding in section.findings}


def value(metric: Metric) -> float:
    assert metric.estimate is not None, metric.unmeasured
    return metric.estimate.value


def baseline(metric: Metric) -> float:
    assert metric.baseline is not None
    return metric.baseline.value


def test_without_a_reference_every_metric_says_how_to_give_one() -> None:
    section = measure(corpus=corpus(["a text"]), reference=None)
    assert all("no reference" in (metric.unmeasured or "") for metric in metrics(section).values())
    assert section.tables == section.findings == ()


@pytest.mark.parametrize(("ours", "theirs"), [([], ["a"]), (["a"], []), ([], [])])
def test_sets_without_rows_are_not_compared(ours: list[str], theirs: list[str]) -> None:
    section = measure(corpus=corpus(ours), reference=corpus(theirs, name="real"))
    assert all(metric.unmeasured for metric in section.metrics)


def test_a_set_like_the_reference_has_no_finding() -> None:
    """Over 8 seeds: figures lie where the baselines lie."""
    named = []
    for seed in range(0, 24, 3):
        ours = corpus(drawn(seed, 150), labels(seed, 150))
        real = corpus(drawn(seed + 1, 300), labels(seed + 1, 300))
        section = measure(corpus=ours, reference=real)
        named.extend(found(section))
        for name in ("mauve", "word_divergence", "nearest_rouge_l", "two_sample_auc"):
            metric = metrics(section)[name]
            assert value(metric) == pytest.approx(baseline(metric), abs=0.15)
    assert named == []


def test_everything_that_falls_short_is_said(severities) -> None:
    ours = corpus(
        [f"Overall, {text} zzyx." for text in drawn(1, 300, words=WORDS[:40], longer=8)],
        labels(1, 300, 0.9),
    )
    real = corpus(drawn(2, 700), labels(2, 700))
    section = measure(corpus=ours, reference=real)
    said = found(section)
    assert set(said) == {
        "told_from_reference", "lengths_differ", "vocabulary_falls_short", "foreign_vocabulary",
        "label_shares_differ", "labels_fall_short",
    }  # fmt: skip
    assert "overall" in said["told_from_reference"].what
    shown = said["told_from_reference"].evidence[0]
    marked = {shown.text[span.start : span.end].casefold() for span in shown.spans}
    assert {"overall", "zzyx"} & {word for words in marked for word in words.split(", ")}
    assert said["foreign_vocabulary"].rows == 300
    assert 0 < len(said["foreign_vocabulary"].evidence) <= 20
    strange = said["foreign_vocabulary"].evidence[0]
    assert "zzyx" in {strange.text[span.start : span.end] for span in strange.spans}
    assert "block" not in severities(section).values()
    by_name = metrics(section)
    assert value(by_name["two_sample_auc"]) > 0.99
    assert value(by_name["mauve"]) < 0.2 < 0.8 < baseline(by_name["mauve"])
    tables = {table.name: table for table in section.tables}
    assert tables["tell_tale_words"].rows[0][1] == 1.0
    assert ("zzyx", "this set", 300) in tables["one_sided_words"].rows
    assert {row[0] for row in tables["labels_against_reference"].rows} == {"yes", "no"}


def test_texts_unlike_any_real_one_are_shown_beside_the_nearest(severities) -> None:
    strange = ["qx " * 9] * 60
    section = measure(corpus=corpus([*drawn(1, 240), *strange]), reference=corpus(drawn(2, 700)))
    finding = found(section)["unlike_any_real_text"]
    assert severities(section)[finding.name] == "fix"
    assert finding.rows is not None
    assert 60 <= finding.rows < 80
    assert all(row.text.startswith("qx") and row.other for row in finding.evidence)


def test_all_sides_have_as_many_rows() -> None:
    section = measure(corpus=corpus(drawn(1, 90)), reference=corpus(drawn(2, 1000)))
    by_name = metrics(section)
    for metric in by_name.values():
        if metric.estimate is not None:
            assert metric.baseline is not None
            assert metric.baseline.n == metric.estimate.n
            assert metric.sampled == 90
    assert by_name["label_share_distance"].unmeasured == "one side has no labels"
    few = metrics(measure(corpus=corpus(drawn(1, 90)), reference=corpus(drawn(2, 100))))
    assert few["mauve"].sampled == 50


def test_the_order_of_rows_does_not_matter() -> None:
    texts, real = drawn(1, 80), drawn(2, 200)
    kinds = labels(1, 80)
    section = measure(corpus=corpus(texts, kinds), reference=corpus(real))
    turned = measure(corpus=corpus(texts[::-1], kinds[::-1]), reference=corpus(real[::-1]))
    assert turned.metrics == section.metrics
    assert turned.tables == section.tables


def test_the_references_own_vocabulary_makes_no_difference() -> None:
    """Codes of two vocabularies must not be taken for each other."""
    real = corpus(drawn(2, 120)[::-1])
    assert len(real.words) == 120
    section = measure(corpus=corpus(drawn(1, 60)), reference=real)
    fresh = measure(corpus=corpus(drawn(1, 60)), reference=corpus(drawn(2, 120)[::-1]))
    assert section == fresh


@pytest.mark.parametrize(
    "texts",
    [
        [None], ["one"], [None] * 60, [""] * 60, ["same words"] * 60, ["!?"] * 60,
        ["\ud800 lone \udfff half"] * 60, ["a\x00b\x1b[2J"] * 60, ["x" * 100_000] * 3,
        ["word " * 20_000] * 3,
    ],
    ids=["null", "one", "nulls", "empty", "equal", "marks", "surrogates", "control", "one_word",
         "long"],
)  # fmt: skip
def test_strange_texts_are_measured_or_named(texts: list[str | None]) -> None:
    odd = corpus(texts, ["\ud800"] * len(texts))
    plain = corpus(drawn(1, 130), labels(1, 130))
    for ours, theirs in ((odd, plain), (plain, odd), (odd, odd)):
        section = measure(corpus=ours, reference=theirs)
        metrics(section)
        again = Section.model_validate_json(section.model_dump_json())
        assert again.metrics == section.metrics
        for finding in section.findings:
            assert all(len(row.text) <= 300 for row in finding.evidence)


def sst2(shared: Path) -> Corpus:
    text = (shared / "data/sst2/stsa.binary.train").read_text("utf-8", errors="replace")
    rows = [line.split(" ", 1) for line in text.splitlines()]
    return corpus([row[1] for row in rows], [row[0] for row in rows], "sst2")


@pytest.mark.shared
def test_a_published_synthetic_set_falls_short_of_its_real_one(shared: Path) -> None:
    rows = json.loads((shared / "data/supergen_sst2/train.json").read_text("utf-8"))
    ours = corpus([row["text"] for row in rows], [row["label"] for row in rows])
    section = measure(corpus=ours, reference=sst2(shared))
    by_name, said = metrics(section), found(section)
    assert set(said) == {
        "told_from_reference", "vocabulary_falls_short", "lengths_differ", "labels_fall_short",
    }  # fmt: skip
    assert value(by_name["two_sample_accuracy"]) > 0.99
    assert value(by_name["mauve"]) < 0.02 < 0.95 < baseline(by_name["mauve"])
    assert value(by_name["missing_word_share"]) == pytest.approx(0.34, abs=0.02)
    assert baseline(by_name["missing_word_share"]) == pytest.approx(0.086, abs=0.01)


@pytest.mark.shared
def test_halves_of_real_sets_have_no_finding(shared: Path) -> None:
    with (shared / "data/banking77/train.csv").open(encoding="utf-8") as file:
        questions = list(csv.DictReader(file))
    banking = corpus([r["text"] for r in questions], [r["category"] for r in questions])
    for whole in (sst2(shared), banking):
        order = np.random.default_rng(3).permutation(len(whole))
        middle = len(whole) // 2
        section = measure(corpus=whole.take(order[:middle]), reference=whole.take(order[middle:]))
        assert section.findings == ()
        p_value = metrics(section)["two_sample_p_value"]
        assert value(p_value) > 0.01
