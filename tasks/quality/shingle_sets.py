"""The character 5-grams of many texts as sets of hashes, in one array."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.quality.similarity import SHINGLE_LENGTH

HASH_BITS = 44
BITMAP_BITS = 512
_MOST_TEXTS = 1 << (64 - HASH_BITS)
_HASH_MASK = np.uint64((1 << HASH_BITS) - 1)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


@dataclass(frozen=True, slots=True)
class ShingleSets:
    """The shingles (`shingles_of_normal`) of N texts, one set after the other.

    Args:
        hashes: 44-bit hashes, ascending and distinct within a text, shape `(S,)`. Two shingles of a
            pair of texts with m shingles together share one with probability below m^2 / 2^45:
            1.5e-10 for two texts of 40 characters.
        offsets: Where each text's set begins, and `S` at the end, shape `(N + 1,)`.
    """

    hashes: NDArray[np.uint64]
    offsets: NDArray[np.int64]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Distinct shingles of each text, at least 1, shape `(N,)`."""
        return np.diff(self.offsets)

    def rows(self, texts: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Return the hashes of some texts, and for each the place of its text in `texts`."""
        sizes = self.sizes[texts]
        owners = np.repeat(np.arange(len(texts)), sizes)
        within = np.arange(len(owners)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return self.hashes[self.offsets[texts][owners] + within], owners


def parity_bitmaps(sets: ShingleSets) -> NDArray[np.uint64]:
    """Return the parity of the shingles that fall on each of `BITMAP_BITS` bits, shape `(N, 8)`.

    References:
        Sandes, Teodoro and Melo, Bitmap filter, 2017. https://arxiv.org/abs/1711.07295
    """
    num_texts = len(sets.sizes)
    bits = (sets.hashes % np.uint64(BITMAP_BITS)).view(np.int64)
    places = np.repeat(np.arange(num_texts) * BITMAP_BITS, sets.sizes) + bits
    counts = np.bincount(places, minlength=num_texts * BITMAP_BITS)
    odd = (counts & 1).astype(np.uint8).reshape(num_texts, BITMAP_BITS)
    return np.packbits(odd, axis=1).view(np.uint64)


def hash_shingles(normals: Sequence[str]) -> ShingleSets:
    """Hash the shingles of at most 2^20 normalised texts.

    Takes about 100 bytes a character while it runs: cut a corpus into blocks (`blocks_of`).
    """
    if len(normals) > _MOST_TEXTS:
        raise ValueError(f"{len(normals)} texts, more than {_MOST_TEXTS}")
    lengths = np.fromiter(map(len, normals), dtype=np.int64, count=len(normals))
    # No normalised text holds a null: a text shorter than a shingle is one with nulls at its end.
    padding = "\0" * SHINGLE_LENGTH
    joined = padding.join(normals) + padding
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    beginnings = np.cumsum(lengths + SHINGLE_LENGTH) - (lengths + SHINGLE_LENGTH)
    counts = np.maximum(lengths - SHINGLE_LENGTH + 1, 1)
    owners = np.repeat(np.arange(len(normals)), counts)
    starts = np.arange(len(owners)) + (beginnings - (np.cumsum(counts) - counts))[owners]
    keys = owners.astype(np.uint64) << np.uint64(HASH_BITS) | _hashes(codes, starts)
    keys.sort()
    keys = keys[np.append(True, keys[1:] != keys[:-1])[: len(keys)]]
    sizes = np.bincount((keys >> np.uint64(HASH_BITS)).view(np.int64), minlength=len(normals))
    return ShingleSets(keys & _HASH_MASK, np.append(0, np.cumsum(sizes)))


def similarities(
    sets: ShingleSets, lefts: NDArray[np.int64], rights: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the Jaccard similarity of pairs of texts, shape `(M,)`, at most 2^20 of them."""
    left_hashes, left_pairs = sets.rows(lefts)
    right_hashes, right_pairs = sets.rows(rights)
    pairs = np.concatenate([left_pairs, right_pairs]).astype(np.uint64)
    keys = pairs << np.uint64(HASH_BITS) | np.concatenate([left_hashes, right_hashes])
    keys.sort()
    shared_keys = keys[1:][keys[1:] == keys[:-1]]
    owners = (shared_keys >> np.uint64(HASH_BITS)).view(np.int64)
    num_shared = np.bincount(owners, minlength=len(lefts))
    return np.asarray(num_shared / (sets.sizes[lefts] + sets.sizes[rights] - num_shared))


def blocks_of(normals: Sequence[str], *, characters: int) -> Iterator[tuple[int, Sequence[str]]]:
    """Cut texts into runs of about `characters` characters, each with the place of its first."""
    first = size = 0
    for place, normal in enumerate(normals):
        size += len(normal) + SHINGLE_LENGTH
        if size >= characters:
            yield first, normals[first : place + 1]
            first, size = place + 1, 0
    if first < len(normals):
        yield first, normals[first:]


def _hashes(codes: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash the 5 code points from each start: a polynomial, mixed as in SplitMix64."""
    mixed = np.zeros(len(starts), dtype=np.uint64)
    for step in range(SHINGLE_LENGTH):
        mixed *= _MULTIPLIER
        mixed += codes[starts + step]
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MIX
    return mixed >> np.uint64(64 - HASH_BITS)
