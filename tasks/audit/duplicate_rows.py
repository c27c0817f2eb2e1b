"""Which rows of a corpus are duplicates, in every sense that the audit knows."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tasks.audit.corpus import Corpus
from tasks.quality.duplicate_groups import (
    Conflicts,
    RowGroups,
    find_conflicts,
    group_equal,
    group_folded,
)
from tasks.quality.near_duplicate_groups import NearDuplicates, group_near_duplicates
from tasks.quality.semantic_duplicates import (
    MOST_TEXTS,
    SIMILARITY,
    Embed,
    Neighbours,
    nearest_by_vectors,
    nearest_by_words,
)

NEAR_SIMILARITY = 0.8
MOST_OTHER_LETTERS = 0.05
"""Share of rows with letters beyond a-z from which a fold that drops them says nothing."""


@dataclass(frozen=True)
class DuplicateRows:
    """The duplicates among the rows of a corpus that hold a text.

    Args:
        corpus: The N rows that are not null and not empty.
    """

    corpus: Corpus

    @classmethod
    def of(cls, corpus: Corpus) -> "DuplicateRows":
        """Look at the rows of a corpus that hold a text."""
        held = np.array([bool(text) for text in corpus.texts], dtype=np.bool_)
        return cls(corpus if held.all() else corpus.take(np.flatnonzero(held)))

    def __len__(self) -> int:
        """Return the number of rows with a text."""
        return len(self.corpus)

    @cached_property
    def keys(self) -> list[str]:
        """The normalised texts; a text without letters and digits is compared as it is."""
        pairs = zip(self.corpus.normals, self.corpus.strings, strict=True)
        return [normal or text for normal, text in pairs]

    @cached_property
    def exact(self) -> RowGroups:
        """Rows whose texts are equal byte for byte."""
        return group_equal(self.corpus.strings)

    @cached_property
    def equal(self) -> RowGroups:
        """Rows whose normalised texts are equal."""
        return group_equal(self.keys)

    @cached_property
    def folded(self) -> RowGroups | None:
        """Rows whose texts are equal folded to a-z and 0-9; None where many hold other letters."""
        others = sum(_holds_other_letters(text) for text in self.corpus.strings)
        if others > MOST_OTHER_LETTERS * len(self):
            return None
        return group_folded(self.corpus.strings)

    @cached_property
    def near(self) -> NearDuplicates:
        """Rows that chains of near duplicates connect."""
        return group_near_duplicates(self.keys, threshold=NEAR_SIMILARITY)

    @cached_property
    def conflicts(self) -> Conflicts | None:
        """Labels that differ within groups of equal normalised texts; None without labels."""
        return self._conflicts(self.equal)

    @cached_property
    def near_conflicts(self) -> Conflicts | None:
        """Labels that differ within groups of near duplicates; None without labels."""
        return self._conflicts(self.near.groups)

    def _conflicts(self, groups: RowGroups) -> Conflicts | None:
        labels = self.corpus.labels
        if labels is None or all(label is None for label in labels):
            return None
        return find_conflicts(groups, labels)


@dataclass(frozen=True)
class Leaks:
    """Rows of one split that stand in another as well.

    Args:
        training: Name of the split that is trained on: `train`, else the largest.
        held_out: Rows of all other splits, shape `(H,)`.
        copied: Which of them another split holds normalised, shape `(H,)`.
        near: Which of them have a near duplicate or a copy in another split, shape `(H,)`.
    """

    training: str
    held_out: NDArray[np.int64]
    copied: NDArray[np.bool_]
    near: NDArray[np.bool_]


def find_leaks(found: DuplicateRows) -> Leaks | None:
    """Find the rows that splits share, or None where a corpus has fewer than two splits."""
    splits = found.corpus.columns.get("split", ())
    counts = Counter(name for name in splits if name is not None)
    if len(counts) < 2:
        return None
    # Of splits of one size the first by name, whatever the order of the rows.
    training = "train" if "train" in counts else max(sorted(counts), key=counts.__getitem__)
    held_out = np.flatnonzero([name is not None and name != training for name in splits])
    return Leaks(
        training=training,
        held_out=held_out,
        copied=find_conflicts(found.equal, splits).rows[held_out],
        near=find_conflicts(found.near.groups, splits).rows[held_out],
    )


@dataclass(frozen=True)
class Meanings:
    """The rows of a sample and the nearest other row of each in meaning."""

    corpus: Corpus
    neighbours: Neighbours

    @property
    def alike(self) -> NDArray[np.bool_]:
        """Which rows have another one that says the same, shape `(N,)`."""
        return self.neighbours.similarities >= SIMILARITY


def compare_meanings(corpus: Corpus, *, size: int, embed: Embed | None) -> Meanings:
    """Compare the rows of a sample in meaning: by a model, or without one by their words.

    Raises:
        ValueError: If the model does not return one finite vector a text.
    """
    sample = corpus.sample(min(size, MOST_TEXTS), key="meanings")
    if embed is None:
        return Meanings(sample, nearest_by_words(sample.normals))
    vectors = np.asarray(embed(sample.strings), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(sample) or not np.isfinite(vectors).all():
        raise ValueError(f"embed gave no finite vector for each of {len(sample)} texts")
    return Meanings(sample, nearest_by_vectors(vectors))


def _holds_other_letters(text: str) -> bool:
    return not text.isascii() and any(c.isalnum() for c in text if not c.isascii())
