"""Clusters and words of a batch against a look at one text at a time."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.batch import TextBatch
from tasks.noise.dice import Dice
from tasks.noise.strings import Strings
from tasks.noise.survival import spare_one
from tasks.noise.units import Units, find_clusters, find_ink, find_words
from tasks.planning.streams import Stream, row_keys

PIECES = (
    *("a", "b c", " ", "\t", "\r", "\n", "\r\n", "e\u0301", "\u0301", " \u0301", "\u00ad", "©"),
    *(
        "👩‍👧",
        "🇩🇪",
        "🇫",
        "\u200d",
        "हिन्दी",
        "日本",
        "\u1100\u1161\u11a8",
        "\u0600",
        "\x00",
        "\u02ff",
    ),
)
TEXTS = st.lists(
    st.one_of(st.text(max_size=8), st.lists(st.sampled_from(PIECES), max_size=8).map("".join)),
    max_size=6,
)
few = settings(deadline=None, max_examples=200)


def batch_of(texts: list[str]) -> TextBatch:
    return TextBatch(Strings.of(texts))


def per_text(texts: list[str], units: Units) -> list[list[str]]:
    joined = "".join(texts)
    pieces = [joined[start:end] for start, end in zip(units.starts, units.ends, strict=True)]
    assert units.offsets[-1] == len(units)
    return [
        pieces[first:last]
        for first, last in zip(units.offsets[:-1], units.offsets[1:], strict=True)
    ]


def words_of(text: str) -> list[str]:
    words = [""]
    for cluster in regex.findall(r"\X", text):
        if cluster.isspace():
            words.append("")
        else:
            words[-1] += cluster
    return [word for word in words if word]


@few
@given(TEXTS)
def test_clusters_are_those_of_each_text(texts):
    units = find_clusters(batch_of(texts))
    assert per_text(texts, units) == [regex.findall(r"\X", text) for text in texts]
    rows = [row for row, own in enumerate(per_text(texts, units)) for _ in own]
    assert units.rows_of(np.arange(len(units))).tolist() == rows


def test_no_character_below_the_first_combining_one_joins_another():
    for code in range(0x300):
        for other in range(0x300):
            pair = chr(code) + chr(other)
            assert (len(regex.findall(r"\X", pair)) == 1) == (pair == "\r\n"), pair


def test_every_code_point_beside_every_sort_of_neighbour():
    """One neighbour of each class of Unicode annex 29, on either side and on both."""
    neighbours = "a\u0301\u200d\u0903\u0600\u1100\u1161\u11a8가각🇩👍क\u094d\n\r"
    codes = [*range(0, 0xD800, 17), *range(0xE000, 0x110000, 401), *range(0xAC00, 0xAC40)]
    texts = [side + chr(code) + side for code in codes for side in neighbours]
    units = find_clusters(batch_of(texts))
    assert per_text(texts, units) == [regex.findall(r"\X", text) for text in texts]


@few
@given(TEXTS)
def test_words_are_those_of_each_text(texts):
    assert per_text(texts, find_words(batch_of(texts))) == [words_of(text) for text in texts]


@few
@given(st.lists(st.text("ab \n\t日", max_size=12), max_size=6))
def test_words_of_plain_texts_are_those_of_split(texts):
    assert per_text(texts, find_words(batch_of(texts))) == [text.split() for text in texts]


@few
@given(TEXTS)
def test_ink_is_in_clusters_that_are_not_white_space(texts):
    batch = batch_of(texts)
    clusters = find_clusters(batch)
    flat = [cluster for found in per_text(texts, clusters) for cluster in found]
    assert find_ink(batch, clusters).tolist() == [not cluster.isspace() for cluster in flat]


def test_white_space_is_that_of_python():
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    assert batch_of([chr(code) for code in codes]).is_space.tolist() == [
        chr(code).isspace() for code in codes
    ]


@few
@given(TEXTS, st.data())
def test_one_is_spared(texts, data):
    clusters = find_clusters(batch_of(texts))
    masks = st.lists(st.booleans(), min_size=len(clusters), max_size=len(clusters))
    edited, counted = (np.array(data.draw(masks), dtype=bool) for _ in range(2))
    dice = Dice(row_keys(1, np.arange(len(texts)), 0, Stream.NOISE), np.ones(len(texts)))
    draws = dice.uniforms(clusters, np.arange(len(clusters)), counter=0)
    expected = edited.copy()
    for first, last in zip(clusters.offsets[:-1], clusters.offsets[1:], strict=True):
        inked = [i for i in range(first, last) if counted[i]]
        if not inked:
            expected[first:last] = False
        elif all(edited[i] for i in inked):
            expected[max(inked, key=lambda i: draws[i])] = False
    lost = spare_one(clusters, np.flatnonzero(edited), dice, counted=counted)
    assert lost.tolist() == np.flatnonzero(expected).tolist()


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_nothing_has_no_units(texts):
    batch = batch_of(texts)
    assert len(find_clusters(batch)) == len(find_words(batch)) == 0
