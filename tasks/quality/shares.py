"""Shares of labels or attribute values: how far from those asked for, and how even."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SEED = 20240229
_DRAWS = 999


@dataclass(frozen=True, slots=True)
class Deviation:
    """A figure of a distribution and how far samples of the same size stray from it.

    Args:
        value: The figure.
        margin: The 95 % quantile of its distance to the same figure of a sample.
    """

    value: float
    margin: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Shares got beside shares asked for, K values.

    Args:
        values: The values asked for; then None, for all other values together, when there are any.
        counts: Rows with each, shape `(K,)`.
        asked: Shares asked for, shape `(K,)`, sum 1; 0 for None.
        distance: Total variation distance, half the sum of the absolute differences: the share of
            rows that would have to change their value.
        chi_square: Pearson's statistic; None when a value was seen that nobody asked for.
        p: Probability of a statistic at least as great when rows are drawn by the shares asked for.
    """

    values: tuple[str | None, ...]
    counts: NDArray[np.int64]
    asked: NDArray[np.float64]
    distance: Deviation
    chi_square: float | None
    p: float


def compare_shares(values: Sequence[str], *, asked: Mapping[str, float]) -> Fit:
    """Compare the shares of values with those asked for.

    The margin of the distance d is the 95 % quantile of the distance between the shares got and
    those of samples of N rows drawn by them. Since distances obey the triangle inequality, d +-
    margin covers the distance of the source from what was asked at least as often, also where the
    source is exact and d itself, which cannot be 0 by chance, is too great. p is estimated from
    999 samples drawn by the shares asked for, and so at least 1/1000; it needs no least count.

    Args:
        values: The value of each row, at least one row.
        asked: Weight of each value, not negative, not all 0; they are scaled to sum 1.

    Raises:
        ValueError: If there are no rows or no weight.

    References:
        Pearson's test by simulation: Hope, JRSS B 1968.
        https://doi.org/10.1111/j.2517-6161.1968.tb00759.x
    """
    total = sum(asked.values())
    if not values or total <= 0 or min(asked.values()) < 0:
        raise ValueError("no rows, or no weight")
    seen = Counter(values)
    num_rows = len(values)
    counts = np.array([seen[name] for name in asked], dtype=np.int64)
    shares = np.array([weight / total for weight in asked.values()])
    names: tuple[str | None, ...] = tuple(asked)
    # Nobody asked for any of them, so taken together they are as far from it as one by one.
    if others := num_rows - int(counts.sum()):
        names, counts, shares = (*names, None), np.append(counts, others), np.append(shares, 0.0)
    draws = np.random.default_rng(_SEED)
    distances = _distance(_resampled(counts, draws), counts / num_rows)
    statistic = _chi_square(counts[None], shares)[0]
    by_chance = _chi_square(draws.multinomial(num_rows, shares, size=_DRAWS), shares)
    return Fit(
        values=names,
        counts=counts,
        asked=shares,
        distance=Deviation(
            value=float(_distance(counts / num_rows, shares)),
            margin=float(np.quantile(distances, 0.95)),
        ),
        chi_square=float(statistic) if np.isfinite(statistic) else None,
        # What rounding keeps apart is equal: 1e-9 below the statistic counts as at least as great.
        p=float((1 + np.sum(by_chance >= statistic * (1 - 1e-9))) / (_DRAWS + 1)),
    )


def normalised_entropy(counts: NDArray[np.int64]) -> Deviation:
    """Measure how even K values are: Shannon's entropy over log K, 1 for equal counts.

    The margin is the 95 % quantile of the distance between this entropy and that of samples of as
    many rows. Values that do not occur are left out; a single value is as even as can be.

    Args:
        counts: Rows with each value, not negative, at least one row, shape `(K,)`.

    Raises:
        ValueError: If there are no rows.

    References:
        Pielou, Journal of Theoretical Biology 1966. https://doi.org/10.1016/0022-5193(66)90013-0
    """
    present = counts[counts > 0]
    if present.size == 0:
        raise ValueError("no rows")
    if present.size == 1:
        return Deviation(1.0, 0.0)
    value = _evenness(present / present.sum())
    resampled = _evenness(_resampled(present, np.random.default_rng(_SEED)))
    return Deviation(float(value), float(np.quantile(np.abs(resampled - value), 0.95)))


def _resampled(counts: NDArray[np.int64], draws: np.random.Generator) -> NDArray[np.float64]:
    """Return the shares in samples of as many rows, shape `(draws, K)`."""
    num_rows = counts.sum()
    drawn = draws.multinomial(num_rows, counts / num_rows, size=_DRAWS)
    return np.asarray(drawn / num_rows)


def _distance(shares: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(shares - others).sum(axis=-1) / 2)


def _evenness(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return np.asarray(-(shares * logs).sum(axis=-1) / np.log(shares.shape[-1]))


def _chi_square(counts: NDArray[np.int64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the statistic of each row of `counts`, shape `(B, K)`; infinite where asked is 0."""
    expected = counts.sum(axis=-1, keepdims=True) * shares
    squares = (counts - expected) ** 2
    wanted = np.broadcast_to(expected > 0, squares.shape)
    terms = np.divide(squares, expected, where=wanted, out=np.where(squares > 0, np.inf, 0.0))
    return np.asarray(terms.sum(axis=-1))
