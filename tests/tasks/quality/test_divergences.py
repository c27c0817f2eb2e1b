from collections import Counter
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from tasks.quality.divergences import (
    Distance,
    jensen_shannon,
    label_distance,
    length_distances,
    unknown_words,
)
from tasks.quality.word_codes import Vocabulary, WordCodes, encode_words

TEXTS = st.lists(st.lists(st.sampled_from("abcd"), max_size=6).map(" ".join), max_size=6)
LENGTHS = st.lists(st.integers(0, 9), min_size=1, max_size=9).map(np.array)
WORDS = [f"w{i}" for i in range(60)]


def coded(first: list[str], second: list[str]) -> tuple[WordCodes, WordCodes]:
    vocabulary = Vocabulary()
    return tuple(encode_words(side, vocabulary=vocabulary) for side in (first, second))  # type: ignore[return-value]


def grams(texts: list[str], n: int) -> "Counter[tuple[str, ...]]":
    lists = [text.split() for text in texts]
    return Counter(
        tuple(words[i : i + n]) for words in lists for i in range(len(words) - n + 1)
    )  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(TEXTS, TEXTS, st.integers(1, 3))
def test_the_divergence_is_that_of_the_definition(
    first: list[str], second: list[str], n: int
) -> None:
    counts = [grams(first, n), grams(second, n)]
    found = jensen_shannon(*coded(first, second), n=n)
    if not all(counts):
        assert found is None
        return
    p, q = ({g: c / side.total() for g, c in side.items()} for side in counts)
    middle = {g: (p.get(g, 0) + q.get(g, 0)) / 2 for g in {*p, *q}}
    halves = [sum(x * log2(x / middle[g]) for g, x in side.items()) / 2 for side in (p, q)]
    assert found is not None
    assert found.value == pytest.approx(sum(halves), abs=1e-12)
    turned = jensen_shannon(*coded(second, first), n=n)
    assert turned is not None
    assert turned.value == pytest.approx(found.value)


def value(distance: Distance | None) -> float:
    assert distance is not None
    return distance.value


def test_the_ends_of_the_divergence() -> None:
    assert value(jensen_shannon(*coded(["a b", "a"], ["a a b b a a"]), n=1)) == pytest.approx(0)
    assert value(jensen_shannon(*coded(["a b"], ["c d"]), n=1)) == pytest.approx(1)


def test_small_samples_of_one_language_seem_to_diverge() -> None:
    """Why a baseline of the same size is needed."""
    rng = np.random.default_rng(0)

    def drawn(size: int) -> float:
        sides = [[" ".join(rng.choice(WORDS, 5)) for _ in range(size)] for _ in range(2)]
        return value(jensen_shannon(*coded(*sides), n=1))

    assert drawn(20) > 5 * drawn(200)


@settings(deadline=None, max_examples=60)
@given(TEXTS, TEXTS)
def test_unknown_words_are_counted_one_by_one(first: list[str], second: list[str]) -> None:
    words = " ".join(first).split()
    known = set(" ".join(second).split())
    found = unknown_words(*coded(first, second))
    if not words:
        assert found is None
        return
    assert found is not None
    assert found.value == pytest.approx(np.mean([word not in known for word in words]))
    assert (found.standard_error is None) == (len(first) < 2 or len(second) < 2)


@settings(deadline=None, max_examples=60)
@given(LENGTHS, LENGTHS)
def test_length_distances_are_those_of_the_definition(
    first: np.ndarray, second: np.ndarray
) -> None:
    found = length_distances(first, second)
    assert found is not None
    assert found.wasserstein.value == pytest.approx(wasserstein_distance(first, second))
    gaps = [np.mean(first <= length) - np.mean(second <= length) for length in range(10)]
    assert found.kolmogorov_smirnov.value == pytest.approx(np.abs(gaps).max())
    assert 0 <= found.p_value <= 1


def test_the_p_value_is_that_of_the_limit() -> None:
    first, second = np.arange(400), np.arange(400) + 35
    found = length_distances(first, second)
    assert found is not None
    assert found.p_value == pytest.approx(ks_2samp(first, second, method="asymp").pvalue, rel=0.1)


def test_lengths_moved_by_three_words_lie_three_words_apart() -> None:
    lengths = np.arange(50)
    found = length_distances(lengths, lengths + 3)
    assert found is not None
    assert found.wasserstein.value == pytest.approx(3)
    # Only the difference of the means varies, so the error is that of two means.
    error = (2 * lengths.var(ddof=1) / 50) ** 0.5
    assert found.wasserstein.standard_error == pytest.approx(error)
    assert length_distances(lengths, lengths[:0]) is None


LABELS = st.lists(st.sampled_from("xyz"), max_size=8)


@given(LABELS, LABELS)
def test_the_label_distance_is_half_the_absolute_differences(
    first: list[str], second: list[str]
) -> None:
    found = label_distance(first, second)
    if not first or not second:
        assert found is None
        return
    gaps = [abs(first.count(c) / len(first) - second.count(c) / len(second)) for c in "xyz"]
    assert found is not None
    assert found.value == pytest.approx(sum(gaps) / 2)
    assert found.n == len(first) + len(second)


def test_standard_errors_are_those_of_repeated_samples() -> None:
    """Texts of two populations, whose words hang together within a text."""
    rng = np.random.default_rng(3)

    def population(topic: int, size: int) -> list[str]:
        topics = rng.random(size) < (0.3 if topic else 0.6)
        lengths = rng.integers(2, 9 + 4 * topic, size)
        return [
            " ".join(rng.choice(WORDS[:20] if t else WORDS[10:], length))
            for t, length in zip(topics, lengths, strict=True)
        ]

    def rare(texts: WordCodes) -> WordCodes:
        """The first texts, so that words are missing by chance."""
        offsets = texts.offsets[:12]
        return WordCodes(texts.codes[: offsets[-1]], offsets, texts.vocabulary)

    def measured() -> list[Distance | None]:
        first, second = coded(population(0, 150), population(1, 200))
        lengths = length_distances(first.lengths, second.lengths)
        assert lengths is not None
        kinds = [[str(n // 4) for n in side.lengths] for side in (first, second)]
        return [
            jensen_shannon(first, second, n=1),
            unknown_words(first, rare(second)),
            lengths.wasserstein,
            lengths.kolmogorov_smirnov,
            label_distance(*kinds),
        ]

    runs = [measured() for _ in range(100)]
    for distances in zip(*runs, strict=True):
        values = [value(distance) for distance in distances]
        errors = [distance.standard_error or np.nan for distance in distances if distance]
        assert np.mean(errors) == pytest.approx(np.std(values), rel=0.25)
