"""Self-BLEU in arrays: the same as `self_bleu`, for many parts of one corpus."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.quality.self_bleu import EPSILON, ORDER
from tasks.quality.word_codes import Ngrams, WordCodes


@dataclass(frozen=True, slots=True)
class _Counts:
    """How often texts hold n-grams: n-gram by n-gram, the greatest count first.

    Args:
        ngrams: The n-gram of each of E entries, shape `(E,)`.
        texts: The text that holds it.
        counts: How often.
    """

    ngrams: NDArray[np.int64]
    texts: NDArray[np.int64]
    counts: NDArray[np.int64]


class SelfBleu:
    """Gives `self_bleu` of the texts of a corpus, or of some of them among themselves.

    The n-grams are counted and sorted once; then a part costs no more than a pass over them: 5,000
    short texts some 10 ms.
    """

    def __init__(self, words: WordCodes) -> None:
        """Count the n-grams of `words`, N texts."""
        self._lengths = words.lengths
        self._orders = [_count(words.ngrams(n)) for n in range(1, ORDER + 1)]

    def scores(self, kept: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Return the self-BLEU of each text of a part, in its order.

        Args:
            kept: Which texts are the part, shape `(N,)`; all when None.

        Returns:
            Scores in [0, 1], one for each kept text; empty for fewer than two.
        """
        kept = np.ones(len(self._lengths), dtype=np.bool_) if kept is None else kept
        if kept.sum() < 2:
            return np.zeros(0)
        logs = np.zeros(len(kept))
        for n, order in enumerate(self._orders, 1):
            matches = _clipped(order, kept)
            totals = np.maximum(self._lengths - n + 1, 1)
            if n == 1:
                related = matches > 0
            logs += np.log(np.where(matches > 0, matches, EPSILON) / totals) / ORDER
        scores = np.where(related, np.exp(logs), 0.0)[kept]
        return scores * _brevity_penalties(self._lengths[kept])


def _count(ngrams: Ngrams) -> _Counts:
    _, names = np.unique(ngrams.hashes, return_inverse=True)
    num_texts = int(ngrams.texts[-1]) + 1 if ngrams.texts.size else 1
    pairs, counts = np.unique(names * num_texts + ngrams.texts, return_counts=True)
    found = pairs // num_texts
    order = np.lexsort((-counts, found))
    return _Counts(found[order], (pairs % num_texts)[order], counts[order])


def _clipped(order: _Counts, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Sum each text's n-gram counts, each clipped to the greatest count in one other kept text."""
    held = kept[order.texts]
    ngrams, texts, counts = order.ngrams[held], order.texts[held], order.counts[held]
    firsts = np.ones(len(ngrams), dtype=np.bool_)
    firsts[1:] = ngrams[1:] != ngrams[:-1]
    # The first entry of an n-gram has its greatest count, and the next one, if any, the second.
    greatest = counts[np.maximum.accumulate(np.where(firsts, np.arange(len(ngrams)), 0))]
    second = np.zeros_like(counts)
    second[:-1] = np.where(firsts[1:], 0, counts[1:])
    elsewhere = np.where(firsts, second, greatest)
    sums = np.bincount(texts, weights=np.minimum(counts, elsewhere), minlength=len(kept))
    return sums.astype(np.int64)


def _brevity_penalties(lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each length's penalty against the closest of the other lengths, the shorter of two."""
    kinds, places, counts = np.unique(lengths, return_inverse=True, return_counts=True)
    below = np.append(-np.inf, kinds[:-1])
    above = np.append(kinds[1:], np.inf)
    closest = np.where(kinds - below <= above - kinds, below, above)
    missing = (counts == 1) & (closest > kinds)
    # An empty text scores 0 whatever its penalty.
    penalties = np.ones(len(kinds))
    penalties[missing] = np.exp(1 - closest[missing] / np.maximum(kinds[missing], 1))
    return penalties[places]
