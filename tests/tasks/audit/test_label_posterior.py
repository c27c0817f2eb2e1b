"""What a generator makes of labels, by answers that are made up."""

from collections.abc import Sequence

import numpy as np
import pytest

from schemas.audit import Metric
from tasks.audit import intervals, label_posterior
from tasks.audit.corpus import Corpus
from tasks.audit.label_posterior import posterior_metrics


def corpus_of(labels: Sequence[str | None] | None, texts: Sequence[str] | None = None) -> Corpus:
    texts = texts or [f"{label} number {n}" for n, label in enumerate(labels or ())]
    return Corpus("some", [f"r{n}" for n in range(len(texts))], texts, labels=labels)


class Reader:
    """Gives the label that a text begins with .7, and shares the rest."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, list[str]]] = []

    def __call__(self, texts: Sequence[str], labels: Sequence[str]) -> np.ndarray:
        self.asked.append((len(texts), list(labels)))
        likely = np.array([[text.startswith(label) for label in labels] for text in texts])
        found = np.where(likely, 0.7, 0.3 / (len(labels) - 1))
        found[[text.startswith("long") for text in texts]] = np.nan
        return found


def measured(corpus: Corpus, reference: Corpus | None, reader: Reader | None) -> dict[str, Metric]:
    found = posterior_metrics(corpus=corpus, reference=reference, posterior=reader)
    return {metric.name: metric for metric in found}


def test_rows_that_the_generator_would_label_otherwise_are_counted():
    texts = [f"{label} {n}" for n, label in enumerate(["a"] * 6 + ["b"] * 3)] + ["long", "c"]
    corpus = corpus_of(["a"] * 5 + ["b"] * 4 + ["a", None], texts)
    reader = Reader()
    found = measured(corpus, corpus_of(["a", "b", "z", None]), reader)
    metric = found["label_posterior_disagreement"]
    # The sixth row begins with an a and is labelled b; the tenth has no finite answer.
    assert metric.estimate == intervals.share(1, 9)
    assert metric.baseline == intervals.share(0, 2)
    mean = found["label_posterior"].estimate
    assert mean is not None
    assert mean.value == pytest.approx((8 * 0.7 + 0.3) / 9)
    assert reader.asked == [(10, ["a", "b"]), (2, ["a", "b"])]


def test_labels_that_are_told_alike_are_no_disagreement():
    corpus = corpus_of(["a", "b"] * 5)
    found = posterior_metrics(
        corpus=corpus, reference=None, posterior=lambda t, names: np.full((len(t), 2), 0.5)
    )
    assert [m.estimate and m.estimate.value for m in found] == [0.5, 0]


def test_a_sample_is_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(label_posterior, "MOST_ANSWERS", 60)
    corpus, reader = corpus_of(["a", "b", "c"] * 100), Reader()
    found = measured(corpus, corpus, reader)
    assert [size for size, _ in reader.asked] == [20, 20]
    assert {metric.sampled for metric in found.values()} == {20}
    monkeypatch.setattr(label_posterior, "MOST_ROWS", 7)
    measured(corpus, None, reader)
    assert reader.asked[-1][0] == 7


@pytest.mark.parametrize(
    ("corpus", "reader", "why"),
    [
        (corpus_of(["a", "b"]), None, "no generator was given"),
        (corpus_of(None, ["x"]), Reader(), "0 labels"),
        (corpus_of(["a"]), Reader(), "1 labels"),
        (corpus_of([f"l{n}" for n in range(201)]), Reader(), "201 labels"),
        (corpus_of(["a", "b"], ["long", "long"]), Reader(), "no finite likelihood"),
    ],
)
def test_the_reason_is_given(corpus, reader, why):
    for metric in measured(corpus, None, reader).values():
        assert why in (metric.unmeasured or "")
