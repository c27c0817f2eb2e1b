import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.quality.diversity import word_ngrams
from tasks.quality.fingerprints import normalise_text
from tasks.quality.word_codes import Vocabulary, encode_words

TEXTS = st.lists(st.text(alphabet="ab C.,é", max_size=20), max_size=8)


@given(texts=TEXTS, n=st.integers(1, 4))
def test_ngrams_are_those_of_each_text(texts: list[str], n: int) -> None:
    encoded = encode_words(texts)
    found = encoded.ngrams(n)
    words = encoded.vocabulary.words()
    ngrams = [
        (place, tuple(words[code] for code in encoded.codes[start : start + n]))
        for place, start in zip(found.texts.tolist(), found.starts.tolist(), strict=True)
    ]
    assert ngrams == [
        (place, ngram)
        for place, text in enumerate(texts)
        for ngram in word_ngrams(normalise_text(text).split(), n)
    ]
    # Equal hashes mean equal n-grams, and nothing else does.
    hash_of = dict(zip([ngram for _, ngram in ngrams], found.hashes.tolist(), strict=True))
    assert [hash_of[ngram] for _, ngram in ngrams] == found.hashes.tolist()
    assert len(set(hash_of.values())) == len(hash_of)


def test_texts_of_one_vocabulary_compare() -> None:
    vocabulary = Vocabulary()
    first = encode_words(["one two", ""], vocabulary=vocabulary)
    second = encode_words(["Two! three"], vocabulary=vocabulary)
    assert first.of(0).tolist() == [0, 1]
    assert first.of(1).tolist() == []
    assert second.of(0).tolist() == [1, 2]
    assert vocabulary.known("three") == 2
    assert vocabulary.known("four") is None
    assert np.intersect1d(first.ngrams(1).hashes, second.ngrams(1).hashes).size == 1


def test_an_ngram_has_a_word() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        encode_words(["a"]).ngrams(0)
