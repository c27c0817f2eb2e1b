"""Masked re-generation: a part of a text's tokens is masked and written anew, one after the other.

A masked model defines no order of writing. As in Wang and Cho (NeuralGen 2019,
https://arxiv.org/abs/1902.04094), positions are visited in random order and each new token is drawn
given all others; here every chosen position is masked first and visited once.

B rows, T positions, V vocabulary.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from schemas.strategies import Strategy
from tasks.decoding.sampling import token_logprobs
from tasks.decoding.strategies import choose_tokens
from tasks.generation.jobs import Row, fail
from tasks.generation.loading import LoadedModel
from tasks.generation.masked_network import MaskedNetwork
from tasks.generation.masked_text import MaskedCodec, SourceText
from tasks.generation.padding import padded_width
from tasks.generation.protocol import Completion, Request
from tasks.generation.support import FillStrategy
from tasks.planning.streams import fold, uniforms

_CHOICE = 1 << 62
"""Sets the numbers that choose positions apart from those that draw tokens, keyed by step."""


@dataclass(slots=True)
class _Draft:
    """One text under way: `order` lists the positions that are written, first to last."""

    request: Request
    source: SourceText
    order: list[int]
    ids: list[int]
    logprob_sum: float = 0.0


class MaskedEngine:
    """Rewrites the prompts of rows with a masked model.

    A row is a function of its text, its seed and its strategy alone. All state of a run is in its
    drafts, so a run that fails half-way leaves nothing behind.

    Args:
        model: What computes: a masked model.
        codec: What turns texts into tokens and back.
        mask_rate: Part of each text's tokens that is written anew, in (0, 1].
        num_digits: Digits behind the point that a mean log-probability keeps; all when None.
    """

    def __init__(
        self,
        model: LoadedModel,
        *,
        codec: MaskedCodec,
        mask_rate: float,
        num_digits: int | None,
    ) -> None:
        assert isinstance(model.network, MaskedNetwork)
        self._network = network = model.network
        self._codec = codec
        self._pads = model.probe.pads_left
        self._device = model.device
        self._chooser = model.chooser
        self._mask_rate = mask_rate
        self._num_digits = num_digits
        unwanted = {*codec.special_ids, *range(codec.num_tokens, network.vocabulary_size)}
        known = sorted(token for token in unwanted if token < network.vocabulary_size)
        self._unwanted = torch.tensor(known, dtype=torch.long, device=self._chooser)

    slots = False
    """Whether lanes are refilled while others go on."""

    def width(self, strategy: Strategy) -> int:
        """Return 1: a text takes one lane under every strategy."""
        return 1

    def run(
        self, rows: Sequence[Row], *, strategy: Strategy, max_lanes: int
    ) -> Iterator[Completion]:
        """Yield each row's completion as its last token is written, `max_lanes` rows at a time.

        A row's prompt is its text. `num_tokens` counts the tokens written; `logprob` is their mean
        log-probability, each given the text as it stood when the token was drawn.

        Raises:
            RuntimeError: What the model raises, for one when the memory does not suffice.
            ValueError: If the strategy fills no gaps; `check_family` refuses it earlier.
        """
        if not isinstance(strategy, FillStrategy):
            raise ValueError(f"a masked model has no {strategy.kind}")
        ordered = sorted(rows, key=lambda row: (-len(row.prompt), row.request.row))
        while ordered:
            count = self._fitting(ordered[:max_lanes])
            yield from self._rewrite(ordered[:count], strategy=strategy)
            ordered = ordered[count:]

    def _fitting(self, rows: Sequence[Row]) -> int:
        """Count the first rows that may share a batch."""
        if self._pads:
            return len(rows)
        return sum(len(row.prompt) == len(rows[0].prompt) for row in rows)

    def _rewrite(self, rows: Sequence[Row], *, strategy: FillStrategy) -> Iterator[Completion]:
        drafts = [self._draft(row.request) for row in rows]
        yield from (
            fail(draft.request, "the text has no token to write anew")
            for draft in drafts
            if not draft.order
        )
        drafts, step = [draft for draft in drafts if draft.order], 0
        while drafts:
            picks = self._fill(drafts, step, strategy=strategy)
            for draft, (token, logprob) in zip(drafts, picks, strict=True):
                draft.ids[draft.order[step]] = int(token)
                draft.logprob_sum += logprob
                if not math.isfinite(logprob):
                    error = "the model's scores are not numbers (NaN or infinite)"
                    yield fail(draft.request, error, num_tokens=step)
                elif step + 1 == len(draft.order):
                    yield self._finish(draft)
            step += 1
            drafts = [
                draft
                for draft in drafts
                if step < len(draft.order) and math.isfinite(draft.logprob_sum)
            ]

    def _draft(self, request: Request) -> _Draft:
        """Choose the positions of a row and their order, and mask them."""
        source = self._codec.read(request.prompt)
        places = np.array(source.open_places, dtype=np.int64)
        # At least one, and half a token is a token.
        count = min(max(1, math.floor(self._mask_rate * len(places) + 0.5)), len(places))
        key = fold(np.asarray(request.seed, dtype=np.uint64), _CHOICE)
        order: list[int] = places[np.argsort(uniforms(key, places), kind="stable")][:count].tolist()
        ids = list(source.ids)
        for place in order:
            ids[place] = self._codec.mask_id
        return _Draft(request, source, order, ids)

    # No `yield` may stand inside inference mode: the mode would leak to the caller between two
    # rows.
    @torch.inference_mode()
    def _fill(
        self, drafts: Sequence[_Draft], step: int, *, strategy: FillStrategy
    ) -> list[list[float]]:
        """Choose the next token of every draft; return `(token, logprob)` of each."""
        logits_BV = self._read(
            [draft.ids for draft in drafts], [draft.order[step] for draft in drafts]
        )
        keys_B = torch.tensor([draft.request.seed for draft in drafts], device=self._chooser)
        tokens_B = choose_tokens(
            logits_BV.index_fill(1, self._unwanted, -math.inf),
            strategy=strategy,
            keys_B=keys_B,
            steps_B=torch.full_like(keys_B, step),
        )
        logprobs_B = token_logprobs(logits_BV, tokens_B=tokens_B)
        # One transfer a step; token ids are exact in float64.
        picks: list[list[float]] = torch.stack([tokens_B.double(), logprobs_B.double()], 1).tolist()
        return picks

    def _read(self, texts: Sequence[Sequence[int]], places: Sequence[int]) -> Tensor:
        """Return the logits at one position of each text, shape `(B, V)`, float32."""
        lengths = [len(ids) for ids in texts]
        ragged = len(set(lengths)) > 1
        width = padded_width(lengths, most=self._network.num_positions)
        pad = self._codec.pad_id
        input_BT = torch.tensor([[*ids] + [pad] * (width - len(ids)) for ids in texts])
        real_BT = torch.arange(width) < torch.tensor(lengths)[:, None]
        logits_BV = self._network.read(
            input_BT.to(self._device),
            mask_BT=real_BT.long().to(self._device) if ragged else None,
            places_B=torch.tensor(places, device=self._device),
        )
        return logits_BV.to(self._chooser, torch.float32)

    def _finish(self, draft: _Draft) -> Completion:
        logprob = draft.logprob_sum / len(draft.order)
        return Completion(
            request=draft.request,
            text=self._codec.rewrite(draft.source, draft.ids),
            num_tokens=len(draft.order),
            logprob=logprob if self._num_digits is None else round(logprob, self._num_digits),
            finish_reason="eos",
        )
