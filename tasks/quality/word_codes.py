"""A corpus as one array of word codes: what n-gram measures count without touching strings."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from tasks.quality.fingerprints import normalise_text

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


class Vocabulary:
    """Words and their codes, in the order in which they were first met.

    Corpora that are compared share one, so that equal words have equal codes.
    """

    def __init__(self) -> None:
        """Know no word."""
        self._code_of = defaultdict[str, int]()
        # A new word gets the number of those before it.
        self._code_of.default_factory = self._code_of.__len__

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self._code_of)

    def code(self, word: str) -> int:
        """Return the code of a word, giving it the next one when it is new."""
        return self._code_of[word]

    def codes(self, words: Iterable[str]) -> Iterator[int]:
        """Yield the code of each word, as `code` does, without a Python call for each."""
        return map(self._code_of.__getitem__, words)

    def known(self, word: str) -> int | None:
        """Return the code of a word that was met, else None."""
        return self._code_of.get(word)

    def words(self) -> list[str]:
        """Return the words, each at the place of its code."""
        return list(self._code_of)


@dataclass(frozen=True, slots=True)
class WordCodes:
    """The words of N texts, one after the other; texts are normalised (`normalise_text`).

    Args:
        codes: Code of every word, shape `(W,)`.
        offsets: Where each text's words begin, and `W` at the end, shape `(N + 1,)`.
        vocabulary: What the codes mean.
    """

    codes: NDArray[np.int32]
    offsets: NDArray[np.int64]
    vocabulary: Vocabulary

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Words of each text, shape `(N,)`."""
        return np.diff(self.offsets)

    def of(self, place: int) -> NDArray[np.int32]:
        """Return the codes of one text."""
        return self.codes[self.offsets[place] : self.offsets[place + 1]]

    def ngrams(self, n: int) -> "Ngrams":
        """Hash the n-grams that lie within one text, in order.

        Equal n-grams of corpora that share a vocabulary have equal hashes. Two different ones among
        m share a hash with probability below m^2 / 2^65: 1e-5 for 20 million.

        Raises:
            ValueError: If `n` is less than 1.
        """
        if n < 1:
            raise ValueError(f"n is {n}, not at least 1")
        per_text = np.maximum(self.lengths - n + 1, 0)
        texts = np.repeat(np.arange(len(self), dtype=np.int64), per_text)
        firsts = np.arange(per_text.sum(), dtype=np.int64)
        starts = firsts + (self.offsets[:-1] - (np.cumsum(per_text) - per_text))[texts]
        hashes = np.zeros(len(starts), dtype=np.uint64)
        for step in range(n):
            hashes = _mixed(hashes, self.codes[starts + step])
        return Ngrams(n=n, hashes=hashes, texts=texts, starts=starts)


@dataclass(frozen=True, slots=True)
class Ngrams:
    """The M n-grams of a corpus, text by text.

    Args:
        n: Words in each.
        hashes: 64-bit hashes, shape `(M,)`.
        texts: Place of the text that holds each, ascending, shape `(M,)`.
        starts: Place of its first word in `WordCodes.codes`, shape `(M,)`.
    """

    n: int
    hashes: NDArray[np.uint64]
    texts: NDArray[np.int64]
    starts: NDArray[np.int64]


def encode_words(texts: Sequence[str], *, vocabulary: Vocabulary | None = None) -> WordCodes:
    """Code the words of texts.

    Args:
        texts: Any texts; a text without letters and digits has no words.
        vocabulary: Words with codes already, which grows; None starts a new one.
    """
    known = vocabulary if vocabulary is not None else Vocabulary()
    lengths = np.zeros(len(texts) + 1, dtype=np.int64)

    def words_of_texts() -> Iterator[list[str]]:
        for place, text in enumerate(texts, start=1):
            words = normalise_text(text).split()
            lengths[place] = len(words)
            yield words

    flat = np.fromiter(known.codes(chain.from_iterable(words_of_texts())), dtype=np.int32)
    return WordCodes(codes=flat, offsets=np.cumsum(lengths), vocabulary=known)


def _mixed(hashes: NDArray[np.uint64], codes: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Take one more word into each hash (multiply and shift, as in SplitMix64)."""
    mixed = (hashes + codes.astype(np.uint64) + np.uint64(1)) * _MULTIPLIER
    mixed ^= mixed >> np.uint64(30)
    mixed *= _MIX
    return mixed ^ (mixed >> np.uint64(27))
