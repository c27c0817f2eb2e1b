"""Lanes of an encoder-decoder model: prompts are encoded once, replies grow in step.

B lanes, P prompts, T positions of a reply, S positions of a prompt, V vocabulary, D hidden size.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tasks.generation.lanes import Reading
from tasks.generation.padding import padded_width
from tasks.generation.seq2seq_network import Seq2SeqNetwork


class Seq2SeqLanes:
    """The lanes of an encoder-decoder model.

    Prompts of several lengths are padded on the right for the encoder. Every reply stands behind
    the same decoder prompt, so all lanes are at the same position; lanes can therefore be admitted
    only together.

    Args:
        network: The model.
        device: Where it runs.
        pads_right: Whether prompts of different lengths may share a batch.
    """

    refills = False

    def __init__(self, network: Seq2SeqNetwork, *, device: torch.device, pads_right: bool) -> None:
        self._network = network
        self._device = device
        self.ragged = pads_right
        self._cache: Any = None
        self._mask_BS: Tensor | None = None
        self._states_BSD: Tensor | None = None

    @torch.inference_mode()
    def admit(
        self, prompts: Sequence[Sequence[int]], *, copies: int, hidden: bool = False
    ) -> Reading:
        """Encode prompts, each once, and make `copies` lanes of each; see `Lanes.admit`.

        Hidden states are the decoder's: those of the prompt are those of the decoder prompt.

        Raises:
            ValueError: If lanes are under way, or if the prompts have different lengths and the
                model does not bear padding.
        """
        if self._states_BSD is not None:
            raise ValueError("lanes in lockstep are admitted together: free the present ones first")
        lengths = [len(prompt) for prompt in prompts]
        ragged = len(set(lengths)) > 1
        if ragged and not self.ragged:
            raise ValueError("this model reads prompts of one length at a time")
        width = padded_width(lengths, most=self._network.num_positions)
        input_PS = torch.tensor([[*prompt] + [0] * (width - len(prompt)) for prompt in prompts])
        real_PS = torch.arange(width) < torch.tensor(lengths)[:, None]
        self._mask_BS = real_PS.long().to(self._device) if ragged else None
        self._states_BSD = self._network.encode(input_PS.to(self._device), mask_PS=self._mask_BS)
        opening_T = torch.tensor(self._network.decoder_prompt, device=self._device)
        logits_PV, hidden_PTD = self._read(opening_T.repeat(len(prompts), 1), hidden=hidden)
        parents_B = torch.arange(len(prompts), device=self._device).repeat_interleave(copies)
        if copies > 1:
            self.keep(parents_B)
        if hidden_PTD is None:
            return Reading(logits_PV[parents_B])
        return Reading(logits_PV[parents_B], hidden_PTD[parents_B, -1], list(hidden_PTD))

    @torch.inference_mode()
    def step(self, tokens_B: Tensor, *, hidden: bool = False) -> Reading:
        """Let every lane read one token; see `Lanes.step`."""
        logits_BV, hidden_BTD = self._read(tokens_B[:, None].to(self._device), hidden=hidden)
        return Reading(logits_BV, None if hidden_BTD is None else hidden_BTD[:, -1])

    @torch.inference_mode()
    def reorder(self, parents_B: Tensor) -> None:
        """Let each lane go on from another lane's state; see `Lanes.reorder`."""
        # What was read of the prompt is the same for all lanes of one prompt, and by far the larger
        # part of the cache.
        self._cache.self_attention_cache.reorder_cache(parents_B.to(self._device))

    def clear(self, lanes: Sequence[int]) -> None:
        """Do nothing: a freed lane leaves the batch with all that it holds."""

    @torch.inference_mode()
    def keep(self, order_B: Tensor) -> None:
        """Keep some lanes, in the order given; see `Lanes.keep`."""
        if self._states_BSD is None or not len(order_B):
            self._cache = self._mask_BS = self._states_BSD = None
            return
        order_B = order_B.to(self._device)
        self._cache.reorder_cache(order_B)
        self._states_BSD = self._states_BSD[order_B]
        self._mask_BS = None if self._mask_BS is None else self._mask_BS[order_B]

    def _read(self, tokens_BT: Tensor, *, hidden: bool) -> tuple[Tensor, Tensor | None]:
        assert self._states_BSD is not None, "no lane was admitted"
        logits_BTV, self._cache, hidden_BTD = self._network.decode(
            tokens_BT,
            states_BSD=self._states_BSD,
            mask_BS=self._mask_BS,
            cache=self._cache,
            hidden=hidden,
        )
        return logits_BTV[:, -1], hidden_BTD
