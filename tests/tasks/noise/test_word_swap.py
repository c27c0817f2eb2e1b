"""Exchanged words: neighbours, disjoint pairs, the white space left where it is."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_words import WordSwap
from tasks.noise.texts import noise_texts
from tasks.noise.word_swap import every_other
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(21, np.arange(num), 0, Stream.NOISE)


def slow_word_swap(text: str, key: np.uint64, rate: float) -> str:
    words, gaps = re.findall(r"\S+", text), re.split(r"\S+", text)
    whether = fold(fold(key, 0), 0)
    place = 0
    while place + 1 < len(words):
        if uniforms(whether, place) < rate:
            words[place : place + 2] = words[place + 1], words[place]
            place += 1
        place += 1
    return "".join(gap + word for gap, word in zip(gaps, [*words, ""], strict=True))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.text(st.sampled_from("ab日 \n\t"), max_size=16), max_size=5),
    st.sampled_from([0.1, 0.5, 0.9, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    keys = keys_of(len(texts))
    rows = noise_texts(texts, keys=keys, steps=[WordSwap(rate=rate)])
    expected = [slow_word_swap(text, key, rate) for text, key in zip(texts, keys, strict=True)]
    assert [row.text for row in rows] == expected


@pytest.mark.parametrize(
    ("hits", "kept"),
    [([], []), ([4], [4]), ([0, 1, 2, 3, 4], [0, 2, 4]), ([1, 2, 4, 5, 6, 9], [1, 4, 6, 9])],
)
def test_no_two_neighbours_are_kept(hits, kept):
    assert every_other(np.array(hits, np.int64)).tolist() == kept


def test_the_rate_is_that_of_the_words_not_just_moved():
    num_words, num_texts, rate = 40, 500, 0.2
    text = " ".join(str(number) for number in range(num_words))
    rows = noise_texts([text] * num_texts, keys=keys_of(num_texts), steps=[WordSwap(rate=rate)])
    swaps = sum(len(row.edits) for row in rows)
    # A swap of the last two words moves no word that could have been asked.
    asked = num_texts * (num_words - 1) - swaps
    assert abs(swaps - asked * rate) < 5 * (asked * rate * (1 - rate)) ** 0.5 + num_texts * rate


def test_golden():
    texts = ["where is my new card?", "one  two\nthree four", "word", "same same", ""]
    rows = noise_texts(texts, keys=keys_of(5), steps=[WordSwap(rate=0.5)])
    assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    ("is where new my card?", [(0, "where is"), (9, "my new")]),
    ("one  three\ntwo four", [(5, "two\nthree")]),
    ("word", []),
    ("same same", []),
    ("", []),
]
