"""Texts as rows of a sparse matrix: TF-IDF of words and pairs of words."""

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.quality.word_codes import WordCodes

MOST_WORDS = 256
"""Words of a text that count: its first."""
MOST_FEATURES = 30_000
"""Columns: the n-grams that most texts hold."""
_ORDER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def text_hashes(words: WordCodes) -> NDArray[np.uint64]:
    """Hash each text by its words: equal for equal normalised texts, whatever else is coded.

    Codes depend on which text came first; these hashes depend on the text alone.

    Returns:
        64-bit hashes, shape `(N,)`.
    """
    of_word = _word_hashes(words)[words.codes]
    place = np.arange(len(of_word)) - np.repeat(words.offsets[:-1], words.lengths)
    # Each word is hashed with its place, so that a sum, which one pass takes, minds their order.
    terms = _mixed(of_word ^ _mixed(place.astype(np.uint64) * _ORDER + _MIX))
    sums = np.concatenate([[np.uint64(0)], np.cumsum(terms, dtype=np.uint64)])
    return _mixed(sums[words.offsets[1:]] - sums[words.offsets[:-1]])


def tfidf(words: WordCodes) -> Any:
    """Weigh the words and pairs of words of each text.

    A feature is a word or two words in a row that at least two texts hold, the `MOST_FEATURES` of
    them that most texts hold; a text counts with its first `MOST_WORDS` words. The weight is
    (1 + ln tf) (1 + ln((1 + N) / (1 + df))), and each row has length 1, or 0 when it has none.
    Columns stand in the order of the hashes of their words, so that they do not depend on the
    order of the rows.

    Returns:
        A `scipy.sparse.csr_matrix` of float32, shape `(N, F)`.

    References:
        Salton & Buckley, Information Processing & Management 1988.
        https://doi.org/10.1016/0306-4573(88)90021-0
    """
    from scipy.sparse import csr_matrix

    hashes, texts = _grams(words)
    distinct, columns, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    often = counts > 1
    kept = often[columns]
    renumbered = np.cumsum(often) - 1
    matrix = csr_matrix(
        (np.ones(kept.sum(), np.float32), (texts[kept], renumbered[columns[kept]])),
        shape=(len(words), int(often.sum())),
    )
    matrix.sum_duplicates()
    held = np.bincount(matrix.indices, minlength=matrix.shape[1])
    chosen = np.sort(np.lexsort((distinct[often], -held))[:MOST_FEATURES])
    chosen = chosen[held[chosen] > 1]
    matrix = matrix[:, chosen]
    inverse = 1 + np.log((1 + len(words)) / (1 + held[chosen]))
    matrix.data = ((1 + np.log(matrix.data)) * inverse[matrix.indices]).astype(np.float32)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    matrix.data /= np.repeat(lengths, np.diff(matrix.indptr))
    return matrix


def _grams(words: WordCodes) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hash of every word and pair of words, and the text that holds it."""
    texts = np.repeat(np.arange(len(words), dtype=np.int64), words.lengths)
    place = np.arange(len(texts)) - words.offsets[texts]
    first = place < MOST_WORDS
    of_word, texts = _word_hashes(words)[words.codes[first]], texts[first]
    pairs = texts[1:] == texts[:-1]
    second = _mixed(of_word[:-1][pairs] * _ORDER + of_word[1:][pairs])
    return np.concatenate([of_word, second]), np.concatenate([texts, texts[1:][pairs]])


def _word_hashes(words: WordCodes) -> NDArray[np.uint64]:
    digests = (blake2b(word.encode(), digest_size=8).digest() for word in words.vocabulary.words())
    return np.frombuffer(b"".join(digests), dtype=np.uint64)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter the bits (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * _MIX
    return values ^ (values >> np.uint64(27))
