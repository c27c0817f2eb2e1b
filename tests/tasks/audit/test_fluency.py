import json
import math

import numpy as np
import pytest

from schemas.audit import Finding, Metric, Section
from tasks.audit.corpus import Corpus
from tasks.audit.fluency import measure
from tasks.audit.likelihoods import MOST_SCORED

LOOP = "the same old story " * 4


def corpus_of(texts, *, labels=None, columns=None, **numbers) -> Corpus:
    return Corpus(
        name="c",
        ids=[f"r{place}" for place in range(len(texts))],
        texts=texts,
        labels=labels,
        columns=columns or {},
        numbers={name: np.array(values, dtype=np.float64) for name, values in numbers.items()},
    )


def metric(section: Section, name: str) -> Metric:
    return next(metric for metric in section.metrics if metric.name == name)


def finding(section: Section, name: str) -> Finding | None:
    return next((finding for finding in section.findings if finding.name == name), None)


def coins(texts) -> np.ndarray:
    """A model of two equally probable characters, to which an `x` is one in 2^30."""
    return np.array([-math.log(2) * (len(text) + 29 * text.count("x")) for text in texts])


def test_likelihoods_of_a_model() -> None:
    texts = ["a b a b", "bb", "", "abab"]
    section = measure(corpus=corpus_of(texts), reference=corpus_of(["ab x"]), scorer=coins)
    bits = metric(section, "bits_per_character")
    assert (bits.estimate.value, bits.estimate.low, bits.estimate.high) == pytest.approx((1, 1, 1))
    assert bits.estimate.n == 3
    assert bits.baseline.value == pytest.approx((4 + 29) / 4)
    words = metric(section, "word_perplexity")
    assert words.estimate.value == pytest.approx(2 ** (13 / 6))
    assert metric(section, "token_perplexity").unmeasured is not None


def test_likelihoods_that_the_generator_left() -> None:
    corpus = corpus_of(
        ["noised!", "b" * 10, "lost"],
        columns={"clean_text": ["noise", None, None]},
        logprob=[-1, -2, np.nan],
        num_tokens=[3, 4, 2],
    )
    section = measure(corpus=corpus, reference=None)
    assert metric(section, "bits_per_character").estimate.value == pytest.approx(
        (3 + 8) / math.log(2) / (5 + 10)
    )
    perplexity = metric(section, "token_perplexity").estimate
    assert perplexity.value == pytest.approx(math.exp(11 / 7))
    assert perplexity.low < perplexity.value < perplexity.high
    assert metric(section, "word_perplexity").unmeasured == "no model was given"
    lost = finding(section, "texts_not_scored")
    assert lost is not None
    assert [row.text for row in lost.evidence] == ["lost"]


def test_without_any_likelihood_it_is_said() -> None:
    section = measure(corpus=corpus_of(["a b"]), reference=None)
    for name in ("bits_per_character", "improbable_share", "word_perplexity", "token_perplexity"):
        assert metric(section, name).estimate is None
        assert metric(section, name).unmeasured
    assert metric(section, "repetition").estimate is not None


def test_texts_that_go_round_in_circles(severities) -> None:
    texts = [LOOP] * 4 + [f"text {i} says this and that" for i in range(60)]
    section = measure(corpus=corpus_of(texts), reference=corpus_of(texts[4:]))
    share = metric(section, "repetitive_share")
    assert (share.estimate.value, share.baseline.value) == (4 / 64, 0)
    repeats = 1 - 4 / 14
    assert metric(section, "repetition").estimate.value == pytest.approx(4 * repeats / 64)
    rare = measure(corpus=corpus_of(texts[3:]), reference=None)
    assert metric(rare, "repetition").estimate.low == 0
    found = finding(section, "repetitive_texts")
    assert found is not None
    assert severities(section)[found.name] == "fix"
    assert found.rows == 4
    row = found.evidence[0]
    assert [row.text[span.start : span.end] for span in row.spans] == ["the same old"] * 4


def test_improbable_texts_are_shown_worst_first() -> None:
    texts = ["ab" * (1 + i % 7) for i in range(80)] + ["abx", "xx"]
    section = measure(corpus=corpus_of(texts), reference=None, scorer=coins)
    found = finding(section, "improbable_texts")
    assert found is not None
    assert [row.text for row in found.evidence] == ["xx", "abx"]
    assert metric(section, "improbable_share").estimate.value == pytest.approx(2 / 82)


def test_predictable_and_strange_texts() -> None:
    plain = corpus_of([f"{'ab' * (1 + i % 5)}" for i in range(50)])
    rich = corpus_of([f"{'ab' * (1 + i % 5)}x" for i in range(50)])
    bland = measure(corpus=plain, reference=rich, scorer=coins)
    strange = measure(corpus=rich, reference=plain, scorer=coins)
    assert [one.name for one in bland.findings] == ["blander_than_reference"]
    assert "stranger_than_reference" in [one.name for one in strange.findings]
    assert measure(corpus=plain, reference=plain, scorer=coins).findings == ()


def test_groups() -> None:
    corpus = corpus_of(
        [LOOP, "a b c d", "a b", "a"],
        labels=["x", "x", "y", None],
        columns={"strategy": ["beam", "beam", "beam", "nucleus"]},
        logprob=[-1, -1, -2, -2],
        num_tokens=[2, 2, 3, 3],
    )
    section = measure(corpus=corpus, reference=None)
    labels, strategies = section.tables
    assert (labels.name, strategies.name) == ("fluency_by_label", "fluency_by_strategy")
    assert [row[:2] for row in labels.rows] == [("x", 2), ("y", 1)]
    assert labels.rows[0][3:5] == (0.5, pytest.approx(math.e))
    assert labels.rows[1][5:] == (pytest.approx(6 / math.log(2) / 3), 1)
    assert [row[0] for row in strategies.rows] == ["beam", "nucleus"]


def test_a_model_is_asked_about_a_sample() -> None:
    asked = []

    def model(texts):
        asked.append(len(texts))
        return coins(texts)

    corpus = corpus_of([f"ab {i}" for i in range(MOST_SCORED + 100)])
    section = measure(corpus=corpus, reference=None, scorer=model)
    assert asked == [MOST_SCORED]
    assert metric(section, "bits_per_character").sampled == MOST_SCORED
    assert metric(section, "repetition").sampled is None


@pytest.mark.parametrize(
    "texts", [[], ["one"], [None, None], ["", "!!"], ["\ud800"] * 30, ["x" * 100_000] * 3]
)
def test_hostile_corpora(texts) -> None:
    labels = ["\ud800" for _ in texts]
    for reference in (None, corpus_of([]), corpus_of(["a b"])):
        for scorer in (None, coins, lambda texts: np.full(len(texts), -np.inf)):
            corpus = corpus_of(
                texts, labels=labels, logprob=[-np.inf] * len(texts), num_tokens=[0] * len(texts)
            )
            section = measure(corpus=corpus, reference=reference, scorer=scorer)
            json.loads(section.model_dump_json())
            for one in section.metrics:
                assert (one.estimate is None) == (one.unmeasured is not None)
