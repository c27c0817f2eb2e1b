"""How much of two texts is the same, in bits: their common words in order, each by its rarity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.quality.word_codes import WordCodes

MOST_WORDS = 512
"""Words of a text that are compared."""
_SCALE = 1024
_COUNT_BITS = 10
_CELLS = 500_000
_PAD_FIRST, _PAD_SECOND = -1, -2


@dataclass(frozen=True, slots=True)
class Alignments:
    """What P pairs of texts have in common.

    Args:
        bits: Information of the common words, shape `(P,)`.
        words: How many they are, shape `(P,)`.
        first_bits: Information of all words of the first text, shape `(P,)`.
        second_bits: The same of the second.
        first_words: Words of the first text, shape `(P,)`.
        second_words: The same of the second.
    """

    bits: NDArray[np.float64]
    words: NDArray[np.int64]
    first_bits: NDArray[np.float64]
    second_bits: NDArray[np.float64]
    first_words: NDArray[np.int64]
    second_words: NDArray[np.int64]


def align(
    first: WordCodes,
    second: WordCodes,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    information: NDArray[np.float64],
) -> Alignments:
    """Find of each pair the common subsequence of words with most information.

    Of several with as much it is one with most words. Only the first 512 words of a text count.
    Information is rounded to 1/1024 bit.

    Args:
        first: Words of a corpus.
        second: Words of another, coded with the same vocabulary.
        pairs: Places of the first and of the second texts, both of shape `(P,)`.
        information: Bits of each word of the vocabulary, 0 to 1000, shape `(V,)`.

    References:
        Wagner and Fischer, JACM 1974. https://doi.org/10.1145/321796.321811
    """
    # One number compares the bits first and the count of words second.
    values = (np.rint(information * _SCALE).astype(np.int64) << _COUNT_BITS) + 1
    lengths = (first.lengths[pairs[0]], second.lengths[pairs[1]])
    lengths = (np.minimum(lengths[0], MOST_WORDS), np.minimum(lengths[1], MOST_WORDS))
    order = np.lexsort((lengths[0], lengths[1]))[::-1]
    ordered = lengths[1][order]
    scores = np.zeros((3, order.size), dtype=np.int64)
    begin = 0
    while begin < order.size:
        # Pairs of one batch are padded to the longest, which comes first, so none is far shorter.
        width = int(ordered[begin])
        num_alike = int(np.searchsorted(-ordered[begin:], -0.8 * width, side="right"))
        batch = order[begin : begin + max(min(_CELLS // (width + 16), num_alike), 1)]
        own = _padded(first, pairs[0][batch], lengths[0][batch], _PAD_FIRST)
        other = _padded(second, pairs[1][batch], lengths[1][batch], _PAD_SECOND)
        scores[0, batch] = _best_subsequences(own, other, values)
        scores[1, batch] = np.where(own >= 0, values[own], 0).sum(axis=1)
        scores[2, batch] = np.where(other >= 0, values[other], 0).sum(axis=1)
        begin += batch.size
    bits = (scores >> _COUNT_BITS) / _SCALE
    words = scores & ((1 << _COUNT_BITS) - 1)
    return Alignments(bits[0], words[0], bits[1], bits[2], words[1], words[2])


def missing_words(
    first: WordCodes, second: WordCodes, pairs: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Count the words of each first text that stand nowhere in the second.

    No alignment has them, which tells most long texts apart in linear time. Only the first 512
    words of a text count, as in `align`.

    Args:
        first: Words of a corpus.
        second: Words of another, coded with the same vocabulary.
        pairs: Places of the first and of the second texts, both of shape `(P,)`.

    Returns:
        Counts, shape `(P,)`.
    """
    lengths = np.minimum(first.lengths[pairs[0]], MOST_WORDS)
    other_lengths = np.minimum(second.lengths[pairs[1]], MOST_WORDS)
    span = len(first.vocabulary) + 3
    counts = np.zeros(lengths.size, dtype=np.int64)
    size = _CELLS // MOST_WORDS
    for begin in range(0, lengths.size, size):
        batch = slice(begin, begin + size)
        own = _padded(first, pairs[0][batch], lengths[batch], _PAD_FIRST)
        other = _padded(second, pairs[1][batch], other_lengths[batch], _PAD_SECOND)
        # Rows become disjoint ranges of numbers, so that one search looks through all of them.
        shift = np.arange(own.shape[0])[:, None] * span + 2
        known = np.isin(own + shift, other + shift)
        counts[batch] = ((own >= 0) & ~known).sum(axis=1)
    return counts


def _best_subsequences(
    own: NDArray[np.int64], other: NDArray[np.int64], values: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the greatest summed value of a common subsequence of each pair of padded rows."""
    best = np.zeros((other.shape[0], other.shape[1] + 1), dtype=np.int64)
    for column in range(own.shape[1]):
        codes = own[:, column]
        gains = np.where(codes >= 0, values[codes], 0)
        taken = best[:, :-1] + np.where(other == codes[:, None], gains[:, None], 0)
        # Leaving a word out never costs, so the best of a row is a running maximum.
        np.maximum(best[:, 1:], taken, out=best[:, 1:])
        np.maximum.accumulate(best, axis=1, out=best)
    return best[:, -1]


def _padded(
    words: WordCodes, places: NDArray[np.int64], lengths: NDArray[np.int64], pad: int
) -> NDArray[np.int64]:
    """Lay out the first words of some texts as rows of one length, the rest filled."""
    columns = np.arange(int(lengths.max(initial=0)))
    inside = columns < lengths[:, None]
    rows = np.full(inside.shape, pad, dtype=np.int64)
    rows[inside] = words.codes[(words.offsets[places][:, None] + columns)[inside]]
    return rows
