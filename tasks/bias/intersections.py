"""Intersections: rows that mention a group of one axis and a group of another.

N rows, G groups, P pairs, L values.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.bias.association import FEWEST_ROWS, Associations, Ints, associate
from tasks.bias.mentions import Mentions


@dataclass(frozen=True, slots=True)
class Intersections:
    """Pairs of groups of different axes that rows mention together.

    Args:
        pairs: Columns of the two groups of each pair that has `FEWEST_ROWS`, shape `(P, 2)`.
        rows: Rows that mention both, shape `(P,)`.
        scarce: Pairs that occur, in too few rows.
        associations: The pairs against the values of a column.
    """

    pairs: Ints
    rows: Ints
    scarce: int
    associations: Associations


def intersections(mentions: Mentions, *, values: Ints, num_values: int) -> Intersections:
    """Find the groups that are mentioned together, and whether labels tell them apart.

    Args:
        mentions: Groups of the N rows.
        values: Number of each row's value, -1 for a null, shape `(N,)`.
        num_values: L.
    """
    axis_of = np.array([mentions.axes().index(axis) for axis, _ in mentions.columns])
    # Only rows that mention two groups can mention two axes; float32 counts exactly to 16 million.
    several = np.flatnonzero(mentions.rows.sum(axis=1) >= 2)
    rows = mentions.rows[several]
    together = rows.T.astype(np.float32) @ rows.astype(np.float32)
    crossing = np.triu(axis_of[:, None] != axis_of[None, :], 1)
    pairs = np.argwhere(crossing & (together >= FEWEST_ROWS)).astype(np.int64)
    counts = together[pairs[:, 0], pairs[:, 1]].astype(np.int64)
    scarce = int((crossing & (together > 0) & (together < FEWEST_ROWS)).sum())
    tests = _against(rows, pairs, several, values=values, num_values=num_values)
    return Intersections(pairs, counts, scarce, tests)


def _against(
    rows: NDArray[np.bool_], pairs: Ints, places: Ints, *, values: Ints, num_values: int
) -> Associations:
    valued, here = values >= 0, values[places]
    joint = np.zeros((num_values, len(pairs)), dtype=np.int64)
    for place, (first, second) in enumerate(pairs.tolist()):
        both = rows[:, first] & rows[:, second] & (here >= 0)
        joint[:, place] = np.bincount(here[both], minlength=num_values)
    return associate(
        joint,
        value_rows=np.bincount(values[valued], minlength=num_values),
        group_rows=joint.sum(axis=0),
        n=int(valued.sum()),
    )
