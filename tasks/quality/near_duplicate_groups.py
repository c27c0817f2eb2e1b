"""Near duplicates of a whole corpus: MinHash bands as arrays, candidates checked exactly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log, log1p

import numpy as np
from numpy.typing import NDArray

from tasks.quality.disjoint_sets import DisjointSets
from tasks.quality.duplicate_groups import RowGroups, group_codes
from tasks.quality.shingle_sets import (
    BITMAP_BITS,
    HASH_BITS,
    ShingleSets,
    blocks_of,
    hash_shingles,
    parity_bitmaps,
    similarities,
)
from tasks.quality.threads import in_threads

MOST_PERMUTATIONS = 128
LEAST_RECALL = 0.999
"""Least probability that a pair exactly at the threshold meets in a band."""
WINDOW = 16
"""Texts after it in a bucket that a text is compared with."""
_SEED = 5
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_BLOCK_CHARACTERS = 1 << 16
_PORTION_CHARACTERS = 1 << 20
_GATHERED = 1 << 12


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Near duplicates and copies of N rows.

    Args:
        groups: Rows that a chain of near duplicates or copies connects.
        links: Pairs of rows that were checked and connect the groups, the lower row first, shape
            `(L, 2)`; of equal texts only the first row is named. Not every near pair is here: rows
            connected already are not compared again.
        similarities: Jaccard similarity of each link, at least the threshold, shape `(L,)`.
    """

    groups: RowGroups
    links: NDArray[np.int64]
    similarities: NDArray[np.float64]


def group_near_duplicates(normals: Sequence[str], *, threshold: float) -> NearDuplicates:
    """Group rows by chains of texts whose sets of character 5-grams have a high Jaccard similarity.

    Every link is checked exactly, none is false (but for hashes, see `ShingleSets`). A pair of
    similarity s meets in one of b bands of r MinHash values with probability 1 - (1 - s^r)^b: at
    0.8 with b = 18 and r = 5 that is 0.999, and 1 - 1e-7 for pairs of 0.9. In a bucket of more
    than 17 texts, which templates fill, a text is compared with the 16 that follow it in the order
    of the next band, so that texts alike in two bands stand side by side: cost grows with the rows
    and not with their square, and chains through neighbours still connect most of what is alike.
    Of 20,000 sentences of one template with five slots, 640 of the 650 repeats were found. The
    result does not depend on the order of the rows.

    A text takes about 300 bytes beside itself while this runs.

    Args:
        normals: Normalised texts (`normalise_text`), N of them.
        threshold: Least similarity of a link, 0.1 to 1.

    Raises:
        ValueError: If `threshold` lies outside [0.1, 1].

    References:
        Broder, SEQUENCES 1997. https://doi.org/10.1109/SEQUEN.1997.666900
        Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4. http://www.mmds.org
        Sandes, Teodoro and Melo, Bitmap filter, 2017. https://arxiv.org/abs/1711.07295
    """
    # In the order of the alphabet ties fall the same way whatever the order of the rows.
    texts = sorted(set(normals))
    code_of = {text: code for code, text in enumerate(texts)}
    codes = np.fromiter(map(code_of.__getitem__, normals), dtype=np.int64, count=len(normals))
    links, found = _links(texts, threshold)
    sets = DisjointSets(len(texts))
    sets.join(links[:, 0], links[:, 1])
    firsts = np.zeros(len(texts), dtype=np.int64)
    firsts[codes[::-1]] = np.arange(len(normals) - 1, -1, -1)
    return NearDuplicates(
        groups=group_codes(sets.roots(codes)),
        links=np.sort(firsts[links], axis=1),
        similarities=found,
    )


def bands_for(threshold: float) -> tuple[int, int]:
    """Return the number of bands and the values in each: the longest bands that find enough pairs.

    Raises:
        ValueError: If `threshold` lies outside [0.1, 1].
    """
    if not 0.1 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}, not between 0.1 and 1")
    if threshold == 1:
        return 1, MOST_PERMUTATIONS
    plans = []
    for width in range(1, MOST_PERMUTATIONS + 1):
        bands = ceil(log(1 - LEAST_RECALL) / log1p(-(threshold**width)))
        if bands * width <= MOST_PERMUTATIONS:
            plans.append((bands, width))
    return plans[-1]


@dataclass(frozen=True, slots=True)
class _Sketches:
    """What candidates are found by, for N distinct texts.

    Args:
        bands: Hash of each band's values, shape `(bands, N)`.
        bitmaps: Parity of the shingles that fall on each of 512 bits, shape `(N, 8)`.
        sizes: Shingles of each text, shape `(N,)`.
        lengths: Characters of each text, shape `(N,)`.
    """

    bands: NDArray[np.uint32]
    bitmaps: NDArray[np.uint64]
    sizes: NDArray[np.int32]
    lengths: NDArray[np.int64]

    def may_match(
        self,
        order: NDArray[np.int64],
        buckets: NDArray[np.uint32],
        *,
        roots: NDArray[np.int64],
        threshold: float,
    ) -> NDArray[np.bool_]:
        """Rule out neighbours that cannot reach the threshold, or are connected already.

        Shingles that both texts hold cancel out of the two parities, so at least as many shingles
        are in one text alone as bits differ: with k of them the similarity is
        (a + b - k) / (a + b + k) for sets of sizes a and b.

        Args:
            order: Texts, those of one bucket side by side, shape `(M,)`.
            buckets: Bucket of each, shape `(M,)`.
            roots: Equal for texts that are connected, shape `(M,)`.
            threshold: Least similarity; no pair that reaches it is ruled out.

        Returns:
            Whether a text may match the first, second, ... `WINDOW`-th after it, and is of its
            bucket, shape `(WINDOW, M)`.
        """
        likely = np.zeros((WINDOW, len(order)), dtype=np.bool_)
        # A run of texts is gathered once, and stays in the cache for all of its pairs.
        for start in range(0, len(order), _GATHERED):
            run = order[start : start + _GATHERED + WINDOW]
            bitmaps, sizes = self.bitmaps[run], self.sizes[run]
            own = buckets[start : start + _GATHERED + WINDOW]
            connected = roots[start : start + _GATHERED + WINDOW]
            for step in range(1, WINDOW + 1):
                alike = own[step:][:_GATHERED] == own[:-step][:_GATHERED]
                if not alike.any():
                    break
                alike &= connected[step:][:_GATHERED] != connected[:-step][:_GATHERED]
                lefts = np.flatnonzero(alike)
                rights = lefts + step
                unequal = bitmaps[lefts] ^ bitmaps[rights]
                differing = np.bitwise_count(unequal).sum(axis=1, dtype=np.int32)
                alone = np.maximum(differing, np.abs(sizes[lefts] - sizes[rights]))
                both = sizes[lefts] + sizes[rights]
                near = both - alone >= threshold * (both + alone) - 1e-9
                likely[step - 1, start + lefts[near]] = True
        return likely


def _links(texts: Sequence[str], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    sketches = _sketch(texts, threshold)
    sets = DisjointSets(len(texts))
    links, found = [np.zeros((0, 2), dtype=np.int64)], [np.zeros(0)]
    for lefts, rights in _neighbours(sketches, sets, threshold):
        apart = sets.roots(lefts) != sets.roots(rights)
        lefts, rights = lefts[apart], rights[apart]
        values = _similarities(texts, sketches.lengths, lefts, rights)
        near = values >= threshold
        sets.join(lefts[near], rights[near])
        links.append(np.stack([lefts[near], rights[near]], axis=1))
        found.append(values[near])
    return np.concatenate(links), np.concatenate(found)


def _neighbours(
    sketches: _Sketches, sets: DisjointSets, threshold: float
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs that share a band and may match, those that follow each other in it first."""
    num_bands = len(sketches.bands)
    for band in range(num_bands):
        own = sketches.bands[band].astype(np.uint64)
        following = sketches.bands[(band + 1) % num_bands]
        order = np.argsort(own << np.uint64(32) | following, kind="stable")
        buckets = sketches.bands[band][order]
        alike = buckets[1:] == buckets[:-1]
        in_company = np.append(alike, False) | np.append(False, alike)
        order, buckets = order[in_company[: len(order)]], buckets[in_company[: len(order)]]
        likely_pairs = sketches.may_match(
            order, buckets, roots=sets.roots(order), threshold=threshold
        )
        for step, likely in enumerate(likely_pairs, start=1):
            places = np.flatnonzero(likely)
            if places.size:
                yield order[places], order[places + step]


def _similarities(
    texts: Sequence[str],
    lengths: NDArray[np.int64],
    lefts: NDArray[np.int64],
    rights: NDArray[np.int64],
) -> NDArray[np.float64]:
    values = np.zeros(len(lefts))
    portions = np.cumsum(lengths[lefts] + lengths[rights]) // _PORTION_CHARACTERS
    for part in np.split(np.arange(len(lefts)), np.flatnonzero(np.diff(portions)) + 1):
        used, places = np.unique(np.concatenate([lefts[part], rights[part]]), return_inverse=True)
        sets = hash_shingles([texts[place] for place in used.tolist()])
        values[part] = similarities(sets, *np.split(places, 2))
    return values


def _sketch(texts: Sequence[str], threshold: float) -> _Sketches:
    num_bands, width = bands_for(threshold)
    random = np.random.default_rng(_SEED)
    factors, masks = random.integers(0, 1 << 32, (2, num_bands, width), dtype=np.uint32)
    # An odd factor permutes the numbers below 2^32.
    factors |= np.uint32(1)
    result = _Sketches(
        bands=np.empty((num_bands, len(texts)), dtype=np.uint32),
        bitmaps=np.empty((len(texts), BITMAP_BITS // 64), dtype=np.uint64),
        sizes=np.empty(len(texts), dtype=np.int32),
        lengths=np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)),
    )

    def fill(run: tuple[int, Sequence[str]]) -> None:
        first, block = run
        sets = hash_shingles(block)
        part = slice(first, first + len(block))
        result.sizes[part] = sets.sizes
        result.bitmaps[part] = parity_bitmaps(sets)
        result.bands[:, part] = _bands(sets, factors, masks)

    in_threads(fill, blocks_of(texts, characters=_BLOCK_CHARACTERS))
    return result


def _bands(
    sets: ShingleSets, factors: NDArray[np.uint32], masks: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Hash the least values of each band under its permutations; both of shape `(bands, width)`."""
    hashes = (sets.hashes >> np.uint64(HASH_BITS - 32)).astype(np.uint32)
    starts = sets.offsets[:-1]
    bands = np.zeros((len(factors), len(starts)), dtype=np.uint64)
    for band, permutations in enumerate(zip(factors, masks, strict=True)):
        for factor, mask in zip(*permutations, strict=True):
            bands[band] += np.minimum.reduceat((hashes ^ mask) * factor, starts)
            bands[band] *= _MULTIPLIER
    return (bands >> np.uint64(32)).astype(np.uint32)
