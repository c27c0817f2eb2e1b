"""Clusters and words of a batch against a look at one text at a time."""

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.noise.buffers import TextBuffer
from tasks.noise.units import Units, find_clusters, find_spaces, find_words, spare_one
from tasks.planning.streams import Stream, row_keys, uniforms

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


def per_text(buffer: TextBuffer, units: Units) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in buffer.texts]
    joined = "".join(buffer.texts)
    for owner, start, end, index in zip(
        units.owners, units.starts, units.ends, units.indices, strict=True
    ):
        assert buffer.offsets[owner] <= start < end <= buffer.offsets[owner + 1]
        assert index == len(found[owner])
        found[owner].append(joined[start:end])
    return found


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
    buffer = TextBuffer.of_texts(texts)
    assert per_text(buffer, find_clusters(buffer)) == [regex.findall(r"\X", text) for text in texts]


def test_no_character_below_the_first_combining_one_joins_another():
    for code in range(0x300):
        for other in range(0x300):
            pair = chr(code) + chr(other)
            assert (len(regex.findall(r"\X", pair)) == 1) == (pair == "\r\n"), pair


@few
@given(TEXTS)
def test_words_are_those_of_each_text(texts):
    buffer = TextBuffer.of_texts(texts)
    assert per_text(buffer, find_words(buffer)) == [words_of(text) for text in texts]


@few
@given(st.lists(st.text("ab \n\t日", max_size=12), max_size=6))
def test_words_of_plain_texts_are_those_of_split(texts):
    buffer = TextBuffer.of_texts(texts)
    assert per_text(buffer, find_words(buffer)) == [text.split() for text in texts]


@few
@given(TEXTS)
def test_spaces_are_clusters_of_white_space(texts):
    buffer = TextBuffer.of_texts(texts)
    clusters = find_clusters(buffer)
    flat = [cluster for found in per_text(buffer, clusters) for cluster in found]
    assert find_spaces(buffer, clusters).tolist() == [cluster.isspace() for cluster in flat]


def test_every_white_space_of_python_is_one():
    spaces = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    assert TextBuffer.of_texts(spaces).is_space.all()


def test_draws_are_of_key_and_index():
    buffer = TextBuffer.of_texts(["ab", "", "cde"])
    keys = row_keys(1, np.arange(3), 0, Stream.NOISE)
    assert find_clusters(buffer).draws(keys).tolist() == [
        float(uniforms(keys[owner], index))
        for owner, num in ((0, 2), (2, 3))
        for index in range(num)
    ]


@few
@given(TEXTS, st.data())
def test_one_is_spared(texts, data):
    clusters = find_clusters(TextBuffer.of_texts(texts))
    masks = st.lists(st.booleans(), min_size=len(clusters), max_size=len(clusters))
    edited, counted = (np.array(data.draw(masks), dtype=bool) for _ in range(2))
    draws = clusters.draws(row_keys(1, np.arange(len(texts)), 0, Stream.NOISE))
    expected = edited.copy()
    for owner in range(len(texts)):
        own = [i for i in range(len(clusters)) if clusters.owners[i] == owner]
        inked = [i for i in own if counted[i]]
        if not inked:
            expected[own] = False
        elif all(edited[i] for i in inked):
            expected[max(inked, key=lambda i: draws[i])] = False
    assert spare_one(clusters, edited, draws, counted=counted).tolist() == expected.tolist()


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_nothing_has_no_units(texts):
    buffer = TextBuffer.of_texts(texts)
    assert len(find_clusters(buffer)) == len(find_words(buffer)) == 0
