"""Openings: how many texts begin with the same words."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.quality.word_codes import Ngrams, WordCodes

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """Words that texts begin with.

    Args:
        words: The words, normalised, one space between them.
        count: Texts that begin with them.
    """

    words: str
    count: int


@dataclass(frozen=True, slots=True)
class Openings:
    """How concentrated the first n words of texts are.

    Args:
        num_texts: Texts of at least n words; the others have no opening.
        top_share: Share of them that begin with the commonest opening, in (0, 1].
        entropy: Entropy of the openings over log `num_texts`: 0 when all are the same, 1 when all
            differ; null for fewer than two texts.
        commonest: At most `MOST_SHOWN` openings that two texts or more have, the commonest first.
        texts_of_top: Places of the texts with the commonest opening, ascending; none when no two
            texts share one.
    """

    num_texts: int
    top_share: float
    entropy: float | None
    commonest: tuple[Opening, ...]
    texts_of_top: NDArray[np.int64]


def openings(words: WordCodes, n: int) -> Openings | None:
    """Count the first `n` words of texts.

    Both figures depend on the number of texts, entropy more than the share: compare samples of one
    size. Of openings that are as common as each other, the first in the alphabet counts as the
    commoner.

    Args:
        words: The texts.
        n: Words of an opening, at least 1.

    Returns:
        None when no text has `n` words.
    """
    found = opening_hashes(words, n)
    if not found.hashes.size:
        return None
    _, firsts, kinds, counts = np.unique(
        found.hashes, return_index=True, return_inverse=True, return_counts=True
    )
    texts = found.texts
    codes = words.codes[words.offsets[texts[firsts], None] + np.arange(n)]
    order = _shared(codes, counts, vocabulary=words.vocabulary.words())
    return Openings(
        num_texts=int(texts.size),
        top_share=float(counts.max()) / texts.size,
        entropy=normalised_entropy(found.hashes),
        commonest=tuple(Opening(name, int(counts[kind])) for kind, name in order[:MOST_SHOWN]),
        texts_of_top=texts[kinds == order[0][0]] if order else texts[:0],
    )


def opening_hashes(words: WordCodes, n: int) -> Ngrams:
    """Hash the first `n` words of every text that has as many (`WordCodes.ngrams`)."""
    texts = np.flatnonzero(words.lengths >= n)
    starts = words.offsets[texts]
    codes = words.codes[starts[:, None] + np.arange(n)].ravel()
    offsets = np.arange(0, codes.size + 1, n)
    hashes = WordCodes(codes, offsets, words.vocabulary).ngrams(n).hashes
    return Ngrams(n=n, hashes=hashes, texts=texts, starts=starts)


def normalised_entropy(hashes: NDArray[np.uint64]) -> float | None:
    """Return the entropy of the kinds among N things over log N, in [0, 1].

    Returns:
        0 when all are the same, 1 when all differ; None for fewer than two.
    """
    if hashes.size < 2:
        return None
    shares = np.unique(hashes, return_counts=True)[1] / hashes.size
    entropy = -float((shares * np.log(shares)).sum()) / math.log(hashes.size)
    # Rounding must not push an end past itself.
    return min(max(entropy, 0.0), 1.0)


def _shared(
    codes: NDArray[np.int32], counts: NDArray[np.int64], *, vocabulary: list[str]
) -> list[tuple[int, str]]:
    """Return openings of two texts or more: the commonest, and all that are as common as these."""
    least = max(2, int(np.sort(counts)[::-1][:MOST_SHOWN][-1]))
    named = [
        (kind, " ".join(vocabulary[code] for code in codes[kind].tolist()))
        for kind in np.flatnonzero(counts >= least).tolist()
    ]
    return sorted(named, key=lambda entry: (-counts[entry[0]], entry[1]))
