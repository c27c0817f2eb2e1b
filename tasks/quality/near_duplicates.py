"""Near duplicates among texts that come one after the other: found by sketches, checked exactly."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import sqrt

import numpy as np
from rensa import RMinHash, RMinHashLSH

from tasks.quality.similarity import jaccard, shingles_of_normal

NUM_PERMUTATIONS = 128
LEAST_RECALL = 0.99
"""Least probability that a pair exactly at the threshold is found."""
_SEED = 1
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Sketch:
    """A normalised text, ready to be looked up and inserted."""

    normal: str
    shingles: frozenset[str]
    minhash: RMinHash


def sketch_texts(normals: Iterable[str]) -> Iterator[Sketch]:
    """Sketch normalised texts, some at a time; a sketch is a function of its text alone."""
    rest = iter(normals)
    while block := list(islice(rest, _BLOCK)):
        sets = [shingles_of_normal(normal) for normal in block]
        minhashes = RMinHash.from_token_sets(sets, NUM_PERMUTATIONS, _SEED)
        yield from map(Sketch, block, sets, minhashes)


class NearDuplicateIndex:
    """Texts seen so far, searched by MinHash and locality-sensitive hashing.

    A match is a text whose Jaccard similarity, computed exactly, is at least the threshold: none is
    false. Of the true ones, a pair at the threshold is missed with probability below 0.01 and a
    more similar pair more rarely (thresholds below 0.04 apart). Texts that share no character
    5-gram never match, whatever the threshold.

    A text costs about 5 kB at threshold 0.8: 32 band entries, a signature and the text itself.

    References:
        Broder, SEQUENCES 1997. https://doi.org/10.1109/SEQUEN.1997.666900
        Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4. http://www.mmds.org
    """

    def __init__(self, *, threshold: float) -> None:
        """Find pairs of at least this similarity, 0 to 1."""
        self.threshold = threshold
        self._lsh = RMinHashLSH(threshold, NUM_PERMUTATIONS, num_bands(threshold))
        self._least_agreement = least_agreement(threshold)
        self._normals: list[str] = []
        self._num_shingles = np.empty(_BLOCK, dtype=np.int64)
        self._signatures = np.empty((_BLOCK, NUM_PERMUTATIONS), dtype=np.uint32)

    def insert(self, sketch: Sketch) -> int:
        """Add a text and return its key: how many were added before it."""
        key = len(self._normals)
        if key == len(self._signatures):
            self._num_shingles = np.append(self._num_shingles, np.empty_like(self._num_shingles))
            self._signatures = np.vstack([self._signatures, np.empty_like(self._signatures)])
        self._lsh.insert(key, sketch.minhash)
        self._normals.append(sketch.normal)
        self._num_shingles[key] = len(sketch.shingles)
        self._signatures[key] = sketch.minhash.digest()
        return key

    def candidates(self, sketch: Sketch) -> list[int]:
        """Return the keys of texts that may match, in ascending order.

        Texts made from one template share bands by the thousand without being alike enough. What
        sizes and whole signatures rule out costs a hundredth of an exact comparison.
        """
        keys = np.array(self._lsh.query(sketch.minhash), dtype=np.int64)
        if keys.size == 0:
            return []
        own, others = len(sketch.shingles), self._num_shingles[keys]
        # The intersection is at most the smaller set, the union at least the larger one.
        sizes_allow = np.minimum(own, others) / np.maximum(own, others) >= self.threshold
        keys = np.sort(keys[sizes_allow])
        signature = np.array(sketch.minhash.digest(), dtype=np.uint32)
        agreement = (self._signatures[keys] == signature).sum(axis=1)
        likely: list[int] = keys[agreement >= self._least_agreement].tolist()
        return likely

    def similarity(self, sketch: Sketch, key: int) -> float:
        """Return the exact similarity to an indexed text."""
        return jaccard(sketch.shingles, shingles_of_normal(self._normals[key]))

    def matches(self, sketch: Sketch, key: int) -> bool:
        """Tell whether an indexed text is a match."""
        return self.similarity(sketch, key) >= self.threshold

    def nearest(self, sketch: Sketch) -> tuple[int, float] | None:
        """Return the key and similarity of the most similar match, the earliest of equals."""
        found = [(key, self.similarity(sketch, key)) for key in self.candidates(sketch)]
        matches = [(key, similarity) for key, similarity in found if similarity >= self.threshold]
        return max(matches, key=lambda match: (match[1], -match[0]), default=None)


def num_bands(threshold: float) -> int:
    """Return into how many bands the permutations are cut: as few as find enough pairs.

    Texts of similarity s meet in one of b bands of r values with probability 1 - (1 - s^r)^b.

    Raises:
        ValueError: If `threshold` lies outside [0, 1].
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}, not between 0 and 1")
    bands = 1
    while bands < NUM_PERMUTATIONS:
        if 1 - (1 - threshold ** (NUM_PERMUTATIONS // bands)) ** bands >= LEAST_RECALL:
            break
        bands *= 2
    return bands


def least_agreement(threshold: float) -> int:
    """Return how many values of two signatures must agree: 4 standard deviations below the mean.

    Of texts with similarity s each value agrees with probability s, so a pair at the threshold is
    lost here with probability below 0.001.
    """
    mean = NUM_PERMUTATIONS * threshold
    return max(int(mean - 4 * sqrt(mean * (1 - threshold))), 0)
