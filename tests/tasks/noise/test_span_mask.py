"""Masked spans: the share of words asked for, Poisson lengths, every place as likely."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_words import SpanMask
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(31, np.arange(num), 0, Stream.NOISE)


def poisson(draw: float, mean: float) -> int:
    number, total = 0, math.exp(-mean)
    while draw >= total:
        number += 1
        total += math.exp(-mean + number * math.log(mean) - math.lgamma(number + 1))
    return number


def slow_span_mask(words: list[str], key: np.uint64, step: SpanMask) -> list[str]:
    rounding, how_long, where = (fold(fold(key, 0), counter) for counter in (1, 2, 3))
    budget = int(len(words) * step.rate + uniforms(rounding, 0))
    lengths: list[int] = []
    while sum(lengths) < budget:
        length = poisson(float(uniforms(how_long, len(lengths))), step.mean_length)
        lengths.append(min(length, budget - sum(lengths)))
    items = [*lengths, *[None] * (len(words) - budget)] if lengths else [None] * len(words)
    order = sorted(range(len(items)), key=lambda place: uniforms(where, place))
    kept, said = iter(words), []
    for item in (items[place] for place in order):
        if item is None:
            said.append(next(kept))
            continue
        for _ in range(item):
            next(kept)
        if said[-1:] != [step.mask]:
            said.append(step.mask)
    return said


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(0, 14), max_size=6),
    st.sampled_from([0.1, 0.3, 0.7, 1.0]),
    st.sampled_from([1.0, 3.0]),
)
def test_it_does_what_the_definition_says(sizes, rate, mean_length):
    step, keys = SpanMask(rate=rate, mean_length=mean_length), keys_of(len(sizes))
    texts = [[f"w{number}" for number in range(size)] for size in sizes]
    rows = noise_texts([" ".join(words) for words in texts], keys=keys, steps=[step])
    expected = [slow_span_mask(words, key, step) for words, key in zip(texts, keys, strict=True)]
    assert [row.text for row in rows] == [" ".join(words) for words in expected]


@pytest.mark.parametrize("num_words", [1, 3, 8, 50])
def test_the_share_of_masked_words_is_the_rate(num_words):
    num, rate = 2000, 0.3
    text = " ".join(["w"] * num_words)
    rows = noise_texts([text] * num, keys=keys_of(num), steps=[SpanMask(rate=rate)])
    masked = num * num_words - sum(row.text.split().count("w") for row in rows)
    assert abs(masked - num * num_words * rate) <= 4 * (num / 4) ** 0.5


def test_lengths_are_those_of_poisson():
    # So few words are masked that spans seldom meet and few are cut short.
    text = " ".join(["w"] * 3000)
    rows = noise_texts([text] * 40, keys=keys_of(40), steps=[SpanMask(rate=0.03)])
    lengths = Counter(edit.before.count("w") for row in rows for edit in row.edits)
    num = lengths.total()
    for length in range(7):
        share = math.exp(-3) * 3**length / math.factorial(length)
        assert abs(lengths[length] - num * share) < 5 * (num * share) ** 0.5 + 0.04 * num


def test_every_word_is_as_likely_to_go():
    num = 6000
    words = ["a", "b", "c", "d"]
    rows = noise_texts([" ".join(words)] * num, keys=keys_of(num), steps=[SpanMask(rate=0.25)])
    for word in words:
        gone = sum(word not in row.text.split() for row in rows)
        assert abs(gone - num / 4) < 4 * (num * 3 / 16) ** 0.5


def test_a_whole_text_becomes_one_mask():
    (row,) = noise_texts([" one two  three\n"], keys=keys_of(1), steps=[SpanMask(rate=1)])
    assert row.text == " [MASK]\n"


def test_golden():
    texts = ["where is my new card and who has it?", "one  two\nthree four", "word", ""]
    rows = noise_texts(texts, keys=keys_of(4), steps=[SpanMask(rate=0.4)])
    assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    ("[MASK] new card [MASK] who has it?", [(0, "where is my"), (16, "and")]),
    ("one  two\n[MASK]", [(9, "three four")]),
    ("word", []),
    ("", []),
]
