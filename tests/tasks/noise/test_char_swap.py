"""Characters in the wrong order: neighbours within a word, no character twice."""

import numpy as np
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise_characters import CharSwap
from tasks.noise.texts import noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(21, np.arange(num), 0, Stream.NOISE)


def slow_char_swap(clusters: list[str], key: np.uint64, rate: float) -> str:
    whether = fold(fold(key, 0), 0)
    swapped, index = list(clusters), 0
    while index + 1 < len(clusters):
        left, right = clusters[index : index + 2]
        can_swap = left != right and not left.isspace() and not right.isspace()
        if can_swap and uniforms(whether, index) < rate:
            swapped[index : index + 2] = right, left
            index += 1
        index += 1
    return "".join(swapped)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.lists(
            st.sampled_from(["a", "b", "c", "!", " ", "日", "e\u0301", "e\u0302", "👍🏽", "가"])
        ),
        max_size=4,
    ),
    st.sampled_from([0.3, 0.7, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    joined = ["".join(clusters) for clusters in texts]
    rows = noise_texts(joined, keys=keys_of(len(texts)), steps=[CharSwap(rate=rate)])
    for clusters, key, row in zip(texts, keys_of(len(texts)), rows, strict=True):
        assert row.text == slow_char_swap(clusters, key, rate)


def test_at_rate_one_words_are_swapped_in_pairs():
    (row,) = noise_texts(["abcde fg h iij"], keys=keys_of(1), steps=[CharSwap(rate=1)])
    assert row.text == "badce gf h iji"


def test_what_would_join_stays():
    texts = ["a\u0600", "🇩🇪🇫", "가\u1100", "👧👩\u200d", "\u0301a"]
    for row, text in zip(
        noise_texts(texts, keys=keys_of(5), steps=[CharSwap(rate=1)]), texts, strict=True
    ):
        assert sorted(regex.findall(r"\X", row.text)) == sorted(regex.findall(r"\X", text))


def test_the_rate_of_lone_pairs_is_met():
    rows = noise_texts(["ab " * 40] * 500, keys=keys_of(500), steps=[CharSwap(rate=0.2)])
    swapped = sum(len(row.edits) for row in rows)
    assert abs(swapped - 4000) < 4 * (20_000 * 0.2 * 0.8) ** 0.5


def test_golden():
    texts = ["Where is my new card?", "日本語 e\u0301te\u0301 👍🏽!", ""]
    rows = noise_texts(texts, keys=keys_of(3), steps=[CharSwap(rate=0.3)])
    assert [(row.text, [(e.start, e.before, e.after) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN = [
    ("Wehre si my new car?d", [(1, "he", "eh"), (6, "is", "si"), (19, "d?", "?d")]),
    (
        "\u65e5\u672c\u8a9e e\u0301te\u0301 !\U0001f44d\U0001f3fd",
        [(10, "\U0001f44d\U0001f3fd!", "!\U0001f44d\U0001f3fd")],
    ),
    ("", []),
]
