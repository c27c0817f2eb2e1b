"""Learning curves: nested parts of a real training set, and how many real rows a score is worth.

N rows, P points of a curve.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.evaluation import Worth
from tasks.audit.corpus import row_hashes
from tasks.utility.rows import LabelledTexts
from tasks.utility.scores import Codes, Reals

FEWEST_ROWS = 16
"""Of the smallest part; also at least two a label."""
MOST_POINTS = 10


def learning_order(rows: LabelledTexts, *, seed: int) -> Codes:
    """Order rows so that the first n of them are a sample of n rows, for every n.

    Within a label rows stand in the order of a hash of label, text and seed. Labels take turns by
    their shares: the k-th of a label's m rows is due when (k + u) / m of all rows have been taken,
    where the u of the labels are spread evenly over [0, 1), or rare labels would all come at once.
    The rows chosen depend on nothing else, not on the order of the file.

    Args:
        rows: The N rows.
        seed: Another seed, another sample.

    Returns:
        Places of the rows, shape `(N,)`.
    """
    names = list(map(str, rows.codes.tolist()))
    hashes = row_hashes(names, rows.texts, key=f"curve-{seed}")
    order = np.lexsort((hashes, rows.codes))
    sizes = np.bincount(rows.codes)
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    starts = (np.random.default_rng(seed).permutation(sizes.size) + 0.5) / sizes.size
    due = (rank + np.repeat(starts, sizes)) / np.repeat(sizes, sizes)
    return order[np.lexsort((hashes[order], due))]


def curve_sizes(num_rows: int, num_labels: int) -> list[int]:
    """Return the parts to learn from: all rows, half of them, a quarter, ... in growing order.

    Args:
        num_rows: N, at least 1.
        num_labels: Labels to tell apart.

    Returns:
        At most `MOST_POINTS` numbers, the least at least `FEWEST_ROWS` and twice the number of
        labels, unless there are fewer rows than that altogether.
    """
    sizes = [num_rows]
    least = max(FEWEST_ROWS, 2 * num_labels)
    while len(sizes) < MOST_POINTS and sizes[-1] // 2 >= least:
        sizes.append(sizes[-1] // 2)
    return sizes[::-1]


def rows_reaching(sizes: list[int], curve: Reals, value: float) -> float:
    """Return how many rows a learning curve needs to reach a value.

    The curve is made monotone by isotonic regression (least squares, every point weighing the
    same) and is linear in the logarithm of the rows between points; where it first reaches the
    value is the answer.

    Args:
        sizes: Rows of each point, growing, P of them.
        curve: The figure at each, shape `(P,)`.
        value: The figure to reach.

    Returns:
        Rows; 0 where the first point lies above the value, infinity where the last lies below.
    """
    from sklearn.isotonic import isotonic_regression

    grown = isotonic_regression(curve)
    if value < grown[0]:
        return 0.0
    if value > grown[-1]:
        return float("inf")
    place = int(np.searchsorted(grown, value, side="left"))
    if place == 0:
        return float(sizes[0])
    below, above = grown[place - 1], grown[place]
    part = (value - below) / (above - below)
    return float(sizes[place - 1] * (sizes[place] / sizes[place - 1]) ** part)


def worth_of(
    sizes: list[int], curves: NDArray[np.float64], values: Reals, *, found: float
) -> Worth:
    """State how many real rows a score is worth, with its interval.

    Args:
        sizes: Rows of each point, growing.
        curves: The curve on R resamples of the test rows, shape `(R, P)`.
        values: The score on the same resamples, shape `(R,)`.
        found: What `rows_reaching` gives on the rows as they are.
    """
    draws = np.array(
        [rows_reaching(sizes, curve, value) for curve, value in zip(curves, values, strict=True)]
    )
    # Between two draws nothing is interpolated: one of them may be infinite.
    low, high = np.quantile(draws, (0.025, 0.975), method="inverted_cdf").tolist()
    inside = 0 < found < float("inf")
    return Worth(
        rows=round(found) if inside else None,
        beyond=None if inside else "more" if found else "fewer",
        low=round(min(low, sizes[-1])),
        high=None if high > sizes[-1] else max(round(high), sizes[0]),
        smallest=sizes[0],
        largest=sizes[-1],
    )
