"""The keys and values of all lanes, in tensors that are allocated once.

Every lane writes its newest token into the same column, so a step is one slice copy a layer; a
prompt is read apart and laid down to the left of that column, whenever a lane is free for it. What
a lane must not see is hidden by the mask. No tensor grows, and lanes that stay are never copied.

B lanes, P prompts, H heads, T positions, W columns, D head size.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache

Route = Callable[[int, Tensor, Tensor], tuple[Tensor, Tensor]]
"""What becomes of a layer's new keys and values, and which ones its queries attend to."""


class SlotCache(Cache):
    """Keys and values of every layer, `(B, H, W, D)` each; see the module.

    Args:
        num_lanes: Lanes that there may be.
        num_columns: Columns of each.
    """

    def __init__(self, *, num_lanes: int, num_columns: int) -> None:
        super().__init__(layers=[])
        self._shape = (num_lanes, num_columns)
        self._layers: list[tuple[Tensor, Tensor]] = []
        self._prefix: list[tuple[Tensor, Tensor]] = []
        # Routes hold what they need and never the cache: a cycle would keep it in memory.
        self._route: Route | None = None

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Take a layer's new keys and values, `(B, H, T, D)`; called by the model."""
        if layer_idx == len(self._layers):
            self._layers.append((self._blank(key_states), self._blank(value_states)))
        assert self._route is not None
        return self._route(layer_idx, key_states, value_states)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Return 0: positions and masks are always given to the model."""
        return 0

    def read_prefix(self) -> None:
        """Keep what the next forward pass computes as the prefix of all prompts to come."""
        prefix = self._prefix
        prefix.clear()

        def route(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
            prefix.append((keys, values))
            return keys, values

        self._route = route

    def read_prompts(self, *, first: int, copies: int, column: int) -> None:
        """Lay the next forward pass's prompts down in front of a column.

        Args:
            first: The first lane; prompt p goes to the lanes from `first + p * copies`.
            copies: Lanes of each prompt.
            column: The column behind the prompts.
        """
        layers, prefix = self._layers, self._prefix

        def route(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
            pair = keys, values
            if prefix:
                known = prefix[layer]
                pair = (_behind(known[0], keys), _behind(known[1], values))
            for store, new in zip(layers[layer], pair, strict=True):
                lanes = slice(first, first + len(new) * copies)
                place = store[lanes, :, column - new.shape[2] : column]
                place.view(len(new), copies, *place.shape[1:]).copy_(new[:, None])
            return pair

        self._route = route

    def write_step(self, *, num_lanes: int, first_column: int, column: int) -> None:
        """Write the next forward pass's tokens into a column of the first lanes."""
        layers = self._layers

        def route(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
            stored_keys, stored_values = layers[layer]
            stored_keys[:num_lanes, :, column] = keys[:, :, 0]
            stored_values[:num_lanes, :, column] = values[:, :, 0]
            seen = slice(first_column, column + 1)
            return stored_keys[:num_lanes, :, seen], stored_values[:num_lanes, :, seen]

        self._route = route

    def write_captured(self, *, num_lanes: int, num_columns: int, column_1: Tensor) -> None:
        """Do as `write_step` with a column that a tensor names, so that it can be recorded."""
        layers = self._layers

        def route(layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
            seen = []
            for store, new in zip(layers[layer], (keys, values), strict=True):
                own = store[:num_lanes, :, :num_columns]
                own.index_copy_(2, column_1, new)
                seen.append(own)
            return seen[0], seen[1]

        self._route = route

    def column(self, place: int) -> list[Tensor]:
        """Copy one column of every layer and lane."""
        return [store[:, :, place].clone() for pair in self._layers for store in pair]

    def set_column(self, place: int, content: Sequence[Tensor]) -> None:
        """Put back what `column` copied."""
        stores = [store for pair in self._layers for store in pair]
        for store, states in zip(stores, content, strict=True):
            store[:, :, place] = states

    def copy_lanes(self, sources: Tensor, targets: Tensor, *, columns: slice) -> None:
        """Copy some columns of lanes to other lanes; all are read before any is written."""
        for pair in self._layers:
            for store in pair:
                store[targets, :, columns] = store[sources, :, columns]

    def clear_lanes(self, lanes: Sequence[int]) -> None:
        """Write zeros all over some lanes."""
        for pair in self._layers:
            for store in pair:
                store[lanes] = 0

    def shift(self, *, num_lanes: int, columns: slice) -> None:
        """Move some columns of the first lanes to the left end."""
        for pair in self._layers:
            for store in pair:
                moved = store[:num_lanes, :, columns].clone()
                store[:num_lanes, :, : moved.shape[2]] = moved

    def _blank(self, like: Tensor) -> Tensor:
        # Zeros, because a masked value is multiplied by 0, which does not silence a NaN.
        num_lanes, num_columns = self._shape
        return torch.zeros(
            num_lanes,
            like.shape[1],
            num_columns,
            like.shape[3],
            dtype=like.dtype,
            device=like.device,
        )


def _behind(prefix: Tensor, states: Tensor) -> Tensor:
    return torch.cat([prefix.expand(len(states), -1, -1, -1), states], dim=2)
