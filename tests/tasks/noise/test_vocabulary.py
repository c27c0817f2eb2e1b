"""A counted corpus against a count by hand."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.strings import Strings
from tasks.noise.vocabulary import Vocabulary, VocabularyCounter

few = settings(deadline=None, max_examples=100)
TEXTS = st.lists(
    st.lists(st.sampled_from(["a", "B", "b!", "日本", "?", "(c)"]), max_size=6).map(" ".join),
    max_size=6,
)


def counted(*batches: list[str]) -> Vocabulary:
    counter = VocabularyCounter()
    for texts in batches:
        counter.add(texts)
    return counter.vocabulary()


def parts(vocabulary: Vocabulary) -> tuple[list[str], list[int], list[int], int]:
    return (
        vocabulary.words.to_pylist(),
        vocabulary.counts.tolist(),
        vocabulary.num_texts_with.tolist(),
        vocabulary.num_texts,
    )


@few
@given(TEXTS)
def test_words_are_counted(texts):
    split = [[word.strip("!?()").lower() for word in text.split()] for text in texts]
    kept = [[word for word in words if word] for words in split]
    counts = Counter(word for words in kept for word in words)
    num_texts_with = Counter(word for words in kept for word in set(words))
    names = sorted(counts)
    assert parts(counted(texts)) == (
        names,
        [counts[name] for name in names],
        [num_texts_with[name] for name in names],
        len(texts),
    )


@few
@given(TEXTS, st.data())
def test_batches_change_nothing(texts, data):
    cut = data.draw(st.integers(0, len(texts)))
    assert parts(counted(texts[:cut], texts[cut:])) == parts(counted(texts))


def test_weights_are_those_of_the_paper():
    vocabulary = counted(["the the card", "the fee", "the card", "a b"])
    assert vocabulary.words.to_pylist() == ["a", "b", "card", "fee", "the"]
    assert np.diff(vocabulary.unigram_ends, prepend=0) == pytest.approx(
        [1 / 9, 1 / 9, 2 / 9, 1 / 9, 4 / 9]
    )
    scores = [math.log(4), math.log(4), 2 * math.log(2), math.log(4), 4 * math.log(4 / 3)]
    assert vocabulary.idf.tolist() == pytest.approx(
        [math.log(4), math.log(4), math.log(2), math.log(4), math.log(4 / 3), math.log(4)]
    )
    lacking = np.array([max(scores) - score for score in scores])
    assert np.diff(vocabulary.tfidf_ends, prepend=0) == pytest.approx(lacking / lacking.sum())


def test_a_list_is_level():
    vocabulary = Vocabulary.of(["b", "a", "b"])
    assert vocabulary.words.to_pylist() == ["a", "b"]
    assert vocabulary.unigram_ends.tolist() == [0.5, 1.0]
    assert vocabulary.find(Strings.of(["b", "zz", "a"])).tolist() == [1, 2, 0]
