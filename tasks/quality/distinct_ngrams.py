"""Distinct-n of corpora of any size: n-grams are hashed, and counted on disk."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tasks.quality.database import ScratchDatabase
from tasks.quality.sorted_values import distinct_values
from tasks.quality.word_codes import encode_words

_MOST_IN_MEMORY = 1 << 21
_COUNTING_BYTES = 512 << 20
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class DistinctNgrams:
    """Distinct-n of texts that come in any portions, as `distinct_n` has it, in bounded memory.

    Two different n-grams among m share their 64-bit hash with probability below m^2 / 2^65: 0.0003
    for 100 million. Up to 2 million stay in memory; beyond, one takes 8 bytes on disk.

    References:
        Li et al., NAACL 2016. https://aclanthology.org/N16-1014
    """

    def __init__(self, n: int, *, folder: Path | None = None) -> None:
        """Count n-grams of `n` words.

        Args:
            n: At least 1.
            folder: Where hashes may go while this object lives; None for the system's place of
                temporary files.
        """
        self._n = n
        self._folder = folder
        self._num_total = 0
        self._portions: list[NDArray[np.uint64]] = []
        self._num_waiting = 0
        self._database: ScratchDatabase | None = None

    def add(self, texts: Sequence[str]) -> None:
        """Count the n-grams of further texts."""
        # A vocabulary of its own for each portion: that of a whole corpus has no bound.
        words = encode_words(texts)
        starts = words.ngrams(self._n).starts
        names = np.array(words.vocabulary.words(), dtype=object)
        hash_of = pd.util.hash_array(names, categorize=False)
        hashes = np.zeros(len(starts), dtype=np.uint64)
        for step in range(self._n):
            hashes = hashes * _MULTIPLIER + hash_of[words.codes[starts + step]]
            hashes ^= hashes >> np.uint64(32)
        self._num_total += len(hashes)
        self._portions.append(distinct_values(hashes))
        self._num_waiting += len(self._portions[-1])
        if self._num_waiting > _MOST_IN_MEMORY:
            self._put_by()

    @property
    def num_total(self) -> int:
        """Number of n-grams so far."""
        return self._num_total

    @property
    def num_distinct(self) -> int:
        """Number of distinct n-grams so far."""
        if self._database is None:
            return len(self._waiting())
        self._put_by()
        self._database.allow(_COUNTING_BYTES)
        found = self._database.table("SELECT count(DISTINCT hash) AS num FROM hashes")
        return int(found["num"][0].as_py())

    @property
    def value(self) -> float | None:
        """Distinct n-grams over all n-grams, in (0, 1]; None when there are none."""
        return self.num_distinct / self._num_total if self._num_total else None

    def _put_by(self) -> None:
        if self._database is None:
            self._database = ScratchDatabase(self._folder)
            self._database.run("CREATE TABLE hashes (hash UBIGINT)")
        statement = "INSERT INTO hashes SELECT * FROM given"
        self._database.load(statement, {"hash": self._waiting()})
        self._portions, self._num_waiting = [], 0

    def _waiting(self) -> NDArray[np.uint64]:
        return distinct_values(np.concatenate([np.empty(0, dtype=np.uint64), *self._portions]))
