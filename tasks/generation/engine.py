"""The engine: a batch of rows through the model, token by token, until each has ended.

B rows, T positions, V vocabulary, E end-of-text tokens.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from schemas.strategies import Strategy
from tasks.decoding.length import forbid_early_end, is_full
from tasks.decoding.sampling import token_logprobs
from tasks.decoding.stopping import cut_at_stop, tail_length
from tasks.decoding.strategies import choose_tokens
from tasks.generation.loading import LoadedModel
from tasks.generation.protocol import Completion, FinishReason, Request
from tasks.generation.tokenisation import PromptCodec

PAD_MULTIPLE = 8
"""Padded prompts are a multiple of this long: some attention kernels err at odd lengths."""
_COMPACT_SHARE = 8
"""Finished rows are taken out of the batch when they are at least one in this many."""


@dataclass(slots=True)
class Row:
    """One request in flight: its prompt's tokens, and what was generated so far."""

    request: Request
    prompt: list[int]
    tokens: list[int] = field(default_factory=list)
    logprob_sum: float = 0.0


@dataclass(slots=True)
class _Batch:
    """Rows computed together: each tensor has one line for each of `rows`, None once it ended.

    `width` counts the positions that the rows have, padding included, once the input has been read.
    """

    rows: list[Row | None]
    input_BT: Tensor
    position_BT: Tensor
    mask_BT: Tensor | None
    keys_B: Tensor
    width: int
    cache: Any = None
    step: int = 0


class Engine:
    """Decodes batches of rows that share a strategy.

    All state of a run is in its batch, so a run that fails half-way leaves nothing behind.

    Args:
        model: What computes.
        codec: What turns tokens into text.
        rescores: Whether a finished row's log-probability is computed again from the row alone, so
            that not even its last bit depends on the rows that it was generated with.
    """

    def __init__(self, model: LoadedModel, *, codec: PromptCodec, rescores: bool = False) -> None:
        self._model = model
        self._codec = codec
        # float64 noise and 64-bit hashes do not exist on Apple's GPU.
        self._chooser = torch.device("cpu") if model.device.type == "mps" else model.device
        self._rescores = rescores
        self._end_ids = frozenset(model.end_ids)
        self._end_ids_E = torch.tensor(model.end_ids, dtype=torch.long, device=self._chooser)

    def run(self, rows: Sequence[Row], *, strategy: Strategy) -> Iterator[Completion]:
        """Yield each row's completion as it ends; rows must be new and at least one.

        Raises:
            RuntimeError: What the model raises, for one when the memory does not suffice.
        """
        batch = self._open(rows, strategy=strategy)
        while True:
            picks = self._step(batch, strategy=strategy)
            for place, (token, logprob) in enumerate(picks):
                row = batch.rows[place]
                if row is None:
                    continue
                completion = self._record(row, int(token), logprob, strategy=strategy)
                if completion is not None:
                    batch.rows[place] = None
                    yield completion
            alive = [place for place, row in enumerate(batch.rows) if row is not None]
            if not alive:
                return
            if (len(batch.rows) - len(alive)) * _COMPACT_SHARE >= len(batch.rows):
                self._compact(batch, alive)

    # No `yield` may stand inside inference mode: the mode would leak to the caller between two
    # rows.
    @torch.inference_mode()
    def _open(self, rows: Sequence[Row], *, strategy: Strategy) -> _Batch:
        device = self._model.device
        lengths = [len(row.prompt) for row in rows]
        padded = len(set(lengths)) > 1
        width = -(-max(lengths) // PAD_MULTIPLE) * PAD_MULTIPLE if padded else lengths[0]
        input_BT = torch.tensor([[0] * (width - len(row.prompt)) + row.prompt for row in rows])
        position_BT = torch.arange(width) + torch.tensor(lengths)[:, None] - width
        mask_BT = None
        if padded:
            mask_BT = torch.ones(len(rows), width + strategy.length.max, dtype=torch.long)
            mask_BT[:, :width] = position_BT >= 0
            mask_BT = mask_BT.to(device)
        keys_B = torch.tensor([row.request.seed for row in rows], dtype=torch.long)
        return _Batch(
            rows=list(rows),
            input_BT=input_BT.to(device),
            position_BT=position_BT.clamp_(min=0).to(device),
            mask_BT=mask_BT,
            keys_B=keys_B.to(self._chooser),
            width=width,
        )

    @torch.inference_mode()
    def _step(self, batch: _Batch, *, strategy: Strategy) -> list[list[float]]:
        """Compute one token for every row; return `(token, logprob)` of each."""
        mask_BT = None if batch.mask_BT is None else batch.mask_BT[:, : batch.width]
        logits_BV, batch.cache = self._model.network.forward(
            batch.input_BT, position_BT=batch.position_BT, mask_BT=mask_BT, cache=batch.cache
        )
        logits_BV = logits_BV.to(self._chooser, torch.float32)
        steps_B = torch.full_like(batch.keys_B, batch.step)
        allowed_BV = logits_BV
        if batch.step < strategy.length.min:
            allowed_BV = forbid_early_end(
                logits_BV, steps_B=steps_B, end_ids_E=self._end_ids_E, length=strategy.length
            )
        tokens_B = choose_tokens(
            allowed_BV, strategy=strategy, keys_B=batch.keys_B, steps_B=steps_B
        )
        logprobs_B = token_logprobs(logits_BV, tokens_B=tokens_B)
        batch.input_BT = tokens_B[:, None].to(self._model.device)
        batch.position_BT = batch.position_BT[:, -1:] + 1
        batch.width += 1
        batch.step += 1
        # One transfer a step; token ids are exact in float64.
        picks: list[list[float]] = torch.stack([tokens_B.double(), logprobs_B.double()], 1).tolist()
        return picks

    @torch.inference_mode()
    def _compact(self, batch: _Batch, alive: list[int]) -> None:
        """Take the finished rows out of every tensor."""
        batch.rows = [batch.rows[place] for place in alive]
        alive_B = torch.tensor(alive, device=self._model.device)
        batch.cache.reorder_cache(alive_B)
        batch.input_BT = batch.input_BT[alive_B]
        batch.position_BT = batch.position_BT[alive_B]
        batch.mask_BT = None if batch.mask_BT is None else batch.mask_BT[alive_B]
        batch.keys_B = batch.keys_B[alive_B.to(self._chooser)]

    def _record(
        self, row: Row, token: int, logprob: float, *, strategy: Strategy
    ) -> Completion | None:
        """Add a token to its row; return the completion when it was the last."""
        if not math.isfinite(logprob):
            error = "the model's scores are not numbers (NaN or infinite)"
            return fail(row.request, error, num_tokens=len(row.tokens))
        row.tokens.append(token)
        row.logprob_sum += logprob
        if token in self._end_ids:
            return self._finish(row, row.tokens[:-1], reason="eos")
        if strategy.stop:
            tail = self._codec.decode(row.tokens[-tail_length(strategy.stop) :])
            if any(stop in tail for stop in strategy.stop):
                return self._finish(row, row.tokens, reason="stop")
        if is_full(len(row.tokens), length=strategy.length):
            return self._finish(row, row.tokens, reason="length")
        return None

    def _finish(self, row: Row, tokens: list[int], *, reason: FinishReason) -> Completion:
        text = self._codec.decode(tokens)
        text, stopped = cut_at_stop(text, stops=row.request.strategy.stop)
        return Completion(
            request=row.request,
            text=text,
            num_tokens=len(row.tokens),
            logprob=self._logprob(row),
            finish_reason="stop" if stopped else reason,
        )

    @torch.inference_mode()
    def _logprob(self, row: Row) -> float:
        """Return the mean log-probability of a row's tokens."""
        if not self._rescores:
            return row.logprob_sum / len(row.tokens)
        known = torch.tensor(row.prompt + row.tokens, device=self._model.device)
        num_tokens = len(row.tokens)
        logits_TV = self._model.network.read(known[:-1], num_last=num_tokens).float()
        scores_T = token_logprobs(logits_TV, tokens_B=known[-num_tokens:])
        return float(scores_T.double().mean())


def fail(request: Request, error: str, *, num_tokens: int = 0) -> Completion:
    """Answer one request with an error that concerns it alone, after `num_tokens` tokens."""
    return Completion(request, "", num_tokens, None, "error", error)
