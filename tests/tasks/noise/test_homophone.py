"""Words that sound the same."""

import numpy as np
import pytest

from schemas.noise_words import Homophone
from tasks.noise.homophone_sets import HOMOPHONES
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, row_keys


def keys_of(num: int) -> np.ndarray:
    return row_keys(28, np.arange(num), 0, Stream.NOISE)


def test_the_sets_are_many_and_sound():
    assert len(HOMOPHONES) >= 120
    for words in HOMOPHONES:
        assert len(set(words)) == len(words) >= 2
        assert all(
            word == word.lower() and word.strip("abcdefghijklmnopqrstuvwxyz") in ("", "'")
            for word in words
        )
    assert len(set(HOMOPHONES)) == len(HOMOPHONES)


@pytest.mark.parametrize(
    ("text", "outcomes"),
    [
        ("their", {"there", "they're"}),
        ("They\u2019re!", {"Their!", "There!"}),
        ("(NIGHT)", {"(KNIGHT)"}),
        ("keyboard", {"keyboard"}),
    ],
)
def test_every_other_word_of_the_set_comes(text, outcomes):
    rows = noise_texts([text] * 60, keys=keys_of(60), steps=[Homophone(rate=1)])
    assert {row.text for row in rows} == outcomes


def test_the_rate_is_that_of_words_with_a_homophone():
    num, rate = 20_000, 0.2
    rows = noise_texts(["xyz night " * 20] * 1000, keys=keys_of(1000), steps=[Homophone(rate=rate)])
    changed = sum(len(row.edits) for row in rows)
    assert abs(changed - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5


def test_golden():
    texts = ["Which one is their new male?", "You're here, right", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[Homophone(rate=0.6)])
    assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    ("Witch one is their new male?", [(0, "Which")]),
    ("You're hear, right", [(7, "here")]),
    ("", []),
]
