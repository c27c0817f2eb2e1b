"""The plan: which label and which strategy each row has, as a function of its number alone."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.recipe import Recipe
from tasks.planning.permutation import permute
from tasks.planning.quotas import largest_remainder
from tasks.planning.streams import U64, Stream, fold, row_keys


class Cell(NamedTuple):
    """The rows of one label that one strategy makes."""

    label: str
    strategy_index: int
    """Place in the recipe's strategies."""
    kind: str
    """Kind of the strategy."""
    rows: int
    """Accepted rows wanted; 0 is possible."""


class PlanShard(NamedTuple):
    """What is planned for some rows; both arrays have the shape of the row numbers."""

    label_index: NDArray[np.int32]
    """Place in the plan's labels."""
    strategy_index: NDArray[np.int32]
    """Place in the recipe's strategies."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Every row's label and strategy, with exact quotas, in a random order that needs no memory.

    Args:
        labels: Label names, in the recipe's order.
        kinds: Kinds of the strategies, in the recipe's order.
        bounds: Cumulative quotas of the cells, label by label, shape `(L * S,)`; the last is the
            number of rows.
        key: Key of the order in which the cells' rows are spread over the row numbers.
    """

    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    bounds: NDArray[np.int64]
    key: U64

    @classmethod
    def of(cls, recipe: Recipe) -> "Plan":
        """Divide the recipe's rows among labels by share, and each label's among strategies."""
        per_label = largest_remainder(
            [label.share for label in recipe.labels.values()], recipe.rows
        )
        shares = [strategy.share for strategy in recipe.strategies]
        cells = [largest_remainder(shares, int(rows)) for rows in per_label]
        return cls(
            labels=tuple(recipe.labels),
            kinds=tuple(strategy.kind for strategy in recipe.strategies),
            bounds=np.cumsum(np.concatenate(cells)),
            key=fold(np.asarray(recipe.seed, dtype=np.uint64), int(Stream.PLAN)),
        )

    @property
    def rows(self) -> int:
        """Number of rows in all."""
        return int(self.bounds[-1])

    def quotas(self) -> list[Cell]:
        """List every pair of label and strategy with its rows; the rows add up to all rows."""
        counts = np.diff(self.bounds, prepend=0)
        return [
            Cell(self.labels[place // len(self.kinds)], index, self.kinds[index], int(count))
            for place, count in enumerate(counts)
            for index in [place % len(self.kinds)]
        ]

    def shard(self, rows: NDArray[np.int64]) -> PlanShard:
        """Look up the label and the strategy of some rows, in memory of the size of `rows`.

        Args:
            rows: Row numbers in [0, number of rows), any order, any shape.

        Raises:
            ValueError: If a row number is out of range.
        """
        places = permute(rows, size=self.rows, key=self.key)
        cells = np.searchsorted(self.bounds, places, side="right")
        label_index, strategy_index = np.divmod(cells, len(self.kinds))
        return PlanShard(label_index.astype(np.int32), strategy_index.astype(np.int32))


def row_seeds(
    seed: int, *, rows: NDArray[np.int64], attempts: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return each row's own seed for generation, in [0, 2^63): `streams.row_seed` for many rows."""
    keys = row_keys(seed, rows, attempts, Stream.GENERATION)
    return (keys >> np.uint64(1)).astype(np.int64)
