"""Diversity of a corpus: how many of its words and word n-grams are distinct."""

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


class DistinctN:
    """Distinct-n of texts that come in any portions: distinct word n-grams over all of them.

    Words are those of the normalised text, case and punctuation apart; no n-gram spans two texts.
    With `n=1` it is the type-token ratio. The value falls as a corpus grows: compare it between
    samples of one size only. Memory grows with the distinct n-grams, some 200 bytes each.

    References:
        Li et al., NAACL 2016. https://aclanthology.org/N16-1014
    """

    def __init__(self, n: int) -> None:
        """Count n-grams of `n` words, at least 1."""
        self._n = n
        self._distinct: set[tuple[str, ...]] = set()
        self._num_total = 0

    def add(self, texts: Iterable[str]) -> None:
        """Count the n-grams of further texts."""
        for text in texts:
            ngrams = list(word_ngrams(normalise_text(text).split(), self._n))
            self._distinct.update(ngrams)
            self._num_total += len(ngrams)

    @property
    def num_total(self) -> int:
        """Number of n-grams so far; for `n=1`, of tokens."""
        return self._num_total

    @property
    def num_distinct(self) -> int:
        """Number of distinct n-grams so far; for `n=1`, of types."""
        return len(self._distinct)

    @property
    def value(self) -> float | None:
        """Distinct n-grams over all n-grams, in (0, 1]; None when there are none."""
        return self.num_distinct / self.num_total if self.num_total else None


def distinct_n(texts: Iterable[str], n: int) -> float | None:
    """Return distinct-n of a whole corpus (see `DistinctN`)."""
    counter = DistinctN(n)
    counter.add(texts)
    return counter.value
