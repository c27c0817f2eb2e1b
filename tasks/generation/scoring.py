"""How probable texts are behind prompts: sums of log-probabilities, prompts read once.

P prompts, B continuations, T positions, V vocabulary.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from schemas.errors import RunError
from tasks.generation.loading import LoadedModel
from tasks.generation.memory import is_out_of_memory
from tasks.generation.network import Network
from tasks.generation.padding import padded_width
from tasks.generation.tokenisation import PromptCodec

_MAX_TOKENS = 1 << 14
"""Most positions of one batch, padding and the prompts' cache included."""
_MAX_LOGITS = 1 << 27
"""Most entries of a batch's logits: half a gibibyte in float32."""

Pair = tuple[list[int], list[int]]
"""Token ids of a prompt and of what follows it."""


class ContinuationScorer:
    """Scores continuations of prompts with a decoder-only model.

    The prompts of a batch are padded on the left and read once each; their cache is copied to their
    continuations, which are padded on the right. Models that do not bear left padding read one
    prompt at a time. Batches are cut by the lengths of the pairs alone, so that a score is a
    function of the pairs of its call.

    Args:
        model: What computes; its logits are turned into float32 before anything else.
        codec: What turns texts into tokens.
        context_length: Most tokens of a prompt and its continuation.
    """

    def __init__(self, model: LoadedModel, *, codec: PromptCodec, context_length: int) -> None:
        assert isinstance(model.network, Network)
        self._model = model
        self._network = model.network
        self._codec = codec
        self._context_length = context_length

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Return log p(continuation | prompt) of each pair; see `TextScorer`.

        A continuation without any prompt stands behind the model's opening token; where it has
        none, its own first token is given and does not count.

        Raises:
            RuntimeError: What the model raises, for one when the memory does not suffice for a
                single pair.
        """
        encoded = [self._opened(pair) for pair in self._codec.encode_pairs(pairs)]
        sums = [
            0.0 if len(start) + len(end) <= self._context_length else float("-inf")
            for start, end in encoded
        ]
        places = [place for place, (_, end) in enumerate(encoded) if end and sums[place] == 0.0]
        waiting, at_once = places, self._pairs_at_once([encoded[place] for place in places])
        while waiting:
            batch = self._take([encoded[place] for place in waiting[:at_once]])
            try:
                scores = self._score_batch(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or at_once == 1:
                    raise
                at_once = max(1, len(batch) // 2)
                continue
            for place, value in zip(waiting, scores, strict=False):
                sums[place] = value
            waiting = waiting[len(batch) :]
        return sums

    def _opened(self, pair: Pair) -> Pair:
        start, end = pair
        if start:
            return pair
        opening = self._codec.opening_id
        return (end[:1], end[1:]) if opening is None else ([opening], end)

    def _pairs_at_once(self, pairs: Sequence[Pair]) -> int:
        longest_start = max((len(start) for start, _ in pairs), default=1)
        longest_end = max((len(end) for _, end in pairs), default=1)
        by_tokens = _MAX_TOKENS // (longest_start + longest_end)
        by_logits = _MAX_LOGITS // (longest_end * self._network.vocabulary_size)
        return max(1, min(by_tokens, by_logits))

    def _take(self, pairs: list[Pair]) -> list[Pair]:
        """Keep the pairs from the front that may share a batch."""
        if self._model.probe.pads_left:
            return pairs
        return list(takewhile(lambda pair: pair[0] == pairs[0][0], pairs))

    @torch.inference_mode()
    def _score_batch(self, pairs: Sequence[Pair]) -> list[float]:
        device = self._model.device
        starts = list(dict.fromkeys(tuple(start) for start, _ in pairs))
        places = {start: place for place, start in enumerate(starts)}
        owner_B = torch.tensor([places[tuple(start)] for start, _ in pairs], device=device)
        first_PV, cache, mask_PT, width_P = self._read(starts)
        token_BT, real_BT = _pad_right([end for _, end in pairs], device)
        scores_BT = torch.zeros(token_BT.shape, device=device)
        scores_BT[:, 0] = _token_logprobs(first_PV[owner_B], token_BT[:, 0])
        if token_BT.shape[1] > 1:
            cache.reorder_cache(owner_B)
            behind_BT = torch.arange(token_BT.shape[1] - 1, device=device)
            logits_BTV = self._network.read_on(
                token_BT[:, :-1],
                position_BT=width_P[owner_B, None] + behind_BT,
                mask_BT=torch.cat([mask_PT[owner_B], real_BT[:, :-1].long()], dim=1),
                cache=cache,
            )
            scores_BT[:, 1:] = _token_logprobs(logits_BTV, token_BT[:, 1:])
        # Apple's GPU has no float64.
        sums: list[float] = scores_BT.masked_fill(~real_BT, 0.0).cpu().double().sum(dim=1).tolist()
        return sums

    def _read(self, starts: Sequence[Sequence[int]]) -> tuple[Tensor, Any, Tensor, Tensor]:
        """Read prompts; return the logits behind them, the cache, its mask and their lengths."""
        device = self._model.device
        width = padded_width(list(map(len, starts)))
        input_PT = torch.tensor([[0] * (width - len(start)) + list(start) for start in starts])
        width_P = torch.tensor([len(start) for start in starts])
        position_PT = torch.arange(width) + width_P[:, None] - width
        mask_PT = (position_PT >= 0).long()
        first_PV, cache = self._network.forward(
            input_PT.to(device),
            position_BT=position_PT.clamp(min=0).to(device),
            mask_BT=mask_PT.to(device),
            cache=None,
        )
        return first_PV, cache, mask_PT.to(device), width_P.to(device)


def failure(error: Exception) -> RunError:
    """Say that a model failed at one text, be it for lack of memory."""
    if is_out_of_memory(error):
        return RunError(
            "out of memory with a single text to be scored",
            code="CS-G002",
            hint="use a smaller model, a smaller dtype or another device",
        )
    return RunError(f"the model failed: {error}", code="CS-G001", retryable=True)


def _pad_right(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Stack rows of token ids, `(B, T)`, and tell which are real, boolean."""
    width = max(map(len, rows))
    token_BT = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=device)
    lengths_B = torch.tensor([len(row) for row in rows], device=device)
    return token_BT, torch.arange(width, device=device) < lengths_B[:, None]


def _token_logprobs(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return `log_softmax` of `(..., V)` logits in float32 at one token each, shape `(...)`."""
    logits = logits.float()
    return logits.gather(-1, tokens[..., None]).squeeze(-1) - logits.logsumexp(dim=-1)
