"""Passages that two corpora share: of each text the longest one, with both its places."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tasks.quality.word_codes import WordCodes

_KEY_BITS = 62
_PORTION = 2_000_000


@dataclass(frozen=True, slots=True)
class Passages:
    """The longest run of words that each of N texts shares with one text of another corpus.

    Args:
        lengths: Words in the run, 0 when no word is shared, shape `(N,)`.
        starts: Number of its first word within the text (0 when none is shared), shape `(N,)`.
        others: Place of a text of the other corpus that holds it, -1 when there is none, `(N,)`.
        other_starts: Number of its first word within that text, shape `(N,)`.
    """

    lengths: NDArray[np.int64]
    starts: NDArray[np.int64]
    others: NDArray[np.int64]
    other_starts: NDArray[np.int64]


def shared_passages(first: WordCodes, second: WordCodes) -> tuple[Passages, Passages]:
    """Find the longest word n-gram that each text has in common with any text of the other corpus.

    Words are those of the normalised texts, so case and punctuation do not count. A text shares a
    word n-gram of n words with the other corpus exactly when its length here is at least n: one
    pass answers for every n. Of several longest runs, and of several places of one, any is named.
    Lengths are exact: suffixes are sorted, not hashed.

    The first corpus is compared in portions, so memory grows with the second alone. W words with
    both longest texts of at least L: O(W log W log L) time.

    Args:
        first: Words of a corpus; no text and empty texts are fine.
        second: Words of the other one, coded with the same vocabulary.

    Returns:
        The passages of the first corpus in the second, and of the second in the first.

    Raises:
        ValueError: If the two do not share a vocabulary.

    References:
        Manber and Myers, SIAM J. Comput. 1993 (suffix arrays). https://doi.org/10.1137/0222058
        Larsson and Sadakane, TCS 2007 (sorting them). https://doi.org/10.1016/j.tcs.2007.07.017
    """
    if first.vocabulary is not second.vocabulary:
        raise ValueError("the corpora do not share a vocabulary")
    if first.codes.size == 0 or second.codes.size == 0:
        return _none(len(first)), _none(len(second))
    of_first, of_second = [], _none(len(second))
    for begin, end in _portions(first):
        portion = _part(first, begin, end)
        if portion.codes.size == 0:
            of_first.append(_none(end - begin))
            continue
        suffixes = _Suffixes(portion, second)
        split = portion.codes.size
        is_second = suffixes.order >= split
        found = suffixes.nearest(is_second, slice(0, split))
        of_first.append(_longest(portion, second, *found, shift=-split))
        found = suffixes.nearest(~is_second, slice(split, None))
        _keep_longer(of_second, _longest(second, portion, *found, shift=0), begin)
    return _joined(of_first), of_second


def _portions(words: WordCodes) -> Iterator[tuple[int, int]]:
    """Cut a corpus into runs of texts of some `_PORTION` words: memory stays bounded."""
    num_portions = max(words.codes.size // _PORTION, 1)
    cuts = np.searchsorted(words.offsets, np.arange(1, num_portions) * _PORTION).tolist()
    return pairwise([0, *cuts, len(words)])


def _part(words: WordCodes, begin: int, end: int) -> WordCodes:
    offsets = words.offsets[begin : end + 1]
    codes = words.codes[offsets[0] : offsets[-1]]
    return WordCodes(codes=codes, offsets=offsets - offsets[0], vocabulary=words.vocabulary)


class _Suffixes:
    """The suffixes of all texts of two corpora, sorted by as many words as can be shared.

    Args:
        first: Words of one corpus, not all texts empty.
        second: Words of the other.
    """

    def __init__(self, first: WordCodes, second: WordCodes) -> None:
        self._codes = np.concatenate([first.codes, second.codes]).astype(np.int64)
        lengths = np.concatenate([first.lengths, second.lengths])
        self._left = np.repeat(np.cumsum(lengths), lengths) - np.arange(self._codes.size)
        bits = max(len(first.vocabulary).bit_length(), 1)
        self._width = max(_KEY_BITS // bits, 1)
        # No run is longer than the longest text of either corpus.
        longest = int(min(first.lengths.max(), second.lengths.max()))
        self._ranks = [self._sorted_by_width(bits)]
        while self._width << (len(self._ranks) - 1) < longest:
            refined = self._refined(self._width << (len(self._ranks) - 1))
            if refined is None:
                break
            self._ranks.append(refined)

    def _sorted_by_width(self, bits: int) -> NDArray[np.int32]:
        """Sort by the first words, as many as a key holds; equal suffixes have equal ranks."""
        keys = np.zeros(self._codes.size, dtype=np.int64)
        for step in range(self._width):
            keys <<= bits
            inside = np.flatnonzero(self._left > step)
            keys[inside] |= self._codes[inside + step] + 1
        self.order = np.argsort(keys, kind="stable")
        ranks = np.empty(keys.size, dtype=np.int32)
        ranks[self.order] = _starts_of_equals(keys[self.order])
        return ranks

    def _refined(self, width: int) -> NDArray[np.int32] | None:
        """Sort by twice `width` words what is equal in `width`; None when nothing is."""
        ranks = self._ranks[-1]
        sorted_ranks = ranks[self.order]
        alike = sorted_ranks[1:] == sorted_ranks[:-1]
        in_group = np.append(alike, False) | np.insert(alike, 0, False)
        slots = np.flatnonzero(in_group & (self._left[self.order] >= width))
        if slots.size == 0:
            return None
        # A group is here as a whole or not at all, so its members sort into its own slots.
        members = self.order[slots]
        keys = ranks[members].astype(np.int64) * (ranks.size + 1)
        goes_on = np.flatnonzero(self._left[members] > width)
        keys[goes_on] += ranks[members[goes_on] + width] + 1
        sorting = np.argsort(keys, kind="stable")
        self.order[slots] = members[sorting]
        refined = ranks.copy()
        refined[members[sorting]] = slots[_starts_of_equals(keys[sorting])]
        return refined

    def nearest(
        self, wanted: NDArray[np.bool_], part: slice
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Find for each suffix of `part` the wanted one that begins most like it.

        It stands next to it in sorted order, before or after. Ties take the one before.

        Args:
            wanted: Which of the sorted suffixes count, shape `(W,)`.
            part: The suffixes that ask, P of them.

        Returns:
            Words in common with it, and its place, both of shape `(P,)`.
        """
        places = np.arange(self._codes.size)[part]
        lengths = np.zeros(places.size, dtype=np.int32)
        found = np.zeros(places.size, dtype=np.int32)
        slots = np.arange(wanted.size, dtype=np.int32)
        before = np.maximum.accumulate(np.where(wanted, slots, -1))
        after = np.minimum.accumulate(np.where(wanted, slots, wanted.size)[::-1])[::-1]
        for neighbours in (before, after):
            of_place = np.empty_like(neighbours)
            of_place[self.order] = neighbours
            slot = of_place[part]
            exists = np.flatnonzero((slot >= 0) & (slot < wanted.size))
            others = self.order[slot[exists]]
            common = self._common(places[exists], others)
            longer = common > lengths[exists]
            lengths[exists[longer]] = common[longer]
            found[exists[longer]] = others[longer]
        return lengths, found

    def _common(self, own: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count the first words that pairs of suffixes have in common, shape `(P,)`."""
        limit = np.minimum(self._left[own], self._left[others])
        common = np.zeros(own.size, dtype=np.int64)
        # Most pairs part within the first words: only those equal at one level see the next.
        equals = [np.arange(own.size)]
        for rank in self._ranks:
            pairs = equals[-1]
            equals.append(pairs[rank[own[pairs]] == rank[others[pairs]]])
        for level in reversed(range(len(self._ranks))):
            rank, pairs = self._ranks[level], equals[level + 1]
            pairs = pairs[common[pairs] < limit[pairs]]
            at = common[pairs]
            equal = rank[own[pairs] + at] == rank[others[pairs] + at]
            common[pairs[equal]] += self._width << level
        pairs = np.flatnonzero(common < limit)
        while pairs.size:
            at = common[pairs]
            pairs = pairs[self._codes[own[pairs] + at] == self._codes[others[pairs] + at]]
            common[pairs] += 1
            pairs = pairs[common[pairs] < limit[pairs]]
        # Equal ranks may count the ends of two texts, which are no words.
        return np.minimum(common, limit)


def _longest(
    words: WordCodes,
    others: WordCodes,
    lengths: NDArray[np.int32],
    found: NDArray[np.int32],
    *,
    shift: int,
) -> Passages:
    """Take of each text the first of its longest runs.

    Args:
        words: Words of the texts, W in all.
        others: Words of the other corpus.
        lengths: Length of the run that begins at each word, shape `(W,)`.
        found: Where it stands in the other corpus, shape `(W,)`.
        shift: What to add to `found` to number the words of the other corpus from 0.
    """
    result = _none(len(words))
    texts = np.flatnonzero(words.lengths)
    size = words.codes.size
    # The longest first, and of equals the earliest.
    keys = lengths.astype(np.int64) * (size + 1) + (size - np.arange(size))
    best = size - np.maximum.reduceat(keys, words.offsets[texts]) % (size + 1)
    shares = lengths[best] > 0
    texts, best = texts[shares], best[shares]
    other_words = found[best].astype(np.int64) + shift
    other_texts = np.searchsorted(others.offsets, other_words, side="right") - 1
    result.lengths[texts] = lengths[best]
    result.starts[texts] = best - words.offsets[texts]
    result.others[texts] = other_texts
    result.other_starts[texts] = other_words - others.offsets[other_texts]
    return result


def _keep_longer(kept: Passages, further: Passages, begin: int) -> None:
    """Take over the runs that are longer in a portion that begins at text `begin`."""
    longer = further.lengths > kept.lengths
    kept.lengths[longer] = further.lengths[longer]
    kept.starts[longer] = further.starts[longer]
    kept.others[longer] = further.others[longer] + begin
    kept.other_starts[longer] = further.other_starts[longer]


def _joined(parts: Sequence[Passages]) -> Passages:
    return Passages(
        lengths=np.concatenate([part.lengths for part in parts]),
        starts=np.concatenate([part.starts for part in parts]),
        others=np.concatenate([part.others for part in parts]),
        other_starts=np.concatenate([part.other_starts for part in parts]),
    )


def _none(num_texts: int) -> Passages:
    zeros = np.zeros((3, num_texts), dtype=np.int64)
    return Passages(zeros[0], zeros[1], np.full(num_texts, -1, dtype=np.int64), zeros[2])


def _starts_of_equals(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each of the sorted values the place of the first that equals it, from 0."""
    firsts = np.insert(ordered[1:] != ordered[:-1], 0, True)
    places: NDArray[np.int64] = np.maximum.accumulate(np.where(firsts, np.arange(firsts.size), 0))
    return places
