"""Word n-grams, and how many of a corpus are distinct: by definition, text by text."""

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


def distinct_n(texts: Iterable[str], n: int) -> float | None:
    """Return distinct-n: distinct word n-grams over all of them, in (0, 1]; None without any.

    Words are those of the normalised text, case and punctuation apart; no n-gram spans two texts.
    With `n=1` it is the type-token ratio. The value falls as a corpus grows: compare it between
    samples of one size only. This is the definition; `distinct_ngrams` and `ngram_shares` count it
    for corpora of any size, and for arrays.

    References:
        Li et al., NAACL 2016. https://aclanthology.org/N16-1014
    """
    ngrams = [ngram for text in texts for ngram in word_ngrams(normalise_text(text).split(), n)]
    return len(set(ngrams)) / len(ngrams) if ngrams else None
