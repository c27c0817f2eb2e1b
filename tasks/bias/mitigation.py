"""Mitigation: swapped copies, weights and further rows that part labels from groups.

N rows, L values of a label, K groups of one axis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.bias.association import Floats, Ints
from tasks.bias.counterfactual import SwappedRows

MOST_ROUNDS = 1000
_SETTLED = 1e-9


@dataclass(frozen=True, slots=True)
class Reweighting:
    """A weight for every row.

    Args:
        weights: Of mean 1 over the rows that have a value and 0 for the others, shape `(N,)`.
        effective_rows: Kish's effective sample size, (sum w)^2 / sum w^2: what is left of the rows
            when weights differ.
    """

    weights: Floats
    effective_rows: float


def independence_weights(values: Ints, groups: Ints, *, shape: tuple[int, int]) -> Reweighting:
    """Weigh rows so that value and group are independent among rows that name one group.

    A row of value l and group g gets P(l) P(g) / P(l, g), shares taken over the rows that name one
    group of the axis; rows that name none or several get 1. The shares of values and of groups stay
    as they are. A value and a group that never meet cannot be weighted: then the association
    shrinks, but not to 0.

    Args:
        values: Number of each row's value, -1 for none, shape `(N,)`.
        groups: Number of the one group that each row mentions, else -1, shape `(N,)`.
        shape: `(L, K)`.

    References:
        Kamiran and Calders, KAIS 2012. https://doi.org/10.1007/s10115-011-0463-8
    """
    both, weights = (values >= 0) & (groups >= 0), (values >= 0).astype(np.float64)
    cells = values[both] * shape[1] + groups[both]
    if cells.size:
        table = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
        expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
        weighed = (expected / np.maximum(table, 1)).ravel()[cells]
        # What the pairs that never meet should have weighed goes to the others.
        weights[both] = weighed / weighed.mean()
    total = float(weights.sum())
    return Reweighting(weights, total**2 / float((weights**2).sum()) if total else 0.0)


def joint_weights(
    values: Ints, groups: Sequence[Ints], *, shapes: Sequence[tuple[int, int]]
) -> Reweighting:
    """Weigh rows so that value and group are independent on several axes at once.

    On one axis these are the weights of `independence_weights`. On several the factors of one after
    the other are applied until all hold (iterative proportional fitting): of all weights under
    which every axis has the table that independence expects, those nearest to equal ones. Where a
    value and a group never meet no weights may hold, and what `MOST_ROUNDS` reached is returned.

    Args:
        values: Number of each row's value, -1 for none, shape `(N,)`.
        groups: For each axis the number of the one group that each row mentions, else -1, each of
            shape `(N,)`.
        shapes: `(L, K)` of each axis.

    References:
        Kamiran and Calders, KAIS 2012. https://doi.org/10.1007/s10115-011-0463-8
        Deming and Stephan, Annals of Mathematical Statistics 1940.
        https://doi.org/10.1214/aoms/1177731829
    """
    profile, first, sizes = _profiles(values, groups)
    valued = values[first] >= 0
    weights = valued.astype(np.float64)
    tables = [
        _Cells.of(values[first], column[first], sizes, shape=shape)
        for column, shape in zip(groups, shapes, strict=True)
    ]
    for _ in range(MOST_ROUNDS):
        change = max((table.fit(weights, sizes) for table in tables), default=0.0)
        if change < _SETTLED:
            break
    total = float(weights @ sizes)
    weights *= float(sizes[valued].sum()) / total if total else 1.0
    squares = float(weights**2 @ sizes)
    return Reweighting(weights[profile], float(weights @ sizes) ** 2 / squares if squares else 0.0)


def _profiles(values: Ints, groups: Sequence[Ints]) -> tuple[Ints, Ints, Ints]:
    """Number the rows that agree in value and groups.

    Returns:
        Number of each row's profile, shape `(N,)`; the first row of each profile and how many rows
        have it, shape `(P,)`.
    """
    profile = values
    for column in groups:
        base = int(column.max(initial=-1)) + 2
        profile = np.unique(profile * base + column + 1, return_inverse=True)[1]
    _, first, profile, sizes = np.unique(
        profile, return_index=True, return_inverse=True, return_counts=True
    )
    return profile, first, sizes


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of an axis: which profiles lie in which, and what each cell shall weigh."""

    places: Ints
    cells: Ints
    target: Floats

    @classmethod
    def of(cls, values: Ints, groups: Ints, sizes: Ints, *, shape: tuple[int, int]) -> "_Cells":
        places = np.flatnonzero((values >= 0) & (groups >= 0))
        cells = values[places] * shape[1] + groups[places]
        table = np.bincount(cells, weights=sizes[places], minlength=shape[0] * shape[1])
        grid = table.reshape(shape)
        expected = grid.sum(axis=1, keepdims=True) * grid.sum(axis=0) / max(table.sum(), 1)
        target = np.where(table > 0, expected.ravel(), 0)
        # What the pairs that never meet should have weighed goes to the others.
        return cls(places, cells, target * table.sum() / max(float(target.sum()), 1e-300))

    def fit(self, weights: Floats, sizes: Ints) -> float:
        """Scale the weights, in place, to the table that is wanted; return the largest change."""
        if not self.places.size:
            return 0.0
        have = weights[self.places] * sizes[self.places]
        sums = np.bincount(self.cells, weights=have, minlength=len(self.target))
        factors = (self.target / np.where(sums > 0, sums, 1))[self.cells]
        weights[self.places] *= factors
        return float(np.abs(factors - 1).max())


def weighted_counts(
    values: Ints, groups: Ints, weights: Floats, *, shape: tuple[int, int]
) -> Floats:
    """Sum the weights of the rows by value and by the one group that they mention.

    Returns:
        Shape `(L, K)`: the table whose association the weights change.
    """
    both = (values >= 0) & (groups >= 0)
    cells = values[both] * shape[1] + groups[both]
    sums = np.bincount(cells, weights=weights[both], minlength=shape[0] * shape[1])
    return np.asarray(sums, dtype=np.float64).reshape(shape)


def top_up(table: Ints, *, target: Mapping[int, float] | None = None) -> Ints:
    """Count the rows to add so that every value names the groups in the same shares.

    No row is taken away: for each value the group that is furthest above its share sets the scale,
    and the others are filled up to it.

    Args:
        table: Rows by value and by the one group that they mention, shape `(L, K)`.
        target: Weight of each group, by column; None takes the shares of the whole table, so that
            the groups stay as frequent as they are to each other.

    Returns:
        Rows to add, shape `(L, K)`; 0 for a value that names no group.
    """
    if target is None:
        weights = table.sum(axis=0).astype(np.float64)
    else:
        weights = np.array([target.get(k, 0.0) for k in range(table.shape[1])])
    asked = weights > 0
    if not asked.any():
        return np.zeros_like(table)
    shares = np.where(asked, weights, 1) / weights.sum()
    scale = np.where(asked, table / shares, 0).max(axis=1, keepdims=True)
    # A hair is taken off so that rounding does not ask for a row more than is needed.
    wanted = np.ceil(scale * shares - 1e-9).astype(np.int64)
    return np.where(asked & (scale > 0), np.maximum(wanted - table, 0), 0)


def augmentation(
    rows: SwappedRows, *, labels: Sequence[str | None] | None
) -> tuple[tuple[str, str | None], ...]:
    """Return the swapped copies to add, each with the label of its row.

    A copy that is in the rows already, with the same label, is not added again.

    References:
        Lu et al. 2018 (counterfactual data augmentation). https://arxiv.org/abs/1807.11714
    """
    given = [labels[place] if labels is not None else None for place in rows.places]
    have = set(zip(rows.texts, given, strict=True))
    copies = dict.fromkeys(zip(rows.swapped, given, strict=True))
    return tuple(copy for copy in copies if copy not in have)


def plain_v(table: NDArray[np.int64] | Floats) -> float:
    """Return Cramer's V of a table of counts or weights, in [0, 1]; 0 where it is undefined.

    It is not corrected for bias: before and after are of the same rows.

    References:
        Cramer, Mathematical Methods of Statistics, 1946, chapter 21.
    """
    rows, columns = table.sum(axis=1) > 0, table.sum(axis=0) > 0
    table = table[rows][:, columns].astype(np.float64)
    if min(table.shape) < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    chi_squared = float(((table - expected) ** 2 / expected).sum())
    return float(np.sqrt(chi_squared / table.sum() / (min(table.shape) - 1)))
