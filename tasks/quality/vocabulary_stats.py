"""Vocabulary: how many words a corpus has, and how often it says the same ones."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.quality.word_codes import WordCodes


@dataclass(frozen=True, slots=True)
class VocabularyStats:
    """Counts of the words of a corpus; words are those of the normalised texts.

    Args:
        num_tokens: Words, N in the formulas.
        num_types: Different words.
        num_hapaxes: Words that occur once.
        sum_of_squares: Sum of the squared counts of the types.
    """

    num_tokens: int
    num_types: int
    num_hapaxes: int
    sum_of_squares: int

    @property
    def hapax_share(self) -> float | None:
        """Types that occur once over all types, in [0, 1]; null without words.

        It falls as a corpus grows: compare samples of one number of words.
        """
        return self.num_hapaxes / self.num_types if self.num_types else None

    @property
    def yule_k(self) -> float | None:
        """Yule's K: 10^4 * (sum over types of count^2 - N) / N^2; null without words.

        10^4 times about the probability that two words drawn at random are the same one, from 0
        (all differ) to below 10^4 (all are the same); it hardly depends on the size of the corpus.

        References:
            Yule, The Statistical Study of Literary Vocabulary, Cambridge 1944.
            Tanaka-Ishii and Aihara, Computational Linguistics 2015 (stability).
            https://aclanthology.org/J15-3005
        """
        if not self.num_tokens:
            return None
        return 1e4 * (self.sum_of_squares - self.num_tokens) / self.num_tokens**2


def vocabulary_stats(words: WordCodes, *, kept: NDArray[np.bool_] | None = None) -> VocabularyStats:
    """Count the words of a corpus.

    Args:
        words: The words of N texts.
        kept: Which texts count, shape `(N,)`; all when None.
    """
    codes = words.codes if kept is None else words.codes[np.repeat(kept, words.lengths)]
    counts = np.bincount(codes) if codes.size else np.zeros(0, dtype=np.int64)
    return VocabularyStats(
        num_tokens=int(codes.size),
        num_types=int(np.count_nonzero(counts)),
        num_hapaxes=int(np.count_nonzero(counts == 1)),
        sum_of_squares=int((counts.astype(np.int64) ** 2).sum()),
    )
