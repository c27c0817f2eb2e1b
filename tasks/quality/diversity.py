"""Diversity of a corpus: how many of its words and word n-grams are distinct."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tasks.quality.fingerprints import normalise_text


def word_ngrams(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    """Yield the n-grams of `words` in order; none when there are fewer than n words.

    Raises:
        ValueError: If `n` is less than 1.
    """
    if n < 1:
        raise ValueError(f"n is {n}, not at least 1")
    return zip(*(words[i:] for i in range(n)), strict=False)


class NgramCounter:
    """Counts the word n-grams of texts as they come; never one that spans two texts.

    Words are those of the normalised text: case and punctuation apart. Memory grows with the
    number of distinct n-grams, some 150 bytes each.
    """

    def __init__(self, n: int) -> None:
        """Count n-grams of `n` words; `n=1` counts types and tokens."""
        self._n = n
        self._counts: Counter[tuple[str, ...]] = Counter()

    def add(self, texts: Iterable[str]) -> None:
        """Count the n-grams of further texts."""
        for text in texts:
            self._counts.update(word_ngrams(normalise_text(text).split(), self._n))

    @property
    def num_total(self) -> int:
        """Number of n-grams so far; for `n=1`, of tokens."""
        return self._counts.total()

    @property
    def num_distinct(self) -> int:
        """Number of distinct n-grams so far; for `n=1`, of types."""
        return len(self._counts)

    @property
    def distinct(self) -> float | None:
        """Distinct-n: distinct n-grams over all n-grams, in (0, 1]; None when there are none.

        It falls as a corpus grows: compare it between samples of one size only.

        References:
            Li et al., NAACL 2016. https://aclanthology.org/N16-1014
        """
        return self.num_distinct / self.num_total if self._counts else None

    def most_common(self, count: int) -> list[tuple[str, int]]:
        """Return the `count` most frequent n-grams with their frequencies; ties in word order."""
        ranked = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return [(" ".join(ngram), frequency) for ngram, frequency in ranked[:count]]


def distinct_n(texts: Iterable[str], n: int) -> float | None:
    """Return distinct-n of a whole corpus (see `NgramCounter.distinct`)."""
    counter = NgramCounter(n)
    counter.add(texts)
    return counter.distinct
