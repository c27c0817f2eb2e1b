"""Confidence intervals of the figures that an audit states."""

import math

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: intervals are of 95 %."""


def share(count: int, n: int) -> Estimate:
    """Estimate a share of independent rows, with its Wilson score interval.

    Args:
        count: Rows that have the property.
        n: All rows, at least 1.

    Raises:
        ValueError: If `count` is not between 0 and `n`, or `n` is 0.

    References:
        Wilson, JASA 1927. https://doi.org/10.1080/01621459.1927.10502953
    """
    if not 0 <= count <= n or n == 0:
        raise ValueError(f"{count} of {n} is no share")
    value, z2 = count / n, Z * Z
    centre = (value + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * math.sqrt(value * (1 - value) / n + z2 / (4 * n * n))
    # At the ends the bound is the value itself, which rounding must not push past.
    low = 0.0 if count == 0 else min(value, centre - half)
    high = 1.0 if count == n else max(value, centre + half)
    return Estimate(value=value, low=low, high=high, n=n)


def mean(values: NDArray[np.float64]) -> Estimate:
    """Estimate the mean of independent observations, with its normal interval.

    Args:
        values: At least one finite number, shape `(N,)`; of one alone there is no interval.

    Raises:
        ValueError: If there are none.
    """
    if values.size == 0:
        raise ValueError("no values")
    value = float(values.mean())
    if values.size == 1:
        return Estimate(value=value, n=1)
    half = Z * float(values.std(ddof=1)) / math.sqrt(values.size)
    return Estimate(value=value, low=value - half, high=value + half, n=int(values.size))


def plain(value: float, n: int) -> Estimate:
    """State a figure for which no interval is defined."""
    return Estimate(value=float(value), n=n)
