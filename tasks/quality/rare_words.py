"""Which texts of another corpus share a text's rare words: the candidates for its near copies."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tasks.quality.sorted_values import distinct_values
from tasks.quality.word_codes import WordCodes

PREFIX = 6
"""Rare words of a text that are looked at."""
SHARED = 3
"""How many of them another text must share."""
_MOST_HOLDERS = 32
"""Texts looked at under one key: formulaic corpora have thousands that share their rarest words."""
_MOST_CANDIDATES = 16
_BLOCK = 65_536
_ASKING = 8_192
"""Texts that ask at once: each has at most 20 keys of 32 holders."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def document_frequencies(words: WordCodes) -> NDArray[np.int64]:
    """Count the texts that hold each word of the vocabulary, shape `(V,)`."""
    size = max(len(words.vocabulary), 1)
    counts = np.zeros(size, dtype=np.int64)
    for begin in range(0, len(words), _BLOCK):
        texts, codes = _words_of(words, begin, begin + _BLOCK)
        counts += np.bincount(distinct_values(texts * size + codes) % size, minlength=size)
    return counts


@dataclass(frozen=True, slots=True)
class _Keys:
    """Hashes of `SHARED` of a text's `PREFIX` rarest words, and whose they are; shape `(M,)`."""

    hashes: NDArray[np.uint64]
    texts: NDArray[np.int64]


class RareWordIndex:
    """Texts of one corpus, searched by rare words they share with another text.

    Two sets of words of which each lacks at most 3 of the other's share 3 of their 6 rarest words,
    for however words are ordered, at most 3 of the first 6 can be missing on either side (the
    prefix filter). So a text within three changed words of another is always a candidate when both
    have six different words, unless more than 32 texts of the corpus share the same rare words or
    16 other texts share more of them.

    References:
        Chaudhuri, Ganti and Kaushik, ICDE 2006 (prefix filter). https://doi.org/10.1109/ICDE.2006.9
        Wang, Li and Feng, SIGMOD 2012 (longer ones). https://doi.org/10.1145/2213836.2213847
    """

    def __init__(
        self, words: WordCodes, places: NDArray[np.int64], rarity: NDArray[np.int64]
    ) -> None:
        """Index the texts at `places`.

        Args:
            words: Words of all texts of the corpus.
            places: Texts to be found, ascending, shape `(P,)`.
            rarity: Rank of each word of the vocabulary, the rarest 0, shape `(V,)`.
        """
        self._rarity = rarity
        keys = [self._keys(_part(words, chosen), chosen) for chosen in _blocks(places, _BLOCK)]
        hashes = np.concatenate([key.hashes for key in keys] or [np.empty(0, np.uint64)])
        texts = np.concatenate([key.texts for key in keys] or [np.empty(0, np.int64)])
        order = np.lexsort((texts, hashes))
        self._texts = texts[order]
        self._hashes, self._starts, counts = np.unique(
            hashes[order], return_index=True, return_counts=True
        )
        self._counts = np.minimum(counts, _MOST_HOLDERS)

    def candidates(
        self, words: WordCodes, places: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Find indexed texts for the texts of another corpus, at most 16 for each.

        Args:
            words: Words of the other corpus, coded with the same vocabulary.
            places: Texts that ask, ascending, shape `(P,)`.

        Yields:
            Pairs, some at a time: places of texts that ask, and of texts that were indexed, both of
            shape `(pairs,)`.
        """
        if self._hashes.size == 0:
            return
        for chosen in _blocks(places, _ASKING):
            keys = self._keys(_part(words, chosen), chosen)
            slots = np.searchsorted(self._hashes, keys.hashes)
            slots = np.minimum(slots, self._hashes.size - 1)
            known = self._hashes[slots] == keys.hashes
            slots, texts = slots[known], keys.texts[known]
            counts = self._counts[slots]
            steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            others = self._texts[np.repeat(self._starts[slots], counts) + steps]
            yield _most_shared(np.repeat(texts, counts), others)

    def _keys(self, words: WordCodes, places: NDArray[np.int64]) -> _Keys:
        """Hash every choice of `SHARED` of each text's `PREFIX` rarest words."""
        size = self._rarity.size
        texts, codes = _words_of(words, 0, len(words))
        distinct = distinct_values(texts * size + self._rarity[codes])
        texts, ranks = distinct // size, distinct % size
        first = np.searchsorted(texts, np.arange(len(words)))
        nth = np.arange(texts.size) - first[texts]
        prefix = np.full((len(words), PREFIX), -1, dtype=np.int64)
        inside = nth < PREFIX
        prefix[texts[inside], nth[inside]] = ranks[inside]
        hashes, holders = [], []
        for choice in combinations(range(PREFIX), SHARED):
            rows = np.flatnonzero(prefix[:, choice[-1]] >= 0)
            mixed = np.zeros(rows.size, dtype=np.uint64)
            for column in choice:
                mixed = (
                    mixed + prefix[rows, column].astype(np.uint64) + np.uint64(1)
                ) * _MULTIPLIER
                mixed ^= mixed >> np.uint64(29)
            hashes.append(mixed)
            holders.append(places[rows])
        return _Keys(np.concatenate(hashes), np.concatenate(holders))


def _most_shared(
    texts: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keep of each text's pairs the 16 that share most keys; of equals those that come first."""
    if texts.size == 0:
        return texts, others
    span = int(others.max()) + 1
    pairs, counts = np.unique(texts * span + others, return_counts=True)
    texts, others = pairs // span, pairs % span
    order = np.lexsort((others, -counts, texts))
    texts, others = texts[order], others[order]
    firsts = np.insert(texts[1:] != texts[:-1], 0, True)
    starts = np.maximum.accumulate(np.where(firsts, np.arange(texts.size), 0))
    kept = np.arange(texts.size) - starts < _MOST_CANDIDATES
    return texts[kept], others[kept]


def _blocks(places: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    for begin in range(0, places.size, size):
        yield places[begin : begin + size]


def _words_of(
    words: WordCodes, begin: int, end: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of every word of some texts the number of its text, from 0, and its code."""
    offsets = words.offsets[begin : end + 1]
    texts = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    return texts, words.codes[offsets[0] : offsets[-1]].astype(np.int64)


def _part(words: WordCodes, places: NDArray[np.int64]) -> WordCodes:
    """Return the words of the texts at `places`."""
    lengths = words.lengths[places]
    offsets = np.insert(np.cumsum(lengths), 0, 0)
    steps = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    codes = words.codes[np.repeat(words.offsets[places], lengths) + steps]
    return WordCodes(codes=codes, offsets=offsets, vocabulary=words.vocabulary)
