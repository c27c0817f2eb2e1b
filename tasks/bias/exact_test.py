"""Fisher's exact test for many sparse two-by-two tables at once."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_EXPECTED = 10.0
"""Expected rows of the sparsest cell up to which the tables are sparse."""
_SUPPORT = 512
"""Counts of the sparsest cell that are summed over: beyond lies less than 1e-300."""
_AT_ONCE = 4_096
_TIE = 1e-7
"""Relative difference within which two probabilities are equal."""


def fisher_p_values(both: Ints, rows: Ints, columns: Ints, *, n: int) -> Floats:
    """Return the two-sided p-value of each table.

    It is the probability, under the hypergeometric distribution of tables with the same margins, of
    tables that are as improbable as the one at hand, or more.

    Args:
        both: Rows of the table with both properties, shape `(T,)`.
        rows: Rows with the one, shape `(T,)`.
        columns: Rows with the other, shape `(T,)`.
        n: All rows.

    Raises:
        ValueError: If a table expects more than `MOST_EXPECTED` in its sparsest cell.

    References:
        Agresti, Categorical Data Analysis, 2013, chapter 3.5.
    """
    few_rows, few_columns = np.minimum(rows, n - rows), np.minimum(columns, n - columns)
    if (few_rows * few_columns > MOST_EXPECTED * n).any():
        raise ValueError("the tables are not sparse")
    # The sparsest cell is that of the two rarer properties.
    turned_row, turned_column = rows > n - rows, columns > n - columns
    count = np.where(turned_row, columns - both, both)
    count = np.where(turned_column, few_rows - count, count)
    parts = [
        _p_values(count[at : at + _AT_ONCE], few_rows[at : at + _AT_ONCE],
                  few_columns[at : at + _AT_ONCE], n)
        for at in range(0, len(count), _AT_ONCE)
    ]  # fmt: skip
    return np.concatenate([np.zeros(0), *parts])


def _p_values(count: Ints, rows: Ints, columns: Ints, n: int) -> Floats:
    width = min(int(np.minimum(rows, columns).max()), _SUPPORT)
    k = np.arange(width)
    left = (rows[:, None] - k).clip(0) * (columns[:, None] - k).clip(0).astype(np.float64)
    right = (k + 1.0) * (n - rows - columns + 1)[:, None] + (k + 1.0) * k
    with np.errstate(divide="ignore"):
        # Log of each probability over that of the one before: no factorials, no cancellation.
        steps = np.log(left / right)
    logs = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(steps, axis=1)], axis=1)
    logs -= logs.max(axis=1, keepdims=True)
    probability = np.exp(logs)
    probability /= probability.sum(axis=1, keepdims=True)
    inside = np.minimum(count, width)
    own = np.take_along_axis(probability, inside[:, None], axis=1)
    p_value = np.where(probability <= own * (1 + _TIE), probability, 0).sum(axis=1)
    return np.minimum(np.where(count > width, 0.0, p_value), 1.0)
