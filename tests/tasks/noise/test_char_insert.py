"""Stray characters: after letters, of their own alphabet or the one asked for."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.noise_characters import CharInsert
from tasks.noise.alphabets import ALPHABETS
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(19, np.arange(num), 0, Stream.NOISE)


def slow_char_insert(text: str, key: np.uint64, rate: float) -> str:
    whether, which = (fold(fold(key, 0), counter) for counter in (0, 1))
    pieces = []
    for index, cluster in enumerate(regex.findall(r"\X", text)):
        pieces.append(cluster)
        for alphabet in ALPHABETS:
            if cluster[0] in alphabet and uniforms(whether, index) < rate:
                pieces.append(alphabet[int(uniforms(which, index) * len(alphabet))])
    return "".join(pieces)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.text("abZ1 .\u0301日жあ👍", max_size=12), max_size=5), st.sampled_from([0.3, 1.0])
)
def test_it_does_what_the_definition_says(texts, rate):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[CharInsert(rate=rate)])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        assert row.text == slow_char_insert(text, key, rate)


def test_an_alphabet_of_ones_own():
    rows = noise_texts(
        ["a日 👍!"] * 60, keys=keys_of(60), steps=[CharInsert(rate=1, alphabet="xé")]
    )
    assert all(regex.fullmatch("a[xé]日[xé] 👍[xé]![xé]", row.text) for row in rows)
    assert {row.text[1] for row in rows} == {"x", "é"}


@pytest.mark.parametrize("alphabet", ["", "a b", "a\u0301", "\u200d", "🇩", "\u1100"])
def test_an_alphabet_that_would_join_is_refused(alphabet):
    with pytest.raises(ValidationError, match="alphabet"):
        CharInsert(rate=1, alphabet=alphabet)


def test_the_rate_is_met():
    rows = noise_texts(["a" * 40] * 1000, keys=keys_of(1000), steps=[CharInsert(rate=0.1)])
    put_in = sum(len(row.edits) for row in rows)
    assert abs(put_in - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5


def test_golden():
    texts = ["Where is my new card?", "日本語 e\u0301te\u0301 Жук 7", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[CharInsert(rate=0.3)])
    assert [(row.text, [(e.start, e.before, e.after) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN = [
    ("Where ins my nhew cakrdy?", [(7, "", "n"), (14, "", "h"), (20, "", "k"), (23, "", "y")]),
    (
        "\u65e5\u672c\u8a9e e\u0301te\u0301r \u0416\u0421\u0443\u044a\u043a\u043d 7",
        [(9, "", "r"), (12, "", "\u0421"), (14, "", "\u044a"), (16, "", "\u043d")],
    ),
    ("", []),
]
