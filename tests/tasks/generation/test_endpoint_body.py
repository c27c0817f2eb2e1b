import json

import pytest

from schemas.errors import InputError
from schemas.models import OpenAIModel
from schemas.output import ChoicesOutput, JsonOutput, Output, RegexOutput
from schemas.strategies import STRATEGY_CLASSES, Greedy, Length, Nucleus, Strategy, Temperature
from tasks.generation.endpoint_body import request_body, write_letter
from tasks.generation.protocol import Request
from tasks.generation.support import SUPPORT

MODEL = OpenAIModel(name="m", base_url="http://127.0.0.1:1/v1")


def asking(strategy: Strategy, **changes: object) -> Request:
    values = {
        "row": 3,
        "attempt": 0,
        "seed": 2**40 + 5,
        "label": "a",
        "prompt": "Write.",
        **changes,
    }
    return Request(strategy=strategy, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("strategy", "parameters"),
    [
        (Greedy(), {"temperature": 0.0, "top_p": 1.0}),
        (Temperature(temperature=0.7), {"temperature": 0.7, "top_p": 1.0}),
        (Nucleus(top_p=0.8, temperature=1.2), {"temperature": 1.2, "top_p": 0.8}),
    ],
)
def test_a_strategy_becomes_the_apis_parameters(
    strategy: Strategy, parameters: dict[str, float]
) -> None:
    body = request_body(asking(strategy), model=MODEL)
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Write."}],
        "max_tokens": 64,
        "seed": 5,
        "logprobs": True,
        **parameters,
    }


def test_completions_and_options() -> None:
    model = OpenAIModel(
        name="m",
        base_url="http://127.0.0.1:1/v1",
        api="completions",
        seeds=False,
        logprobs=False,
        max_tokens_key="max_completion_tokens",
        extra={"user": "corpus"},
    )
    strategy = Greedy(length=Length(max=9), stop=("\n", "b", "c", "d", "e"))
    assert request_body(asking(strategy), model=model) == {
        "model": "m",
        "prompt": "Write.",
        "max_completion_tokens": 9,
        "temperature": 0.0,
        "top_p": 1.0,
        "stop": ["\n", "b", "c", "d"],
        "user": "corpus",
    }
    assert (
        request_body(asking(strategy), model=model.model_copy(update={"logprobs": True}))[
            "logprobs"
        ]
        == 0
    )


STRICT = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
OPEN = {key: STRICT[key] for key in ("type", "properties", "required")}
ANY_OBJECT = (
    {"type": "object"},
    {"type": ["null", "object"]},
    {"type": "array", "items": {"type": "object"}},
    {"type": "object", "additionalProperties": {"type": "string"}},
)
DATA = {"const": {"type": "object"}}


def with_part(part: dict[str, object], *, closed: bool = False) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {"text": {"type": "string"}, "part": part},
        "required": ["text", "part"],
        **({"additionalProperties": False} if closed else {}),
    }


LOOSE = {**STRICT, "properties": {"text": {"type": "string"}, "stars": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("output", "formats", "structured"),
    [
        (
            JsonOutput(json_schema=schema),
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "reply", "schema": sent, "strict": strict},
                }
            },
            {"json": sent, "disable_any_whitespace": True},
        )
        for schema, sent, strict in (
            (STRICT, STRICT, True),
            (LOOSE, LOOSE, False),
            (OPEN, STRICT, True),
            *((with_part(part), with_part(part, closed=True), False) for part in ANY_OBJECT),
            (with_part(DATA), with_part(DATA, closed=True), True),
        )
    ]
    + [
        (RegexOutput(regex="a+"), {}, {"regex": "a+"}),
        (ChoicesOutput(choices=("b", "c")), {}, {"choice": ["b", "c"]}),
    ],
)
def test_a_form_is_said_in_the_parameter_that_the_endpoint_knows(
    output: Output, formats: dict[str, object], structured: dict[str, object]
) -> None:
    bare = request_body(asking(Greedy()), model=MODEL)
    request = asking(Greedy(), output=output)
    assert request_body(request, model=MODEL) == {**bare, **formats}
    vllm = MODEL.model_copy(update={"forms": "structured_outputs"})
    assert request_body(request, model=vllm) == {**bare, "structured_outputs": structured}
    none = MODEL.model_copy(update={"forms": "none"})
    assert request_body(request, model=none) == bare
    completions = MODEL.model_copy(update={"api": "completions"})
    assert "response_format" not in request_body(request, model=completions)


@pytest.mark.parametrize("cls", STRATEGY_CLASSES)
def test_what_is_said_to_be_supported_is(cls: type[Strategy]) -> None:
    strategy = cls()
    if strategy.kind in SUPPORT["openai"]:
        assert request_body(asking(strategy), model=MODEL)["model"] == "m"
    else:
        with pytest.raises(InputError) as caught:
            request_body(asking(strategy), model=MODEL)
        assert caught.value.code == "CS-M006"


def test_the_key_tells_apart_what_must_not_share_a_reply() -> None:
    letters = [
        write_letter(asking(Greedy(), **changes), model=model)
        for changes in ({}, {"seed": 6}, {"seed": 2**41 + 5}, {"prompt": "Write!"})
        for model in (
            MODEL,
            MODEL.model_copy(update={"seeds": False}),
            MODEL.model_copy(update={"base_url": "http://127.0.0.1:2/v1"}),
            MODEL.model_copy(update={"api": "completions"}),
        )
    ]
    assert len({letter.key for letter in letters}) == len(letters) == 16
    again = write_letter(asking(Greedy(), row=4, attempt=2), model=MODEL)
    assert again.key == letters[0].key


def test_how_often_and_how_fast_is_no_part_of_the_key() -> None:
    changes = {"concurrency": 3, "timeout_seconds": 1.0, "retries": 0, "api_key_env": "OTHER"}
    other = MODEL.model_copy(update=changes)
    request = asking(Greedy())
    assert write_letter(request, model=other).key == write_letter(request, model=MODEL).key


def test_a_lone_surrogate_is_still_json() -> None:
    letter = write_letter(asking(Greedy(), prompt="a\ud800b"), model=MODEL)
    assert json.loads(letter.body)["messages"][0]["content"] == "a\ud800b"
    assert letter.most_prompt_tokens >= 3


def test_forms_and_further_parameters_are_read_too() -> None:
    long = {"template": "x" * 5000}
    schema = {**STRICT, "description": "y" * 5000}
    output = JsonOutput(json_schema=schema)
    model = MODEL.model_copy(update={"extra": long})
    letter = write_letter(asking(Greedy(), output=output), model=model)
    assert letter.most_prompt_tokens >= len(letter.body) > 10_000
