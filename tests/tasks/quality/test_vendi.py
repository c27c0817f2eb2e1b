import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.vendi import character_kernel, cosine_kernel, vendi_score

ORDERS = [0.5, 1.0, 2.0, math.inf]


@pytest.mark.parametrize("order", ORDERS)
def test_copies_are_one_text(order: float) -> None:
    assert vendi_score(character_kernel(["the card is late"] * 9), order=order) == pytest.approx(1)
    assert vendi_score(character_kernel(["", " ", ""]), order=order) == pytest.approx(1)


@pytest.mark.parametrize("order", ORDERS)
def test_texts_with_nothing_in_common_are_n(order: float) -> None:
    texts = ["aaaa", "bb bb", "cccccc", "dd", "e"]
    assert vendi_score(character_kernel(texts), order=order) == pytest.approx(5)
    # One text without a term resembles none of the others.
    assert vendi_score(character_kernel([*texts, ""]), order=order) == pytest.approx(6)


@pytest.mark.parametrize("order", ORDERS)
def test_equal_groups_of_copies_are_as_many_as_groups(order: float) -> None:
    assert vendi_score(character_kernel(["aaa", "bbb", "ccc"] * 4), order=order) == pytest.approx(3)


def test_two_items_by_hand() -> None:
    """A kernel of cosine c has the eigenvalues (1 + c) / 2 and (1 - c) / 2."""
    kernel = cosine_kernel(np.array([[1.0, 0.0], [1.0, 1.0]]))
    large, small = (1 + 0.5**0.5) / 2, (1 - 0.5**0.5) / 2
    assert kernel[0, 1] == pytest.approx(0.5**0.5)
    entropy = -large * math.log(large) - small * math.log(small)
    assert vendi_score(kernel) == pytest.approx(math.exp(entropy))
    assert vendi_score(kernel, order=2) == pytest.approx(1 / (large**2 + small**2))
    assert vendi_score(kernel, order=math.inf) == pytest.approx(1 / large)


@settings(deadline=None, max_examples=40)
@given(
    texts=st.lists(st.text(alphabet="abc é", max_size=12), min_size=1, max_size=8), data=st.data()
)
def test_bounds_order_of_texts_and_of_orders(texts, data) -> None:
    scores = [vendi_score(character_kernel(texts), order=order) for order in ORDERS]
    assert all(1 <= score <= len(texts) for score in scores)
    assert scores == pytest.approx(sorted(scores, reverse=True), abs=1e-6)
    shuffled = data.draw(st.permutations(texts))
    again = [vendi_score(character_kernel(shuffled), order=order) for order in ORDERS]
    assert again == pytest.approx(scores, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(texts=st.lists(st.text(alphabet="ab c", max_size=9), min_size=1, max_size=6))
def test_the_kernel_is_the_cosine_of_tfidf(texts) -> None:
    def terms(text: str) -> list[str]:
        padded = [f" {word} " for word in text.split()]
        return [
            word[start : start + n]
            for word in padded
            for n in range(2, 6)
            for start in range(len(word) - n + 1)
        ]

    vocabulary = sorted({term for text in texts for term in terms(text)})
    counts = np.array([[terms(text).count(term) for term in vocabulary] for text in texts])
    vectors = np.zeros((len(texts), max(1, len(vocabulary))))
    if vocabulary:
        idf = 1 + np.log((1 + len(texts)) / (1 + (counts > 0).sum(axis=0)))
        vectors = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * idf
    assert character_kernel(texts) == pytest.approx(cosine_kernel(vectors))


def test_hostile_texts() -> None:
    kernel = character_kernel(["x" * 100_000, "x" * 99_999, "\ud800\x00", "\ud800\x00"])
    assert vendi_score(kernel) == pytest.approx(2)


def test_errors() -> None:
    with pytest.raises(ValueError, match="0 items"):
        vendi_score(np.ones((0, 0)))
    with pytest.raises(ValueError, match="order -1"):
        vendi_score(np.ones((1, 1)), order=-1)
