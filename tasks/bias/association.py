"""Association: which labels or attributes keep company with which groups, beyond chance?

N rows, L values of a label or an attribute, G groups, K groups of one axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.bias.exact_test import fisher_p_values
from tasks.bias.interval import ALPHA, Interval, Z

FEWEST_ROWS = 20
"""Rows that a value and a group each need, else their association is not tested."""
FEWEST_EXPECTED = 5.0
"""Expected rows of the sparsest cell for the chi-square approximation (Cochran 1954)."""
_DRAWS = 999
_SEED = 21

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Associations:
    """What each pair of a value and a group has in common.

    Args:
        joint: Rows with both, shape `(L, G)`.
        value_rows: Rows of each value, shape `(L,)`.
        group_rows: Rows of each group, shape `(G,)`.
        n: All rows.
        lift: P(both) / (P(value) P(group)): 1 under independence, 2 where the pair is met twice as
            often; in [0, inf), NaN where untested; shape `(L, G)`.
        low: Lower bound of its 95 % interval, shape `(L, G)`.
        high: Upper bound, shape `(L, G)`.
        p_value: Of independence, NaN where untested: not yet corrected for the number of tests,
            shape `(L, G)`.
    """

    joint: Ints
    value_rows: Ints
    group_rows: Ints
    n: int
    lift: Floats
    low: Floats
    high: Floats
    p_value: Floats

    @property
    def untested(self) -> int:
        """Pairs that could not be tested for lack of rows."""
        return int(np.isnan(self.p_value).sum())

    def interval(self, value: int, group: int) -> Interval:
        """Return the lift of a tested pair with its interval."""
        at = (value, group)
        return Interval(float(self.lift[at]), float(self.low[at]), float(self.high[at]), self.n)


def code_values(values: Sequence[str | None]) -> tuple[Ints, list[str]]:
    """Number the values of a column, in sorted order.

    Returns:
        The number of each row's value, -1 for a null, shape `(N,)`; and the L values.
    """
    names = sorted({value for value in values if value is not None})
    number = {name: place for place, name in enumerate(names)}
    codes = (-1 if value is None else number[value] for value in values)
    return np.fromiter(codes, dtype=np.int64, count=len(values)), names


def joint_counts(values: Ints, groups: NDArray[np.bool_], *, num_values: int) -> Ints:
    """Count the rows of each value and group, shape `(L, G)`; rows of value -1 do not count.

    Args:
        values: Number of each row's value, shape `(N,)`.
        groups: Whether each row mentions each group, shape `(N, G)`.
        num_values: L.
    """
    valued = values >= 0
    counts = [
        np.bincount(values[column & valued], minlength=num_values)[:num_values]
        for column in groups.T
    ]
    return np.stack(counts, axis=1) if counts else np.zeros((num_values, 0), dtype=np.int64)


def associate(joint: Ints, *, value_rows: Ints, group_rows: Ints, n: int) -> Associations:
    """Measure and test every pair of a value and a group.

    The interval of the lift is the delta method's on its logarithm, for counts a (both), r (value),
    c (group) of n rows: variance 1/a - 1/r - 1/c + 2a/(rc) - 1/n. Where a is 0 it goes from 0 to
    the bound with half a row added to every cell (Haldane 1956). The p-value is Pearson's
    chi-square without correction where every cell of the two-by-two table expects
    `FEWEST_EXPECTED`, else Fisher's exact test, two-sided. A pair is tested when its value and its
    group have `FEWEST_ROWS` and neither is all rows.

    Args:
        joint: Rows with both, shape `(L, G)`.
        value_rows: Rows of each value, shape `(L,)`.
        group_rows: Rows of each group, shape `(G,)`.
        n: All rows.

    References:
        Agresti, Categorical Data Analysis, 2013, chapter 3 (delta method, exact test).
    """
    a = joint.astype(np.float64)
    r, c = np.broadcast_arrays(value_rows[:, None] + 0.0, group_rows[None, :] + 0.0)
    tested = (r >= FEWEST_ROWS) & (c >= FEWEST_ROWS) & (r < n) & (c < n)
    lift, low, high = np.full((3, *a.shape), np.nan)
    lift[tested] = a[tested] * n / (r[tested] * c[tested])
    half = np.where(a == 0, 0.5, 0.0)[tested]
    a_, r_, c_, n_ = a[tested] + half, r[tested] + 2 * half, c[tested] + 2 * half, n + 4 * half
    spread = Z * np.sqrt(np.maximum(1 / a_ - 1 / r_ - 1 / c_ + 2 * a_ / (r_ * c_) - 1 / n_, 0))
    centre = a_ * n_ / (r_ * c_)
    low[tested] = np.where(half > 0, 0, centre * np.exp(-spread))
    high[tested] = centre * np.exp(spread)
    return Associations(
        joint=joint, value_rows=value_rows, group_rows=group_rows, n=n,
        lift=lift, low=low, high=high, p_value=_p_values(joint, tested, value_rows, group_rows, n),
    )  # fmt: skip


def _p_values(
    joint: Ints, tested: NDArray[np.bool_], value_rows: Ints, group_rows: Ints, n: int
) -> Floats:
    from scipy.stats import chi2

    p_value = np.full(joint.shape, np.nan)
    rows, columns = np.nonzero(tested)
    a, r, c = joint[rows, columns] + 0.0, value_rows[rows] + 0.0, group_rows[columns] + 0.0
    sparsest = np.minimum(r, n - r) * np.minimum(c, n - c) / n
    statistic = (a * n - r * c) ** 2 * n / (r * c * (n - r) * (n - c))
    p_value[rows, columns] = chi2.sf(statistic, 1)
    sparse = sparsest < FEWEST_EXPECTED
    rows, columns = rows[sparse], columns[sparse]
    p_value[rows, columns] = fisher_p_values(
        joint[rows, columns], value_rows[rows], group_rows[columns], n=n
    )
    return p_value


def risk_ratio(count: int, n: int, other_count: int, other_n: int) -> Interval:
    """Compare a share with another: `count / n` over `other_count / other_n`.

    The interval is Katz's, on the logarithm. Where a count is 0, half a row is added to both counts
    and to both sizes, in the ratio and in its interval.

    References:
        Katz et al., Biometrics 1978. https://doi.org/10.2307/2530610
    """
    half = 0.0 if count and other_count else 0.5
    a, b, m, k = count + half, other_count + half, n + half, other_n + half
    ratio = (a / m) / (b / k)
    spread = float(np.exp(Z * np.sqrt(1 / a - 1 / m + 1 / b - 1 / k)))
    return Interval(ratio, ratio / spread, ratio * spread, n + other_n)


@dataclass(frozen=True, slots=True)
class CramersV:
    """How far a value decides which group is mentioned.

    Args:
        v: Bias-corrected Cramer's V, in [0, 1]: 0 under independence, 1 where the value decides the
            group; with a bootstrap interval.
        p_value: Of independence.
    """

    v: Interval
    p_value: float


def cramers_v(table: Ints) -> CramersV | None:
    """Measure the association of two variables from their contingency table.

    Bias-corrected (Bergsma 2013): phi^2 = max(0, chi^2 / n - (r-1)(c-1)/(n-1)) over
    min(r', c') - 1 with r' = r - (r-1)^2/(n-1). The interval is of 999 multinomial resamples of the
    table, less what resampling adds to their phi^2 on the average. Its lower bound is 0 where
    independence is not rejected at 5 %. The p-value is Pearson's chi-square where
    every cell expects `FEWEST_EXPECTED`, else of 999 random tables with the same margins.

    Args:
        table: Rows of each value and group, shape `(L, K)`; empty rows and columns do not count.

    Returns:
        None when fewer than two values or groups are left, or fewer than `FEWEST_ROWS` rows.

    References:
        Bergsma, J. Korean Stat. Soc. 2013. https://doi.org/10.1016/j.jkss.2012.10.002
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n = int(table.sum())
    if min(table.shape) < 2 or n < FEWEST_ROWS:
        return None
    p_value = _independence(table)
    random = np.random.default_rng(_SEED)
    resamples = random.multinomial(n, (table / n).ravel(), size=_DRAWS).reshape(-1, *table.shape)
    found, drawn = _phi_squared(table[None]), _phi_squared(resamples)
    value = float(_corrected(found, table.shape, n)[0])
    spread = _corrected(drawn - (drawn.mean() - found), table.shape, n)
    low, high = np.quantile(spread, [0.025, 0.975]).tolist()
    low = 0.0 if p_value >= ALPHA else min(value, low)
    return CramersV(Interval(value, low, max(value, high), n), p_value)


def _phi_squared(tables: Ints) -> Floats:
    """Return chi-square over n of each table, shape `(B, L, K)` to `(B,)`."""
    n = tables.sum(axis=(1, 2))[:, None, None]
    expected = tables.sum(axis=2, keepdims=True) * tables.sum(axis=1, keepdims=True) / n
    # A resample may have lost a row: then its cells are as expected, empty.
    terms = (tables - expected) ** 2 / np.where(expected > 0, expected, 1)
    return np.asarray(terms.sum(axis=(1, 2)) / n[:, 0, 0])


def _corrected(phi_squared: Floats, shape: tuple[int, ...], n: int) -> Floats:
    rows, columns = shape
    bias = (rows - 1) * (columns - 1) / (n - 1)
    fewest = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1))
    if fewest <= 1:
        return np.zeros_like(phi_squared)
    return np.sqrt(np.clip((phi_squared - bias) / (fewest - 1), 0, 1))


def _independence(table: Ints) -> float:
    from scipy.stats import chi2, random_table

    n, (rows, columns) = int(table.sum()), table.shape
    statistic = float(_phi_squared(table[None])[0])
    margins = table.sum(axis=1), table.sum(axis=0)
    if np.outer(*margins).min() / n >= FEWEST_EXPECTED:
        return float(chi2.sf(statistic * n, (rows - 1) * (columns - 1)))
    draws = random_table(*margins).rvs(_DRAWS, random_state=np.random.default_rng(_SEED))
    drawn = _phi_squared(draws.astype(np.int64))
    return float((1 + (drawn >= statistic - 1e-12).sum()) / (1 + _DRAWS))


def exclusive_counts(values: Ints, groups: Ints, *, shape: tuple[int, int]) -> Ints:
    """Count rows by value and by the one group that they mention.

    Args:
        values: Number of each row's value, -1 for none, shape `(N,)`.
        groups: Number of the one group of an axis that each row mentions, else -1, shape `(N,)`.
        shape: `(L, K)`.

    Returns:
        A contingency table, shape `(L, K)`: what `cramers_v` takes.
    """
    both = (values >= 0) & (groups >= 0)
    cells = np.bincount(values[both] * shape[1] + groups[both], minlength=shape[0] * shape[1])
    return cells.reshape(shape)


def control_false_discoveries(families: Sequence[Floats]) -> list[Floats]:
    """Adjust all p-values of an audit together.

    Rejecting those below q keeps the expected part of false alarms among the alarms below q, and
    where nothing is there to be found the probability of any alarm (independent or positively
    dependent tests).

    Args:
        families: Arrays of p-values, of any shapes; NaN stays NaN and does not count.

    Returns:
        Arrays of the same shapes.

    References:
        Benjamini and Hochberg, JRSS B 1995. https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    """
    from scipy.stats import false_discovery_control

    flat = np.concatenate([np.zeros(0), *(family.ravel() for family in families)])
    known = ~np.isnan(flat)
    if known.any():
        flat[known] = false_discovery_control(flat[known])
    ends = np.cumsum([family.size for family in families])
    parts = np.split(flat, ends[:-1]) if families else []
    return [part.reshape(family.shape) for part, family in zip(parts, families, strict=True)]
