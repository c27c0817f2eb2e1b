"""A figure with the bounds of its 95 % confidence interval."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""
ALPHA = 0.05
"""Accepted part of false alarms: 1 - 0.95."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate.

    Args:
        value: The figure.
        low: Lower bound of its 95 % confidence interval.
        high: Upper bound; infinite where nothing bounds it.
        n: Observations.
    """

    value: float
    low: float
    high: float
    n: int

    def excludes(self, value: float) -> bool:
        """Return whether a value lies outside."""
        return not self.low <= value <= self.high


def mean(values: NDArray[np.float64]) -> Interval | None:
    """Return the mean of at least two independent numbers with Student's interval, else None."""
    from scipy.stats import t

    if values.size < 2:
        return None
    value, n = float(values.mean()), int(values.size)
    half = float(t.ppf(1 - ALPHA / 2, n - 1) * values.std(ddof=1)) / math.sqrt(n)
    return Interval(value, value - half, value + half, n)


def welch(
    values: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[Interval, float] | None:
    """Compare two means: their difference with Welch's interval, and the p-value of his test.

    Args:
        values: Independent numbers, shape `(N,)`.
        others: Independent numbers, shape `(M,)`.

    Returns:
        None when there are fewer than two of either. Where neither varies the interval is the
        difference alone.

    References:
        Welch, Biometrika 1947. https://doi.org/10.1093/biomet/34.1-2.28
    """
    from scipy.stats import t

    if min(values.size, others.size) < 2:
        return None
    n = int(values.size + others.size)
    difference = float(values.mean() - others.mean())
    one, other = (float(x.var(ddof=1)) / x.size for x in (values, others))
    if one + other == 0:
        return Interval(difference, difference, difference, n), float(difference == 0)
    freedom = (one + other) ** 2 / (one**2 / (values.size - 1) + other**2 / (others.size - 1))
    error = math.sqrt(one + other)
    half = float(t.ppf(1 - ALPHA / 2, freedom)) * error
    p_value = 2 * float(t.sf(abs(difference) / error, freedom))
    return Interval(difference, difference - half, difference + half, n), p_value
