"""The label classifier of the swap test: out of fold, and of what it was taught."""

from collections.abc import Sequence

import numpy as np
import pytest

from tasks.audit import bias_classifier
from tasks.audit.bias import measure
from tasks.audit.bias_classifier import LabelJudge, train_judge
from tasks.audit.bias_counterfactual import swap_sample
from tasks.audit.bias_study import study
from tasks.audit.corpus import Corpus
from tasks.bias.counterfactual import classifier_change
from tasks.quality.label_model import fit_label_model, labelled_rows
from tasks.quality.word_codes import encode_words


def made_up(num_rows: int, *, telling: float, seed: int = 0) -> Corpus:
    """Rows about a nurse or a judge by a word of the label's, and a pronoun that goes with it."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(["ward", "court"], num_rows)
    with_label = rng.random(num_rows) < telling
    female = np.where(with_label, labels == "ward", rng.random(num_rows) < 0.5)
    word_is_own = rng.random(num_rows) < 0.7
    texts = [
        f"{'she' if f else 'he'} spoke of {label[0] if own else rng.choice(['w', 'c'])}"
        f"{rng.integers(6)} with n{rng.integers(40)} at {n}"
        for n, (f, label, own) in enumerate(zip(female, labels, word_is_own, strict=True))
    ]
    return Corpus("made up", [f"r{n}" for n in range(num_rows)], texts, labels=labels.tolist())


def judge_of(corpus: Corpus, reference: Corpus | None = None) -> LabelJudge | str:
    return train_judge(corpus, reference, swap_sample(study(corpus)).rows)


def test_labels_that_go_with_gender_flip_and_others_do_not():
    fair, unfair = judge_of(made_up(1500, telling=0.0)), judge_of(made_up(1500, telling=0.9))
    assert isinstance(fair, LabelJudge)
    assert isinstance(unfair, LabelJudge)
    assert unfair.change.flipped.mean() > 0.5 > 10 * fair.change.flipped.mean()
    leaning = dict(zip(unfair.classes, unfair.change.towards_female.mean(axis=0), strict=True))
    assert leaning["ward"] > 0.2 > -0.2 > leaning["court"]


def test_rows_are_judged_as_the_room_of_labels_judges_them(monkeypatch: pytest.MonkeyPatch):
    corpus = made_up(300, telling=0.5)
    rows = swap_sample(study(corpus)).rows
    answers: list[np.ndarray] = []

    def listening(swapped, classifier):
        def ask(texts: Sequence[str]) -> np.ndarray:
            answers.append(np.asarray(classifier(texts)))
            return answers[-1]

        return classifier_change(swapped, ask)

    monkeypatch.setattr(bias_classifier, "classifier_change", listening)
    assert isinstance(train_judge(corpus, None, rows), LabelJudge)
    words = encode_words([*corpus.strings, *rows.texts, *rows.swapped])
    known = labelled_rows(words, [*(corpus.labels or ()), *[None] * (2 * len(rows.texts))])
    model = fit_label_model(words, known)
    learnt = [corpus.strings[place] for place in known.places.tolist()]
    expected = dict(zip(learnt, model.probabilities, strict=True))
    assert len(answers) == 2
    for text, own in zip(rows.texts, answers[0], strict=True):
        assert own == pytest.approx(expected[text], abs=1e-5)
    assert np.abs(answers[0] - answers[1]).max() > 0.01


def test_what_was_learnt_by_heart_does_not_count():
    """Each text is one of its kind: a classifier that had seen it would know its label."""
    rng = np.random.default_rng(1)
    texts = [f"she has number {n} and {n * 7919}" for n in range(400)]
    corpus = Corpus(
        "x", [str(n) for n in range(400)], texts, labels=rng.choice(["a", "b"], 400).tolist()
    )
    assert "by chance" in str(judge_of(corpus))


def test_a_reference_teaches_where_the_labels_cannot_be_learnt():
    real = made_up(600, telling=0.9, seed=3)
    few = made_up(6, telling=0.9).take(np.arange(6))
    taught = judge_of(few, real)
    assert isinstance(taught, LabelJudge)
    assert taught.taught_by == "the reference"
    others = Corpus("x", few.ids, few.texts, labels=["z"] * 6)
    assert judge_of(others, real) == "there is only one label"
    assert judge_of(Corpus("x", few.ids, few.texts)) == "the data have no labels"


def test_a_great_corpus_teaches_by_a_sample(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bias_classifier, "MOST_LEARNT", 500)
    found = judge_of(made_up(2000, telling=0.9))
    assert isinstance(found, LabelJudge)
    assert found.agreement.n <= 500
    assert found.change.flipped.mean() > 0.5


def test_the_swap_test_runs_without_a_model():
    section = measure(corpus=made_up(800, telling=0.9), reference=None, target=None, scorer=None)
    (flips,) = (m for m in section.metrics if m.name == "bias_swap_flips")
    assert flips.estimate is not None
    assert flips.estimate.low is not None
    assert flips.estimate.low > 0.3
    assert "fitted to the labels of the dataset (800 rows" in flips.definition
    assert "bias_classifier_looks_at_gender" in {finding.name for finding in section.findings}
    (table,) = (t for t in section.tables if t.name == "bias_swap_classes")
    assert {row[0] for row in table.rows} == {"court", "ward"}
