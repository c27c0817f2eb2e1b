"""What an operator may edit: grapheme clusters and words, found in a whole batch at once."""

from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from tasks.noise.buffers import Ints, TextBuffer
from tasks.planning.streams import U64, uniforms

_CLUSTER = regex.compile(r"\X")
# Below the first combining mark, the only cluster of more than one code point is CR LF (Unicode
# annex 29).
_FIRST_COMBINING = 0x300
_CR, _LF = 0x0D, 0x0A


@dataclass(frozen=True, slots=True)
class Units:
    """Disjoint stretches of a `TextBuffer`, in the order in which they stand there.

    Args:
        owners: Number of the text in which each unit stands, shape `(U,)`.
        starts: First code point of each unit, counted in the buffer, shape `(U,)`.
        ends: One past its last code point, shape `(U,)`.
        indices: How many units of the same text stand before it, shape `(U,)`.
    """

    owners: Ints
    starts: Ints
    ends: Ints
    indices: Ints

    def __len__(self) -> int:
        """Return the number of units."""
        return int(self.starts.size)

    def draws(self, keys: U64) -> NDArray[np.float64]:
        """Draw a number in (0, 1) for each unit: a function of its index and its text's key alone.

        Args:
            keys: One key a text, shape `(N,)`.
        """
        return uniforms(keys[self.owners], self.indices)


def find_clusters(buffer: TextBuffer) -> Units:
    """Find the extended grapheme clusters: what a reader takes for one character.

    A letter with its combining marks, a flag, an emoji joined of several, and CR LF are one cluster
    each.

    References:
        Unicode Standard Annex 29, text segmentation. https://unicode.org/reports/tr29/
    """
    is_start = np.ones(buffer.code_points.size, dtype=np.bool_)
    is_start[1:] = (buffer.code_points[1:] != _LF) | (buffer.code_points[:-1] != _CR)
    is_start[buffer.offsets[:-1][np.diff(buffer.offsets) > 0]] = True
    owners = buffer.owners
    for number in np.unique(owners[buffer.code_points >= _FIRST_COMBINING]).tolist():
        first, last = buffer.offsets[number : number + 2].tolist()
        is_start[first:last] = False
        is_start[[first + m.start() for m in _CLUSTER.finditer(buffer.texts[number])]] = True
    starts = np.flatnonzero(is_start)
    ends = np.append(starts[1:], buffer.code_points.size)[: starts.size]
    return _number(owners[starts], starts, ends)


def find_spaces(buffer: TextBuffer, clusters: Units) -> NDArray[np.bool_]:
    """Tell which clusters are white space through and through, shape `(U,)`.

    A space that carries a combining mark is not.
    """
    is_ink = np.concatenate(([0], np.cumsum(~buffer.is_space)))
    return np.asarray(is_ink[clusters.ends] == is_ink[clusters.starts])


def find_words(buffer: TextBuffer) -> Units:
    """Find the words: the longest runs of clusters that are not white space."""
    clusters = find_clusters(buffer)
    is_word = ~find_spaces(buffer, clusters)
    is_first = np.append(True, clusters.owners[1:] != clusters.owners[:-1])[: len(clusters)]
    after_word = np.append(False, is_word[:-1])[: len(clusters)] & ~is_first
    before_word = np.append(is_word[1:] & ~is_first[1:], False)[: len(clusters)]
    firsts = np.flatnonzero(is_word & ~after_word)
    lasts = np.flatnonzero(is_word & ~before_word)
    return _number(clusters.owners[firsts], clusters.starts[firsts], clusters.ends[lasts])


def spare_one(
    units: Units,
    edited: NDArray[np.bool_],
    draws: NDArray[np.float64],
    *,
    counted: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Keep each text from losing all of its counted units.

    Where every counted unit of a text is to go, the one with the greatest draw stays. A text
    without any counted unit loses nothing.

    Args:
        units: What may be deleted.
        edited: Which of them are to go, shape `(U,)`.
        draws: The draws that decided it, shape `(U,)`.
        counted: Which of them make a text more than empty, shape `(U,)`.

    Returns:
        A new mask, shape `(U,)`.
    """
    num_texts = int(units.owners[-1]) + 1 if len(units) else 0
    has_counted = np.bincount(units.owners[counted], minlength=num_texts) > 0
    has_kept = np.bincount(units.owners[counted & ~edited], minlength=num_texts) > 0
    spared = edited & has_counted[units.owners]
    doomed = np.flatnonzero(counted & spared & ~has_kept[units.owners])
    by_text_and_draw = doomed[np.lexsort((draws[doomed], units.owners[doomed]))]
    owners = units.owners[by_text_and_draw]
    is_greatest = np.append(owners[1:] != owners[:-1], True)[: owners.size]
    spared[by_text_and_draw[is_greatest]] = False
    return spared


def _number(owners: Ints, starts: Ints, ends: Ints) -> Units:
    firsts = np.searchsorted(owners, owners, side="left")
    return Units(owners, starts, ends, np.arange(owners.size) - firsts)
