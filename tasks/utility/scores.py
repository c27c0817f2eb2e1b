"""How well labels were given: accuracy, F1, calibration, confusion, and McNemar's test.

N test rows, K labels. A label is a code in [0, K).
"""

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
Reals = NDArray[np.float64]

NUM_BINS = 15
"""Of the calibration error, as in Guo et al."""


def confusion(given: Codes, predicted: Codes, num_labels: int) -> Codes:
    """Count rows by label and predicted label.

    Args:
        given: Label of each row, shape `(N,)`.
        predicted: Label that each was given by a student, shape `(N,)`.
        num_labels: K.

    Returns:
        Shape `(K, K)`: rows are labels, columns predicted ones.
    """
    pairs = np.bincount(given * num_labels + predicted, minlength=num_labels**2)
    return pairs.reshape(num_labels, num_labels).astype(np.int64)


def label_f1(hits: Reals, predicted: Reals, given: Reals) -> Reals:
    """Return the F1 of each label: 2 hits / (predicted + given), and 0 where both are 0.

    Args:
        hits: Rows rightly given the label, shape `(..., K)`.
        predicted: Rows given the label, shape `(..., K)`.
        given: Rows that have the label, shape `(..., K)`.

    Returns:
        Shape `(..., K)`.
    """
    total = predicted + given
    return np.divide(2 * hits, total, out=np.zeros(total.shape), where=total > 0)


def macro_f1(hits: Reals, predicted: Reals, given: Reals) -> Reals:
    """Return the mean F1 of the labels that some row has.

    A label that no row has can only be predicted wrongly: that lowers the F1 of the labels whose
    rows it was given to, and counts no second time.

    Args:
        hits: As for `label_f1`, shape `(..., K)`.
        predicted: As for `label_f1`.
        given: As for `label_f1`; at least one is above 0.

    Returns:
        Shape `(...)`.
    """
    there = given > 0
    scores = np.where(there, label_f1(hits, predicted, given), 0.0)
    return np.asarray(scores.sum(axis=-1) / there.sum(axis=-1))


def chance_f1(predicted: Reals, given: Reals) -> Reals:
    """Return the macro-F1 that predicted labels reach on average when dealt to the rows at random.

    Of p rows given a label and g rows that have it, among N, p g / N agree on average, so that the
    mean F1 of the label is 2 p g / (N (p + g)). A student that learnt nothing reaches about that,
    whatever labels it favours.

    Args:
        predicted: As for `macro_f1`, shape `(..., K)`.
        given: As for `macro_f1`.

    Returns:
        Shape `(...)`.
    """
    return macro_f1(predicted * given / given.sum(axis=-1, keepdims=True), predicted, given)


def expected_calibration_error(confidences: Reals, right: NDArray[np.bool_]) -> float:
    """Return how far confidence and accuracy lie apart on average.

    Rows fall into 15 bins of equal width by the confidence c in the predicted label: bin b holds
    b / 15 < c <= (b + 1) / 15, the first one 0 as well. The error is the mean over all rows of
    |share of right rows - mean confidence| of the row's bin. With few rows it lies above 0 even
    for a student that knows its odds exactly.

    Args:
        confidences: In [0, 1], shape `(N,)`, N at least 1.
        right: Whether the row was given its label, shape `(N,)`.

    References:
        Guo et al., ICML 2017. https://arxiv.org/abs/1706.04599
    """
    # Rounded, because 3 / 15 in floating point times 15 is not 3.
    bins = np.clip(np.ceil(np.round(confidences * NUM_BINS, 9)).astype(np.int64) - 1, 0, None)
    apart = np.bincount(bins, right - confidences, minlength=NUM_BINS)
    return float(np.abs(apart).sum() / len(confidences))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p-value of the exact McNemar test.

    Of the rows that only one of two students got right, each student is as likely as the other to
    have got any. The p-value is the probability of a split at least as uneven, at most 1; it is 1
    when there are no such rows.

    Args:
        only_first: Rows that only the first got right.
        only_second: Rows that only the second got right.

    References:
        McNemar, Psychometrika 1947. https://doi.org/10.1007/BF02295996
        Dietterich, Neural Computation 1998. https://doi.org/10.1162/089976698300017197
    """
    from scipy.stats import binom

    fewer, total = min(only_first, only_second), only_first + only_second
    return float(min(1.0, 2 * binom.cdf(fewer, total, 0.5)))
