"""How long texts are, and which are longer or shorter than real ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
TAIL = 0.005
"""Share of the reference that may lie beyond each bound of a usual length."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of N texts.

    Args:
        words: Words that white space separates, shape `(N,)`.
        chars: Code points, shape `(N,)`.
    """

    words: NDArray[np.int64]
    chars: NDArray[np.int64]


def measure_lengths(texts: Sequence[str]) -> Lengths:
    """Count words and characters; an empty text has none of either."""
    words = np.fromiter((len(text.split()) for text in texts), dtype=np.int64, count=len(texts))
    return Lengths(words, np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))


def length_quantiles(lengths: NDArray[np.int64]) -> list[int]:
    """Return the quantiles at `QUANTILES`, each a length that occurs.

    The q-quantile is the least length that at least a share q of the texts does not exceed.

    Args:
        lengths: Lengths of at least one text, shape `(N,)`.

    Raises:
        ValueError: If there are none.

    References:
        Definition 1 of Hyndman and Fan, 1996. https://doi.org/10.2307/2684934
    """
    return [int(value) for value in _quantiles(lengths, QUANTILES)]


def usual_lengths(lengths: NDArray[np.int64]) -> tuple[int, int]:
    """Return the least and greatest usual length: at most a share `TAIL` lies beyond either.

    Raises:
        ValueError: If there are no lengths.
    """
    least, greatest = _quantiles(lengths, (TAIL, 1 - TAIL))
    return int(least), int(greatest)


def _quantiles(lengths: NDArray[np.int64], at: Sequence[float]) -> NDArray[np.int64]:
    if not lengths.size:
        raise ValueError("no lengths")
    return np.quantile(lengths, at, method="inverted_cdf").astype(np.int64)
