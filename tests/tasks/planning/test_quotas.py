from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.planning.quotas import largest_remainder

SHARES = st.lists(
    st.one_of(st.floats(0, 1e9), st.sampled_from([1.0, 1e-300, 1e9, 0.1, 1 / 3, 0.0])),
    min_size=1,
    max_size=12,
).filter(any)
TOTALS = st.integers(0, 10**9)


def reference(shares: list[float], total: int) -> list[int]:
    exact = [Fraction(share) * total / sum(map(Fraction, shares)) for share in shares]
    quotas = [int(value) for value in exact]
    while sum(quotas) < total:
        remainders = [value - quota for value, quota in zip(exact, quotas, strict=True)]
        quotas[remainders.index(max(remainders))] += 1
    return quotas


@settings(deadline=None, max_examples=200)
@given(SHARES, TOTALS)
def test_it_is_hamiltons_method(shares: list[float], total: int) -> None:
    assert largest_remainder(shares, total).tolist() == reference(shares, total)


@settings(deadline=None, max_examples=200)
@given(SHARES, TOTALS)
def test_the_quota_rule_holds(shares: list[float], total: int) -> None:
    whole = sum(map(Fraction, shares))
    quotas = largest_remainder(shares, total)
    assert quotas.dtype == np.int64
    assert quotas.sum() == total
    for quota, share in zip(quotas.tolist(), shares, strict=True):
        assert abs(quota - Fraction(share) * total / whole) < 1
        assert share > 0 or quota == 0


@settings(deadline=None, max_examples=100)
@given(st.data(), SHARES, TOTALS)
def test_order_matters_only_at_ties(data: st.DataObject, shares: list[float], total: int) -> None:
    order = data.draw(st.permutations(range(len(shares))))
    quotas = largest_remainder(shares, total)
    moved = largest_remainder([shares[place] for place in order], total)
    # Equal shares may swap their rows; the rows of each share value are the same.
    assert sorted(zip(shares, quotas.tolist(), strict=True)) == sorted(
        (shares[place], rows) for place, rows in zip(order, moved.tolist(), strict=True)
    ) or _has_tie(shares, total)


def _has_tie(shares: list[float], total: int) -> bool:
    whole = sum(map(Fraction, shares))
    exact = [Fraction(share) * total / whole for share in shares]
    remainders = [value - int(value) for value in exact]
    return len(set(remainders)) < len(remainders)


def test_ties_go_to_the_earlier() -> None:
    assert largest_remainder([1, 1, 1], 4).tolist() == [2, 1, 1]
    assert largest_remainder([1, 1, 1], 5).tolist() == [2, 2, 1]


def test_only_ratios_matter() -> None:
    assert largest_remainder([2, 1, 1], 600).tolist() == [300, 150, 150]
    assert largest_remainder([0.5, 0.25, 0.25], 600).tolist() == [300, 150, 150]


@pytest.mark.parametrize(
    ("shares", "total"),
    [([], 1), ([0.0], 1), ([-1.0, 2.0], 1), ([float("nan")], 1), ([float("inf")], 1), ([1.0], -1)],
)
def test_what_has_no_quota_is_refused(shares: list[float], total: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        largest_remainder(shares, total)
