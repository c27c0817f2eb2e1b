"""One corpus beside another: copies and shared passages, and the rows that show them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Evidence
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import MOST_ROWS, excerpt
from tasks.quality.copies import CodedTexts, CopyKind, CopyMatches, find_copies
from tasks.quality.overlap import Passages, shared_passages
from tasks.quality.word_places import span_of_words

COPY_DEFINITION = (
    "A copy has the same words in the same order as a text of {other}; case, punctuation and "
    "spacing do not count."
)
NEAR_DEFINITION = (
    "A near copy has most words of a text of {other} in the same order. A word in d of the N texts "
    "compared weighs log2((N + 1) / (d + 1/2)) bits; twice the bits of the common words in order, "
    "over those of both texts and 8 bits more, is at least 0.58; in neither text more words lie "
    "outside them than 3 or a fifth; and the longer text has at least 6 words."
)
PASSAGE_SOURCE = (
    "Lee et al., Deduplicating training data makes language models better, ACL 2022, "
    "https://arxiv.org/abs/2107.06499"
)


@dataclass(frozen=True)
class Comparison:
    """What a corpus has in common with another one, and the other with it.

    Args:
        corpus: The one whose rows are in question.
        other: The one that may have been copied.
        copies: Copies among the rows of `corpus`.
        copied: Copies among the rows of `other`.
        passages: Longest shared passage of each row of `corpus`.
        repeated: Longest shared passage of each row of `other`.
    """

    corpus: Corpus
    other: Corpus
    copies: CopyMatches
    copied: CopyMatches
    passages: Passages
    repeated: Passages

    @classmethod
    def of(cls, corpus: Corpus, other: Corpus) -> "Comparison":
        """Compare two corpora that share a vocabulary."""
        copies, copied = find_copies(
            CodedTexts(corpus.strings, corpus.words), CodedTexts(other.strings, other.words)
        )
        passages, repeated = shared_passages(corpus.words, other.words)
        return cls(corpus, other, copies, copied, passages, repeated)

    def copy_evidence(self, *kinds: CopyKind) -> tuple[Evidence, ...]:
        """Show copies of some kinds: the closest first, then the longest."""
        places = np.flatnonzero(np.isin(self.copies.kinds, kinds))
        keys = zip(
            (-self.copies.similarities[places]).tolist(),
            (-self.corpus.words.lengths[places]).tolist(),
            (self.corpus.ids[place] for place in places.tolist()),
            places.tolist(),
            strict=True,
        )
        worst = [key[-1] for key in sorted(keys)[:MOST_ROWS]]
        return tuple(map(self._copy, worst))

    def passage_places(self, length: int) -> NDArray[np.int64]:
        """Return the rows that share at least `length` words in a row and are no copies."""
        is_copy = self.copies.kinds != CopyKind.NONE
        return np.flatnonzero((self.passages.lengths >= length) & ~is_copy)

    def passage_evidence(self, length: int) -> tuple[Evidence, ...]:
        """Show rows that share at least `length` words in a row, those with the longest first."""
        places = self.passage_places(length).tolist()
        worst = sorted(places, key=lambda p: (-int(self.passages.lengths[p]), self.corpus.ids[p]))
        return tuple(map(self._passage, worst[:MOST_ROWS]))

    def _copy(self, place: int) -> Evidence:
        match CopyKind(int(self.copies.kinds[place])):
            case CopyKind.VERBATIM:
                note = "the same characters"
            case CopyKind.NORMALISED:
                note = "the same words"
            case _:
                note = f"similarity {self.copies.similarities[place]:.2f}"
        return self._evidence(place, int(self.copies.others[place]), note, ())

    def _passage(self, place: int) -> Evidence:
        found = self.passages
        other, length = int(found.others[place]), int(found.lengths[place])
        text = self.corpus.strings[place]
        span = span_of_words(text, int(found.starts[place]), length)
        theirs = span_of_words(self.other.strings[other], int(found.other_starts[place]), length)
        note = (
            f"{length} words in a row, at characters {span[0]} to {span[1]}; "
            f"there at {theirs[0]} to {theirs[1]}"
        )
        return self._evidence(place, other, note, (span,))

    def _evidence(
        self, place: int, other: int, note: str, spans: tuple[tuple[int, int], ...]
    ) -> Evidence:
        beside = self.other.ids[other], self.other.strings[other]
        return excerpt(self.corpus, place, spans=spans, note=note, beside=beside)


def percent(part: float) -> str:
    """Write a share for a sentence: "12 %", "0.4 %"."""
    return f"{100 * part:.{0 if part >= 0.1 else 1}f} %" if part >= 0.0005 else "under 0.1 %"


def rows_of(count: int) -> str:
    """Write a count of rows for a sentence."""
    return "1 row" if count == 1 else f"{count:,} rows"


def missing(*corpora: tuple[Corpus | None, str]) -> str | None:
    """Say which corpus is needed and not there, or has no rows; None when all are there.

    Args:
        corpora: Each corpus with what a reader calls it.
    """
    return next(_reasons(corpora), None)


def _reasons(corpora: Iterable[tuple[Corpus | None, str]]) -> Iterator[str]:
    for corpus, name in corpora:
        if corpus is None:
            yield f"no {name} was given"
        elif len(corpus) == 0:
            yield f"the {name} has no rows"
