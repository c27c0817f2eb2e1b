"""Groups of near duplicates, so that a split keeps each of them on one side."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tasks.quality.fingerprints import normalise_text
from tasks.quality.near_duplicates import NearDuplicateIndex, sketch_texts


def near_duplicate_clusters(texts: Iterable[str], threshold: float) -> NDArray[np.int64]:
    """Group the rows that a chain of near duplicates or copies connects.

    Args:
        texts: Clean texts, N of them.
        threshold: Least Jaccard similarity of character 5-grams of a link, 0 to 1.

    Returns:
        For each row the number of the first row of its group, shape `(N,)`: its own when it is
        alone.
    """
    index = NearDuplicateIndex(threshold=threshold)
    forest = _Forest()
    keys: dict[str, int] = {}
    keys_of_rows: list[int] = []
    first_rows: list[int] = []
    for row, sketch in enumerate(sketch_texts(map(normalise_text, texts))):
        if sketch.normal not in keys:
            key = forest.add()
            for other in index.candidates(sketch):
                # A link inside one group changes nothing, so large groups cost no comparisons.
                if not forest.are_joined(key, other) and index.matches(sketch, other):
                    forest.join(key, other)
            keys[sketch.normal] = index.insert(sketch)
            first_rows.append(row)
        keys_of_rows.append(keys[sketch.normal])
    roots = [first_rows[forest.root(key)] for key in keys_of_rows]
    return np.array(roots, dtype=np.int64)


class _Forest:
    """Disjoint sets of the numbers from 0; the least of a set is its root.

    References:
        Tarjan and van Leeuwen, JACM 1984 (path halving). https://doi.org/10.1145/62.2160
    """

    def __init__(self) -> None:
        self._parents: list[int] = []

    def add(self) -> int:
        """Add the next number, alone in its set, and return it."""
        self._parents.append(len(self._parents))
        return self._parents[-1]

    def root(self, member: int) -> int:
        """Return the least number of a set."""
        parents = self._parents
        while parents[member] != member:
            parents[member] = member = parents[parents[member]]
        return member

    def are_joined(self, first: int, second: int) -> bool:
        """Tell whether two numbers are in one set."""
        return self.root(first) == self.root(second)

    def join(self, first: int, second: int) -> None:
        """Make one set of two."""
        least, other = sorted((self.root(first), self.root(second)))
        self._parents[other] = least
