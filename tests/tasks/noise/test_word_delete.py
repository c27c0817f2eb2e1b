"""Lost words: with their white space, at the rate asked for, never all of them."""

import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import WordDelete
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(13, np.arange(num), 0, Stream.NOISE)


def kept_words(text: str, key: np.uint64, rate: float) -> list[int]:
    whether = fold(fold(key, 0), 0)
    draws = [float(uniforms(whether, index)) for index in range(len(text.split()))]
    kept = [index for index, draw in enumerate(draws) if draw >= rate]
    return kept or sorted(range(len(draws)), key=lambda index: draws[index])[-1:]


def slow_word_delete(text: str, kept: list[int]) -> str:
    """Build the result from the kept words and the white space before each and at the ends."""
    if not kept:
        return text
    words, gaps = re.findall(r"\S+", text), re.split(r"\S+", text)
    pieces = [gaps[0]]
    for place, index in enumerate(kept):
        if place:
            pieces.append(gaps[index])
        pieces.append(words[index])
    return "".join([*pieces, gaps[-1]])


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.text(st.sampled_from("ab日 \n\t"), max_size=16), max_size=5),
    st.sampled_from([0.1, 0.5, 0.9, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    keys = keys_of(len(texts))
    for text, key, row in zip(
        texts, keys, noise_texts(texts, keys=keys, steps=[WordDelete(rate=rate)]), strict=True
    ):
        kept = kept_words(text, key, rate)
        words = text.split()
        assert row.text.split() == [words[index] for index in kept]
        gaps = re.findall(r"\s+", text.strip())
        assert set(re.findall(r"\s+", row.text.strip())) <= set(gaps)
        assert row.text == slow_word_delete(text, kept)
        assert len(row.edits) == len(words) - len(kept)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=10))
def test_no_double_space_arises(words):
    text = " ".join(words)
    for row in noise_texts([text] * 5, keys=keys_of(5), steps=[WordDelete(rate=0.6)]):
        assert row.text == " ".join(row.text.split())


def test_a_space_with_a_mark_belongs_to_its_word():
    rows = noise_texts(["a \u0301b c"] * 100, keys=keys_of(100), steps=[WordDelete(rate=0.5)])
    assert {row.text for row in rows} == {"a \u0301b c", "a \u0301b", "c"}


def test_which_word_survives_is_drawn():
    rows = noise_texts(["x y z"] * 300, keys=keys_of(300), steps=[WordDelete(rate=1)])
    survivors = [row.text for row in rows]
    assert set(survivors) == {"x", "y", "z"}
    for survivor in "xyz":
        assert abs(survivors.count(survivor) - 100) < 4 * (300 * 2 / 9) ** 0.5


def test_the_rate_is_met():
    num, rate = 20_000, 0.2
    rows = noise_texts(["a " * 40] * 500, keys=keys_of(500), steps=[WordDelete(rate=rate)])
    lost = sum(len(row.edits) for row in rows)
    assert abs(lost - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5


def test_golden():
    texts = ["where is my new card?", "one  two\nthree four", "word", ""]
    rows = noise_texts(texts, keys=keys_of(4), steps=[WordDelete(rate=0.4)])
    assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    ("where my new", [(5, " is"), (12, " card?")]),
    ("two", [(0, "one  "), (3, "\nthree"), (3, " four")]),
    ("word", []),
    ("", []),
]
