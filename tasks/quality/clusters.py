"""Groups of near duplicates, so that a split keeps each of them on one side."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.quality.disjoint_sets import DisjointSets
from tasks.quality.fingerprints import normalise_text
from tasks.quality.near_duplicates import Matches, NearDuplicateIndex


def near_duplicate_clusters(
    texts: Iterable[str], threshold: float, *, folder: Path | None = None
) -> NDArray[np.int64]:
    """Group the rows that a chain of near duplicates or copies connects.

    Args:
        texts: Clean texts, N of them.
        threshold: Least Jaccard similarity of character 5-grams of a link, 0 to 1.
        folder: Where to keep texts on disk meanwhile.

    Returns:
        For each row the number of the first row of its group, shape `(N,)`: its own when it is
        alone.
    """
    index = NearDuplicateIndex(threshold=threshold, folder=folder)
    groups = _Groups()
    rest = (normalise_text(text) for text in texts)
    while block := list(islice(rest, index.block)):
        groups.begin(len(index), len(block))
        index.search(block, [""] * len(block), groups)
    return groups.roots(len(index))


class _Groups:
    """Joins what matches; keeps every row that is no copy."""

    def __init__(self) -> None:
        self._sets = DisjointSets(0)
        self._room = 0

    def begin(self, first: int, num_rows: int) -> None:
        """Make room for the rows of one block."""
        self._first = first
        self._copies = np.zeros(num_rows, dtype=np.bool_)
        if first + num_rows > self._room:
            # Doubled, so that all the moving together costs as much as the rows.
            self._room = max(first + num_rows, 2 * self._room)
            wider = DisjointSets(self._room)
            members = np.arange(first)
            wider.join(members, self._sets.roots(members))
            self._sets = wider

    def roots(self, num_rows: int) -> NDArray[np.int64]:
        """Return the least row of each row's group."""
        return self._sets.roots(np.arange(num_rows))

    def worth(self, later: NDArray[np.int64], earlier: NDArray[np.int64]) -> NDArray[np.bool_]:
        # A link inside one group changes nothing, so large groups cost few comparisons.
        return np.asarray(self._sets.roots(later) != self._sets.roots(earlier))

    def found(self, matches: Matches) -> None:
        self._sets.join(matches.later, matches.earlier)
        self._copies[matches.later[matches.copies] - self._first] = True

    def keep(self, rows: range) -> NDArray[np.bool_]:
        return np.asarray(~self._copies[rows.start - self._first : rows.stop - self._first])
