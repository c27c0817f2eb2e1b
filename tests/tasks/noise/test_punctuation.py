"""Punctuation lost, or put between words."""

import re
import unicodedata

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import Punctuation
from tasks.noise.punctuation import MARKS
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(27, np.arange(num), 0, Stream.NOISE)


def slow_drop(text: str, key: np.uint64, rate: float) -> str:
    clusters, whether = regex.findall(r"\X", text), fold(fold(key, 0), 0)
    draws = [float(uniforms(whether, index)) for index in range(len(clusters))]
    kept = [
        index
        for index, cluster in enumerate(clusters)
        if not (len(cluster) == 1 and unicodedata.category(cluster)[0] == "P")
        or draws[index] >= rate
    ]
    if all(clusters[index].isspace() for index in kept):
        inked = [index for index, cluster in enumerate(clusters) if not cluster.isspace()]
        kept += sorted(inked, key=lambda index: draws[index])[-1:]
    return "".join(clusters[index] for index in sorted(kept))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.one_of(st.text("a.,!  ¿。\u0301", max_size=8), st.text(max_size=8)), max_size=5),
    st.sampled_from([0.4, 1.0]),
)
def test_marks_are_dropped_as_the_definition_says(texts, rate):
    step = Punctuation(rate=rate, mode="drop")
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[step])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        assert row.text == slow_drop(text, key, rate)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.text("ab日. \n\t", max_size=16), max_size=5), st.sampled_from([0.4, 1.0]))
def test_marks_are_added_as_the_definition_says(texts, rate):
    rows = noise_texts(texts, keys=keys_of(len(texts)), steps=[Punctuation(rate=rate, mode="add")])
    for text, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        whether, which = (fold(fold(key, 0), counter) for counter in (0, 1))
        pieces = re.split(r"(?<=\S)(?=\s+\S)", text)
        expected = pieces[0]
        for gap, piece in enumerate(pieces[1:]):
            if uniforms(whether, gap) < rate:
                expected += " " + MARKS[int(uniforms(which, gap) * len(MARKS))]
            expected += piece
        assert row.text == expected


@pytest.mark.parametrize(("mode", "text"), [("drop", "." * 40 + "a"), ("add", "a" + " a" * 40)])
def test_the_rate_is_met(mode, text):
    rows = noise_texts([text] * 1000, keys=keys_of(1000), steps=[Punctuation(rate=0.1, mode=mode)])
    edits = sum(len(row.edits) for row in rows)
    assert abs(edits - 4000) < 4 * (40_000 * 0.1 * 0.9) ** 0.5


def test_marks_are_equally_likely():
    rows = noise_texts(["a" + " a" * 40] * 300, keys=keys_of(300), steps=[Punctuation(rate=1)])
    afters = [edit.after for row in rows for edit in row.edits]
    assert len(afters) == 12_000
    for mark in MARKS:
        assert abs(afters.count(f" {mark}") - 2000) < 4 * (12_000 * 5 / 36) ** 0.5


@pytest.mark.parametrize("mode", ["drop", "add"])
def test_golden(mode):
    texts = ["Well, where is (my) new card?!", "日本語。 e\u0301te\u0301", "..."]
    rows = noise_texts(texts, keys=keys_of(3), steps=[Punctuation(rate=0.5, mode=mode)])
    log = [(row.text, [(e.start, e.before, e.after) for e in row.edits]) for row in rows]
    assert log == GOLDEN[mode]


GOLDEN = {
    "drop": [
        ("Well where is my) new card!", [(4, ",", ""), (14, "(", ""), (26, "?", "")]),
        ("\u65e5\u672c\u8a9e\u3002 e\u0301te\u0301", []),
        (".", [(1, ".", ""), (1, ".", "")]),
    ],
    "add": [
        (
            "Well, ; where . is ! (my) . new ! card?!",
            [(5, "", " ;"), (13, "", " ."), (18, "", " !"), (25, "", " ."), (31, "", " !")],
        ),
        ("\u65e5\u672c\u8a9e\u3002 e\u0301te\u0301", []),
        ("...", []),
    ],
}
