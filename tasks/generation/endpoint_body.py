"""What is sent to an endpoint for one row."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from schemas.errors import InputError
from schemas.models import OpenAIModel
from schemas.strategies import Greedy, Nucleus, Strategy, Temperature
from tasks.generation.form_parameters import form_parameters
from tasks.generation.protocol import Request

MOST_STOPS = 4
"""Stop strings that the API takes; texts are cut at the others here."""
_SEED_BITS = 31
"""Some servers keep a seed in 32 bits; the whole 63 are in the replay log's key."""
_FORMAT_TOKENS = 64
"""Generous bound on the tokens that a chat format adds to a prompt and a form."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A request as it is sent.

    Args:
        request: What it asks.
        body: JSON in UTF-8; there is no key in it.
        key: Names the reply in the replay log.
        most_prompt_tokens: No fewer tokens than the endpoint will read: a token is a byte or
            more, and forms and further parameters may be read, too.
        most_completion_tokens: No fewer tokens than it will write.
    """

    request: Request
    body: bytes
    key: str
    most_prompt_tokens: int
    most_completion_tokens: int


def write_letter(request: Request, *, model: OpenAIModel) -> Letter:
    """Write the request for one row, and the key under which its reply is kept.

    The key is a hash of address, API, body and the row's seed: the same row of the same attempt is
    never paid twice, and two rows never share a reply, also where seeds are not sent.
    """
    body = json.dumps(request_body(request, model=model), separators=(",", ":")).encode()
    head = f"{model.base_url}\n{model.api}\n{request.seed}\n".encode()
    return Letter(
        request=request,
        body=body,
        key=sha256(head + body).hexdigest()[:32],
        most_prompt_tokens=len(body) + _FORMAT_TOKENS,
        most_completion_tokens=request.strategy.length.max,
    )


def request_body(request: Request, *, model: OpenAIModel) -> dict[str, Any]:
    """Build the JSON body of one request: prompt, sampling, length, stops, seed, form.

    Raises:
        InputError: CS-M006 if the API cannot do what the strategy asks for.
    """
    body: dict[str, Any] = {"model": model.name}
    if model.api == "chat":
        body["messages"] = [{"role": "user", "content": request.prompt}]
    else:
        body["prompt"] = request.prompt
    body |= sampling_parameters(request.strategy)
    body[model.max_tokens_key] = request.strategy.length.max
    if request.strategy.stop:
        body["stop"] = list(request.strategy.stop[:MOST_STOPS])
    if model.seeds:
        body["seed"] = request.seed & ((1 << _SEED_BITS) - 1)
    if model.logprobs:
        # Chat wants a switch, completions the number of alternatives: 0 is the chosen token alone.
        body["logprobs"] = True if model.api == "chat" else 0
    if request.output is not None:
        body |= form_parameters(request.output, model=model)
    return {**body, **model.extra}


def sampling_parameters(strategy: Strategy) -> dict[str, float]:
    """Say a strategy in the API's parameters.

    `top_p` is always sent, because a server may have another default than 1.

    Raises:
        InputError: CS-M006 for a strategy that the API has no parameters for.
    """
    match strategy:
        case Greedy():
            return {"temperature": 0.0, "top_p": 1.0}
        case Temperature(temperature=temperature):
            return {"temperature": temperature, "top_p": 1.0}
        case Nucleus(temperature=temperature, top_p=top_p):
            return {"temperature": temperature, "top_p": top_p}
        case _:
            raise InputError(
                f"the backend openai does not have the strategy {strategy.kind}",
                code="CS-M006",
                place="strategies",
            )
