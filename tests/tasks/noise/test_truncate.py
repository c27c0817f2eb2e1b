"""Texts cut off: at a word, at either end, never to nothing."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.noise_words import Truncate
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, row_keys


def keys_of(num: int) -> np.ndarray:
    return row_keys(25, np.arange(num), 0, Stream.NOISE)


def slow_truncate(text: str, step: Truncate) -> str:
    words = list(re.finditer(r"\S+", text))
    num = step.words or max(math.ceil(len(words) * (step.share or 0.5)), 1)
    if num >= len(words):
        return text
    if step.keep == "start":
        return text[: words[num - 1].end()]
    return text[words[-num].start() :]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.text(st.sampled_from("ab日 \n\t"), max_size=16), max_size=5),
    st.sampled_from([{}, {"share": 0.25}, {"share": 1}, {"words": 1}, {"words": 3}]),
    st.sampled_from(["start", "end"]),
)
def test_it_does_what_the_definition_says(texts, length, keep):
    step = Truncate(rate=1, keep=keep, **length)
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[step])
    assert [row.text for row in rows] == [slow_truncate(text, step) for text in texts]
    assert all(len(row.edits) <= 1 for row in rows)


def test_a_tenth_of_ten_words_is_one():
    for share, num in ((0.1, 1), (0.3, 3), (0.7, 7), (0.71, 8)):
        (row,) = noise_texts(
            ["a b c d e f g h i j"], keys=keys_of(1), steps=[Truncate(rate=1, share=share)]
        )
        assert len(row.text.split()) == num


def test_the_rate_is_that_of_texts():
    num, rate = 5000, 0.3
    rows = noise_texts(["one two three"] * num, keys=keys_of(num), steps=[Truncate(rate=rate)])
    cut = sum(len(row.edits) for row in rows)
    assert abs(cut - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5


def test_a_share_and_a_number_are_refused():
    with pytest.raises(ValidationError, match="not both"):
        Truncate(rate=1, share=0.5, words=3)


def test_golden():
    texts = ["where is my new card? ", " one  two\nthree", "word ", ""]
    for keep, expected in GOLDEN.items():
        rows = noise_texts(texts, keys=keys_of(4), steps=[Truncate(rate=1, keep=keep)])
        assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == expected


GOLDEN: dict[str, list[tuple[str, list[tuple[int, str]]]]] = {
    "start": [
        ("where is my", [(11, " new card? ")]),
        (" one  two", [(9, "\nthree")]),
        ("word ", []),
        ("", []),
    ],
    "end": [
        ("my new card? ", [(0, "where is ")]),
        ("two\nthree", [(0, " one  ")]),
        ("word ", []),
        ("", []),
    ],
}
