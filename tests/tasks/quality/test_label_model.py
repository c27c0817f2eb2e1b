import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality import label_model
from tasks.quality.label_model import (
    FEWEST_PER_LABEL,
    NUM_FOLDS,
    LabelledRows,
    fit_label_model,
    fold_of,
    labelled_rows,
    largest_quota,
    softmax_factor,
)
from tasks.quality.text_features import tfidf
from tasks.quality.word_codes import encode_words


def made_up(num_rows: int, *, seed: int = 0) -> tuple[list[str], list[str]]:
    """Four words of the label's twelve, four of any, in rows of three labels."""
    rng = random.Random(seed)
    labels = ["abc"[place % 3] for place in range(num_rows)]
    texts = [
        " ".join(
            [f"{label}{rng.randrange(12)}" for _ in range(3)]
            + [f"{rng.choice('abc')}{rng.randrange(12)}" for _ in range(3)]
        )
        for label in labels
    ]
    return texts, labels


def rows_of(texts: list[str], labels: list[str]) -> LabelledRows:
    return labelled_rows(encode_words(texts), labels)


def test_each_row_is_judged_by_the_ridge_of_the_other_folds() -> None:
    texts, labels = made_up(90)
    words = encode_words(texts)
    rows = labelled_rows(words, labels)
    found = fit_label_model(words, rows)
    folds, features = fold_of(rows), tfidf(words).toarray()[rows.places].astype(np.float64)
    targets = np.eye(3)[rows.given]
    scores = np.zeros_like(targets)
    for fold in range(NUM_FOLDS):
        inputs = features[folds != fold]
        gram = inputs.T @ inputs + np.eye(inputs.shape[1])
        weights = np.linalg.solve(gram, inputs.T @ targets[folds != fold])
        scores[folds == fold] = features[folds == fold] @ weights
    # The factor is theirs; everything else was computed anew.
    factor = softmax_factor(scores.astype(np.float32), rows.given)
    exact = np.exp(scores * factor)
    exact /= exact.sum(axis=1, keepdims=True)
    assert np.abs(found.probabilities - exact).max() < 0.01
    assert found.confidence == pytest.approx(found.probabilities.max(axis=1))
    assert found.likely.tolist() == found.probabilities.argmax(axis=1).tolist()
    own = found.probabilities[np.arange(90), rows.given]
    assert found.self_confidence == pytest.approx(own)
    assert found.agrees.mean() > 0.8


def test_probabilities_are_honest() -> None:
    texts, labels = made_up(1500, seed=4)
    words = encode_words(texts)
    found = fit_label_model(words, labelled_rows(words, labels))
    # Mean confidence and agreement; four standard errors of the latter.
    assert found.agrees.mean() == pytest.approx(found.confidence.mean(), abs=4 * 0.5 / 1500**0.5)


def test_the_factor_is_the_most_likely_one() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4000, 3)).astype(np.float32)
    chances = np.exp(2.5 * scores)
    chances /= chances.sum(axis=1, keepdims=True)
    given = (rng.random((4000, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    assert softmax_factor(scores, given) == pytest.approx(2.5, rel=0.1)


LABELLED = st.lists(
    st.tuples(st.text(alphabet="ab ", max_size=6), st.sampled_from([None, *"xyz"])), max_size=60
)


@given(data=LABELLED)
@settings(deadline=None, max_examples=100)
def test_rows_are_those_whose_label_has_enough_texts(
    data: list[tuple[str, str | None]],
) -> None:
    found = rows_of([text for text, _ in data], [label for _, label in data])  # type: ignore[misc]
    texts = {label: {" ".join(t.split()) for t, other in data if other == label} for label in "xyz"}
    kept = [label for label in "xyz" if len(texts[label]) >= FEWEST_PER_LABEL]
    assert list(found.classes) == kept
    assert sorted(found.places.tolist()) == [i for i, (_, lab) in enumerate(data) if lab in kept]
    given_names = [found.classes[code] for code in found.given]
    assert given_names == [data[place][1] for place in found.places]
    assert (found.obstacle is None) == (len(kept) > 1)


@given(data=LABELLED)
@settings(deadline=None, max_examples=100)
def test_copies_share_a_fold_and_folds_are_stratified(
    data: list[tuple[str, str | None]],
) -> None:
    rows = rows_of([text for text, _ in data], [label for _, label in data])  # type: ignore[misc]
    folds = fold_of(rows)
    of_text: dict[int, tuple[int, int]] = {}
    for text, fold, given_class in zip(rows.hashes, folds, rows.given, strict=True):
        of_text.setdefault(int(text), (int(given_class), int(fold)))
        assert of_text[int(text)][1] == fold
    for code in range(len(rows.classes)):
        sizes = np.bincount([f for c, f in of_text.values() if c == code], minlength=NUM_FOLDS)
        assert sizes.max() - sizes.min() <= 1


def test_the_order_of_the_rows_does_not_matter() -> None:
    texts, labels = made_up(120)
    order = np.random.default_rng(1).permutation(120)
    words, turned = encode_words(texts), encode_words([texts[place] for place in order])
    found = fit_label_model(words, labelled_rows(words, labels))
    again = fit_label_model(turned, labelled_rows(turned, [labels[place] for place in order]))
    assert np.array_equal(found.probabilities, again.probabilities)
    assert [texts[place] for place in found.rows.places] == [
        texts[order[place]] for place in again.rows.places
    ]


def test_what_does_not_fit_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels = made_up(600)
    words = encode_words(texts)
    rows = labelled_rows(words, labels)
    whole = fit_label_model(words, rows)
    monkeypatch.setattr(label_model, "MOST_PRODUCTS", 3000)
    monkeypatch.setattr(label_model, "MOST_PROBABILITIES", 150)
    monkeypatch.setattr(label_model, "_BLOCK", 64)
    part = fit_label_model(words, rows)
    assert part.probabilities.shape == (50, 3)
    assert part.sample.tolist() == list(range(50))
    assert len(part.likely) == 600
    assert 1 / 3 < part.agrees.mean() < whole.agrees.mean()


@given(sizes=st.lists(st.integers(0, 20), min_size=1, max_size=6), total=st.integers(0, 80))
def test_a_quota_is_the_largest_that_fits(sizes: list[int], total: int) -> None:
    quota = largest_quota(np.array(sizes), total)
    assert sum(min(size, quota) for size in sizes) <= total
    assert quota == max(sizes) or sum(min(size, quota + 1) for size in sizes) > total


@pytest.mark.parametrize(
    ("texts", "labels", "obstacle"),
    [
        ([], [], "no row has a label"),
        (["x"], [None], "no row has a label"),
        ([f"x{n}" for n in range(9)], ["a"] * 9, "there is only one label"),
        (["x"] * 20, ["a", "b"] * 10, "fewer than two labels have 5 different texts"),
        (
            [f"x{n}" for n in range(2505)],
            [f"l{n // 5}" for n in range(2505)],
            "501 labels are more than the 500 that can be judged",
        ),
    ],
)
def test_why_nothing_can_be_learnt(texts: list[str], labels: list[str], obstacle: str) -> None:
    rows = rows_of(texts, labels)
    assert rows.obstacle == obstacle
    with pytest.raises(ValueError, match=obstacle):
        fit_label_model(encode_words(texts), rows)


def test_texts_without_a_shared_word_get_equal_chances() -> None:
    texts = [f"word{n}" for n in range(20)]
    found = fit_label_model(encode_words(texts), rows_of(texts, ["a", "b"] * 10))
    assert found.probabilities == pytest.approx(0.5)
