"""Permuted sentences: every order as likely, one edit that holds them all."""

from collections import Counter
from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.noise import Protect
from schemas.noise_words import SentenceShuffle
from tasks.noise.texts import noise_batch, noise_texts
from tasks.planning.streams import Stream, fold, row_keys, uniforms


def keys_of(num: int) -> np.ndarray:
    return row_keys(30, np.arange(num), 0, Stream.NOISE)


def slow_shuffle(sentences: list[str], gaps: list[str], key: np.uint64, rate: float) -> str:
    whether, order = fold(fold(key, 0), 0), fold(fold(key, 0), 1)
    if uniforms(whether, 0) < rate:
        ranks = sorted(range(len(sentences)), key=lambda place: uniforms(order, place))
        sentences = [sentences[place] for place in ranks]
    return "".join(a + b for a, b in zip(gaps, [*sentences, ""], strict=True))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["a b.", "C!", "日\uff1f", "x y?"]), st.sampled_from([" ", "\n\n"])
            ),
            max_size=6,
        ),
        max_size=5,
    ),
    st.sampled_from([0.4, 1.0]),
)
def test_it_does_what_the_definition_says(texts, rate):
    keys = keys_of(len(texts))
    clean = [" " + "".join(sentence + gap for sentence, gap in pairs) for pairs in texts]
    rows = noise_texts(clean, keys=keys, steps=[SentenceShuffle(rate=rate)])
    for pairs, key, row in zip(texts, keys, rows, strict=True):
        sentences, gaps = [pair[0] for pair in pairs], [" ", *(pair[1] for pair in pairs)]
        assert row.text == slow_shuffle(sentences, gaps, key, rate)
        assert len(row.edits) <= 1


def test_every_order_is_as_likely_and_the_rate_is_that_of_texts():
    num, rate = 6000, 0.5
    rows = noise_texts(["Ab. Cd. Ef."] * num, keys=keys_of(num), steps=[SentenceShuffle(rate=rate)])
    counts = Counter(row.text for row in rows)
    for order in permutations(["Ab.", "Cd.", "Ef."]):
        share = rate / 6 + (rate if list(order) == ["Ab.", "Cd.", "Ef."] else 0)
        count = counts.pop(" ".join(order))
        assert abs(count - num * share) < 4 * (num * share * (1 - share)) ** 0.5
    assert not counts


def test_where_a_sentence_is_protected_nothing_moves():
    texts = ["First 12. Second. Third."] * 50
    noised = noise_batch(
        texts,
        keys=keys_of(50),
        steps=[SentenceShuffle(rate=1)],
        protect=Protect(patterns=("number",)),
    )
    # The last two may still change places: the edit does not reach the first.
    assert set(noised.texts.to_pylist()) == {texts[0], "First 12. Third. Second."}


def test_golden():
    texts = ["One. Two!  Three?", "你好。再见\uff01", "only one", ""]
    rows = noise_texts(texts, keys=keys_of(4), steps=[SentenceShuffle(rate=1)])
    assert [(row.text, [(e.start, e.before) for e in row.edits]) for row in rows] == GOLDEN


GOLDEN: list[tuple[str, list[tuple[int, str]]]] = [
    ("Two! Three?  One.", [(0, "One. Two!  Three?")]),
    ("你好。再见\uff01", []),
    ("only one", []),
    ("", []),
]
