"""Summaries of a stream of rows in bounded memory, the same for every order of the rows."""

import bisect
import hashlib
import itertools
import math
from collections.abc import Iterator
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from tasks.quality.diversity import word_ngrams
from tasks.report.findings import Bin, Interval, Lengths

T = TypeVar("T")

LONGEST = 1_000_000
"""Greatest length that is told apart; longer texts count as this long in quantiles and bars."""
NUM_BINS = 24
Z_95 = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution."""
_FIXED_POINT = 2.0**24


def row_hash(row_id: str) -> int:
    """Hash a row's id to 64 bits: the order in which rows are preferred as samples."""
    return int.from_bytes(hashlib.blake2b(row_id.encode(), digest_size=8).digest(), "big")


class BottomK(Generic[T]):
    """Keeps the `size` items with the smallest hash: a uniform sample, in any order the same."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: list[tuple[int, str, T]] = []

    def wants(self, key: int) -> bool:
        """Tell whether an item with this hash can still enter; asked before the item is built."""
        return len(self._items) < self._size or key <= self._items[-1][0]

    def add(self, key: int, row_id: str, item: T) -> None:
        """Offer an item; equal hashes are ordered by `row_id`."""
        bisect.insort(self._items, (key, row_id, item), key=lambda entry: entry[:2])
        del self._items[self._size :]

    def __iter__(self) -> Iterator[tuple[int, T]]:
        """Yield hash and item, smallest hash first."""
        return ((key, item) for key, _, item in self._items)


class StratifiedSample(Generic[T]):
    """Samples rows so that every stratum is seen before any is seen twice."""

    def __init__(self, size: int, *, num_strata: int) -> None:
        """Keep `size` rows in the end, at most `ceil(size / num_strata)` of each stratum."""
        self._size = size
        self._depth = max(1, math.ceil(size / max(1, num_strata)))
        self._strata: dict[str, BottomK[T]] = {}

    def wants(self, stratum: str, key: int) -> bool:
        """Tell whether a row with this hash can still enter its stratum."""
        return stratum not in self._strata or self._strata[stratum].wants(key)

    def add(self, stratum: str, key: int, row_id: str, item: T) -> None:
        """Offer a row to its stratum."""
        self._strata.setdefault(stratum, BottomK(self._depth)).add(key, row_id, item)

    def rows(self) -> dict[str, list[T]]:
        """Return the chosen rows by stratum, smallest hash first."""
        ranked = sorted(
            (rank, key, stratum)
            for stratum, sample in self._strata.items()
            for rank, (key, _) in enumerate(sample)
        )
        taken = [stratum for _, _, stratum in ranked[: self._size]]
        return {
            stratum: [item for _, item in itertools.islice(sample, taken.count(stratum))]
            for stratum, sample in self._strata.items()
        }


class LengthCounts:
    """Counts lengths exactly: one integer for each length that occurs up to `LONGEST`."""

    def __init__(self) -> None:
        self._counts: NDArray[np.int64] = np.zeros(1, np.int64)
        self._sum = 0
        self._greatest = 0

    def add(self, lengths: NDArray[np.int64]) -> None:
        """Count `lengths`, shape `(N,)`, none negative."""
        if not lengths.size:
            return
        new = np.bincount(np.minimum(lengths, LONGEST), minlength=self._counts.size)
        new[: self._counts.size] += self._counts
        self._counts = new.astype(np.int64)
        self._sum += int(lengths.sum())
        self._greatest = max(self._greatest, int(lengths.max()))

    def summary(self, unit: Literal["characters", "words"]) -> Lengths | None:
        """Return mean, quantiles (nearest rank) and histogram; None when nothing was counted."""
        num_rows = int(self._counts.sum())
        if not num_rows:
            return None
        cumulative = np.cumsum(self._counts)

        def quantile(q: float) -> int:
            return int(np.searchsorted(cumulative, math.ceil(q * num_rows)))

        return Lengths(
            unit=unit,
            mean=self._sum / num_rows,
            least=int(np.flatnonzero(self._counts)[0]),
            p5=quantile(0.05),
            median=quantile(0.5),
            p95=quantile(0.95),
            greatest=self._greatest,
            bins=_bins(self._counts, reach=quantile(0.99)),
        )


def _bins(counts: NDArray[np.int64], *, reach: int) -> tuple[Bin, ...]:
    """Group counts into round bars up to `reach`; what lies beyond falls into a last, open bar."""
    least = int(np.flatnonzero(counts)[0])
    width = round_width((reach - least + 1) / NUM_BINS)
    starts = range(least // width * width, reach + 1, width)
    bins = [Bin(start=s, end=s + width, rows=int(counts[s : s + width].sum())) for s in starts]
    beyond = int(counts[starts[-1] + width :].sum())
    if beyond:
        bins.append(Bin(start=starts[-1] + width, end=None, rows=beyond))
    return tuple(bins)


def round_width(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50, ... that is not below `least`."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= least:
                return digit * power
        power *= 10


class MeanCounts:
    """Mean of numbers, summed in fixed point (2^-24) so that their order changes no bit."""

    def __init__(self) -> None:
        self._num = 0
        self._sum = 0
        self._sum_of_squares = 0

    def add(self, values: NDArray[np.float64]) -> None:
        """Count the finite ones among `values`, shape `(N,)`."""
        values = values[np.isfinite(values)]
        self._num += values.size
        self._sum += int(np.rint(values * _FIXED_POINT).astype(np.int64).sum())
        self._sum_of_squares += int(np.rint(values**2 * _FIXED_POINT).astype(np.int64).sum())

    def interval(self) -> Interval | None:
        """Return the mean with its normal 95 % interval; None when nothing was counted."""
        if not self._num:
            return None
        mean = self._sum / _FIXED_POINT / self._num
        variance = max(0.0, self._sum_of_squares / _FIXED_POINT / self._num - mean**2)
        reach = Z_95 * math.sqrt(variance / self._num)
        return Interval(value=mean, low=mean - reach, high=mean + reach, n=self._num)


def wilson(successes: int, trials: int) -> Interval | None:
    """Estimate a proportion with its Wilson score interval at 95 %; None without trials.

    References:
        Wilson, JASA 1927. https://doi.org/10.1080/01621459.1927.10502953
    """
    if not trials:
        return None
    p = successes / trials
    spread = Z_95**2 / trials
    centre = (p + spread / 2) / (1 + spread)
    reach = Z_95 * math.sqrt(p * (1 - p) / trials + spread / (4 * trials)) / (1 + spread)
    # At the edges the formula gives 0 and 1, but for the last bit.
    low = centre - reach if successes else 0.0
    high = centre + reach if successes < trials else 1.0
    return Interval(value=p, low=low, high=high, n=trials)


def distinct_share(texts: list[list[str]], *, n: int, num_words: int) -> float | None:
    """Return distinct / all word n-grams in the first `num_words` words of texts taken in turn.

    The ratio falls as a sample grows, so samples are comparable only at the same `num_words`. No
    n-gram reaches from one text into the next; the last text is cut. None when there is no n-gram.

    References:
        Li et al., NAACL 2016. https://arxiv.org/abs/1510.03055
    """
    distinct: set[tuple[str, ...]] = set()
    num_ngrams = 0
    for words in texts:
        words = words[:num_words]
        num_words -= len(words)
        distinct.update(word_ngrams(words, n))
        num_ngrams += max(0, len(words) - n + 1)
    return len(distinct) / num_ngrams if num_ngrams else None
