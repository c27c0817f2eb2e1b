import itertools
import math
import random
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.report.sketches import (
    LONGEST,
    BottomK,
    LengthCounts,
    MeanCounts,
    StratifiedSample,
    distinct_share,
    round_width,
    row_hash,
    wilson,
)

IDS = st.lists(st.text("abcdef0123456789", min_size=1, max_size=6), unique=True, max_size=40)


@given(IDS, st.integers(1, 12), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_bottom_k_keeps_the_smallest_hashes_in_any_order(
    ids: list[str], size: int, rng: random.Random
) -> None:
    expected = sorted((row_hash(name), name) for name in ids)[:size]
    rng.shuffle(ids)
    sample: BottomK[str] = BottomK(size)
    for name in ids:
        if sample.wants(row_hash(name)):
            sample.add(row_hash(name), name, name)
    assert list(sample) == expected


@given(IDS, st.integers(1, 12), st.integers(1, 5), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_stratified_sample_sees_every_stratum_before_one_twice(
    ids: list[str], size: int, num_strata: int, rng: random.Random
) -> None:
    stratum_of = {name: str(row_hash(name + "x") % num_strata) for name in ids}

    def draw(names: list[str]) -> dict[str, list[str]]:
        sample: StratifiedSample[str] = StratifiedSample(size, num_strata=num_strata)
        for name in names:
            if sample.wants(stratum_of[name], row_hash(name)):
                sample.add(stratum_of[name], row_hash(name), name, name)
        return sample.rows()

    drawn = draw(ids)
    assert drawn == draw(rng.sample(ids, len(ids)))
    available = {s: [n for n in ids if stratum_of[n] == s] for s in set(stratum_of.values())}
    for stratum, names in drawn.items():
        assert names == sorted(available[stratum], key=row_hash)[: len(names)]
    assert sum(map(len, drawn.values())) <= size
    if len(available) <= size:
        assert all(drawn[stratum] for stratum in available)
    counts = [len(names) for names in drawn.values()]
    unfinished = [len(drawn[s]) for s in available if len(drawn[s]) < len(available[s])]
    assert not unfinished or max(counts) <= min(unfinished) + 1


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=300), st.integers(1, 7))
@settings(deadline=None, max_examples=80)
def test_length_counts_equal_the_definition(lengths: list[int], shard: int) -> None:
    counts = LengthCounts()
    for start in range(0, len(lengths), shard):
        counts.add(np.array(lengths[start : start + shard], np.int64))
    found = counts.summary("words")
    assert found is not None
    ordered = sorted(lengths)

    def nearest_rank(q: float) -> int:
        return ordered[math.ceil(q * len(ordered)) - 1]

    assert (found.least, found.greatest) == (ordered[0], ordered[-1])
    assert (found.p5, found.median, found.p95) == tuple(map(nearest_rank, (0.05, 0.5, 0.95)))
    assert found.mean == pytest.approx(statistics.fmean(lengths))
    for bar in found.bins:
        inside = [n for n in lengths if bar.start <= n and (bar.end is None or n < bar.end)]
        assert bar.rows == len(inside)
    assert sum(bar.rows for bar in found.bins) == len(lengths)
    assert len(found.bins) <= 27
    for left, right in itertools.pairwise(found.bins):
        assert left.end == right.start


def test_lengths_beyond_the_longest_stay_bounded() -> None:
    counts = LengthCounts()
    counts.add(np.array([10**12, 3], np.int64))
    found = counts.summary("characters")
    assert found is not None
    assert found.greatest == 10**12
    assert found.p95 == LONGEST
    assert LengthCounts().summary("words") is None


@given(st.floats(0.001, 10**7))
@settings(deadline=None)
def test_round_width_is_the_smallest_round_number(least: float) -> None:
    rounds = sorted(digit * 10**power for digit in (1, 2, 5) for power in range(9))
    assert round_width(least) == next(number for number in rounds if number >= least)


@given(st.lists(st.floats(-30, 0, width=32), min_size=2, max_size=60), st.integers(1, 7))
@settings(deadline=None, max_examples=60)
def test_mean_is_the_mean_and_no_order_changes_a_bit(values: list[float], shard: int) -> None:
    def of(numbers: list[float], size: int) -> MeanCounts:
        counts = MeanCounts()
        for start in range(0, len(numbers), size):
            counts.add(np.array([*numbers[start : start + size], math.nan, -math.inf]))
        return counts

    found = of(values, shard).interval()
    assert found is not None
    assert found == of(values[::-1], 1).interval()
    assert found.value == pytest.approx(statistics.fmean(values), abs=1e-6)
    reach = 1.959964 * statistics.pstdev(values) / math.sqrt(len(values))
    assert found.high - found.value == pytest.approx(reach, abs=2e-2)
    assert MeanCounts().interval() is None


def test_wilson_equals_the_published_formula() -> None:
    found = wilson(81, 263)
    assert found is not None
    # Newcombe, Statistics in Medicine 1998, table I, method 3.
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) is None
    for trials in range(1, 400):
        all_of_them, none = wilson(trials, trials), wilson(0, trials)
        assert all_of_them is not None
        assert none is not None
        assert all_of_them.high == 1
        assert none.low == 0
        assert all_of_them.low == pytest.approx(trials / (trials + 1.96**2), abs=1e-4)
        assert none.high == pytest.approx(1 - all_of_them.low)


@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=8),
    st.integers(0, 30),
    st.integers(1, 3),
)
@settings(deadline=None, max_examples=120)
def test_distinct_share_equals_its_definition(
    texts: list[list[str]], num_words: int, n: int
) -> None:
    ngrams = []
    left = num_words
    for words in texts:
        kept = words[: max(0, left)]
        left -= len(kept)
        ngrams += [tuple(kept[start : start + n]) for start in range(len(kept) - n + 1)]
    expected = len(set(ngrams)) / len(ngrams) if ngrams else None
    assert distinct_share(texts, n=n, num_words=num_words) == expected
