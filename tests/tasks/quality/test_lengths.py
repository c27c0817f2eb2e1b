"""Lengths against counting by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.lengths import (
    QUANTILES,
    TAIL,
    length_quantiles,
    measure_lengths,
    usual_lengths,
)

LENGTHS = st.lists(st.integers(0, 50), min_size=1, max_size=300).map(np.array)


def test_words_and_characters():
    lengths = measure_lengths(["", "one", " two  words ", "naïve\nday"])
    assert lengths.words.tolist() == [0, 1, 2, 2]
    assert lengths.chars.tolist() == [0, 3, 12, 9]


@given(LENGTHS)
@settings(deadline=None, max_examples=100)
def test_quantiles_are_the_least_lengths_with_enough_below(lengths):
    ordered = sorted(lengths.tolist())
    expected = [ordered[max(0, math.ceil(round(q * len(ordered), 9)) - 1)] for q in QUANTILES]
    assert length_quantiles(lengths) == expected


@given(LENGTHS)
@settings(deadline=None, max_examples=100)
def test_few_lie_beyond_the_usual(lengths):
    least, greatest = usual_lengths(lengths)
    assert least <= greatest
    assert np.mean(lengths < least) <= TAIL
    assert np.mean(lengths > greatest) <= TAIL + 1e-12


def test_no_lengths():
    with pytest.raises(ValueError, match="no lengths"):
        usual_lengths(np.array([], dtype=np.int64))
