"""Lanes of any decoder-only model: one batch in the model's own cache, all lanes in step.

B lanes, P prompts, T positions, V vocabulary, D hidden size.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tasks.generation.lanes import Reading
from tasks.generation.network import Network
from tasks.generation.padding import padded_width


class LockstepLanes:
    """The lanes of a model whose cache is left to transformers, whatever its kind.

    Sliding windows, ALiBi, recurrent states: each model makes the cache that its layers need, and
    lanes are copied, reordered and freed through the cache's own `reorder_cache` alone. Prompts
    of several lengths are padded on the left, so that all lanes end at the same position; lanes can
    therefore be admitted only together.

    Args:
        network: The model.
        device: Where it runs.
        pads_left: Whether prompts of different lengths may share a batch.
    """

    refills = False

    def __init__(self, network: Network, *, device: torch.device, pads_left: bool) -> None:
        self._network = network
        self._device = device
        self.ragged = pads_left
        self._cache: Any = None
        self._mask_BT: Tensor | None = None
        self._position_B1 = torch.empty(0, 1, dtype=torch.long, device=device)

    @torch.inference_mode()
    def admit(
        self, prompts: Sequence[Sequence[int]], *, copies: int, hidden: bool = False
    ) -> Reading:
        """Read prompts, each once, and make `copies` lanes of each; see `Lanes.admit`.

        Raises:
            ValueError: If lanes are under way, or if the prompts have different lengths and the
                model does not bear padding.
        """
        if len(self._position_B1):
            raise ValueError("lanes in lockstep are admitted together: free the present ones first")
        lengths = [len(prompt) for prompt in prompts]
        ragged = len(set(lengths)) > 1
        if ragged and not self.ragged:
            raise ValueError("this model reads prompts of one length at a time")
        width = padded_width(lengths)
        input_PT = torch.tensor([[0] * (width - len(prompt)) + [*prompt] for prompt in prompts])
        position_PT = torch.arange(width) - width + torch.tensor(lengths)[:, None]
        self._mask_BT = (position_PT >= 0).long().to(self._device) if ragged else None
        logits_PV, hidden_PTD = self._read(
            input_PT.to(self._device), position_PT.clamp(min=0).to(self._device), hidden=hidden
        )
        self._position_B1 = torch.tensor(lengths, device=self._device)[:, None]
        parents_B = torch.arange(len(prompts), device=self._device).repeat_interleave(copies)
        if copies > 1:
            self.keep(parents_B)
        if hidden_PTD is None:
            return Reading(logits_PV[parents_B])
        return Reading(
            logits_PV[parents_B],
            hidden_PTD[parents_B, -1],
            [states_TD[width - own :] for states_TD, own in zip(hidden_PTD, lengths, strict=True)],
        )

    @torch.inference_mode()
    def step(self, tokens_B: Tensor, *, hidden: bool = False) -> Reading:
        """Let every lane read one token; see `Lanes.step`."""
        if self._mask_BT is not None:
            self._mask_BT = torch.nn.functional.pad(self._mask_BT, (0, 1), value=1)
        tokens_B1 = tokens_B[:, None].to(self._device)
        logits_BV, hidden_BTD = self._read(tokens_B1, self._position_B1, hidden=hidden)
        self._position_B1 = self._position_B1 + 1
        return Reading(logits_BV, None if hidden_BTD is None else hidden_BTD[:, -1])

    @torch.inference_mode()
    def reorder(self, parents_B: Tensor) -> None:
        """Let each lane go on from another lane's state; see `Lanes.reorder`."""
        # Lanes of one prompt have the same mask and position.
        self._cache.reorder_cache(parents_B.to(self._device))

    def clear(self, lanes: Sequence[int]) -> None:
        """Do nothing: a freed lane leaves the batch with all that it holds."""

    @torch.inference_mode()
    def keep(self, order_B: Tensor) -> None:
        """Keep some lanes, in the order given; see `Lanes.keep`."""
        order_B = order_B.to(self._device)
        self._position_B1 = self._position_B1[order_B]
        if not len(order_B):
            self._cache = self._mask_BT = None
            return
        self._cache.reorder_cache(order_B)
        self._mask_BT = None if self._mask_BT is None else self._mask_BT[order_B]

    def _read(
        self, input_BT: Tensor, position_BT: Tensor, *, hidden: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Read tokens behind the cache; return logits at the end and the states of all places."""
        reading = {"position_BT": position_BT, "mask_BT": self._mask_BT, "cache": self._cache}
        if not hidden:
            logits_BV, self._cache = self._network.forward(input_BT, **reading)
            return logits_BV, None
        logits_BV, self._cache, hidden_BTD = self._network.forward_hidden(input_BT, **reading)
        return logits_BV, hidden_BTD
