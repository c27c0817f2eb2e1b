"""Texts by the keys that they share, in memory: pairs of texts that may be alike."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

MOST_PAIRS = 1 << 21
"""Pairs of texts, those that share several keys counted as often, that are looked at at once."""

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Later and earlier places, both of shape `(M,)`."""


class Buckets:
    """N texts, of which some were added; finds those that share a key with a text.

    Keys that a single text has are forgotten at once, in most corpora nearly all. The rest take 12
    bytes each and 4 bytes a key of every text.

    Args:
        keys: Keys of all N texts, shape `(N, K)`.
    """

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        flat = keys.ravel()
        order = np.argsort(flat)
        ordered = flat[order]
        same = ordered[1:] == ordered[:-1]
        shared = np.append(same, False)
        shared[1:] |= same
        first = np.append(True, ~same)[: flat.size] & shared[: flat.size]
        shared = shared[: flat.size]
        codes = np.full(flat.size, -1, dtype=np.int32)
        codes[order[shared]] = (np.cumsum(first) - 1)[shared]
        self._codes = codes.reshape(keys.shape)
        """Number of each key among the shared ones; -1 for a key that one text alone has."""
        self._starts = np.flatnonzero(first[shared])
        self._sizes = np.zeros(len(self._starts), dtype=np.int64)
        self._members = np.empty(int(shared.sum()), dtype=np.int32)

    def add(self, places: NDArray[np.int64]) -> None:
        """Add texts, each once, after all texts with lower places."""
        codes, members = self._entries(places)
        order = np.argsort(codes, kind="stable")
        codes = codes[order]
        before = ranks(codes)
        self._members[self._starts[codes] + self._sizes[codes] + before] = members[order]
        np.add.at(self._sizes, codes, 1)

    def pairs(self, places: NDArray[np.int64]) -> Iterator[Pairs]:
        """Yield each of some texts with the added texts that share a key, some at a time.

        A pair may come in several portions, in one it comes once.
        """
        codes, members = self._entries(places)
        yield from _expanded(members, self._members, self._starts[codes], self._sizes[codes])

    def pairs_among(self, places: NDArray[np.int64]) -> Iterator[Pairs]:
        """Yield pairs of these texts, in ascending order, that share a key: as `pairs` does."""
        codes, members = self._entries(places)
        order = np.argsort(codes, kind="stable")
        codes, members = codes[order], members[order]
        before = ranks(codes)
        yield from _expanded(members, members, np.arange(len(codes)) - before, before)

    def _entries(self, places: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        codes = self._codes[places]
        rows, columns = np.nonzero(codes >= 0)
        return codes[rows, columns], places[rows]


def ranks(codes: NDArray[np.int32] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many equal codes stand before each of some ascending codes."""
    is_first = np.append(True, codes[1:] != codes[:-1])[: len(codes)]
    places = np.arange(len(codes))
    return places - np.maximum.accumulate(np.where(is_first, places, 0))


def _expanded(
    owners: NDArray[np.int64],
    members: NDArray[np.int64] | NDArray[np.int32],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
) -> Iterator[Pairs]:
    """Pair each owner with `sizes` members from its start on."""
    portions = np.cumsum(sizes) // MOST_PAIRS
    for part in np.split(np.arange(len(owners)), np.flatnonzero(np.diff(portions)) + 1):
        counts = sizes[part]
        if not counts.any():
            continue
        entries = np.repeat(np.arange(len(part)), counts)
        within = np.arange(len(entries)) - (np.cumsum(counts) - counts)[entries]
        yield distinct_pairs(owners[part][entries], members[starts[part][entries] + within])


def distinct_pairs(
    later: NDArray[np.int64], earlier: NDArray[np.int64] | NDArray[np.int32]
) -> Pairs:
    """Leave out pairs that come again; numbers are below 2^32."""
    codes = later.astype(np.uint64) << np.uint64(32) | earlier.astype(np.uint64)
    codes.sort()
    codes = codes[np.append(True, codes[1:] != codes[:-1])[: len(codes)]]
    return (codes >> np.uint64(32)).view(np.int64), (codes & np.uint64(0xFFFFFFFF)).view(np.int64)
