from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.utility.rows import LabelledTexts
from tasks.utility.students import LinearStudent, open_student

Make = Callable[..., list[dict[str, Any]]]
hostile = st.text(min_size=1, max_size=12).filter(lambda text: bool(text.strip()))


def labelled(rows: list[dict[str, Any]]) -> LabelledTexts:
    names = sorted({row["label"] for row in rows})
    codes = np.array([names.index(row["label"]) for row in rows], dtype=np.int64)
    return LabelledTexts([row["text"] for row in rows], codes)


def test_it_learns_what_there_is_to_learn(make: Make) -> None:
    student = LinearStudent()
    graduate = student.learn(labelled(make(300, seed=0)), num_labels=3, seed=0)
    unseen = labelled(make(300, seed=1))
    found = graduate.probabilities(unseen.texts)
    assert (found.argmax(axis=1) == unseen.codes).mean() > 0.95
    assert student.kind.settings["inverse penalty C"] == 4.0


def test_its_weights_minimise_what_its_docstring_says(make: Make) -> None:
    """The gradient of the penalised log-loss vanishes at the weights that were found."""
    rows = labelled(make(120, seed=2, wrong=0.3))
    graduate: Any = LinearStudent().learn(rows, num_labels=3, seed=0)
    features = graduate._vectorizer.transform(rows.texts)
    weights = graduate._classifier.coef_
    apart = graduate.probabilities(rows.texts) - np.eye(3)[rows.codes]
    gradient = apart.T @ features + weights / 4.0
    assert np.abs(gradient).max() < 0.02
    words, runs = (part[1] for part in graduate._vectorizer.transformer_list)
    for part in (words, runs):
        lengths = np.sqrt(
            part.transform(rows.texts).multiply(part.transform(rows.texts)).sum(axis=1)
        )
        assert np.asarray(lengths) == pytest.approx(1)


def test_labels_that_it_never_met_have_no_probability(make: Make) -> None:
    rows = labelled(make(60, seed=3))
    found = LinearStudent().learn(rows, num_labels=5, seed=0).probabilities(rows.texts)
    assert found.shape == (60, 5)
    assert found[:, 3:].max() == 0
    assert found.sum(axis=1) == pytest.approx(1)


@settings(deadline=None, max_examples=15)
@given(st.lists(hostile, min_size=1, max_size=6), st.lists(st.text(max_size=9), max_size=4))
def test_any_text_can_be_learnt_and_asked(texts: list[str], asked: list[str]) -> None:
    codes = np.arange(len(texts), dtype=np.int64) % 2
    graduate = LinearStudent().learn(LabelledTexts(texts, codes), num_labels=2, seed=0)
    found = graduate.probabilities([*asked, "\ud800", "x" * 100_000])
    assert found.shape == (len(asked) + 2, 2)
    assert found.sum(axis=1) == pytest.approx(1)


def test_one_label_alone_is_always_named() -> None:
    rows = LabelledTexts([" " * 5000 + "one", "\ud800"], np.array([1, 1]))
    found = LinearStudent().learn(rows, num_labels=3, seed=0).probabilities(["what", ""])
    assert found.tolist() == [[0, 1, 0], [0, 1, 0]]


def test_linear_is_the_linear_student() -> None:
    assert isinstance(open_student("linear"), LinearStudent)
    assert not open_student("linear").draws_lots
