"""Keyboard slips: only neighbours, only whole clusters, at the rate asked for."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import Keyboard
from tasks.noise.keyboard import neighbours_on
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms

NEIGHBOURS = neighbours_on("qwerty")


def keys_of(num: int) -> np.ndarray:
    return row_keys(11, np.arange(num), 0, Stream.NOISE)


def slow_keyboard(text: str, key: np.uint64, rate: float) -> str:
    step = fold(key, 0)
    whether, which = fold(step, 0), fold(step, 1)
    pieces = []
    for index, cluster in enumerate(regex.findall(r"\X", text)):
        choices = NEIGHBOURS.get(cluster)
        if choices and uniforms(whether, index) < rate:
            cluster = choices[int(uniforms(which, index) * len(choices))]
        pieces.append(cluster)
    return "".join(pieces)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.one_of(st.text("abQ1 é0\u0301日", max_size=12), st.text(max_size=12)), max_size=5),
    st.sampled_from([0.1, 0.5, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    keys = keys_of(len(texts))
    noised = noise_texts(texts, keys=keys, steps=[Keyboard(rate=rate)])
    expected = [slow_keyboard(text, key, rate) for text, key in zip(texts, keys, strict=True)]
    assert [row.text for row in noised] == expected


def test_neighbours_touch_each_other():
    assert set(NEIGHBOURS) == set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    for key, others in NEIGHBOURS.items():
        assert key not in others
        assert len(set(others)) == len(others) >= 1
        for other in others:
            assert key in NEIGHBOURS[other]
            assert (other.islower(), other.isupper(), other.isdigit()) == (
                key.islower(),
                key.isupper(),
                key.isdigit(),
            )


@pytest.mark.parametrize(
    ("key", "others"),
    [("g", "fhtyvb"), ("q", "wa"), ("P", "OL"), ("m", "njk"), ("1", "2"), ("5", "46")],
)
def test_some_neighbours_by_eye(key, others):
    assert set(NEIGHBOURS[key]) == set(others)


def test_at_rate_one_every_lone_key_slips():
    text = "Ab1 e\u0301 ß é 日 👍 !"
    (noised,) = noise_texts([text], keys=keys_of(1), steps=[Keyboard(rate=1)])
    assert [edit.before for edit in noised.edits] == ["A", "b", "1"]
    assert noised.text[3:] == text[3:]


def test_the_rate_and_the_choice_are_fair():
    num, rate = 40_000, 0.3
    texts = ["ggggg"] * (num // 5)
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[Keyboard(rate=rate)])
    afters = [edit.after for row in rows for edit in row.edits]
    assert abs(len(afters) - num * rate) < 4 * (num * rate * (1 - rate)) ** 0.5
    share = 1 / 6
    for other in "fhtyvb":
        bound = 4 * (len(afters) * share * (1 - share)) ** 0.5
        assert abs(afters.count(other) - len(afters) * share) < bound


def test_golden():
    texts = ["Where is my new card?", "PIN 4071", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[Keyboard(rate=0.2)])
    assert [row.text for row in rows] == GOLDEN


GOLDEN = ["Ahefe iw mt new carf?", "PIM 4061", ""]
