"""Models that run in another program: an endpoint that speaks OpenAI's API, and the vLLM engine."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, JsonValue, StringConstraints, field_validator

from schemas.base import Frozen

URL_PATTERN = (
    r"^https?://([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?$"
)
"""A web address without credentials, query and fragment."""
VARIABLE_PATTERN = r"^[A-Z][A-Z0-9_]*$"
"""Name of an environment variable. Small letters are refused: most keys have some, and a key that
was pasted here by mistake must go no further."""
Dollars = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class Price(Frozen):
    """What an endpoint charges."""

    prompt: Dollars
    """US dollars a million tokens read."""
    completion: Dollars
    """US dollars a million tokens written."""

    def usd(self, *, prompt_tokens: int, completion_tokens: int) -> float:
        """Return what so many tokens cost, in US dollars."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


class OpenAIModel(Frozen):
    """A model behind an endpoint that speaks OpenAI's API: a service, or a server of your own."""

    backend: Literal["openai"] = "openai"
    name: str = Field(min_length=1, max_length=500)
    """What the endpoint calls the model."""
    base_url: Annotated[str, StringConstraints(pattern=URL_PATTERN, max_length=1000)]
    """Address up to and with the version, such as `http://127.0.0.1:8000/v1`; no credentials."""
    api: Literal["chat", "completions"] = "chat"
    """`chat`: the prompt is one user message; `completions`: the text that the model continues."""
    api_key_env: Annotated[str, StringConstraints(pattern=VARIABLE_PATTERN, max_length=200)] = (
        "OPENAI_API_KEY"
    )
    """Name of the environment variable that holds the key. On loopback it may be unset."""
    concurrency: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = "auto"
    """Most requests in flight; `auto` finds it from latency. Refusals (429, 503) lower either."""
    timeout_seconds: float = Field(default=120.0, gt=0, le=86_400, allow_inf_nan=False)
    """Longest wait for one whole reply; then it is asked for again."""
    retries: int = Field(default=8, ge=0, le=100)
    """How often one request is sent again after a fault that may pass; 8 outlast a minute."""
    context_length: int = Field(default=8192, ge=1, le=100_000_000)
    """Most tokens of prompt and reply together; an endpoint does not say."""
    price: Price | None = None
    """What its tokens cost; needed for `budget.usd`."""
    seeds: bool = True
    """Whether each row's seed is sent; off for endpoints that refuse the parameter."""
    logprobs: bool = True
    """Whether log-probabilities are asked for; off for endpoints that refuse the parameter."""
    max_tokens_key: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the endpoint calls the greatest length of a reply."""
    forms: Literal["response_format", "structured_outputs", "none"] = "response_format"
    """Parameter that `prompt.output` is sent in: OpenAI's, which knows JSON Schemas in chats alone,
    vLLM's, or none. Replies are checked in any case."""
    extra: dict[str, JsonValue] = Field(default_factory=dict, max_length=32)
    """Further parameters for every request, as the endpoint documents them."""

    @field_validator("base_url")
    @classmethod
    def _can_be_called(cls, base_url: str) -> str:
        try:
            urlsplit(base_url).port  # noqa: B018 - reading it is the check
        except ValueError:
            raise ValueError("no port is above 65535, and brackets hold an IPv6 address") from None
        return base_url

    @field_validator("extra")
    @classmethod
    def _not_ours(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(_OWN_PARAMETERS & extra.keys()):
            raise ValueError(f"{taken[0]} is set by corpusmith: it follows from the recipe")
        return extra


_OWN_PARAMETERS = frozenset(
    (
        "best_of", "echo", "guided_choice", "guided_json", "guided_regex", "logprobs",
        "max_completion_tokens", "max_tokens", "messages", "min_p", "model", "n", "prompt",
        "response_format", "seed", "stop", "stream", "structured_outputs", "temperature", "top_k",
        "top_logprobs", "top_p",
    )
)  # fmt: skip
"""Parameters that no recipe sets by hand: rows would not be what the manifest says they are."""


class VllmModel(Frozen):
    """A model run by the vLLM engine in this process, on a GPU."""

    backend: Literal["vllm"] = "vllm"
    name: str = Field(min_length=1)
    """A hub id, or a local folder."""
    revision: str | None = None
    """Branch, tag or commit of a hub id."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """`auto`: what the model's configuration says."""
    context_length: int | None = Field(default=None, ge=1, le=100_000_000)
    """Most tokens of prompt and reply together; the model's own when absent."""
    gpu_memory: float = Field(default=0.9, gt=0, le=1)
    """Part of the GPU's memory that the engine takes."""
