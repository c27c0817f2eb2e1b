"""Bootstrap over test rows: what students would have scored on other rows of the same kind.

N test rows, S students, K labels, R resamples.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.audit import Estimate
from tasks.utility.scores import Codes, Reals, chance_f1, macro_f1

RESAMPLES = 1000
_BLOCK_COUNTS = 20_000_000
"""Numbers of a block of resamples, rows times resamples."""


@dataclass(frozen=True, slots=True)
class Resampled:
    """Figures of S students on R resamples of the test rows, the same rows for all of them.

    Args:
        accuracy: Shape `(R, S)`.
        macro_f1: Shape `(R, S)`.
        above_chance: Macro-F1 minus `chance_f1`, shape `(R, S)`.
    """

    accuracy: Reals
    macro_f1: Reals
    above_chance: Reals


def resample(given: Codes, predicted: Codes, *, num_labels: int, seed: int) -> Resampled:
    """Score students on samples of N test rows drawn with replacement from the N there are.

    Args:
        given: Label of each row, shape `(N,)`, N at least 1.
        predicted: What each student gave it, shape `(S, N)`.
        num_labels: K.
        seed: Decides which rows are drawn, together with N alone.

    References:
        Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentiles).
    """
    generator = np.random.default_rng([seed, given.size])
    size = max(1, _BLOCK_COUNTS // given.size)
    blocks = [
        _block(generator, min(size, RESAMPLES - start), given, predicted, num_labels)
        for start in range(0, RESAMPLES, size)
    ]
    return Resampled(*np.concatenate(blocks, axis=1))


def estimate(value: float, draws: Reals, n: int) -> Estimate:
    """State a figure with the interval between the 2.5 and 97.5 % quantiles of its resamples.

    Args:
        value: The figure on the rows as they are.
        draws: The figure on each resample, shape `(R,)`.
        n: Rows behind it.
    """
    low, high = np.quantile(draws, (0.025, 0.975)).tolist()
    return Estimate(value=value, low=low, high=high, n=n)


def _block(
    generator: np.random.Generator, size: int, given: Codes, predicted: Codes, num_labels: int
) -> Reals:
    """Score the students on `size` resamples: the three figures of `Resampled`, (3, size, S)."""
    drawn = np.stack(
        [
            np.bincount(generator.integers(given.size, size=given.size), minlength=given.size)
            for _ in range(size)
        ]
    ).astype(np.float64)
    rows_of = _indicator(given, num_labels) @ drawn.T
    found = np.empty((3, size, len(predicted)))
    for student, guess in enumerate(predicted):
        right = guess == given
        hits = _indicator(given, num_labels, right) @ drawn.T
        named = _indicator(guess, num_labels) @ drawn.T
        found[0, :, student] = hits.sum(axis=0) / given.size
        found[1, :, student] = macro_f1(hits.T, named.T, rows_of.T)
        found[2, :, student] = found[1, :, student] - chance_f1(named.T, rows_of.T)
    return found


def _indicator(codes: Codes, num_labels: int, kept: NDArray[np.bool_] | None = None) -> Any:
    """Return a sparse matrix of shape (K, N) that has 1 where a row has a label and is kept."""
    from scipy.sparse import csr_matrix

    values = np.ones(codes.size) if kept is None else kept.astype(np.float64)
    return csr_matrix((values, (codes, np.arange(codes.size))), shape=(num_labels, codes.size))
