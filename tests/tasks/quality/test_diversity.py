"""Distinct-n against its definition."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.distinct_ngrams import DistinctNgrams
from tasks.quality.diversity import distinct_n, word_ngrams

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=6).map(" ".join), max_size=6)
SIZES = st.integers(1, 4)


def slow_ngrams(text: str, n: int) -> list[str]:
    words = text.split()
    return [" ".join(words[i : i + n]) for i in range(len(words)) if i + n <= len(words)]


@given(st.lists(st.sampled_from("abc"), max_size=6), SIZES)
def test_ngrams_are_windows(words, n):
    assert [" ".join(ngram) for ngram in word_ngrams(words, n)] == slow_ngrams(" ".join(words), n)


@settings(deadline=None)
@given(TEXTS, SIZES)
def test_distinct_n_is_its_definition(texts, n):
    ngrams = [ngram for text in texts for ngram in slow_ngrams(text, n)]
    expected = len(set(ngrams)) / len(ngrams) if ngrams else None
    assert distinct_n(texts, n) == expected


@settings(deadline=None)
@given(TEXTS, SIZES, st.integers(0, 6))
def test_portions_do_not_matter(texts, n, cut):
    counter = DistinctNgrams(n)
    counter.add(texts[:cut])
    counter.add(texts[cut:])
    assert counter.value == distinct_n(texts, n)
    assert counter.num_total == sum(len(slow_ngrams(text, n)) for text in texts)
    assert counter.num_distinct == len({gram for text in texts for gram in slow_ngrams(text, n)})


def test_case_and_punctuation_do_not_count():
    assert distinct_n(["The cat. The CAT!"], 2) == 2 / 3


@pytest.mark.parametrize("n", [0, -1])
def test_n_is_at_least_one(n):
    with pytest.raises(ValueError, match="at least 1"):
        distinct_n(["a b"], n)
