"""Fillers: between words alone, at the rate asked for, all as likely."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.noise_words import Filler
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(23, np.arange(num), 0, Stream.NOISE)


def slow_filler(text: str, key: np.uint64, step: Filler) -> str:
    words, gaps = re.findall(r"\S+", text), re.split(r"\S+", text)
    whether, which = fold(fold(key, 0), 0), fold(fold(key, 0), 1)
    for place in range(len(words) - 1):
        if uniforms(whether, place) < step.rate:
            words[place] += " " + step.fillers[int(uniforms(which, place) * len(step.fillers))]
    return "".join(gap + word for gap, word in zip(gaps, [*words, ""], strict=True))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.text(st.sampled_from("ab日 \n\t"), max_size=16), max_size=5),
    st.sampled_from([0.1, 0.5, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    keys, step = keys_of(len(texts)), Filler(rate=rate, fillers=("uh", "you know", "äh"))
    rows = noise_texts(texts, keys=keys, steps=[step])
    expected = [slow_filler(text, key, step) for text, key in zip(texts, keys, strict=True)]
    assert [row.text for row in rows] == expected


def test_the_rate_and_the_choice_are_fair():
    rate, step = 0.25, Filler(rate=0.25, fillers=("uh", "um", "er"))
    rows = noise_texts(["a " * 41] * 500, keys=keys_of(500), steps=[step])
    afters = [edit.after for row in rows for edit in row.edits]
    num = 500 * 40
    assert abs(len(afters) - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5
    for name in step.fillers:
        bound = 4 * (len(afters) * 2 / 9) ** 0.5
        assert abs(afters.count(f" {name}") - len(afters) / 3) < bound


@pytest.mark.parametrize("fillers", [(), ("uh", " ")])
def test_a_filler_is_something(fillers):
    with pytest.raises(ValidationError):
        Filler(rate=0.1, fillers=fillers)


def test_golden():
    texts = ["where is my new card?", "one  two\nthree", "word", ""]
    rows = noise_texts(texts, keys=keys_of(4), steps=[Filler(rate=0.5)])
    assert [(row.text, [(e.start, e.after) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    ("where like is my new card?", [(5, " like")]),
    ("one you know  two well\nthree", [(3, " you know"), (17, " well")]),
    ("word", []),
    ("", []),
]
