"""Near duplicates among texts that come one after the other: found by sketches, checked exactly.

Texts come in blocks. A block is compared with the kept texts of all blocks before it by one join in
a database on disk, and with those of its own in memory, so memory is that of a block.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.quality.buckets import Buckets, Pairs, distinct_pairs, ranks
from tasks.quality.kept_texts import Kept, KeptTexts
from tasks.quality.shingle_sets import hash_shingles, similarities
from tasks.quality.sketches import Sketches, may_match, sketch_texts

LEAST_BLOCK = 1 << 14
MOST_BLOCK = 1 << 18
_BLOCKS_PER_CORPUS = 16
_PART = 512
_COMPARED = 1 << 14
_COMPARED_CHARACTERS = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Pairs of rows that are near duplicates, in any order.

    Args:
        later: Row numbers, shape `(M,)`.
        earlier: Row numbers below those, of rows that were kept or are not decided yet, shape
            `(M,)`.
        similarities: Jaccard similarity of each pair, at least the threshold, shape `(M,)`.
        copies: Whether the normalised texts are equal, shape `(M,)`.
    """

    later: NDArray[np.int64]
    earlier: NDArray[np.int64]
    similarities: NDArray[np.float64]
    copies: NDArray[np.bool_]


class Texts(Protocol):
    """Texts to compare with."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row number of each, ascending, shape `(N,)`."""

    @property
    def sketches(self) -> Sketches:
        """Their sketches."""

    def normals_of(self, rows: NDArray[np.int64]) -> dict[int, str]:
        """Return the normalised texts of some rows, which are all here."""


class Judge(Protocol):
    """Decides which rows are kept, to be compared with later ones."""

    def worth(self, later: NDArray[np.int64], earlier: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of pairs of rows, both of shape `(M,)`, whether anything depends on comparing them.

        Pairs that may be copies are compared in any case.
        """

    def found(self, matches: Matches) -> None:
        """Take note of pairs that were compared and match."""

    def keep(self, rows: range) -> NDArray[np.bool_]:
        """Decide on rows, all of whose matches were found: shape `(len(rows),)`."""


class NearDuplicateIndex:
    """Texts kept so far, searched by MinHash keys.

    A match is a text whose Jaccard similarity, computed exactly but for hashes (`ShingleSets`), is
    at least the threshold: none is false. Of the true ones, a pair at the threshold is missed with
    probability below 0.0001 and a more similar pair more rarely (thresholds below 0.04 apart).
    Copies are never missed. Texts that share no character 5-gram never match, whatever the
    threshold. What is found depends on the texts and their order, not on how they are cut into
    calls.

    Texts made from one template share keys by the thousand without being alike enough. Sizes and
    bitmaps rule out nearly all of these pairs, some millions at a time.

    References:
        Broder, SEQUENCES 1997. https://doi.org/10.1109/SEQUEN.1997.666900
    """

    def __init__(self, *, threshold: float, folder: Path | None = None) -> None:
        """Start without texts.

        Args:
            threshold: Least similarity of a match, 0 to 1.
            folder: Where a corpus of several blocks is kept while this object lives; None for the
                system's place of temporary files.
        """
        self._threshold = threshold
        self._folder = folder
        self._num_rows = 0
        self._before: KeptTexts | None = None
        self._recent = self._sketched([], [])

    def __len__(self) -> int:
        """Return the number of rows so far, kept or not: the number of the next one."""
        return self._num_rows

    @property
    def block(self) -> int:
        """How many rows are best given at once: more of a large corpus, so that joins are few."""
        return min(max(self._num_rows // _BLOCKS_PER_CORPUS, LEAST_BLOCK), MOST_BLOCK)

    def insert(self, normals: Sequence[str], names: Sequence[str]) -> None:
        """Keep further rows without looking for their matches."""
        for start in range(0, len(normals), LEAST_BLOCK):
            part = slice(start, start + LEAST_BLOCK)
            self._remember(self._sketched(normals[part], names[part]))

    def search(self, normals: Sequence[str], names: Sequence[str], judge: Judge) -> None:
        """Find the matches of further rows among the kept rows before them.

        Args:
            normals: Normalised texts of the rows, in order.
            names: What they are called, as many.
            judge: Is told the matches, and decides which rows are kept.
        """
        for start in range(0, len(normals), MOST_BLOCK):
            part = slice(start, start + MOST_BLOCK)
            own = self._sketched(normals[part], names[part])
            search = _Search(own, judge, self._threshold)
            if self._before is not None:
                search.look_in(self._before)
            kept = search.decide(self._recent)
            self._remember(own.take(np.flatnonzero(kept)))

    def names(self, rows: Iterable[int]) -> dict[int, str]:
        """Return the names of kept rows."""
        wanted = np.fromiter(set(rows), dtype=np.int64)
        places = np.flatnonzero(np.isin(self._recent.rows, wanted)).tolist()
        found = {int(self._recent.rows[place]): self._recent.names[place] for place in places}
        if self._before is not None and len(found) < len(wanted):
            found |= self._before.names(wanted)
        return found

    def _sketched(self, normals: Sequence[str], names: Sequence[str]) -> Kept:
        first = self._num_rows
        self._num_rows += len(normals)
        rows = np.arange(first, self._num_rows)
        sketches = sketch_texts(normals, threshold=self._threshold)
        return Kept(rows, list(normals), list(names), sketches)

    def _remember(self, kept: Kept) -> None:
        self._recent = self._recent.followed_by(kept)
        if len(self._recent) > LEAST_BLOCK:
            if self._before is None:
                self._before = KeptTexts(self._folder)
            self._before.add(self._recent)
            self._recent = self._recent.take(np.empty(0, dtype=np.int64))


class _Search:
    """The search for the matches of the rows of one block."""

    def __init__(self, own: Kept, judge: Judge, threshold: float) -> None:
        self._own, self._judge, self._threshold = own, judge, threshold

    def look_in(self, before: KeptTexts) -> None:
        """Find the matches among the kept texts of earlier blocks."""
        self._find(before.pairs(self._own.sketches.keys), before)

    def decide(self, recent: Kept) -> NDArray[np.bool_]:
        """Find the matches within the block, and among recent texts that are still in memory.

        Returns:
            Which rows of the block are kept.
        """
        texts, first = recent.followed_by(self._own), len(recent)
        buckets = Buckets(texts.sketches.keys)
        buckets.add(np.arange(first))
        kept = np.ones(len(self._own), dtype=np.bool_)
        for start in range(0, len(kept), _PART):
            part = np.arange(start, min(start + _PART, len(kept)))
            for pairs in (buckets.pairs(part + first), buckets.pairs_among(part + first)):
                self._find(((later - first, earlier) for later, earlier in pairs), texts)
            rows = self._own.rows[part]
            kept[part] = self._judge.keep(range(int(rows[0]), int(rows[-1]) + 1))
            buckets.add(part[kept[part]] + first)
        return kept

    def _find(self, pairs: Iterable[Pairs], others: Texts) -> None:
        """Compare pairs of a row of the block and another text, and tell the judge of matches.

        The most promising pair of every row comes first, then their second ones: a judge who needs
        no more than one match of a row need not have the others compared.
        """
        later, earlier, alone = self._likely(pairs, others.sketches)
        order = np.lexsort((alone, later))
        order = order[np.argsort(ranks(later[order]), kind="stable")]
        for start in range(0, len(order), _COMPARED):
            turn = order[start : start + _COMPARED]
            rows, other_rows = self._own.rows[later[turn]], others.rows[earlier[turn]]
            wanted = self._judge.worth(rows, other_rows) | (alone[turn] == 0)
            if wanted.any():
                self._compare(later[turn][wanted], other_rows[wanted], others)

    def _likely(
        self, pairs: Iterable[Pairs], others: Sketches
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
        """Return the pairs that may match, each once, and what `may_match` says of them."""
        own, threshold = self._own.sketches, self._threshold
        left, right = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for later, earlier in pairs:
            may, _ = may_match(own, others, (later, earlier), threshold=threshold)
            left.append(later[may])
            right.append(earlier[may])
        likely = distinct_pairs(np.concatenate(left), np.concatenate(right))
        return *likely, may_match(own, others, likely, threshold=threshold)[1]

    def _compare(self, places: NDArray[np.int64], rows: NDArray[np.int64], others: Texts) -> None:
        normal_of = others.normals_of(rows)
        lefts = [self._own.normals[place] for place in places.tolist()]
        rights = [normal_of[row] for row in rows.tolist()]
        found = pair_similarities(lefts, rights)
        near = np.flatnonzero(found >= self._threshold)
        copies = [lefts[pair] == rights[pair] for pair in near.tolist()]
        later = self._own.rows[places[near]]
        self._judge.found(Matches(later, rows[near], found[near], np.array(copies, dtype=bool)))


def pair_similarities(lefts: Sequence[str], rights: Sequence[str]) -> NDArray[np.float64]:
    """Return the Jaccard similarity of pairs of normalised texts (see `ShingleSets`), M of them."""
    result = np.zeros(len(lefts))
    sizes = [len(left) + len(right) for left, right in zip(lefts, rights, strict=True)]
    portions = np.cumsum(np.array(sizes, dtype=np.int64)) // _COMPARED_CHARACTERS
    for part in np.split(np.arange(len(lefts)), np.flatnonzero(np.diff(portions)) + 1):
        place_of: dict[str, int] = {}
        left, right = (
            [place_of.setdefault(texts[pair], len(place_of)) for pair in part.tolist()]
            for texts in (lefts, rights)
        )
        sets = hash_shingles(list(place_of))
        result[part] = similarities(sets, np.array(left, np.int64), np.array(right, np.int64))
    return result
