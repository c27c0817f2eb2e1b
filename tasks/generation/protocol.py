"""What every backend is: requests in, completions out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from schemas.manifest import Determinism, ModelInfo
from schemas.output import Output
from schemas.strategies import Strategy

FinishReason = Literal["eos", "stop", "length", "error"]


@dataclass(frozen=True, slots=True)
class Request:
    """One reply to be generated.

    Args:
        row: Row number in the plan.
        attempt: Attempt number.
        seed: The row's own seed, in [0, 2^63): the only source of its randomness.
        label: The label asked for; a scripted backend answers by it, a model never sees it but in
            the prompt.
        prompt: Exactly what the model is given: special tokens and chat format already in it.
        strategy: How to decode.
        group_seed: What the rows made from this prompt draw together, in [0, 2^63); the row's own
            seed when None, for it is then alone.
        member: The row's place among the rows made from this prompt, from 0.
        output: The form that the reply must have; None for any. A backend that can mask tokens
            holds the model to it; every reply is checked afterwards.
        candidate: Which of the texts drawn for this row and attempt, from 0; with them it names the
            request.
    """

    row: int
    attempt: int
    seed: int
    label: str
    prompt: str
    strategy: Strategy
    group_seed: int | None = None
    member: int = 0
    output: Output | None = None
    candidate: int = 0

    @property
    def shared_seed(self) -> int:
        """The seed of what the rows of one prompt draw together."""
        return self.seed if self.group_seed is None else self.group_seed


@dataclass(frozen=True, slots=True)
class Completion:
    """One reply.

    Args:
        request: What was asked.
        text: The decoded reply without special tokens, cut before the first stop string; "" on
            error.
        num_tokens: Generated tokens, the end-of-text token included.
        logprob: Mean log-probability per generated token in nats, under the untruncated model at
            temperature 1; None when nothing was generated or the backend cannot tell.
        finish_reason: `eos`, `stop`, `length` or `error`.
        error: What went wrong with this row alone; None unless `finish_reason` is `error`.
        weight: Importance weight of a text that was drawn without replacement; None for others.
        total_logprob: Sum of the tokens' log-probabilities with all its digits, which candidates
            are ranked by; None where the backend keeps none.
    """

    request: Request
    text: str
    num_tokens: int
    logprob: float | None
    finish_reason: FinishReason
    error: str | None = None
    weight: float | None = None
    total_logprob: float | None = None


@dataclass(frozen=True, slots=True)
class Compute:
    """What a backend computes on, for the record of the machine.

    Args:
        device: `cpu`, `cuda:0 (NVIDIA H100)`: the card's name where there is one.
        num_threads: Threads of torch; None when it does not run here.
    """

    device: str
    num_threads: int | None = None


class Backend(Protocol):
    """A source of replies. One instance serves one thread at a time."""

    @property
    def info(self) -> ModelInfo:
        """Identify the model: id, revision, hash of the weights, licence, context length."""
        ...

    @property
    def determinism(self) -> Determinism:
        """State which promise this backend's rows carry."""
        ...

    @property
    def compute(self) -> Compute:
        """Name what the model runs on."""
        ...

    def format_prompt(self, text: str) -> str:
        """Wrap a rendered template as the model wants it: its chat format, or the text as it is."""
        ...

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts that `format_prompt` returned."""
        ...

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Yield one completion for each request, in any order, as each is finished.

        A fault of one row (a reply that is not a number, a prompt over the context) is a completion
        with `finish_reason="error"`, never an exception.

        Raises:
            CorpusmithError: If the run as a whole cannot go on.
        """
        ...


@runtime_checkable
class TextScorer(Protocol):
    """What a backend may do beside generating: say how probable a text is behind another."""

    def score_continuations(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Score continuations of prompts.

        Args:
            pairs: Prompts that `format_prompt` returned, "" for none at all, each with the text
                that goes on from its last character.

        Returns:
            For each pair the sum of log p(token | prompt, tokens before) over the tokens of the
            continuation, in nats, under the model itself at temperature 1; 0 for an empty
            continuation, `-inf` where both do not fit into the context. It is a function of the
            pairs of this call.

        Raises:
            CorpusmithError: If the run as a whole cannot go on.
        """
        ...
