"""Words written twice."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_words import WordDuplicate
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(22, np.arange(num), 0, Stream.NOISE)


def slow_word_duplicate(text: str, key: np.uint64, rate: float) -> str:
    words, gaps = re.findall(r"\S+", text), re.split(r"\S+", text)
    whether = fold(fold(key, 0), 0)
    said = [
        f"{word} {word}" if uniforms(whether, place) < rate else word
        for place, word in enumerate(words)
    ]
    return "".join(gap + word for gap, word in zip(gaps, [*said, ""], strict=True))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.text(st.sampled_from("ab日 \n\t"), max_size=16), max_size=5),
    st.sampled_from([0.1, 0.5, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    keys = keys_of(len(texts))
    rows = noise_texts(texts, keys=keys, steps=[WordDuplicate(rate=rate)])
    expected = [slow_word_duplicate(text, key, rate) for text, key in zip(texts, keys, strict=True)]
    assert [row.text for row in rows] == expected


def test_the_rate_is_met():
    num, rate = 20_000, 0.2
    rows = noise_texts(["a " * 40] * 500, keys=keys_of(500), steps=[WordDuplicate(rate=rate)])
    doubled = sum(len(row.edits) for row in rows)
    assert abs(doubled - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5


def test_golden():
    texts = ["where is my new card?", "one  two\nthree", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[WordDuplicate(rate=0.4)])
    assert [(row.text, [(e.start, e.after) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    ("where is my my new new card? card?", [(11, " my"), (18, " new"), (28, " card?")]),
    ("one one  two\nthree", [(3, " one")]),
    ("", []),
]
