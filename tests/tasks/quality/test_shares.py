"""Shares against their definitions, and margins against repeated sampling."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tasks.quality.shares import compare_shares, normalised_entropy

WEIGHTS = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), min_size=1)


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=60), WEIGHTS)
@settings(deadline=None, max_examples=60)
def test_distance_and_statistic_by_definition(values, asked):
    fit = compare_shares(values, asked=asked)
    seen, total, n = Counter(values), sum(asked.values()), len(values)
    share = {name: asked.get(name, 0) / total for name in asked.keys() | seen.keys()}
    distance = sum(abs(seen[name] / n - q) for name, q in share.items()) / 2
    assert fit.distance.value == pytest.approx(distance, abs=1e-12)
    assert fit.counts.sum() == n
    if seen.keys() <= asked.keys():
        chi_square = sum((seen[name] - n * q) ** 2 / (n * q) for name, q in share.items())
        assert fit.chi_square == pytest.approx(chi_square, abs=1e-9)
        assert fit.values == tuple(asked)
    else:
        assert fit.chi_square is None
        assert fit.values == (*asked, None)
        assert fit.p == 1 / 1000


def test_p_is_that_of_the_distribution_where_counts_are_great():
    values = ["a"] * 530 + ["b"] * 470
    exact = stats.chisquare([530, 470], [500, 500]).pvalue
    assert compare_shares(values, asked={"a": 1, "b": 1}).p == pytest.approx(exact, abs=0.02)


def test_exact_quotas():
    fit = compare_shares(["a", "b", "b"] * 10, asked={"a": 1, "b": 2})
    assert fit.distance.value == pytest.approx(0, abs=1e-12)
    assert fit.p == 1


def test_order_of_rows_does_not_matter():
    values = ["a"] * 30 + ["b"] * 12 + ["c"] * 5
    asked = {"a": 1, "b": 1}
    first, second = (compare_shares(v, asked=asked) for v in (values, values[::-1]))
    assert (first.distance, first.p) == (second.distance, second.p)


@pytest.mark.parametrize("truth", [[0.25] * 4, [0.4, 0.3, 0.2, 0.1], [0.7, 0.1, 0.1, 0.1]])
def test_margins_cover_the_truth(truth):
    draws = np.random.default_rng(5)
    asked = np.array([0.25] * 4)
    distance = np.abs(np.array(truth) - asked).sum() / 2
    evenness = float(stats.entropy(truth)) / math.log(4)
    covered = np.zeros(2)
    for _ in range(200):
        counts = draws.multinomial(150, truth)
        values = [name for name, count in zip("abcd", counts, strict=True) for _ in range(count)]
        fit = compare_shares(values, asked=dict(zip("abcd", asked, strict=True)))
        entropy = normalised_entropy(counts)
        covered += [
            abs(fit.distance.value - distance) <= fit.distance.margin,
            abs(entropy.value - evenness) <= entropy.margin,
        ]
    # 0.95 less four standard errors of 200 trials.
    assert covered.min() >= 200 * (0.95 - 4 * 0.0154)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(any))
@settings(deadline=None, max_examples=60)
def test_entropy_by_definition(counts):
    present = [count for count in counts if count]
    found = normalised_entropy(np.array(counts))
    shares = [count / sum(present) for count in present]
    entropy = -sum(p * math.log(p) for p in shares)
    expected = entropy / math.log(len(shares)) if len(shares) > 1 else 1
    assert found.value == pytest.approx(expected)


def test_nothing_to_compare():
    with pytest.raises(ValueError, match="no rows"):
        compare_shares([], asked={"a": 1})
    with pytest.raises(ValueError, match="no weight"):
        compare_shares(["a"], asked={"a": 0})
    with pytest.raises(ValueError, match="no rows"):
        normalised_entropy(np.zeros(3, dtype=np.int64))
