"""Words that run together or fall apart."""

import re

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import Whitespace
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(26, np.arange(num), 0, Stream.NOISE)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.text("ab日 \n\t", max_size=16), max_size=5), st.sampled_from([0.4, 1.0]))
def test_gaps_are_dropped_as_the_definition_says(texts, rate):
    step = Whitespace(rate=rate, mode="drop")
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[step])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        whether, expected = fold(fold(key, 0), 0), ""
        for gap, piece in enumerate(re.split(r"(?<=\S)(?=\s+\S)", text)):
            is_joined = gap and uniforms(whether, gap - 1) < rate
            expected += piece.lstrip() if is_joined else piece
        assert row.text == expected


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.lists(st.sampled_from(["a", "!", " ", "日", "e\u0301", "가", "👍🏽"])), max_size=4),
    st.sampled_from([0.3, 1.0]),
)
def test_spaces_are_added_as_the_definition_says(texts, rate):
    joined, step = ["".join(clusters) for clusters in texts], Whitespace(rate=rate, mode="add")
    rows = noise_texts(joined, keys=keys_of(len(texts)), steps=[step])
    for clusters, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        whether, expected = fold(fold(key, 0), 0), ""
        for index, cluster in enumerate(clusters):
            is_inside = " " not in clusters[index : index + 2] and index + 1 < len(clusters)
            expected += cluster + " " * bool(is_inside and uniforms(whether, index) < rate)
        assert row.text == expected


@pytest.mark.parametrize("mode", ["drop", "add"])
@settings(deadline=None, max_examples=100)
@given(
    text=st.one_of(
        st.text(max_size=12), st.text("a 👍🇩\u200d\u0301\u1100가क\u094d\n\u0600", max_size=12)
    )
)
def test_no_cluster_becomes_another(mode, text):
    (row,) = noise_texts([text], keys=keys_of(1), steps=[Whitespace(rate=1, mode=mode)])
    before, after = (
        [cluster for cluster in regex.findall(r"\X", each) if not cluster.isspace()]
        for each in (text, row.text)
    )
    assert before == after


def test_flags_and_marks_keep_their_gap():
    texts = ["🇩 🇪", "a\n\u0301b", "👩\u200d 👧", "\u1100 가"]
    rows = noise_texts(texts, keys=keys_of(4), steps=[Whitespace(rate=1, mode="drop")])
    assert [row.text for row in rows] == texts


@pytest.mark.parametrize(("mode", "text"), [("drop", "a" + " a" * 40), ("add", "a" * 41)])
def test_the_rate_is_met(mode, text):
    rows = noise_texts([text] * 1000, keys=keys_of(1000), steps=[Whitespace(rate=0.1, mode=mode)])
    edits = sum(len(row.edits) for row in rows)
    assert abs(edits - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5


@pytest.mark.parametrize("mode", ["drop", "add"])
def test_golden(mode):
    texts = ["where is  my\nnew card?", "日本語 e\u0301te\u0301", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[Whitespace(rate=0.4, mode=mode)])
    log = [(row.text, [(e.start, e.before, e.after) for e in row.edits]) for row in rows]
    assert log == GOLDEN[mode]


GOLDEN = {
    "drop": [
        ("where is  my\nnew card?", []),
        ("\u65e5\u672c\u8a9ee\u0301te\u0301", [(3, " ", "")]),
        ("", []),
    ],
    "add": [
        ("where is  m y\nnew card?", [(11, "", " ")]),
        ("\u65e5 \u672c\u8a9e e\u0301te\u0301", [(1, "", " ")]),
        ("", []),
    ],
}
