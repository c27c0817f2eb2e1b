import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality import text_features
from tasks.quality.fingerprints import normalise_text
from tasks.quality.text_features import text_hashes, tfidf
from tasks.quality.word_codes import Vocabulary, encode_words

TEXTS = st.lists(st.text(alphabet="ab C.,é", max_size=20), max_size=8)


def slowly(texts: list[str]) -> list[list[float]]:
    """Each text's weights, ascending, by the definition."""
    grams = []
    for text in texts:
        words = normalise_text(text).split()
        grams.append(Counter([*words, *pairwise(words)]))
    held = Counter(gram for counts in grams for gram in counts)
    rows = []
    for counts in grams:
        weights = [
            (1 + math.log(count)) * (1 + math.log((1 + len(texts)) / (1 + held[gram])))
            for gram, count in counts.items()
            if held[gram] > 1
        ]
        length = math.sqrt(sum(weight**2 for weight in weights))
        rows.append(sorted(weight / length for weight in weights))
    return rows


@given(texts=TEXTS)
@settings(deadline=None, max_examples=100)
def test_weights_are_those_of_the_definition(texts: list[str]) -> None:
    found = tfidf(encode_words(texts))
    assert found.dtype == np.float32
    for row, expected in zip(range(len(texts)), slowly(texts), strict=True):
        assert sorted(found[row].data.tolist()) == pytest.approx(expected, rel=1e-5)


@given(texts=TEXTS, order=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_rows_and_columns_do_not_depend_on_the_order(texts: list[str], order: object) -> None:
    places = list(range(len(texts)))
    order.shuffle(places)  # type: ignore[attr-defined]
    found = tfidf(encode_words(texts)).toarray()
    turned = tfidf(encode_words([texts[place] for place in places])).toarray()
    assert np.array_equal(found[places], turned)


@given(texts=TEXTS)
@settings(deadline=None, max_examples=100)
def test_hashes_are_equal_for_equal_normal_texts_alone(texts: list[str]) -> None:
    known = Vocabulary()
    encode_words(["C b", "other words"], vocabulary=known)
    hashes = text_hashes(encode_words(texts, vocabulary=known)).tolist()
    assert hashes == text_hashes(encode_words(texts)).tolist()
    normals = [normalise_text(text) for text in texts]
    assert len(set(hashes)) == len(set(normals)) == len(set(zip(hashes, normals, strict=True)))


def test_frequent_ngrams_come_first_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_features, "MOST_FEATURES", 1)
    found = tfidf(encode_words(["a", "a", "a", "b", "b"])).toarray()
    assert found.ravel().tolist() == [1, 1, 1, 0, 0]


def test_words_beyond_the_first_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_features, "MOST_WORDS", 2)
    whole = encode_words(["a b c d", "a b x", "a b"])
    cut = encode_words(["a b", "a b", "a b"])
    assert tfidf(whole).toarray().tolist() == tfidf(cut).toarray().tolist()
    assert len(set(text_hashes(whole).tolist())) == 3
