"""The share of disagreement that no sureness takes away: the lapse rate of a curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.quality.threads import one_blas_thread

MOST_BINS = 400
"""Points of the curve: rows of like sureness are counted together."""
_HALF_CHI2 = 1.920729410347062
"""Half the 95 % quantile of chi-square with 1 degree of freedom."""
_GRID = 61
_STEEPEST = 20.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lapses:
    """A lapse rate and the bounds of its 95 % interval, each in [0, (K - 1) / K]."""

    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Counts:
    sureness: Floats
    agreeing: Floats
    disagreeing: Floats
    num_classes: int


@one_blas_thread()
def lapse_rate(sureness: Floats, agrees: NDArray[np.bool_], *, num_classes: int) -> Lapses:
    """Estimate which share of the given labels was replaced by another, from a classifier's doubt.

    A classifier disagrees with a label for two reasons: it errs, the less the surer it is, or the
    label is wrong, however sure it is. With e the share of replaced labels, x the sureness and
    s(x) = 1 / (1 + exp(-(a x + b))), a > 0, the chance that it is right,

        P(agrees | x) = (1 - e) s(x) + e / (K - 1) (1 - s(x)).

    e, a and b have the greatest likelihood; the interval holds every e whose profile likelihood is
    within 1.92 of it. So labels that are wrong in rows that are as plain as others are counted;
    errors of the classifier, and labels that are wrong only where the text is in doubt, are not.
    With few sure rows the interval is wide: at worst 0 to (K - 1) / K.

    Args:
        sureness: Log-odds of the most probable class, out of fold, shape `(N,)`, finite, N > 0.
        agrees: Whether that class is the given one, shape `(N,)`.
        num_classes: K, at least 2.

    References:
        The lapse rate of a psychometric function: Wichmann & Hill, Perception & Psychophysics 2001.
        https://doi.org/10.3758/BF03194544
        Profile likelihood: Venzon & Moolgavkar, Applied Statistics 1988.
        https://doi.org/10.2307/2347496
    """
    from scipy.optimize import brentq, minimize_scalar

    counts = _counted(sureness, agrees, num_classes)
    most = (num_classes - 1) / num_classes
    # Squares, because most corpora lie near 0 and the curve is steep there.
    grid = most * np.linspace(0, 1, _GRID) ** 2
    losses, start = np.empty(_GRID), np.array([0.0, 0.0])
    starts = []
    for place, rate in enumerate(grid):
        losses[place], start = _profile(rate, counts, start)
        starts.append(start)
    best = int(losses.argmin())

    def loss(rate: float) -> float:
        near = starts[int(np.abs(grid - rate).argmin())]
        return _profile(rate, counts, near)[0]

    bounds = grid[max(best - 1, 0)], grid[min(best + 1, _GRID - 1)]
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-5})
    rate, least = (found.x, found.fun) if found.fun < losses[best] else (grid[best], losses[best])

    def excess(other: float) -> float:
        return loss(other) - float(least) - _HALF_CHI2

    outside = losses > least + _HALF_CHI2
    below = grid[outside & (grid < rate)]
    above = grid[outside & (grid > rate)]
    return Lapses(
        rate=float(rate),
        low=float(brentq(excess, below[-1], rate, xtol=1e-5)) if below.size else 0.0,
        high=float(brentq(excess, rate, above[0], xtol=1e-5)) if above.size else most,
    )


def _counted(sureness: Floats, agrees: NDArray[np.bool_], num_classes: int) -> _Counts:
    order = np.argsort(sureness, kind="stable")
    size = -(-len(order) // MOST_BINS)
    starts = np.arange(0, len(order), size)
    rows = np.diff(np.append(starts, len(order)))
    agreeing = np.add.reduceat(agrees[order].astype(np.float64), starts)
    means = np.add.reduceat(sureness[order], starts) / rows
    return _Counts(means, agreeing, rows - agreeing, num_classes)


def _profile(rate: float, counts: _Counts, start: Floats) -> tuple[float, Floats]:
    """Return the least negative log-likelihood for a lapse rate, and its log a and b."""
    from scipy.optimize import minimize

    floor = rate / (counts.num_classes - 1)
    span = 1 - rate - floor

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope = np.exp(parameters[0])
        inner = np.clip(slope * counts.sureness + parameters[1], -500, 500)
        right = 1 / (1 + np.exp(-inner))
        agreement = np.clip(floor + span * right, 1e-12, 1 - 1e-12)
        value = -(counts.agreeing @ np.log(agreement) + counts.disagreeing @ np.log1p(-agreement))
        pull = counts.disagreeing / (1 - agreement) - counts.agreeing / agreement
        pull *= span * right * (1 - right)
        return float(value), np.array([pull @ counts.sureness * slope, pull.sum()])

    limits = [(-_STEEPEST, np.log(_STEEPEST)), (-_STEEPEST * 5, _STEEPEST * 5)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=limits)
    return float(found.fun), found.x
