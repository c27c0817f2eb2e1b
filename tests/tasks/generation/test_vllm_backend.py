"""The vLLM adapter against a double of vLLM's documented offline API: no GPU, no vLLM."""

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from schemas.errors import InputError, RunError
from schemas.models import VllmModel
from schemas.output import ChoicesOutput, JsonOutput, Output, RegexOutput
from schemas.strategies import (
    STRATEGY_CLASSES,
    Greedy,
    Length,
    MinP,
    Nucleus,
    Strategy,
    Temperature,
    TopK,
)
from tasks.generation.backends import inspect_model, open_backend
from tasks.generation.protocol import Request
from tasks.generation.support import SUPPORT
from tasks.generation.vllm_backend import VllmBackend, sampling_parameters

STARTER = VllmModel(name="starter")


@dataclass
class CompletionOutput:
    """As documented: `vllm.outputs.CompletionOutput`."""

    text: str
    token_ids: list[int]
    cumulative_logprob: float | None
    finish_reason: str | None
    stop_reason: int | str | None = None
    index: int = 0
    logprobs: Any = None


@dataclass
class RequestOutput:
    """As documented: `vllm.outputs.RequestOutput`."""

    outputs: list[CompletionOutput]
    finished: bool = True


class Sampling:
    """As documented: `vllm.SamplingParams`, keyword arguments only."""

    KNOWN = (
        "n", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "max_tokens", "min_tokens",
        "logprobs", "structured_outputs",
    )  # fmt: skip

    def __init__(self, **given: Any) -> None:
        assert set(given) <= set(self.KNOWN)
        self.given = given


@dataclass
class StructuredOutputs:
    """As documented: `vllm.sampling_params.StructuredOutputsParams`."""

    json: Any = None
    regex: str | None = None
    choice: list[str] | None = None
    disable_any_whitespace: bool = False


@dataclass
class Double:
    """Records what it was asked, and answers from a list."""

    options: dict[str, Any] = field(default_factory=dict)
    prompts: list[Any] = field(default_factory=list)
    sampling: list[dict[str, Any]] = field(default_factory=list)
    answers: list[CompletionOutput] = field(default_factory=list)
    error: Exception | None = None


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Double:
    record = Double()

    class LLM:
        def __init__(self, model: str, **options: Any) -> None:
            record.options = {"model": model, **options}

        def generate(
            self, prompts: Any, sampling_params: Any, *, use_tqdm: bool = True
        ) -> list[RequestOutput]:
            assert not use_tqdm
            if record.error:
                raise record.error
            record.prompts = prompts
            record.sampling = [params.given for params in sampling_params]
            return [RequestOutput([answer]) for answer in record.answers]

    module: Any = ModuleType("vllm")
    module.LLM, module.SamplingParams = LLM, Sampling
    monkeypatch.setitem(sys.modules, "vllm", module)
    inner: Any = ModuleType("vllm.sampling_params")
    inner.StructuredOutputsParams = StructuredOutputs
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", inner)
    return record


def ask(row: int, strategy: Strategy, prompt: str = "Write.") -> Request:
    return Request(row, 0, 77 + row, "a", prompt, strategy)


def test_replies_are_read_and_parameters_are_said(double: Double, tmp_path: Path) -> None:
    backend = open_backend(STARTER, folder=tmp_path)
    asked = [
        ask(0, Nucleus(top_p=0.8, temperature=0.7, length=Length(min=2, max=9))),
        ask(1, Greedy(stop=("!",))),
        ask(2, TopK(top_k=5)),
        ask(3, MinP(min_p=0.2)),
        ask(4, Temperature(temperature=1.5)),
    ]
    double.answers = [
        CompletionOutput(" one", [1, 2], -3.0, "stop"),
        CompletionOutput("two", [1, 2], -1.0, "stop", "!"),
        CompletionOutput("three", [1] * 64, None, "length"),
        CompletionOutput("", [], 0.0, "stop"),
        CompletionOutput("", [1], None, "abort"),
    ]
    found = list(backend.generate(asked))
    assert [reply.request for reply in found] == asked
    assert [(r.text, r.num_tokens, r.logprob, r.finish_reason) for r in found] == [
        (" one", 2, -1.5, "eos"),
        ("two", 2, -0.5, "stop"),
        ("three", 64, None, "length"),
        ("", 0, None, "eos"),
        ("", 1, None, "error"),
    ]
    base = {"n": 1, "max_tokens": 64, "min_tokens": 1, "stop": [], "logprobs": 0}
    assert double.sampling == [
        {**base, "seed": 77, "max_tokens": 9, "min_tokens": 2, "temperature": 0.7, "top_p": 0.8},
        {**base, "seed": 78, "stop": ["!"], "temperature": 0.0},
        {**base, "seed": 79, "temperature": 1.0, "top_k": 5},
        {**base, "seed": 80, "temperature": 1.0, "min_p": 0.2},
        {**base, "seed": 81, "temperature": 1.5},
    ]
    assert all(set(prompt) == {"prompt_token_ids"} for prompt in double.prompts)
    assert len(double.prompts[0]["prompt_token_ids"]) == backend.count_tokens(["Write."])[0]


def test_forms_are_passed_on(double: Double, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    outputs: list[Output] = [
        JsonOutput(json_schema=schema),
        RegexOutput(regex="a+"),
        ChoicesOutput(choices=("b", "c")),
    ]
    asked = [replace(ask(row, Greedy()), output=output) for row, output in enumerate(outputs)]
    double.answers = [CompletionOutput("a", [1], -1.0, "stop")] * 3
    list(open_backend(STARTER, folder=tmp_path).generate(asked))
    assert [params["structured_outputs"] for params in double.sampling] == [
        StructuredOutputs(
            json={**schema, "additionalProperties": False}, disable_any_whitespace=True
        ),
        StructuredOutputs(regex="a+"),
        StructuredOutputs(choice=["b", "c"]),
    ]


def test_the_engine_gets_checked_files_and_no_foreign_code(double: Double, tmp_path: Path) -> None:
    model = VllmModel(name="starter", dtype="bfloat16", context_length=128, gpu_memory=0.5)
    backend = VllmBackend(model, folder=tmp_path)
    assert double.options["trust_remote_code"] is False
    assert double.options["load_format"] == "safetensors"
    assert Path(double.options["model"], "model.safetensors").is_file()
    assert (double.options["dtype"], double.options["max_model_len"]) == ("bfloat16", 128)
    assert backend.info.backend == "vllm"
    assert len(backend.info.weights_sha256) == 64
    assert backend.info.context_length == 128
    assert backend.determinism.promise == "batch_plan"
    assert backend.compute.device == "cuda"


def test_a_prompt_over_the_context_is_its_rows_error(double: Double, tmp_path: Path) -> None:
    backend = VllmBackend(VllmModel(name="starter", context_length=80), folder=tmp_path)
    double.answers = [CompletionOutput("ok", [1], -1.0, "stop")]
    found = list(backend.generate([ask(0, Greedy(), "word " * 100), ask(1, Greedy())]))
    assert [reply.finish_reason for reply in found] == ["error", "eos"]
    assert len(double.prompts) == 1


def test_an_engine_that_fails_ends_the_run(double: Double, tmp_path: Path) -> None:
    backend = VllmBackend(STARTER, folder=tmp_path)
    double.error = ValueError("CUDA")
    with pytest.raises(RunError) as caught:
        list(backend.generate([ask(0, Greedy())]))
    assert (caught.value.code, caught.value.retryable) == ("CS-G001", True)


def test_without_vllm_a_recipe_is_checked_but_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)
    seen = inspect_model(STARTER, folder=tmp_path)
    assert (seen.info.backend, seen.info.device) == ("vllm", "cuda")
    assert seen.num_parameters > 1_000_000
    with pytest.raises(InputError) as caught:
        open_backend(STARTER, folder=tmp_path)
    assert caught.value.code == "CS-M008"
    assert "corpusmith[vllm]" in caught.value.hint


@pytest.mark.parametrize("cls", STRATEGY_CLASSES)
def test_what_is_said_to_be_supported_is(cls: type[Strategy]) -> None:
    strategy = cls()
    if strategy.kind in SUPPORT["vllm"]:
        assert "temperature" in sampling_parameters(strategy)
        return
    with pytest.raises(InputError) as caught:
        sampling_parameters(strategy)
    assert caught.value.code == "CS-M006"
