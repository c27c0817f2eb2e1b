"""Sketches of texts: what alike texts are found by without comparing every pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, log1p
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tasks.quality.shingle_sets import (
    BITMAP_BITS,
    HASH_BITS,
    ShingleSets,
    blocks_of,
    hash_shingles,
    parity_bitmaps,
)
from tasks.quality.threads import in_threads

LEAST_RECALL = 0.9999
"""Least probability that a pair exactly at the threshold shares a key."""
MOST_KEYS = 36
MOST_PERMUTATIONS = 256
_SEED = 1
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_BLOCK_CHARACTERS = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Sketches:
    """Sketches of N normalised texts; each is a function of its text alone.

    Args:
        keys: Hashes of MinHash values; texts that share none are not compared, shape `(N, K)`.
        bitmaps: Parity of the shingles that fall on each of 512 bits, shape `(N, 8)`.
        sizes: Distinct shingles of each text, shape `(N,)`.
    """

    keys: NDArray[np.uint64]
    bitmaps: NDArray[np.uint64]
    sizes: NDArray[np.int32]

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.sizes)

    def take(self, places: NDArray[np.int64]) -> Self:
        """Return the sketches of some texts."""
        return type(self)(self.keys[places], self.bitmaps[places], self.sizes[places])

    def followed_by(self, other: Self) -> Self:
        """Return these sketches and those of `other` after them."""
        return type(self)(
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.bitmaps, other.bitmaps]),
            np.concatenate([self.sizes, other.sizes]),
        )


def plan_keys(threshold: float) -> tuple[int, int]:
    """Return how many keys a text has and how many MinHash values make one.

    Texts of similarity s share one of k keys of r values with probability 1 - (1 - s^r)^k. Longer
    keys are shared by fewer texts that are not alike, shorter ones need fewer keys; the longest
    that need at most `MOST_KEYS` are taken. Below a threshold of 0.04 recall is less.

    Raises:
        ValueError: If `threshold` lies outside [0, 1].

    References:
        Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4. http://www.mmds.org
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}, not between 0 and 1")
    if threshold == 1:
        return 1, 8
    best = (MOST_PERMUTATIONS, 1)
    for width in range(1, MOST_PERMUTATIONS):
        # Below this, a width of one value would need more keys than there are permutations.
        share = max(threshold, 1 / MOST_PERMUTATIONS) ** width
        num_keys = ceil(log(1 - LEAST_RECALL) / log1p(-share))
        if num_keys * width > MOST_PERMUTATIONS or (width > 1 and num_keys > MOST_KEYS):
            break
        best = (num_keys, width)
    return best


def sketch_texts(normals: Sequence[str], *, threshold: float) -> Sketches:
    """Sketch normalised texts for finding pairs of at least this similarity."""
    num_keys, width = plan_keys(threshold)
    random = np.random.default_rng(_SEED)
    factors, masks = random.integers(0, 1 << 32, (2, num_keys, width), dtype=np.uint32)
    # An odd factor permutes the numbers below 2^32.
    factors |= np.uint32(1)
    result = Sketches(
        np.empty((len(normals), num_keys), dtype=np.uint64),
        np.empty((len(normals), BITMAP_BITS // 64), dtype=np.uint64),
        np.empty(len(normals), dtype=np.int32),
    )

    def fill(run: tuple[int, Sequence[str]]) -> None:
        first, block = run
        sets = hash_shingles(block)
        part = slice(first, first + len(block))
        result.keys[part] = _keys(sets, factors, masks)
        result.bitmaps[part] = parity_bitmaps(sets)
        result.sizes[part] = sets.sizes

    in_threads(fill, blocks_of(normals, characters=_BLOCK_CHARACTERS))
    return result


def may_match(
    lefts: Sketches,
    rights: Sketches,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    *,
    threshold: float,
) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Rule out pairs of texts that cannot reach a Jaccard similarity.

    Shingles that both texts hold cancel out of the two parities, so at least as many shingles are
    in one text alone as bits differ: with k of them the similarity is at most
    (a + b - k) / (a + b + k) for sets of sizes a and b. No pair that reaches it is ruled out.

    Args:
        lefts: Sketches of the first texts.
        rights: Sketches of the second ones.
        pairs: Places in `lefts` and in `rights`, both of shape `(M,)`.
        threshold: Least similarity.

    Returns:
        Whether each pair may match, shape `(M,)`, and for those that may the shingles that at least
        are in one text alone.

    References:
        Sandes, Teodoro and Melo, Bitmap filter, 2017. https://arxiv.org/abs/1711.07295
    """
    own, other = lefts.sizes[pairs[0]], rights.sizes[pairs[1]]
    both = own + other
    may = _near(both, np.abs(own - other), threshold)
    left, right = pairs[0][may], pairs[1][may]
    unequal = lefts.bitmaps[left] ^ rights.bitmaps[right]
    alone = np.maximum(
        np.bitwise_count(unequal).sum(axis=1, dtype=np.int32), np.abs(own - other)[may]
    )
    near = _near(both[may], alone, threshold)
    may[may] = near
    return may, alone[near]


def _near(both: NDArray[np.int32], alone: NDArray[np.int32], threshold: float) -> NDArray[np.bool_]:
    return np.asarray(both - alone >= threshold * (both + alone) - 1e-9)


def _keys(
    sets: ShingleSets, factors: NDArray[np.uint32], masks: NDArray[np.uint32]
) -> NDArray[np.uint64]:
    """Hash the least values under the permutations of each key, both of shape `(K, width)`."""
    hashes = (sets.hashes >> np.uint64(HASH_BITS - 32)).astype(np.uint32)
    permuted = np.empty_like(hashes)
    starts = sets.offsets[:-1]
    keys = np.empty((len(starts), len(factors)), dtype=np.uint64)
    for place, permutations in enumerate(zip(factors, masks, strict=True)):
        key = np.full(len(starts), place + 1, dtype=np.uint64)
        for factor, mask in zip(*permutations, strict=True):
            np.bitwise_xor(hashes, mask, out=permuted)
            np.multiply(permuted, factor, out=permuted)
            key = key * _MULTIPLIER + np.minimum.reduceat(permuted, starts)
            key ^= key >> np.uint64(32)
        keys[:, place] = key * _MIX
    return keys
