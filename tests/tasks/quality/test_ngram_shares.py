import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality import ngram_shares
from tasks.quality.diversity import distinct_n
from tasks.quality.ngram_shares import distinct_share, first_texts, first_words, repetitions
from tasks.quality.scores import repetition
from tasks.quality.word_codes import encode_words

TEXTS = st.lists(st.text(alphabet="abC., é", max_size=30), max_size=9)


@settings(deadline=None)
@given(texts=TEXTS, n=st.integers(1, 4), data=st.data())
def test_distinct_n_is_that_of_the_counter(texts, n, data) -> None:
    ngrams = encode_words(texts).ngrams(n)
    assert distinct_share(ngrams) == distinct_n(texts, n)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts))))
    some = [text for text, keep in zip(texts, kept.tolist(), strict=True) if keep]
    assert distinct_share(ngrams, kept=kept.astype(bool)) == distinct_n(some, n)


@settings(deadline=None)
@given(texts=TEXTS, num_words=st.integers(0, 40))
def test_the_first_words_are_those_of_the_texts_in_turn(texts, num_words) -> None:
    words = encode_words(texts)
    found = first_words(words, num_words)
    each = [words.of(place).tolist() for place in range(len(words))]
    expected, left = [], num_words
    for codes in each:
        expected.append(codes[:left])
        left -= len(expected[-1])
    kept = [found.of(place).tolist() for place in range(len(found))]
    assert kept == expected[: len(kept)]
    assert not any(expected[len(kept) :])
    assert found.codes.size == found.offsets[-1]


def test_the_first_texts() -> None:
    words = encode_words(["a b", "", "c"])
    assert [first_texts(words, 2).of(place).tolist() for place in (0, 1)] == [[0, 1], []]
    assert first_texts(words, 9).codes.tolist() == words.codes.tolist()
    assert len(first_texts(words, 0)) == 0


@settings(deadline=None)
@given(texts=TEXTS, at_once=st.integers(1, 20))
def test_repetition_is_that_of_the_score(texts, at_once) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngram_shares, "_AT_ONCE", at_once)
        found = repetitions(encode_words(texts))
    assert found.tolist() == pytest.approx([repetition(text) for text in texts])
