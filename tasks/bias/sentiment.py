"""Sentiment: are some groups spoken of in kinder words than others?

N rows, W words, K groups of one axis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field

from schemas.base import Frozen
from tasks.bias.association import FEWEST_ROWS
from tasks.bias.interval import Interval, welch
from tasks.bias.lexicons import Term


class Polarity(Frozen):
    """Words of praise and of blame."""

    version: int = Field(ge=1)
    source: str
    positive: frozenset[Term]
    negative: frozenset[Term]
    negators: frozenset[Term]
    """Words that turn round what follows; "t" is what is left of "n't"."""
    reach: int = Field(ge=1)
    """Words that a negator reaches."""


@dataclass(frozen=True, slots=True)
class SentimentGap:
    """How much kinder the rows of a group are than those of the other groups of its axis.

    Args:
        group: Its name.
        rows: Rows that mention it.
        others: Rows that mention only other groups of the axis.
        gap: Mean score of the rows less that of the others, with Welch's interval; None when either
            has fewer than `FEWEST_ROWS`.
        p_value: Of Welch's test; None with `gap`.
    """

    group: str
    rows: int
    others: int
    gap: Interval | None
    p_value: float | None


@cache
def shipped_polarity() -> Polarity:
    """Return the polarity lexicon that ships with corpusmith."""
    text = files(__package__).joinpath("lexicons", "polarity.yaml").read_text("utf-8")
    return Polarity.model_validate(yaml.safe_load(text))


def polarity_scores(
    codes: NDArray[np.int32],
    offsets: NDArray[np.int64],
    *,
    code_of: Mapping[str, int],
    polarity: Polarity,
) -> NDArray[np.float64]:
    """Score the sentiment of each row by its words.

    The score is (p - q) / (p + q) for p positive and q negative words, in [-1, 1], and 0 for a row
    that has none. A word with a negator among the `reach` words before it counts for the other
    side.

    Args:
        codes: Codes of the words of all rows, shape `(W,)`.
        offsets: Where the words of each row begin, and `W` at the end, shape `(N + 1,)`.
        code_of: Codes of those words of the lexicon that occur.
        polarity: The lexicon.

    Returns:
        Shape `(N,)`.
    """
    size = int(codes.max()) + 1 if codes.size else 0
    sign, negates = np.zeros(size, dtype=np.int8), np.zeros(size, dtype=np.bool_)
    for word, code in code_of.items():
        if code < size:
            sign[code] = (word in polarity.positive) - (word in polarity.negative)
            negates[code] = word in polarity.negators
    places = np.flatnonzero(sign[codes])
    rows = np.searchsorted(offsets, places, side="right") - 1
    turned = np.zeros(len(places), dtype=np.bool_)
    for step in range(1, polarity.reach + 1):
        before = places - step
        turned |= (before >= offsets[rows]) & negates[codes[np.maximum(before, 0)]]
    signs = np.where(turned, -1, 1) * sign[codes[places]]
    total = np.bincount(rows, minlength=len(offsets) - 1)
    return np.bincount(rows, weights=signs, minlength=len(offsets) - 1) / np.maximum(total, 1)


def sentiment_gaps(
    scores: NDArray[np.float64], rows: NDArray[np.bool_], *, groups: Sequence[str]
) -> list[SentimentGap]:
    """Compare the groups of an axis by the scores of the rows that mention them.

    Args:
        scores: Sentiment of each row, by `polarity_scores` or any other scorer, shape `(N,)`.
        rows: Whether each row mentions each group, shape `(N, K)`.
        groups: Names of the K groups.
    """
    of_axis, found = rows.any(axis=1), []
    for name, mentions in zip(groups, rows.T, strict=True):
        own, other = scores[mentions], scores[of_axis & ~mentions]
        tested = None
        if min(own.size, other.size) >= FEWEST_ROWS:
            tested = welch(own, other)
        gap, p_value = tested if tested is not None else (None, None)
        found.append(SentimentGap(name, int(own.size), int(other.size), gap, p_value))
    return found
