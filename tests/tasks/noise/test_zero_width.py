"""Invisible characters: between two of a word, never joining two into one."""

import numpy as np
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import ZeroWidth
from tasks.noise.texts import noise_texts
from tasks.noise.zero_width import INVISIBLE
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(23, np.arange(num), 0, Stream.NOISE)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(st.sampled_from(["a", "!", " ", "日", "e\u0301", "가"])), max_size=4),
    st.sampled_from([0.3, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    joined = ["".join(clusters) for clusters in texts]
    rows = noise_texts(joined, keys=keys_of(len(texts)), steps=[ZeroWidth(rate=rate)])
    for clusters, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        whether, which = (fold(fold(key, 0), counter) for counter in (0, 1))
        expected = ""
        for index, cluster in enumerate(clusters):
            expected += cluster
            is_inside = " " not in clusters[index : index + 2] and index + 1 < len(clusters)
            if is_inside and uniforms(whether, index) < rate:
                expected += INVISIBLE[int(uniforms(which, index) * 4)]
        assert row.text == expected


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.text(max_size=12), st.text("a👍👩\u2139🇩\u200d\u0301क\u094d", max_size=12)))
def test_no_two_clusters_become_one(text):
    (row,) = noise_texts([text], keys=keys_of(1), steps=[ZeroWidth(rate=1)])
    ends = {match.end() for match in regex.finditer(r"\X", row.text)}
    for edit in row.edits:
        # Either its own cluster or the end of the one before: the next one begins after it.
        assert edit.start + 1 in ends


def test_pictures_are_not_joined():
    rows = noise_texts(["👍👍 👍a"] * 50, keys=keys_of(50), steps=[ZeroWidth(rate=1)])
    assert all(regex.fullmatch(f"👍👍 👍[{INVISIBLE}]a", row.text) for row in rows)


def test_the_rate_and_the_choice_are_fair():
    rows = noise_texts(["a" * 41] * 1000, keys=keys_of(1000), steps=[ZeroWidth(rate=0.1)])
    afters = [edit.after for row in rows for edit in row.edits]
    assert abs(len(afters) - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5
    for char in INVISIBLE:
        assert abs(afters.count(char) - len(afters) / 4) < 4 * (len(afters) * 3 / 16) ** 0.5


def test_golden():
    texts = ["Where is my new card?", "日本語 e\u0301te\u0301 👍🏽", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[ZeroWidth(rate=0.3)])
    assert [(row.text, [(e.start, e.before, e.after) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN = [
    ("W\u200chere is my new card\u200b?", [(1, "", "\u200c"), (21, "", "\u200b")]),
    ("\u65e5\u672c\u2060\u8a9e e\u0301te\u0301 \U0001f44d\U0001f3fd", [(2, "", "\u2060")]),
    ("", []),
]
