"""Counting on disk, against a set of tuples of words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality import distinct_ngrams
from tasks.quality.distinct_ngrams import DistinctNgrams
from tasks.quality.diversity import distinct_n

TEXTS = st.lists(st.lists(st.sampled_from(["a", "B", "b", "cé", "1"]), max_size=6).map(" ".join))


@pytest.mark.parametrize("most_in_memory", [0, 1 << 21])
@settings(deadline=None, max_examples=15)
@given(portions=st.lists(TEXTS, max_size=3), n=st.integers(1, 3))
def test_the_value_is_that_of_the_definition(most_in_memory, portions, n):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct_ngrams, "_MOST_IN_MEMORY", most_in_memory)
        counter = DistinctNgrams(n)
        for portion in portions:
            counter.add(portion)
        texts = [text for portion in portions for text in portion]
        assert counter.value == distinct_n(texts, n)
        assert counter.value == distinct_n(texts, n), "asking changes nothing"


def test_order_of_words_counts():
    counter = DistinctNgrams(2)
    counter.add(["one two", "two one", "two", ""])
    assert (counter.num_distinct, counter.num_total) == (2, 2)


def test_the_folder_is_left_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(distinct_ngrams, "_MOST_IN_MEMORY", 2)
    counter = DistinctNgrams(1, folder=tmp_path)
    counter.add(["a b c d e"])
    assert len(list(tmp_path.iterdir())) == 1
    del counter
    assert not list(tmp_path.iterdir())
