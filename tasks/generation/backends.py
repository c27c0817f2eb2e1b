"""The way in: a recipe's model becomes a backend, or is inspected without being loaded."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, assert_never

from schemas.manifest import ModelInfo
from schemas.models import OpenAIModel, VllmModel
from schemas.recipe import AnyModel, ScriptedModel, TransformersModel
from tasks.generation.folders import find_model
from tasks.generation.protocol import Backend


class Inspected(Protocol):
    """What can be known of a model without its weights in memory."""

    @property
    def info(self) -> ModelInfo:
        """Identify the model; `weights_sha256` is "" where the weights were not fetched."""
        ...

    @property
    def num_parameters(self) -> int:
        """Number of weights; 0 when it is not known without fetching them."""
        ...

    def format_prompt(self, text: str) -> str:
        """Wrap a rendered template as the model wants it."""
        ...

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts that `format_prompt` returned."""
        ...


def open_backend(
    model: AnyModel, *, folder: Path, replay: Path | None = None, usd: float | None = None
) -> Backend:
    """Open the backend that a recipe's model names.

    Args:
        model: The recipe's `model`.
        folder: Folder of the recipe, where relative paths start.
        replay: File of an endpoint's replies that are paid already; None keeps none.
        usd: Most US dollars to spend at an endpoint, those replies included; None for no limit.

    Raises:
        InputError: If the model or its files are missing, wrong or not supported (CS-M001 to
        CS-M008).
    """
    match model:
        case TransformersModel():
            _wait_passively()
            # torch and transformers take seconds to import: only whoever generates pays.
            from tasks.generation.transformers_backend import TransformersBackend

            return TransformersBackend(model, folder=folder)
        case ScriptedModel():
            from tasks.generation.scripted import ScriptedBackend

            return ScriptedBackend.from_model(model, folder=folder)
        case OpenAIModel():
            from tasks.generation.endpoint_backend import EndpointBackend

            return EndpointBackend(model, replay=replay, usd=usd)
        case VllmModel():
            from tasks.generation.vllm_backend import VllmBackend

            return VllmBackend(model, folder=folder)
        case _:
            assert_never(model)


def inspect_model(model: AnyModel, *, folder: Path) -> Inspected:
    """Check a model's files, device and tokenizer; no weights are loaded, no endpoint is asked.

    Args:
        model: The recipe's `model`.
        folder: Folder of the recipe, where relative paths start.

    Raises:
        InputError: As `open_backend`, as far as it shows without the weights' values.
    """
    match model:
        case TransformersModel():
            _wait_passively()
            # The files are looked at before torch is imported, which takes seconds.
            find_model(model, folder=folder, weights=False)
            from tasks.generation.inspection import InspectedModel

            return InspectedModel(model, folder=folder)
        case ScriptedModel():
            from tasks.generation.scripted import ScriptedBackend

            return ScriptedBackend.from_model(model, folder=folder)
        case OpenAIModel():
            from tasks.generation.endpoint_backend import EndpointBackend

            return EndpointBackend(model)
        case VllmModel():
            from tasks.generation.vllm_backend import InspectedVllm

            return InspectedVllm(model, folder=folder)
        case _:
            assert_never(model)


def _wait_passively() -> None:
    """Let torch's idle threads spin shortly, then sleep; works only before torch is imported.

    Spinning on is fastest on idle cores. On busy ones (other shards' work, a second process) it
    takes them from the thread that is waited for: a step of a small model became 20 times slower.
    Sleeping at once costs a third of the speed on idle cores, for steps are short.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Some microseconds; OpenMP of other compilers than GCC does not know it.
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
