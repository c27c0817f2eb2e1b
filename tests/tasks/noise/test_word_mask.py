"""Masked words: eighty, ten and ten percent, punctuation left, a kept word without an edit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.noise_words import WordMask
from tasks.noise.texts import noise_texts
from tasks.noise.word_mask import COMMON_WORDS
from tasks.planning.streams import Stream, fold, row_keys, uniforms

RANDOM = ("uno", "dos", "tres")


def keys_of(num: int) -> np.ndarray:
    return row_keys(24, np.arange(num), 0, Stream.NOISE)


def slow_word_mask(words: list[str], key: np.uint64, step: WordMask) -> list[str]:
    whether, which, how = (fold(fold(key, 0), counter) for counter in (0, 1, 2))
    masked = []
    for place, word in enumerate(words):
        core, rest = word.rstrip("?"), word[len(word.rstrip("?")) :]
        draw = uniforms(how, place)
        if core and uniforms(whether, place) < step.rate:
            if draw < step.mask_share:
                core = step.mask
            elif draw < step.mask_share + step.random_share:
                core = step.words[int(uniforms(which, place) * len(step.words))]
        masked.append(core + rest)
    return masked


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.lists(st.sampled_from(["ab", "日本?", "?", "[mask]", "uno"]), max_size=8)),
    st.sampled_from([0.3, 1.0]),
    st.sampled_from([(0.8, 0.1), (0.4, 0.4), (0, 1), (1, 0), (0, 0)]),
)
def test_it_does_what_the_definition_says(texts, rate, shares):
    mask_share, random_share = shares
    step = WordMask(
        rate=rate, mask="[mask]", words=RANDOM, mask_share=mask_share, random_share=random_share
    )
    keys = keys_of(len(texts))
    rows = noise_texts([" ".join(words) for words in texts], keys=keys, steps=[step])
    expected = [slow_word_mask(words, key, step) for words, key in zip(texts, keys, strict=True)]
    assert [row.text for row in rows] == [" ".join(words) for words in expected]


def test_the_shares_are_met():
    num, rate = 40_000, 0.5
    rows = noise_texts(["xx " * 40] * 1000, keys=keys_of(1000), steps=[WordMask(rate=rate)])
    afters = [edit.after for row in rows for edit in row.edits]
    masks = afters.count("[MASK]")
    for count, share in ((masks, 0.8 * rate), (len(afters) - masks, 0.1 * rate)):
        assert abs(count - num * share) < 4 * (num * share * (1 - share)) ** 0.5
    assert set(afters) == {"[MASK]", *COMMON_WORDS}


def test_a_random_word_takes_the_case():
    step = WordMask(rate=1, mask_share=0, random_share=1, words=("uno",))
    (row,) = noise_texts(["Where IS (my) Card?!"], keys=keys_of(1), steps=[step])
    assert row.text == "Uno UNO (uno) Uno?!"


def test_shares_of_more_than_all_are_refused():
    with pytest.raises(ValidationError, match="more than 1"):
        WordMask(rate=0.1, mask_share=0.8, random_share=0.3)


def test_golden():
    texts = ["where is my new card?", "日本 and back again, then", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[WordMask(rate=0.6)])
    assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    ("big is [MASK] new [MASK]?", [(0, "where"), (7, "my"), (18, "card")]),
    ("日本 next back again, then", [(3, "and")]),
    ("", []),
]
