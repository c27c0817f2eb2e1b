"""The backend of the vLLM engine, by its documented offline API: `LLM`, `SamplingParams`.

https://docs.vllm.ai/en/stable/api/vllm/: `LLM.generate` takes prompts as token ids and one
`SamplingParams` for each, and returns one `RequestOutput` for each, in order.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from schemas.errors import InputError, RunError
from schemas.manifest import Determinism, ModelInfo
from schemas.models import VllmModel
from schemas.recipe import TransformersModel
from schemas.strategies import Greedy, MinP, Nucleus, Strategy, Temperature, TopK
from tasks.decoding.stopping import cut_at_stop
from tasks.generation.folders import find_model
from tasks.generation.form_parameters import structured_outputs
from tasks.generation.inspection import InspectedModel
from tasks.generation.protocol import Completion, Compute, FinishReason, Request
from tasks.generation.tokenisation import PromptCodec, load_tokenizer


class InspectedVllm(InspectedModel):
    """The checked files and the tokenizer of a model that vLLM will run; vLLM is not imported.

    Args:
        model: The model as the recipe names it.
        folder: Folder of the recipe.

    Raises:
        InputError: As `InspectedModel`.
    """

    def __init__(self, model: VllmModel, *, folder: Path) -> None:
        super().__init__(_as_files(model), folder=folder)
        self._model = model

    @property
    def info(self) -> ModelInfo:
        """Identify the model; `weights_sha256` is "" where the weights were not fetched."""
        info = super().info
        changes = {
            "backend": "vllm",
            "dtype": self._model.dtype,
            "device": "cuda",
            "context_length": self._model.context_length or info.context_length,
        }
        return info.model_copy(update=changes)


class VllmBackend:
    """Lets vLLM answer a whole shard at a time.

    Args:
        model: The model as the recipe names it.
        folder: Folder of the recipe.

    Raises:
        InputError: CS-M008 if vLLM is not installed; CS-M001 to CS-M004 as `InspectedModel`.
    """

    def __init__(self, model: VllmModel, *, folder: Path) -> None:
        self._vllm = _import_vllm()
        self._inspected = InspectedVllm(model, folder=folder)
        files = find_model(_as_files(model), folder=folder)
        self._codec = PromptCodec(load_tokenizer(files.path))
        self._info = self._inspected.info.model_copy(
            update={"weights_sha256": files.weights_sha256}
        )
        self._engine = self._vllm.LLM(
            model=str(files.path),
            tokenizer=str(files.path),
            dtype=model.dtype,
            trust_remote_code=False,
            max_model_len=model.context_length,
            gpu_memory_utilization=model.gpu_memory,
            generation_config="vllm",
            load_format="safetensors",
        )

    @property
    def info(self) -> ModelInfo:
        """Identify the model."""
        return self._info

    @property
    def determinism(self) -> Determinism:
        """State what vLLM promises."""
        return Determinism(
            promise="batch_plan",
            statement="vLLM draws each row by the row's own seed, but batches as it likes: another "
            "batch plan, version or GPU may change tokens.",
        )

    @property
    def compute(self) -> Compute:
        """Name the device."""
        return Compute("cuda")

    def format_prompt(self, text: str) -> str:
        """Wrap a rendered template in the model's chat format, or return it when there is none."""
        return self._codec.format_prompt(text)

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts that `format_prompt` returned."""
        return [len(ids) for ids in self._codec.encode(prompts)]

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Yield one completion for each request, in order; see `Backend.generate`.

        Raises:
            RunError: CS-G001 if the engine fails.
        """
        encoded = self._codec.encode([request.prompt for request in requests])
        fitting = []
        for request, ids in zip(requests, encoded, strict=True):
            if len(ids) + request.strategy.length.max > self._info.context_length:
                error = f"a prompt of {len(ids)} tokens leaves no room for the reply"
                yield Completion(request, "", 0, None, "error", error)
            else:
                fitting.append((request, {"prompt_token_ids": ids}))
        if not fitting:
            return
        try:
            outputs = self._engine.generate(
                [prompt for _, prompt in fitting],
                [self._sampling(request) for request, _ in fitting],
                use_tqdm=False,
            )
        # The engine runs other processes and a GPU: its errors have no common class.
        except Exception as error:
            raise RunError(f"vLLM failed: {error}", code="CS-G001", retryable=True) from error
        for (request, _), output in zip(fitting, outputs, strict=True):
            yield _completion(request, output.outputs[0])

    def _sampling(self, request: Request) -> Any:
        length = request.strategy.length
        form = {}
        if request.output is not None:
            params = import_module("vllm.sampling_params").StructuredOutputsParams
            form["structured_outputs"] = params(**structured_outputs(request.output))
        return self._vllm.SamplingParams(
            n=1,
            max_tokens=length.max,
            min_tokens=length.min,
            seed=request.seed,
            stop=list(request.strategy.stop),
            # The chosen token's own log-probability, which vLLM takes before temperature.
            logprobs=0,
            **sampling_parameters(request.strategy),
            **form,
        )


def sampling_parameters(strategy: Strategy) -> dict[str, float]:
    """Say a strategy in vLLM's `SamplingParams`; what is left out is off by default.

    Raises:
        InputError: CS-M006 for a strategy that vLLM does not have.
    """
    match strategy:
        case Greedy():
            return {"temperature": 0.0}
        case Temperature(temperature=temperature):
            return {"temperature": temperature}
        case TopK(temperature=temperature, top_k=top_k):
            return {"temperature": temperature, "top_k": top_k}
        case Nucleus(temperature=temperature, top_p=top_p):
            return {"temperature": temperature, "top_p": top_p}
        case MinP(temperature=temperature, min_p=min_p):
            return {"temperature": temperature, "min_p": min_p}
        case _:
            raise InputError(
                f"the backend vllm does not have the strategy {strategy.kind}",
                code="CS-M006",
                place="strategies",
            )


def _completion(request: Request, output: Any) -> Completion:
    """Read a `CompletionOutput`: text, token_ids, cumulative_logprob, finish and stop reason."""
    num_tokens = len(output.token_ids)
    if output.finish_reason not in ("stop", "length"):
        error = f"vLLM ended the row: {output.finish_reason}"
        return Completion(request, "", num_tokens, None, "error", error)
    text, cut = cut_at_stop(output.text, stops=request.strategy.stop)
    finish: FinishReason = "length" if output.finish_reason == "length" else "eos"
    if cut or isinstance(output.stop_reason, str):
        finish = "stop"
    total = output.cumulative_logprob
    logprob = total / num_tokens if total is not None and num_tokens else None
    return Completion(request, text, num_tokens, logprob, finish)


def _import_vllm() -> Any:
    try:
        return import_module("vllm")
    except ImportError as error:
        raise InputError(
            f"vLLM cannot be imported: {error}",
            code="CS-M008",
            place="model.backend",
            hint="install it with `pip install corpusmith[vllm]` on a machine with a GPU, or use "
            "backend: transformers",
        ) from error


def _as_files(model: VllmModel) -> TransformersModel:
    """Name the same files as the backend transformers does."""
    return TransformersModel(name=model.name, revision=model.revision, device="cpu")
