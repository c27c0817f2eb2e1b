"""The transformers backend: a model in this process, in batches or row by row."""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import torch

from schemas.errors import RunError
from schemas.manifest import Determinism, ModelInfo
from schemas.recipe import TransformersModel
from schemas.strategies import Strategy
from tasks.generation.allocation import keep_freed_memory
from tasks.generation.determinism import promise_of
from tasks.generation.families import family_of
from tasks.generation.folders import find_model
from tasks.generation.jobs import Row, fail
from tasks.generation.lane_writer import LOGPROB_DIGITS, LaneWriter
from tasks.generation.loading import compute_of, describe, load_model
from tasks.generation.masked import MaskedEngine
from tasks.generation.masked_text import MaskedCodec
from tasks.generation.memory import is_out_of_memory, rows_that_fit
from tasks.generation.network import Network
from tasks.generation.protocol import Completion, Compute, Request
from tasks.generation.scoring import ContinuationScorer, failure
from tasks.generation.sizing import fastest_lanes
from tasks.generation.tokenisation import PromptCodec, load_tokenizer

_TYPICAL_TOKENS = 512
"""Prompt and reply of a row, as long as they may be when the number of lanes is measured."""


class TransformersBackend:
    """Generates with a model of transformers.

    Rows with the same strategy and prompts of similar length share a batch. With `deterministic:
    strict` each row is computed alone and without padding, so that the shape of every matrix
    product is a function of the row. A fixed batch shape would not do: how a product is cut into
    tiles depends on a row's place in it too, and a row would sit in another place whenever other
    rows came before it.

    Args:
        model: The model as the recipe names it.
        folder: Folder of the recipe.

    Raises:
        InputError: If the model cannot be found, loaded or put where it is asked for (CS-M001
            to CS-M005).
    """

    def __init__(self, model: TransformersModel, *, folder: Path) -> None:
        keep_freed_memory()
        files = find_model(model, folder=folder)
        tokenizer = load_tokenizer(files.path)
        is_masked = family_of(files) == "masked"
        self._codec = PromptCodec(tokenizer, chat=not is_masked)
        self._model = load_model(model, folder=files, end_id=self._codec.end_id)
        self._info = describe(files, device=self._model.device, dtype=self._model.dtype)
        self._strict = model.deterministic == "strict"
        self._writer: LaneWriter | MaskedEngine = (
            MaskedEngine(
                self._model,
                codec=MaskedCodec(tokenizer, place=files.path),
                mask_rate=model.mask_rate,
                num_digits=None if self._strict else LOGPROB_DIGITS,
            )
            if is_masked
            else LaneWriter(self._model, codec=self._codec, strict=self._strict)
        )
        self._asked_lanes = self._lanes_asked_for(model)
        self._max_lanes = sys.maxsize

    @property
    def info(self) -> ModelInfo:
        """Identify the model."""
        return self._info

    @property
    def determinism(self) -> Determinism:
        """State which promise the rows carry."""
        return promise_of(dtype=self._info.dtype, strict=self._strict)

    @property
    def compute(self) -> Compute:
        """Name the device and its card, and count torch's threads."""
        return compute_of(self._model.device)

    def format_prompt(self, text: str) -> str:
        """Wrap a rendered template in the model's chat format, or return it when there is none."""
        return self._codec.format_prompt(text)

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts that `format_prompt` returned."""
        return [len(ids) for ids in self._codec.encode(prompts)]

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Yield one completion for each request, as each is finished; see `Backend.generate`.

        When the memory does not suffice, the batch is halved, for the rest of this backend's life,
        and its unfinished rows start again: their randomness is their own, so they come out the
        same.

        Raises:
            RunError: If one row alone does not fit (CS-G002), or the model fails (CS-G001).
        """
        rows: list[Row] = []
        encoded = self._codec.encode([request.prompt for request in requests])
        for request, prompt in zip(requests, encoded, strict=True):
            error = self._misfit(prompt, request)
            if error is None:
                rows.append(Row(request, prompt))
            else:
                yield fail(request, error)
        rows.sort(key=_strategy_of)
        for _, group in groupby(rows, key=_strategy_of):
            of_strategy = list(group)
            yield from self._generate_group(of_strategy, of_strategy[0].request.strategy)

    def score_continuations(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score continuations of prompts with a decoder-only model; see `TextScorer`.

        Raises:
            RunError: If one pair alone does not fit into memory (CS-G002), or the model fails
                (CS-G001).
        """
        scorer = ContinuationScorer(
            self._model, codec=self._codec, context_length=self._info.context_length
        )
        try:
            return scorer.score(pairs)
        except (RuntimeError, MemoryError) as error:
            raise failure(error) from error

    def _misfit(self, prompt: list[int], request: Request) -> str | None:
        longest = request.strategy.length.max
        if not prompt:
            return "the prompt has no tokens"
        known = self._model.network.vocabulary_size
        if self._info.family != "encoder_decoder" and max(prompt) >= known:
            return f"the tokenizer writes token {max(prompt)}, and the model knows {known}"
        if not self._info.holds(prompt=len(prompt), reply=longest):
            return (
                f"context overflow: {len(prompt)} tokens of prompt and {longest} of reply "
                f"do not fit into {self._info.context_length}"
            )
        return None

    def _generate_group(self, rows: list[Row], strategy: Strategy) -> Iterator[Completion]:
        pending = {id(row.request): row for row in rows}
        while pending:
            longest = max(len(row.prompt) for row in pending.values())
            width = self._writer.width(strategy)
            # One search takes all its lanes, however few are asked for.
            max_lanes = min(self._max_lanes, self._lanes_at_once(longest, strategy))
            max_lanes = max(max_lanes, width)
            used = min(max_lanes, len(pending) * width)
            writing = self._writer.run(list(pending.values()), strategy=strategy, max_lanes=used)
            try:
                for completion in writing:
                    del pending[id(completion.request)]
                    yield completion
            except (RuntimeError, MemoryError) as error:
                self._halve(used, error, width=width)
            else:
                return
            # Only here, behind the error and its frames, is the failed batch's memory free.
            if self._model.device.type == "cuda":
                torch.cuda.empty_cache()

    def _lanes_asked_for(self, model: TransformersModel) -> int | None:
        """Return the number of lanes that is settled; None where memory alone decides.

        In less than float32 rows depend on the batch: it is not left to a clock then.
        """
        if self._strict:
            return 1
        if model.batch_size != "auto":
            return model.batch_size
        network = self._model.network
        if self._writer.slots and isinstance(network, Network) and self._info.dtype == "float32":
            most = self._lanes_that_fit(_TYPICAL_TOKENS)
            return fastest_lanes(network, most=most, chooser=self._model.chooser)
        return None

    def _lanes_that_fit(self, num_tokens: int) -> int:
        return rows_that_fit(
            self._model.device,
            cache_bytes=self._model.probe.cache_bytes,
            max_tokens=num_tokens,
            vocabulary_size=self._model.network.vocabulary_size,
        )

    def _lanes_at_once(self, longest: int, strategy: Strategy) -> int:
        # Beside the reply, lanes have room to stay where they are for a while; see `SlotLanes`.
        fitting = self._lanes_that_fit(longest + 2 * strategy.length.max)
        return fitting if self._asked_lanes is None else min(self._asked_lanes, fitting)

    def _halve(self, num_lanes: int, error: Exception, *, width: int) -> None:
        """Answer a failed batch: fewer lanes from now on if memory was short, else the run ends."""
        if not is_out_of_memory(error):
            raise RunError(f"the model failed: {error}", code="CS-G001", retryable=True) from error
        if num_lanes == width:
            raise RunError(
                "out of memory with a batch of one",
                code="CS-G002",
                hint="lower length.max, use a smaller model, a smaller dtype or another device",
            ) from error
        self._max_lanes = num_lanes // 2


def _strategy_of(row: Row) -> str:
    return row.request.strategy.model_dump_json()
