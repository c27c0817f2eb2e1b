"""A transformers model as `check` sees it: files, device and tokenizer, no weights in memory."""

from collections.abc import Sequence
from math import prod
from pathlib import Path

from safetensors import safe_open

from schemas.manifest import ModelInfo
from schemas.recipe import TransformersModel
from tasks.generation.families import family_of
from tasks.generation.folders import find_model
from tasks.generation.loading import choose_device, choose_dtype, describe
from tasks.generation.masked_text import MaskedCodec
from tasks.generation.tokenisation import PromptCodec, load_tokenizer


class InspectedModel:
    """The checked files and the tokenizer of a model.

    Args:
        model: The model as the recipe names it.
        folder: Folder of the recipe.

    Raises:
        InputError: If the model cannot be found or is not supported (CS-M001 to CS-M005).
    """

    def __init__(self, model: TransformersModel, *, folder: Path) -> None:
        files = find_model(model, folder=folder, weights=False)
        family = family_of(files)
        self._num_parameters = sum(map(_count_weights, files.weights))
        device = choose_device(model.device)
        tokenizer = load_tokenizer(files.path)
        if family == "masked":
            MaskedCodec(tokenizer, place=files.path)
        self._codec = PromptCodec(tokenizer, chat=family != "masked")
        self._info = describe(files, device=device, dtype=choose_dtype(model.dtype, device=device))

    @property
    def info(self) -> ModelInfo:
        """Identify the model; `weights_sha256` is "" where the weights were not fetched."""
        return self._info

    @property
    def num_parameters(self) -> int:
        """Number of weights, read from the files' headers; 0 for a hub model."""
        return self._num_parameters

    def format_prompt(self, text: str) -> str:
        """Wrap a rendered template in the model's chat format, or return it when there is none."""
        return self._codec.format_prompt(text)

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts that `format_prompt` returned."""
        return [len(ids) for ids in self._codec.encode(prompts)]


def _count_weights(path: Path) -> int:
    with safe_open(path, framework="numpy") as file:
        return sum(prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118 - no mapping
