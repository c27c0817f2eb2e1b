"""Errors of text recognition: one or two characters for one or two others."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import Ocr
from tasks.noise.ocr import confusions
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(22, np.arange(num), 0, Stream.NOISE)


def slow_ocr(text: str, key: np.uint64, rate: float) -> str:
    clusters = regex.findall(r"\X", text)
    whether, which = (fold(fold(key, 0), counter) for counter in (0, 1))
    pieces, index = [], 0
    while index < len(clusters):
        here, both = clusters[index], "".join(clusters[index : index + 2])
        choices = [(1, other) for other in confusions().get(here, []) if len(here) == 1]
        if len(clusters[index : index + 2]) == 2:
            choices += [(2, other) for other in confusions().get(both, [])]
        width, after = 1, here
        if choices and uniforms(whether, index) < rate:
            width, after = choices[int(uniforms(which, index) * len(choices))]
        pieces.append(after)
        index += width
    return "".join(pieces)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.one_of(st.text("rnclvvmdii10O '\u0301日", max_size=14), st.text(max_size=8)), max_size=4
    ),
    st.sampled_from([0.3, 0.7, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[Ocr(rate=rate)])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        assert row.text == slow_ocr(text, key, rate)


def test_confusions_go_both_ways():
    for shape, others in confusions().items():
        assert shape.isascii()
        assert len(shape) in (1, 2)
        assert len(set(others)) == len(others) >= 1
        assert shape not in others
        assert all(shape in confusions()[other] for other in others)


@pytest.mark.parametrize(
    ("shape", "other"),
    [
        ("0", "O"),
        ("0", "o"),
        ("1", "l"),
        ("I", "1"),
        ("m", "rn"),
        ("cl", "d"),
        ("vv", "w"),
        ("B", "8"),
    ],
)
def test_some_confusions_by_eye(shape, other):
    assert other in confusions()[shape]


def test_the_rate_is_met():
    rows = noise_texts(["0a5e" * 10] * 1000, keys=keys_of(1000), steps=[Ocr(rate=0.1)])
    taken = sum(len(row.edits) for row in rows)
    assert abs(taken - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5


def test_golden():
    texts = ["clear the warning on my 105 cards", "e\u0301rn 日0", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[Ocr(rate=0.3)])
    assert [(row.text, [(e.start, e.before, e.after) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN = [
    (
        "cloon the warn1ng oh nny 105 eards",
        [
            (2, "e", "o"),
            (3, "a", "o"),
            (4, "r", "n"),
            (14, "i", "1"),
            (19, "n", "h"),
            (21, "m", "nn"),
            (29, "c", "e"),
        ],
    ),
    ("e\u0301rn \u65e5o", [(6, "0", "o")]),
    ("", []),
]
