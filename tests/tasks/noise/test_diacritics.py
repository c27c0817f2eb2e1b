"""Marks lost (that marks are put on letters is held beside the other tables)."""

import unicodedata

import numpy as np
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import Diacritics
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms

STRIP = {"mode": "strip"}


def keys_of(num: int) -> np.ndarray:
    return row_keys(24, np.arange(num), 0, Stream.NOISE)


def bare(cluster: str) -> str:
    base, *marks = list(unicodedata.normalize("NFD", cluster))
    is_script = regex.match(r"[\p{Latin}\p{Greek}\p{Cyrillic}]", base)
    return (
        base
        if is_script and all(regex.match(r"[\u0300-\u036F]", mark) for mark in marks)
        else cluster
    )


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.text("aéüßøÅжйά\u0301\u0323が\u0627\u064b 日ệ\u200d", max_size=10), max_size=5),
    st.sampled_from([0.3, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[Diacritics(rate=rate, **STRIP)])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        whether = fold(fold(key, 0), 0)
        expected = [
            bare(cluster) if uniforms(whether, index) < rate else cluster
            for index, cluster in enumerate(regex.findall(r"\X", text))
        ]
        assert row.text == "".join(expected)


def test_what_was_marked_can_be_stripped():
    texts = ["the quick brown fox jumps over the lazy dog"] * 20
    steps = [Diacritics(rate=1), Diacritics(rate=1, **STRIP)]
    rows = noise_texts(texts, keys=keys_of(20), steps=steps)
    assert [row.text for row in rows] == texts
    assert all(row.edits for row in rows)


def test_the_rate_is_met():
    texts = ["éa\u0308" * 20] * 1000
    rows = noise_texts(texts, keys=keys_of(1000), steps=[Diacritics(rate=0.1, **STRIP)])
    stripped = sum(len(row.edits) for row in rows)
    assert abs(stripped - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5


def test_golden():
    texts = ["Crème brûlée à la façon de Zoë", "e\u0301te\u0301 Việt Нам й", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[Diacritics(rate=0.6, **STRIP)])
    assert [(row.text, [(e.start, e.before, e.after) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN = [
    (
        "Creme br\xfblee a la fa\xe7on de Zo\xeb",
        [(2, "\xe8", "e"), (10, "\xe9", "e"), (13, "\xe0", "a")],
    ),
    (
        "e\u0301te\u0301 Viet \u041d\u0430\u043c \u0438",
        [(8, "\u1ec7", "e"), (15, "\u0439", "\u0438")],
    ),
    ("", []),
]
