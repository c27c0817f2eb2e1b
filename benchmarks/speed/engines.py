"""The engines that are compared: texts to texts, and how many tokens they hold.

Each gets prompts as text and returns when all replies are text again. A token counts when it
belongs to a returned text, up to and including the end-of-text token; what is computed beyond it
does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from schemas.recipe import TransformersModel
from schemas.strategies import Strategy
from tasks.generation.backends import open_backend
from tasks.generation.protocol import Request
from tasks.planning.streams import row_seed

BEAMS = 4
OURS: Mapping[str, dict[str, Any]] = {
    "greedy": {"kind": "greedy"},
    "temperature": {"kind": "temperature"},
    "top_k": {"kind": "top_k", "top_k": 50},
    "nucleus": {"kind": "nucleus", "top_p": 0.9},
    "min_p": {"kind": "min_p", "min_p": 0.1},
    "typical": {"kind": "typical", "typical_p": 0.95},
    "arithmetic": {"kind": "arithmetic"},
    "contrastive": {"kind": "contrastive"},
    "beam": {"kind": "beam", "num_beams": BEAMS},
    "beam_all": {"kind": "beam", "num_beams": BEAMS, "num_return_sequences": BEAMS},
    "diverse_beam": {"kind": "diverse_beam", "num_beams": BEAMS, "num_return_sequences": BEAMS},
    "stochastic_beam": {"kind": "stochastic_beam", "num_beams": BEAMS},
}
"""Each strategy as a recipe has it. `beam_all` returns every beam, as the two below it do."""

_SAMPLED = {"do_sample": True, "temperature": 1.0, "top_k": 0}
GENERATE: Mapping[str, dict[str, Any]] = {
    "greedy": {"do_sample": False},
    "temperature": _SAMPLED,
    "top_k": {**_SAMPLED, "top_k": 50},
    "nucleus": {**_SAMPLED, "top_p": 0.9},
    "min_p": {**_SAMPLED, "min_p": 0.1},
    "typical": {**_SAMPLED, "typical_p": 0.95},
    "beam": {"do_sample": False, "num_beams": BEAMS},
}
"""The same distributions as transformers names them: its own top_k of 50 is switched off."""
_BATCHED = ("greedy", "temperature", "top_k", "nucleus")
"""What `generate_batch` decodes; anything else it drops with a warning."""


@dataclass(frozen=True)
class Setting:
    """What a worker runs.

    Args:
        engine: `corpusmith`, `generate` or `generate_batch`.
        strategy: A key of `OURS`.
        model: The model as a recipe names it: `starter` or a folder.
        device: `cpu`, `cuda`.
        dtype: `float32`, `bfloat16`.
        batch_size: Prompts at once; "auto" where the engine finds it itself.
        max_new_tokens: Most tokens of a reply.
    """

    engine: str
    strategy: str
    model: str
    device: str
    dtype: str
    batch_size: int | str
    max_new_tokens: int


class Engine(Protocol):
    """A generator of replies, with its model loaded."""

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts, opening token included."""
        ...

    def run(self, prompts: Sequence[str]) -> int:
        """Generate a reply to each prompt and count the useful tokens."""
        ...


def runs(engine: str, strategy: str) -> bool:
    """Tell whether an engine has a strategy."""
    match engine:
        case "corpusmith":
            return strategy in OURS
        case "generate":
            return strategy in GENERATE
        case "generate_batch":
            return strategy in _BATCHED
        case _:
            raise ValueError(engine)


def open_engine(setting: Setting) -> Engine:
    """Load the model of a setting into its engine."""
    match setting.engine:
        case "corpusmith":
            return Corpusmith(setting)
        case "generate":
            return Generate(setting)
        case "generate_batch":
            return GenerateBatch(setting)
        case _:
            raise ValueError(setting.engine)


class Corpusmith:
    """Ours, by its public interface."""

    def __init__(self, setting: Setting) -> None:
        model = {"name": setting.model, "device": setting.device, "dtype": setting.dtype}
        self._backend = open_backend(
            TransformersModel(**model, batch_size=setting.batch_size), folder=Path.cwd()
        )
        adapter: TypeAdapter[Strategy] = TypeAdapter(Strategy)
        length = {"min": 0, "max": setting.max_new_tokens}
        self._strategy = adapter.validate_python({**OURS[setting.strategy], "length": length})

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts."""
        return self._backend.count_tokens(prompts)

    def run(self, prompts: Sequence[str]) -> int:
        """Generate; every row of a prompt is asked for."""
        seeds = [row_seed(7, row, 0) for row in range(len(prompts))]
        requests = [
            Request(
                row=row * self._strategy.rows_per_prompt + member,
                attempt=0,
                seed=row_seed(7, row, member),
                group_seed=seeds[row],
                member=member,
                label="",
                prompt=prompt,
                strategy=self._strategy,
            )
            for row, prompt in enumerate(prompts)
            for member in range(self._strategy.rows_per_prompt)
        ]
        replies = list(self._backend.generate(requests))
        if failed := [reply.error for reply in replies if reply.error is not None]:
            raise SystemExit(f"{len(failed)} rows failed: {failed[0]}")
        return sum(reply.num_tokens for reply in replies)


class _Transformers:
    """What both ways of transformers share: model, tokenizer, settings."""

    def __init__(self, setting: Setting) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

        folder = starter_folder() if setting.model == "starter" else setting.model
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, setting.dtype), attn_implementation="sdpa"
        )
        self._model = loaded.to(setting.device).eval()
        self._end = self._model.generation_config.eos_token_id
        self._pad = self._tokenizer.pad_token_id
        self._setting = setting
        self._config = GenerationConfig(
            **GENERATE[setting.strategy],
            max_new_tokens=setting.max_new_tokens,
            eos_token_id=self._end,
            pad_token_id=self._pad,
        )
        # The model's own defaults would fill in what the configuration leaves open.
        self._model.generation_config = self._config

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts."""
        return [len(tokens) for tokens in self._tokenizer(list(prompts))["input_ids"]]

    def _decode(self, replies: Sequence[list[int]]) -> list[str]:
        texts: list[str] = self._tokenizer.batch_decode(replies, skip_special_tokens=True)
        return texts


class Generate(_Transformers):
    """`model.generate` on left-padded batches in the order of the prompts."""

    def run(self, prompts: Sequence[str]) -> int:
        """Generate batch by batch."""
        import torch

        size = self._setting.batch_size
        assert isinstance(size, int)
        torch.manual_seed(7)
        tokens = 0
        with torch.inference_mode():
            for first in range(0, len(prompts), size):
                batch = self._tokenizer(
                    list(prompts[first : first + size]),
                    padding=True,
                    return_tensors="pt",
                    return_token_type_ids=False,
                ).to(self._setting.device)
                found = self._model.generate(**batch, generation_config=self._config)
                width = batch["input_ids"].shape[1]
                replies = [cut_at_end(reply, self._end) for reply in found[:, width:].tolist()]
                tokens += sum(map(len, replies))
                self._decode(replies)
        return tokens


class GenerateBatch(_Transformers):
    """`model.generate_batch`, the continuous batching of transformers."""

    def run(self, prompts: Sequence[str]) -> int:
        """Generate all prompts in one call."""
        from transformers.generation.configuration_utils import ContinuousBatchingConfig

        encoded = self._tokenizer(list(prompts))["input_ids"]
        bounds: dict[str, int] = {}
        if self._setting.device == "cpu":
            # Left to itself it takes 60 % of the machine's memory. One page holds a whole row.
            page = 128
            pages = -(-(max(map(len, encoded)) + self._setting.max_new_tokens) // page)
            bounds = {
                "page_size": page,
                "num_blocks": pages * len(prompts) + 8,
                "max_batch_tokens": max(512, len(prompts)),
            }
        # No inference mode: its own thread, which is outside, writes into tensors made here.
        found = self._model.generate_batch(
            encoded,
            generation_config=self._config,
            continuous_batching_config=ContinuousBatchingConfig(seed=7, **bounds),
            progress_bar=False,
        )
        # Errors are swallowed: whatever failed is missing from the results or has no tokens.
        replies = [cut_at_end(reply.generated_tokens, self._end) for reply in found.values()]
        if len(replies) != len(prompts) or not all(replies):
            raise SystemExit("generate_batch lost rows")
        self._decode(replies)
        return sum(map(len, replies))


def cut_at_end(tokens: list[int], end: int | Sequence[int] | None) -> list[int]:
    """Cut a reply behind its first end-of-text token.

    Args:
        tokens: The reply, padding included.
        end: The token or tokens that end a text.
    """
    ends = {end} if isinstance(end, int) else set(end or ())
    stop = next((place for place, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: stop + 1]


def starter_folder() -> Path:
    """Name the folder of the starter model."""
    from tasks import starter

    (folder,) = starter.__path__
    return Path(folder)
