"""What an operator may edit: grapheme clusters and words, found in a whole batch at once."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import regex

from tasks.noise.batch import TextBatch
from tasks.noise.strings import Ints, Mask

_CLUSTER = regex.compile(r"\X")
# Below the first combining mark, the only cluster of more than one code point is CR LF.
_FIRST_COMBINING = 0x300
_CR, _LF = 0x0D, 0x0A
# No cluster of more than one code point lacks all of these, CR LF apart (Unicode annex 29, GB3 to
# GB13); a Hangul syllable joins only such a vowel or consonant.
_JOINING = (
    r"[\p{GCB=EX}\p{GCB=ZWJ}\p{GCB=SM}\p{GCB=PP}\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=RI}"
    r"\p{InCB=Linker}]"
)


@dataclass(frozen=True, slots=True)
class Units:
    """U disjoint stretches of a `TextBatch`, in the order in which they stand there.

    Args:
        starts: First code point of each unit, counted in the batch, shape `(U,)`.
        ends: One past its last code point, shape `(U,)`.
        offsets: Units of text i are those from `offsets[i]` to `offsets[i + 1]`, shape `(N + 1,)`.
    """

    starts: Ints
    ends: Ints
    offsets: Ints

    def __len__(self) -> int:
        """Return the number of units."""
        return int(self.starts.size)

    def rows_of(self, picked: Ints) -> Ints:
        """Number of the text of each picked unit, shape `(E,)`."""
        return np.searchsorted(self.offsets, picked, side="right") - 1


def find_clusters(batch: TextBatch) -> Units:
    """Find the extended grapheme clusters: what a reader takes for one character.

    A letter with its combining marks, a flag, an emoji joined of several, and CR LF are one cluster
    each. They tile the texts.

    References:
        Unicode Standard Annex 29, text segmentation. https://unicode.org/reports/tr29/
    """
    is_start = _cluster_starts(batch)
    if is_start is None:
        bounds = np.arange(batch.code_points.size + 1)
        return Units(bounds[:-1], bounds[1:], batch.offsets)
    return _tiles(batch, is_start)


def find_ink(batch: TextBatch, clusters: Units) -> Mask:
    """Tell which clusters are more than white space, shape `(U,)`.

    A space that carries a combining mark is more.
    """
    if len(clusters) == batch.code_points.size:
        return ~batch.is_space
    return np.logical_or.reduceat(~batch.is_space, clusters.starts)


def find_words(batch: TextBatch) -> Units:
    """Find the words: the longest runs of clusters that are not white space."""
    is_ink = ~batch.is_space
    is_start = _cluster_starts(batch)
    if is_start is not None:
        clusters = _tiles(batch, is_start)
        is_ink = np.repeat(find_ink(batch, clusters), clusters.ends - clusters.starts)
    is_first, is_last = is_ink.copy(), is_ink.copy()
    is_first[1:] &= ~is_ink[:-1]
    is_last[:-1] &= ~is_ink[1:]
    # Words of two texts that meet at the seam are two.
    begins = batch.offsets[:-1][batch.strings.lengths > 0]
    is_first[begins] = is_ink[begins]
    is_last[begins - 1] = is_ink[begins - 1]
    starts = np.flatnonzero(is_first)
    return Units(starts, np.flatnonzero(is_last) + 1, np.searchsorted(starts, batch.offsets))


def _tiles(batch: TextBatch, is_start: Mask) -> Units:
    bounds = np.append(np.flatnonzero(is_start), is_start.size)
    return Units(bounds[:-1], bounds[1:], np.searchsorted(bounds, batch.offsets))


def _cluster_starts(batch: TextBatch) -> Mask | None:
    """Tell which code points begin a cluster, shape `(C,)`; None where every one does."""
    codes, offsets = batch.code_points, batch.offsets
    if not codes.size:
        return None
    returns = np.flatnonzero(codes[:-1] == _CR)
    feeds = returns[codes[returns + 1] == _LF] + 1
    feeds = feeds[offsets[batch.rows_of(feeds)] < feeds]
    joining = np.empty(0, np.int64)
    if codes.max() >= _FIRST_COMBINING:
        joining = np.flatnonzero(_joins().take(codes))
    if not feeds.size and not joining.size:
        return None
    is_start = np.ones(codes.size, np.bool_)
    is_start[feeds] = False
    for row in np.unique(batch.rows_of(joining)).tolist():
        first, last = offsets[row : row + 2].tolist()
        text = codes[first:last].tobytes().decode("utf-32-le")
        is_start[first:last] = False
        is_start[[first + match.start() for match in _CLUSTER.finditer(text)]] = True
    return is_start


@cache
def _joins() -> Mask:
    """Return a table of all code points: which of them may join a neighbour."""
    table = np.zeros(0x110000, np.bool_)
    surrogates = range(0xD800, 0xE000)
    every = "".join(chr(code) for code in range(table.size) if code not in surrogates)
    table[[ord(char) for char in regex.findall(_JOINING, every)]] = True
    return table
