"""Characters written twice: whole clusters, none that would join its copy."""

import numpy as np
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import CharRepeat
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(20, np.arange(num), 0, Stream.NOISE)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.lists(st.sampled_from(["a", "Z", "!", " ", "日", "e\u0301", "👍🏽", "가"])), max_size=4
    ),
    st.sampled_from([0.3, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    joined = ["".join(clusters) for clusters in texts]
    rows = noise_texts(joined, keys=keys_of(len(texts)), steps=[CharRepeat(rate=rate)])
    for clusters, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        whether = fold(fold(key, 0), 0)
        twice = [
            cluster * (1 + (cluster != " " and uniforms(whether, index) < rate))
            for index, cluster in enumerate(clusters)
        ]
        assert row.text == "".join(twice)


def test_what_would_join_its_copy_is_not_repeated():
    texts = ["🇫", "\u1100", "\u0301", "\n", "क\u094d", "👩\u200d", "\u0600"]
    rows = noise_texts(texts, keys=keys_of(7), steps=[CharRepeat(rate=1)])
    assert [row.text for row in rows] == texts


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=12))
def test_every_copy_is_a_cluster(text):
    clusters = regex.findall(r"\X", text)
    (row,) = noise_texts([text], keys=keys_of(1), steps=[CharRepeat(rate=1)])
    assert len(regex.findall(r"\X", row.text)) == len(clusters) + len(row.edits)
    assert {edit.after for edit in row.edits} <= set(clusters)


def test_the_rate_is_met():
    rows = noise_texts(["ab" * 20] * 1000, keys=keys_of(1000), steps=[CharRepeat(rate=0.1)])
    twice = sum(len(row.edits) for row in rows)
    assert abs(twice - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5


def test_golden():
    texts = ["Where is my new card?", "日本語 e\u0301te\u0301 👍🏽", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[CharRepeat(rate=0.3)])
    assert [(row.text, [(e.start, e.before, e.after) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN = [
    ("Where is my new card?", []),
    (
        "\u65e5\u65e5\u672c\u8a9e e\u0301e\u0301te\u0301 \U0001f44d\U0001f3fd",
        [(1, "", "\u65e5"), (7, "", "e\u0301")],
    ),
    ("", []),
]
