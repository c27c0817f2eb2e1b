"""Distances against scikit-learn's TF-IDF and all pairs; the share of closer ones by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tasks.quality.neighbour_distance import Closer, closer_neighbours, nearest_distances
from tasks.quality.word_codes import Vocabulary, WordCodes, encode_words

TEXTS = st.lists(
    st.lists(st.sampled_from(["ab", "cd", "ef", "gh"]), max_size=6).map(" ".join),
    min_size=1,
    max_size=6,
)


def coded(*corpora: list[str]) -> list[WordCodes]:
    vocabulary = Vocabulary()
    return [encode_words(texts, vocabulary=vocabulary) for texts in corpora]


@settings(deadline=None, max_examples=100)
@given(TEXTS, TEXTS, TEXTS)
def test_it_is_the_distance_to_the_closest_of_all(
    corpus: list[str], first: list[str], second: list[str]
) -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    sets = [*first, *second]
    counter = CountVectorizer(ngram_range=(1, 2)).fit([*corpus, *sets, "ab"])
    documents = (counter.transform(sets).toarray() > 0).sum(axis=0)
    idf = np.log((1 + len(sets)) / (1 + documents)) + 1

    def vectors(texts: list[str]) -> NDArray[np.float64]:
        rows = counter.transform(texts).toarray() * idf
        scaled: NDArray[np.float64] = rows / np.maximum(
            np.linalg.norm(rows, axis=1, keepdims=True), 1e-12
        )
        return scaled

    found = nearest_distances(*coded(corpus, first, second))
    for distances, others in zip(found, (first, second), strict=True):
        expected = 1 - (vectors(corpus) @ vectors(others).T).max(axis=1)
        assert distances == pytest.approx(expected, abs=1e-9)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    words = coded([f"word{i} and word{i % 7}" for i in range(50)], [f"word{i}" for i in range(9)])
    whole = nearest_distances(*words)[0]
    monkeypatch.setattr("tasks.quality.neighbour_distance._CELLS", 30)
    assert nearest_distances(*words)[0].tolist() == whole.tolist()


def test_closer_ones_are_counted() -> None:
    seen, unseen = ["my card is lost", "hello there"], ["where is my money", "good day"]
    corpus = ["my card is lost now", "hello there", "good morning", "entirely other things", ""]
    words = coded(corpus, seen, unseen)
    assert closer_neighbours(*words) == Closer(first=2, second=1, ties=2, effective=3)
    turned = closer_neighbours(words[0], words[2], words[1])
    assert turned == Closer(first=1, second=2, ties=2, effective=3)


def test_texts_with_one_neighbour_are_worth_less() -> None:
    corpus = ["my card is lost"] * 3 + ["good day", "unknown"]
    found = closer_neighbours(*coded(corpus, ["my card is lost", "x"], ["good day", "y"]))
    assert found == Closer(first=3, second=1, ties=1, effective=16 / 10)
    assert closer_neighbours(*coded(["z"], ["x"], ["y"])).effective == 0


def test_a_share_of_nothing_seen_is_one_half() -> None:
    """Sets drawn alike: the share strays from a half as the effective number says it does."""
    rng = np.random.default_rng(11)
    pool = [" ".join(f"w{i}" for i in rng.integers(0, 40, 4)) for _ in range(160)]
    corpus = [" ".join(f"w{i}" for i in rng.integers(0, 40, 4)) for _ in range(80)]
    scores = []
    for _ in range(200):
        order = rng.permutation(160)
        sets = [[pool[i] for i in half] for half in (order[:80], order[80:])]
        found = closer_neighbours(*coded(corpus, *sets))
        share = found.first / (found.first + found.second)
        scores.append((share - 0.5) / np.sqrt(0.25 / found.effective))
    assert abs(np.mean(scores)) < 0.25
    assert 0.75 < np.std(scores) < 1.2


def test_copies_are_at_0_and_strangers_at_1() -> None:
    distances = nearest_distances(*coded(["My card!", "xyz", ""], ["my card", "its card"]))[0]
    assert distances.tolist() == [0, 1, 1]


def test_sets_must_be_comparable() -> None:
    one, two = coded(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="equal in size"):
        closer_neighbours(one, one, two)
    with pytest.raises(ValueError, match="no text"):
        nearest_distances(one, encode_words([], vocabulary=one.vocabulary))
    with pytest.raises(ValueError, match="vocabulary"):
        nearest_distances(one, encode_words(["a"]))
