"""Disjoint sets of the numbers below N, joined and looked up many at a time."""

import numpy as np
from numpy.typing import NDArray


class DisjointSets:
    """A partition that only grows coarser; the least number of a set is its root."""

    def __init__(self, size: int) -> None:
        """Put each number below `size` in a set of its own."""
        self._parents = np.arange(size, dtype=np.int64)

    def roots(self, members: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the root of each member's set, in the shape of `members`."""
        found = self._parents[members]
        while not np.array_equal(above := self._parents[found], found):
            found = above
        # The next look-up takes one step.
        self._parents[members] = found
        return found

    def join(self, firsts: NDArray[np.int64], seconds: NDArray[np.int64]) -> None:
        """Make one set of the sets of each pair, both of shape `(M,)`."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        ends = np.concatenate([self.roots(firsts), self.roots(seconds)])
        nodes, places = np.unique(ends, return_inverse=True)
        lefts, rights = np.split(places, 2)
        shape = (len(nodes), len(nodes))
        graph = coo_array((np.ones(len(lefts), dtype=np.bool_), (lefts, rights)), shape=shape)
        components = connected_components(graph, directed=False)[1]
        # `nodes` ascends, so the first of a component is its least.
        _, least = np.unique(components, return_index=True)
        self._parents[nodes] = nodes[least[components]]
