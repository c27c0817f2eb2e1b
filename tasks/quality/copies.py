"""Copies of the texts of another corpus: word for word, up to case and punctuation, and edited."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.quality.alignment import MOST_WORDS, Alignments, align, missing_words
from tasks.quality.rare_words import RareWordIndex, document_frequencies
from tasks.quality.word_codes import WordCodes

LEAST_SIMILARITY = 0.58
"""Of a near copy. On banking77 and clinc150 it finds 95 % of texts with one to three changed words,
and takes 1 in 175 unrelated questions for a copy."""
LEAST_WORDS = 6
"""Of the longer text of a near copy: shorter ones are alike by chance."""
LEAST_COMMON_WORDS = 3
MOST_CHANGES = 3
"""Words of either text that the other may lack, whatever their length."""
MOST_CHANGED = 0.2
"""The same as a part of the longer text."""
_LONG = 32
"""Words from which a pair is screened before it is aligned."""
PRIOR_BITS = 8.0
"""Information that two texts must share before they count as alike at all."""


class CopyKind(IntEnum):
    """How a text repeats one of another corpus; the closest kind counts."""

    NONE = 0
    NEAR = 1
    """Most of its words, in the same order."""
    NORMALISED = 2
    """The same words in the same order (`normalise_text`)."""
    VERBATIM = 3
    """The same characters."""


@dataclass(frozen=True, slots=True)
class CopyMatches:
    """Which of N texts are copies of texts of another corpus.

    Args:
        kinds: `CopyKind` of each text, shape `(N,)`.
        others: Place of the text it copies (the closest, of equals the first), else -1, `(N,)`.
        similarities: Similarity to it, 1 for copies that are not near ones, 0 for none, `(N,)`.
    """

    kinds: NDArray[np.int8]
    others: NDArray[np.int64]
    similarities: NDArray[np.float64]

    def where(self, kind: CopyKind) -> NDArray[np.int64]:
        """Return the places of the copies of one kind, ascending."""
        return np.flatnonzero(self.kinds == kind)

    def count(self, *kinds: CopyKind) -> int:
        """Count the copies of some kinds."""
        return int(np.isin(self.kinds, kinds).sum())


@dataclass(frozen=True, slots=True)
class CodedTexts:
    """N texts and their words.

    Args:
        texts: The texts as they are.
        words: The words of each, in the same order.
    """

    texts: Sequence[str]
    words: WordCodes


def find_copies(first: CodedTexts, second: CodedTexts) -> tuple[CopyMatches, CopyMatches]:
    """Tell which texts of two corpora are copies of texts of the other one.

    A *verbatim* copy has the same characters, a *normalised* one the same words in the same order
    once case and punctuation are dropped; both are found exactly. Texts without words are never
    copies.

    A *near* copy has most of the other text's words in the same order. A word found in d of the N
    texts of both corpora has log2((N + 1) / (d + 1/2)) bits. With M the bits of the common
    subsequence of words with most bits, and A and B those of all words of the two texts, their
    similarity is `2 M / (A + B + 8)`: agreement in "what is the" is worth little, and agreement of
    a few bits nothing. A near copy has a similarity of at least 0.58, at least 3 common words, and
    in neither text more words outside them than 3 or a fifth of the longer one; and the longer
    one has at least 6. Only the first 512 words count. Candidates are texts that share rare words
    (`RareWordIndex`), so that of near copies with more than three changed words a few are missed.

    Args:
        first: Texts of one corpus.
        second: Texts of the other, coded with the same vocabulary.

    Returns:
        The copies in the first corpus of texts of the second, and in the second of the first.

    Raises:
        ValueError: If the two do not share a vocabulary.
    """
    if first.words.vocabulary is not second.words.vocabulary:
        raise ValueError("the corpora do not share a vocabulary")
    own, other = _Side(first), _Side(second)
    own.mark_equal(other)
    other.mark_equal(own)
    # The larger one asks, so that the index is the smaller one's.
    asks, answers = (own, other) if len(first.words) >= len(second.words) else (other, own)
    _mark_near(asks, answers)
    return own.found, other.found


class _Side:
    """One of two corpora, and what is found out about its texts."""

    def __init__(self, corpus: CodedTexts) -> None:
        self.words = corpus.words
        self._texts = corpus.texts
        size = len(corpus.words)
        self.found = CopyMatches(
            kinds=np.zeros(size, dtype=np.int8),
            others=np.full(size, -1, dtype=np.int64),
            similarities=np.zeros(size),
        )
        self._keys = _keys(corpus.words)
        self._first_of_words: dict[bytes, int] = {}
        self._first_of_equals = np.arange(size)
        for place, key in enumerate(self._keys):
            if key:
                self._first_of_equals[place] = self._first_of_words.setdefault(key, place)

    @property
    def distinct(self) -> NDArray[np.int64]:
        """Places of the texts with words, one of each, ascending."""
        return np.fromiter(self._first_of_words.values(), dtype=np.int64)

    def mark_equal(self, other: "_Side") -> None:
        """Note the texts that have the words of a text of the other corpus."""
        first_of_text: dict[str, int] = {}
        for place, text in enumerate(other._texts):
            first_of_text.setdefault(text, place)
        for place, key in enumerate(self._keys):
            equal = other._first_of_words.get(key)
            if equal is None:
                continue
            same = first_of_text.get(self._texts[place])
            self.found.kinds[place] = CopyKind.NORMALISED if same is None else CopyKind.VERBATIM
            self.found.others[place] = equal if same is None else same
            self.found.similarities[place] = 1.0

    def is_equal(self, places: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which texts are closer copies than near ones."""
        result: NDArray[np.bool_] = self.found.kinds[places] >= CopyKind.NORMALISED
        return result

    def note_near(
        self, places: NDArray[np.int64], partners: NDArray[np.int64], scores: NDArray[np.float64]
    ) -> None:
        """Note near copies; the most similar partner counts, of equals the first."""
        better = ~self.is_equal(places) & (scores > self.found.similarities[places])
        places, partners, scores = places[better], partners[better], scores[better]
        # The last assignment to a place holds, so the best comes last.
        order = np.lexsort((-partners, scores))
        places, partners, scores = places[order], partners[order], scores[order]
        self.found.kinds[places] = CopyKind.NEAR
        self.found.others[places] = partners
        self.found.similarities[places] = scores

    def spread(self) -> None:
        """Give every text what was found for the first that equals it."""
        near = self.found.kinds[self._first_of_equals] == CopyKind.NEAR
        firsts = self._first_of_equals[near]
        self.found.kinds[near] = CopyKind.NEAR
        self.found.others[near] = self.found.others[firsts]
        self.found.similarities[near] = self.found.similarities[firsts]


def _mark_near(asks: _Side, answers: _Side) -> None:
    """Note the near copies on both sides among the texts that are no closer ones."""
    counts = document_frequencies(asks.words) + document_frequencies(answers.words)
    information = np.log2((len(asks.words) + len(answers.words) + 1) / (counts + 0.5))
    rarity = np.empty(counts.size, dtype=np.int64)
    rarity[np.argsort(counts, kind="stable")] = np.arange(counts.size)
    index = RareWordIndex(answers.words, answers.distinct, rarity)
    for texts, others in index.candidates(asks.words, asks.distinct):
        lengths, other_lengths = asks.words.lengths[texts], answers.words.lengths[others]
        longer = np.maximum(lengths, other_lengths)
        kept = (np.abs(lengths - other_lengths) <= _most_changes(longer)) & (longer >= LEAST_WORDS)
        kept &= ~(asks.is_equal(texts) & answers.is_equal(others))
        pairs = _screened(asks.words, answers.words, (texts[kept], others[kept]))
        aligned = align(asks.words, answers.words, pairs, information)
        scores = similarities(aligned)
        near = _are_near(aligned, scores)
        asks.note_near(pairs[0][near], pairs[1][near], scores[near])
        answers.note_near(pairs[1][near], pairs[0][near], scores[near])
    asks.spread()
    answers.spread()


def _keys(words: WordCodes) -> list[bytes]:
    """Return the words of each text as bytes: equal for the same words in the same order."""
    codes = words.codes.tobytes()
    ends = (words.offsets * words.codes.itemsize).tolist()
    return [codes[begin:end] for begin, end in pairwise(ends)]


def _screened(
    words: WordCodes, others: WordCodes, pairs: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Drop the pairs of long texts with too many words of their own: alignment is quadratic."""
    longer = np.maximum(words.lengths[pairs[0]], others.lengths[pairs[1]])
    kept = np.ones(longer.size, dtype=np.bool_)
    long = np.flatnonzero(longer > _LONG)
    missing = missing_words(words, others, (pairs[0][long], pairs[1][long]))
    kept[long] = missing <= _most_changes(longer[long])
    return pairs[0][kept], pairs[1][kept]


def similarities(aligned: Alignments) -> NDArray[np.float64]:
    """Return the similarity of each pair, 0 to 1 (see `find_copies`), shape `(P,)`."""
    result: NDArray[np.float64] = (
        2 * aligned.bits / (aligned.first_bits + aligned.second_bits + PRIOR_BITS)
    )
    return result


def _are_near(aligned: Alignments, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    longer = np.maximum(aligned.first_words, aligned.second_words)
    result: NDArray[np.bool_] = (
        (scores >= LEAST_SIMILARITY)
        & (longer >= LEAST_WORDS)
        & (aligned.words >= LEAST_COMMON_WORDS)
        & (longer - aligned.words <= _most_changes(longer))
    )
    return result


def _most_changes(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    compared = np.minimum(lengths, MOST_WORDS)
    result: NDArray[np.int64] = np.maximum(MOST_CHANGES, (MOST_CHANGED * compared).astype(np.int64))
    return result
