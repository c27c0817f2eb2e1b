"""A step recorded once and replayed: on a GPU, launching its kernels costs more than running them.

A recording knows no sizes but its own. Lanes and columns are therefore rounded up to a few sizes,
what changes from step to step lies in buffers that stay, and lanes that nobody uses compute along.

B lanes, W columns, V vocabulary.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from tasks.generation.network import Network
from tasks.generation.slot_cache import SlotCache

Replay = Callable[[], None]
_COLUMNS_AT_ONCE = 64
_LEAST_LANES = 8


@dataclass(frozen=True, slots=True)
class _Recording:
    """One step for so many lanes and columns: its inputs, its output, and how to run it again."""

    tokens_B1: Tensor
    position_B1: Tensor
    column_1: Tensor
    logits_BV: Tensor
    replay: Replay


class CapturedStep:
    """Steps of slots by replaying recordings; see the module.

    Args:
        network: The model.
        cache: The slots' keys and values.
        mask_BW: What each lane must not see; the same tensor at every step.
        record: Runs a function once and returns how to run it again in the same memory.
    """

    def __init__(
        self,
        network: Network,
        cache: SlotCache,
        mask_BW: Tensor,
        *,
        record: Callable[[Callable[[], None]], Replay],
    ) -> None:
        self._network = network
        self._cache = cache
        self._mask_BW = mask_BW
        self._record = record
        self._recordings: dict[tuple[int, int], _Recording] = {}

    def run(self, tokens_B: Tensor, *, position_B: Tensor, column: int) -> Tensor:
        """Let the first lanes read one token each into a column.

        Args:
            tokens_B: Token ids of the lanes in use.
            position_B: Their positions.
            column: Where the tokens are written; every lane sees columns up to it, by its mask.

        Returns:
            Logits, `(B, V)`; valid until the next call.
        """
        num_lanes = len(tokens_B)
        size = self._size(num_lanes, column)
        if size not in self._recordings:
            self._recordings[size] = self._recorded(*size)
        recording = self._recordings[size]
        recording.tokens_B1[:num_lanes, 0] = tokens_B
        recording.position_B1[:num_lanes, 0] = position_B
        recording.column_1.fill_(column)
        recording.replay()
        return recording.logits_BV[:num_lanes]

    def _size(self, num_lanes: int, column: int) -> tuple[int, int]:
        most_lanes, most_columns = self._mask_BW.shape
        lanes = max(_LEAST_LANES, 1 << (num_lanes - 1).bit_length())
        columns = (column // _COLUMNS_AT_ONCE + 1) * _COLUMNS_AT_ONCE
        return min(lanes, most_lanes), min(columns, most_columns)

    def _recorded(self, num_lanes: int, num_columns: int) -> _Recording:
        device = self._mask_BW.device
        tokens_B1 = torch.zeros(num_lanes, 1, dtype=torch.long, device=device)
        position_B1, column_1 = torch.zeros_like(tokens_B1), torch.zeros_like(tokens_B1[0])
        # The first column is overwritten while recording: its content must come back.
        kept = self._cache.column(0)
        outputs: list[Tensor] = []

        def step() -> None:
            self._cache.write_captured(
                num_lanes=num_lanes, num_columns=num_columns, column_1=column_1
            )
            logits_BV, _ = self._network.forward(
                tokens_B1,
                position_BT=position_B1,
                mask_BT=self._mask_BW[:num_lanes, None, None, :num_columns],
                cache=self._cache,
            )
            outputs[:] = [logits_BV] if not outputs else [outputs[0].copy_(logits_BV)]

        try:
            step()
            replay = self._record(step)
        finally:
            self._cache.set_column(0, kept)
        return _Recording(tokens_B1, position_B1, column_1, outputs[0], replay)


def record_cuda_graph(step: Callable[[], None], *, device: torch.device) -> Replay:
    """Record the kernels that a function launches on a device as a CUDA graph.

    References:
        Gray, Getting started with CUDA graphs, 2019; `torch.cuda.CUDAGraph`.
    """
    cuda: Any = torch.cuda
    with torch.cuda.device(device):
        side = cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            # Libraries set themselves up at the first calls, which a recording must not hold.
            for _ in range(2):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
    return graph.replay


def open_captured(network: Network, cache: SlotCache, mask_BW: Tensor) -> CapturedStep | None:
    """Prepare recordings where they pay: on CUDA; None elsewhere."""
    if mask_BW.device.type != "cuda" or not network.can_be_recorded:
        return None
    record = partial(record_cuda_graph, device=mask_BW.device)
    return CapturedStep(network, cache, mask_BW, record=record)


def warn_of_failed_capture(error: Exception) -> None:
    """Say that steps are launched kernel by kernel, and why."""
    reason = str(error).strip().splitlines() or [type(error).__name__]
    warnings.warn(
        f"this model's steps cannot be recorded on the GPU ({reason[0]}); they run unrecorded",
        stacklevel=2,
    )
