"""The transformers backend: a model in this process, in batches or row by row."""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

import torch

from schemas.errors import RunError
from schemas.manifest import Determinism, ModelInfo
from schemas.recipe import TransformersModel
from schemas.strategies import Strategy
from tasks.generation.determinism import promise_of
from tasks.generation.engine import Engine, Row, fail
from tasks.generation.families import family_of
from tasks.generation.folders import find_model
from tasks.generation.loading import compute_of, describe, load_model
from tasks.generation.masked import MaskedEngine
from tasks.generation.masked_text import MaskedCodec
from tasks.generation.memory import is_out_of_memory, rows_that_fit
from tasks.generation.protocol import Completion, Compute, Request
from tasks.generation.tokenisation import PromptCodec, load_tokenizer


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
        files = find_model(model, folder=folder)
        tokenizer = load_tokenizer(files.path)
        is_masked = family_of(files) == "masked"
        self._codec = PromptCodec(tokenizer, chat=not is_masked)
        self._model = load_model(model, folder=files, end_id=self._codec.end_id)
        self._info = describe(files, device=self._model.device, dtype=self._model.dtype)
        self._strict = model.deterministic == "strict"
        self._engine = (
            MaskedEngine(
                self._model,
                codec=MaskedCodec(tokenizer, place=files.path),
                mask_rate=model.mask_rate,
                rescores=self._rescores,
            )
            if is_masked
            else Engine(self._model, codec=self._codec, rescores=self._rescores)
        )
        self._asked_rows = 1 if self._strict else model.batch_size
        self._max_rows = sys.maxsize

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

    @property
    def _rescores(self) -> bool:
        # Reading a whole row once more costs a CPU little beside writing it token by token. On a
        # GPU one row takes as long as a step of hundreds, and in less than float32 tokens depend
        # on the batch anyway.
        on_cpu = self._model.device.type == "cpu"
        return on_cpu and self._info.dtype == "float32" and not self._strict

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
        rows.sort(key=_batch_order)
        for strategy, group in groupby(rows, key=lambda row: row.request.strategy):
            yield from self._generate_group(deque(group), strategy=strategy)

    def _misfit(self, prompt: list[int], request: Request) -> str | None:
        longest = request.strategy.length.max
        if not prompt:
            return "the prompt has no tokens"
        if not self._info.holds(prompt=len(prompt), reply=longest):
            return (
                f"context overflow: {len(prompt)} tokens of prompt and {longest} of reply "
                f"do not fit into {self._info.context_length}"
            )
        return None

    def _generate_group(self, waiting: deque[Row], *, strategy: Strategy) -> Iterator[Completion]:
        max_rows = self._rows_at_once(len(waiting[0].prompt) + strategy.length.max)
        while waiting:
            batch = self._take(waiting, min(max_rows, self._max_rows))
            pending = {id(row.request): row.prompt for row in batch}
            try:
                for completion in self._engine.run(batch, strategy=strategy):
                    del pending[id(completion.request)]
                    yield completion
            except (RuntimeError, MemoryError) as error:
                self._halve(len(batch), error)
            # Rows of a failed batch start again from their prompts, before those that wait.
            again = [Row(row.request, row.prompt) for row in batch if id(row.request) in pending]
            waiting.extendleft(reversed(again))

    def _rows_at_once(self, max_tokens: int) -> int:
        if self._asked_rows != "auto":
            return self._asked_rows
        return rows_that_fit(
            self._model.device,
            cache_bytes=self._model.probe.cache_bytes,
            max_tokens=max_tokens,
            vocabulary_size=self._model.network.vocabulary_size,
        )

    def _take(self, waiting: deque[Row], max_rows: int) -> list[Row]:
        """Take the next batch off `waiting`, whose rows are sorted by length."""
        batch = [waiting.popleft()]
        while waiting and len(batch) < max_rows:
            if not self._model.probe.pads_left and len(waiting[0].prompt) != len(batch[0].prompt):
                break
            batch.append(waiting.popleft())
        return batch

    def _halve(self, num_rows: int, error: Exception) -> None:
        """Answer a failed batch: fewer rows from now on if memory was short, else the run ends."""
        if not is_out_of_memory(error):
            raise RunError(f"the model failed: {error}", code="CS-G001", retryable=True) from error
        if num_rows == 1:
            raise RunError(
                "out of memory with a batch of one",
                code="CS-G002",
                hint="lower length.max, use a smaller model, a smaller dtype or another device",
            ) from error
        self._max_rows = num_rows // 2
        if self._model.device.type == "cuda":
            torch.cuda.empty_cache()


def _batch_order(row: Row) -> tuple[str, int, int, int]:
    """Sort rows of one strategy, the longest first: if memory is short, it shows at once."""
    request = row.request
    return (request.strategy.model_dump_json(), -len(row.prompt), request.row, request.attempt)
