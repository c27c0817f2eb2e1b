"""Representation: how often is each group spoken of, and how often should it be?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.bias.interval import ALPHA, Interval, Z

FEWEST_MENTIONS = 30
"""Mentions of an axis below which its shares are not compared with a target."""
FEWEST_EXPECTED = 5.0
"""Mentions that the target must promise a group for the chi-square approximation to hold."""
_DRAWS = 1_999
_SEED = 20


@dataclass(frozen=True, slots=True)
class GroupShare:
    """How often a group of an axis is mentioned.

    Args:
        group: Its name.
        rows: Rows that mention it.
        share: `rows` over the sum of the rows of all groups of the axis, with the Wilson score
            interval; None when no row mentions the axis.
        target: The share that was asked for.
    """

    group: str
    rows: int
    share: Interval | None
    target: float


@dataclass(frozen=True, slots=True)
class Representation:
    """How often the groups of an axis are mentioned.

    Args:
        axis: Its name.
        groups: Its groups, in the lexicon's order.
        mentions: Pairs of a row and a group that it mentions: what shares are taken of.
        distance: Total variation distance of the shares to the targets, in [0, 1]: the part of
            the mentions that would have to go to another group; None below `FEWEST_MENTIONS`.
        p_value: Of the hypothesis that mentions are drawn by the target: Pearson's chi-square
            goodness of fit, by its distribution where the target promises each group
            `FEWEST_EXPECTED` mentions, else by 1,999 multinomial draws; None below
            `FEWEST_MENTIONS`.
    """

    axis: str
    groups: tuple[GroupShare, ...]
    mentions: int
    distance: Interval | None
    p_value: float | None


def representation(
    rows: NDArray[np.bool_],
    *,
    axis: str,
    groups: Sequence[str],
    target: Mapping[str, float] | None = None,
) -> Representation:
    """Compare how often the groups of an axis are mentioned with a target.

    A row that mentions two groups counts for both. That makes shares vary less than those of as
    many independent draws, so that the intervals and the p-value err on the safe side.

    Args:
        rows: Whether each row mentions each group, shape `(N, K)`.
        axis: Name of the axis.
        groups: Names of the K groups.
        target: Weight of each group, in any unit; a group without one has 0. None asks for equal
            shares.

    Raises:
        ValueError: If the target names an unknown group, has a negative weight or none above 0.

    References:
        Wilson, JASA 1927. https://doi.org/10.1080/01621459.1927.10502953
    """
    counts = rows.sum(axis=0).astype(np.int64)
    shares = _target_shares(target, axis=axis, groups=groups)
    total = int(counts.sum())
    tested = total >= FEWEST_MENTIONS
    p_value = _goodness_of_fit(counts, shares) if tested else None
    return Representation(
        axis=axis,
        groups=tuple(
            GroupShare(group, int(count), wilson(int(count), total) if total else None, share)
            for group, count, share in zip(groups, counts, shares.tolist(), strict=True)
        ),
        mentions=total,
        distance=None if p_value is None else _distance(counts, shares, p_value),
        p_value=p_value,
    )


def wilson(count: int, n: int) -> Interval:
    """Return the share `count / n` with its Wilson score interval; `n` is at least 1."""
    value, z2 = count / n, Z * Z
    centre = (value + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * float(np.sqrt(value * (1 - value) / n + z2 / (4 * n * n)))
    # At the ends the bound is the value itself, which rounding must not push past.
    low = 0.0 if count == 0 else min(value, centre - half)
    high = 1.0 if count == n else max(value, centre + half)
    return Interval(value, low, high, n)


def _target_shares(
    target: Mapping[str, float] | None, *, axis: str, groups: Sequence[str]
) -> NDArray[np.float64]:
    if target is None:
        return np.full(len(groups), 1 / len(groups))
    if unknown := set(target).difference(groups):
        raise ValueError(f"the axis {axis} has no group {sorted(unknown)[0]}")
    weights = np.array([target.get(group, 0.0) for group in groups], dtype=np.float64)
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.max() > 0):
        raise ValueError(f"the target of {axis} has a negative weight or none above 0")
    return np.asarray(weights / weights.sum())


def _distance(counts: NDArray[np.int64], shares: NDArray[np.float64], p_value: float) -> Interval:
    """Bootstrap the distance; what sampling alone adds to it is taken off the lower bound."""
    n = int(counts.sum())
    # Half a mention for every group keeps the interval open where all mentions are of one.
    drawn_from = (counts + 0.5) / (n + 0.5 * len(counts))
    draws = np.random.default_rng(_SEED).multinomial(n, drawn_from, size=_DRAWS) / n
    distances = np.abs(draws - shares).sum(axis=1) / 2
    value = float(np.abs(counts / n - shares).sum() / 2)
    # A resample is as much farther from the target than the sample as that is from the population.
    shift = max(0.0, float(distances.mean()) - value)
    low, high = np.quantile(distances, [0.025, 0.975]) - 2 * shift
    # At 0 the bootstrap fails, and the test says whether 0 is possible.
    low = 0.0 if p_value >= ALPHA else max(0.0, min(value, float(low)))
    return Interval(value, low, max(value, float(high)), n)


def _goodness_of_fit(counts: NDArray[np.int64], shares: NDArray[np.float64]) -> float:
    from scipy.stats import chi2

    n = int(counts.sum())
    asked = shares > 0
    if counts[~asked].any():
        return 0.0
    counts, expected = counts[asked], n * shares[asked]
    statistic = float(((counts - expected) ** 2 / expected).sum())
    if expected.min() >= FEWEST_EXPECTED:
        return float(chi2.sf(statistic, len(counts) - 1)) if len(counts) > 1 else 1.0
    draws = np.random.default_rng(_SEED).multinomial(n, shares[asked], size=_DRAWS)
    drawn = ((draws - expected) ** 2 / expected).sum(axis=1)
    return float((1 + (drawn >= statistic - 1e-9).sum()) / (1 + _DRAWS))
