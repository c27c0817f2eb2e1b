"""Columnar strings against lists of `str`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.strings import Strings, concatenate, offsets_of, ranges

LISTS = st.lists(st.one_of(st.text(max_size=6), st.text("ab", max_size=6)), max_size=6)
few = settings(deadline=None, max_examples=150)


def back(strings: Strings) -> list[str]:
    array = strings.to_arrow()
    array.validate(full=True)
    return array.to_pylist()


@few
@given(LISTS)
def test_there_and_back(texts):
    strings = Strings.of(texts)
    assert back(strings) == texts
    assert strings.lengths.tolist() == [len(text) for text in texts]
    assert strings.code_points.tolist() == [ord(char) for char in "".join(texts)]


@few
@given(LISTS.filter(len), st.data())
def test_take(texts, data):
    places = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=8))
    taken = Strings.of(texts).take(np.array(places, np.int64))
    assert back(taken) == [texts[place] for place in places]


@few
@given(LISTS, LISTS)
def test_concatenate(texts, others):
    assert back(concatenate([Strings.of(texts), Strings.of(others)])) == texts + others


@few
@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=5))
def test_joined_pairwise(pairs):
    firsts, seconds = (Strings.of([pair[side] for pair in pairs]) for side in (0, 1))
    assert back(firsts.followed_by(seconds)) == [first + second for first, second in pairs]


@few
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 4)), max_size=8))
def test_ranges(pairs):
    starts, lengths = np.array(pairs, np.int64).reshape(-1, 2).T
    expected = [place for start, length in pairs for place in range(start, start + length)]
    assert ranges(starts, lengths).tolist() == expected


def test_small_things():
    assert back(Strings.empty(2)) == ["", ""]
    assert back(concatenate([])) == []
    assert back(Strings.of_singles(np.array([0x41, 0x1F44D], np.uint32))) == ["A", "👍"]
    assert offsets_of(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]


def test_null_is_refused():
    with pytest.raises(ValueError, match="null"):
        Strings.of([None])
