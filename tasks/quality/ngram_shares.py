"""Distinct and repeated n-grams, counted in arrays: over a corpus, and within each text."""

import numpy as np
from numpy.typing import NDArray

from tasks.quality.sorted_values import distinct_values
from tasks.quality.word_codes import Ngrams, WordCodes

REPEATED_N = 3
_TEXT_MULTIPLIER = np.uint64(0xD6E8FEB86659FD93)
_AT_ONCE = 1 << 21


def distinct_share(ngrams: Ngrams, *, kept: NDArray[np.bool_] | None = None) -> float | None:
    """Return distinct-n: distinct word n-grams over all, as `diversity.distinct_n` counts them.

    The value falls as a corpus grows: compare it between samples of one number of words only
    (`first_words`).

    Args:
        ngrams: The n-grams of N texts.
        kept: Which texts count, shape `(N,)`; all when None.

    Returns:
        A share in (0, 1]; None when there is no n-gram.

    References:
        Li et al., NAACL 2016. https://aclanthology.org/N16-1014
    """
    hashes = ngrams.hashes if kept is None else ngrams.hashes[kept[ngrams.texts]]
    return distinct_values(hashes).size / hashes.size if hashes.size else None


def first_words(words: WordCodes, num_words: int) -> WordCodes:
    """Return the first words of a corpus: a text is cut, and those after it are left out.

    Args:
        words: The corpus, in an order that has nothing to do with its texts.
        num_words: Words to keep; all when there are fewer.
    """
    num_texts = int(np.searchsorted(words.offsets, num_words))
    offsets = np.minimum(words.offsets[: num_texts + 1], num_words)
    return WordCodes(words.codes[:num_words], offsets, words.vocabulary)


def first_texts(words: WordCodes, num_texts: int) -> WordCodes:
    """Return the first texts of a corpus; all when there are fewer."""
    offsets = words.offsets[: num_texts + 1]
    return WordCodes(words.codes[: offsets[-1]], offsets, words.vocabulary)


def repetitions(words: WordCodes, *, n: int = REPEATED_N) -> NDArray[np.float64]:
    """Return for each text the share of its word n-grams that repeat an earlier one of the same.

    With `n=3` it is `scores.repetition` of every text at once. A text of fewer than n words
    scores 0.

    Returns:
        Shares in [0, 1), shape `(N,)`.

    References:
        Holtzman et al., ICLR 2020, on repetition in generated text.
        https://arxiv.org/abs/1904.09751
    """
    ngrams = words.ngrams(n)
    totals = np.bincount(ngrams.texts, minlength=len(words))
    distinct = np.zeros(len(words), dtype=np.int64)
    # Slices that end with a text: a sort of each is quicker than one sort of all.
    ends = np.cumsum(totals)
    first = 0
    while first < len(words):
        begin = ends[first] - totals[first]
        last = max(first + 1, int(np.searchsorted(ends, begin + _AT_ONCE, side="right")))
        part = slice(begin, ends[last - 1])
        firsts = _firsts(ngrams.hashes[part], ngrams.texts[part])
        distinct[first:last] = np.bincount(firsts - first, minlength=last - first)
        first = last
    return 1 - np.divide(distinct, totals, out=np.ones(len(words)), where=totals > 0)


def _firsts(hashes: NDArray[np.uint64], texts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the text of every distinct pair of a hash and a text."""
    keys = hashes ^ ((texts.astype(np.uint64) + np.uint64(1)) * _TEXT_MULTIPLIER)
    _, places = np.unique(keys, return_index=True)
    return texts[places]
