"""The plan: each row's label, strategy and prompt mates, as a function of its number alone."""

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
    """What is planned for some rows; all arrays have the shape of the row numbers.

    A group is rows of one label and strategy that one prompt yields: consecutive numbers, at most
    the strategy's `rows_per_prompt` of them, the leader first. Most groups are one row.
    """

    label_index: NDArray[np.int32]
    """Place in the plan's labels."""
    strategy_index: NDArray[np.int32]
    """Place in the recipe's strategies."""
    leader: NDArray[np.int64]
    """Number of the first row of the row's group: the key of what the group draws together."""
    member: NDArray[np.int32]
    """Place in the group, from 0."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Every row's label and strategy, with exact quotas, in a random order that needs no memory.

    The cells lie one behind the other, a place for each row. A block of as many consecutive places
    as the greatest number of rows a prompt keeps together when the blocks are spread at random over
    the row numbers; the rows that fill no block stay at the end.

    Args:
        labels: Label names, in the recipe's order.
        kinds: Kinds of the strategies, in the recipe's order.
        bounds: Cumulative quotas of the cells, label by label, shape `(L * S,)`; the last is the
            number of rows.
        rows_per_prompt: Rows that each strategy makes from one prompt, at least 1, shape `(S,)`.
        key: Key of the order in which the blocks are spread over the row numbers.
    """

    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    bounds: NDArray[np.int64]
    rows_per_prompt: NDArray[np.int64]
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
            rows_per_prompt=np.array([each.rows_per_prompt for each in recipe.strategies]),
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
        """Look up the label, strategy and group of some rows, in memory of the size of `rows`.

        Args:
            rows: Row numbers in [0, number of rows), any order, any shape.

        Raises:
            ValueError: If a row number is out of range.
        """
        if rows.size and (rows.min() < 0 or rows.max() >= self.rows):
            raise ValueError(f"rows must lie in [0, {self.rows})")
        block_size = int(self.rows_per_prompt.max())
        places = self._places(rows, block_size)
        cells = np.searchsorted(self.bounds, places, side="right")
        label_index, strategy_index = np.divmod(cells, len(self.kinds))
        cell_starts = np.where(cells, self.bounds[cells - 1], 0)
        first = np.maximum(cell_starts, places - places % block_size)
        member = (places - first) % self.rows_per_prompt[strategy_index]
        return PlanShard(
            label_index.astype(np.int32),
            strategy_index.astype(np.int32),
            rows - member,
            member.astype(np.int32),
        )

    def _places(self, rows: NDArray[np.int64], block_size: int) -> NDArray[np.int64]:
        num_blocks = self.rows // block_size
        places = rows.copy()
        in_block = rows < num_blocks * block_size
        blocks, offsets = np.divmod(rows[in_block], block_size)
        places[in_block] = permute(blocks, size=num_blocks, key=self.key) * block_size + offsets
        return places


def row_seeds(
    seed: int, *, rows: NDArray[np.int64], attempts: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return each row's own seed for generation, in [0, 2^63): `streams.row_seed` for many rows."""
    keys = row_keys(seed, rows, attempts, Stream.GENERATION)
    return (keys >> np.uint64(1)).astype(np.int64)
