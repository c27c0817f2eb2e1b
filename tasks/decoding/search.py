"""What every strategy is to the engine: a search over the lanes of many prompts at once.

A lane is one line of the batch: one hypothesis with its own line of the model's cache. A search
gives each prompt the same number of consecutive lanes and keeps all its state in tensors with one
entry for a prompt or a lane. It knows no model and no tokenizer: logits come in, tokens go out.

B lanes of all prompts, S prompts, K lanes of a prompt (B = S * K), V vocabulary, D hidden size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Start:
    """One prompt to be searched from.

    Args:
        seed: Key of its randomness, in [0, 2^63).
        shared_seed: Key of what it draws together with other rows of the same prompt
            (`arithmetic`).
        member: Its place among those rows, from 0.
        target_tokens: Length in tokens that it is steered to; None without a target.
        hidden_TD: Last hidden states of the prompt's tokens, for searches that need them.
    """

    seed: int
    shared_seed: int = 0
    member: int = 0
    target_tokens: float | None = None
    hidden_TD: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a search decided in one step.

    Args:
        tokens_B: The token that each lane reads next, int64. Lanes of finished prompts get any.
        parents_B: The lane whose cache each lane continues, int64, always one of the same prompt;
            None when every lane continues its own.
        done: Places of the prompts that are finished by this step, ascending.
    """

    tokens_B: Tensor
    parents_B: Tensor | None
    done: Sequence[int]


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One finished text.

    Args:
        tokens: Generated token ids, the end-of-text token included if it was reached.
        logprob: Sum over its tokens of the log-probability under the model itself: not truncated,
            temperature 1, nats.
        ended: Whether the last token is an end-of-text token.
        weight: Importance weight, for searches that draw without replacement.
    """

    tokens: list[int]
    logprob: float
    ended: bool
    weight: float | None = None


class Search(Protocol):
    """One strategy at work on any number of prompts.

    The engine calls `admit`, then `step` with the logits behind every lane's last token (behind the
    prompt at first: all lanes of a new prompt then carry the same), reads each done prompt's
    `results`, and drops it with `keep` before the next step. A prompt's outcome depends on its own
    logits and `Start` alone, never on other prompts or on its place.
    """

    lanes_per_prompt: int
    """K."""
    needs_hidden: bool
    """Whether `step` wants `hidden_BD` and `Start` the prompt's hidden states."""

    def admit(self, starts: Sequence[Start]) -> None:
        """Add prompts behind the present ones."""
        ...

    def step(
        self,
        logits_BV: Tensor,
        *,
        allowed_BV: Tensor | None = None,
        hidden_BD: Tensor | None = None,
    ) -> Step:
        """Choose every lane's next token.

        Args:
            logits_BV: The model's own logits, float32, shape `(B, V)`.
            allowed_BV: False for tokens that the output's form forbids; None when all are allowed.
            hidden_BD: Hidden state behind each lane's last token, if `needs_hidden`.
        """
        ...

    def keep(self, order_S: Tensor) -> None:
        """Keep some prompts, in the order given; int64 places of the present ones."""
        ...

    def results(self, prompt: int) -> list[Hypothesis]:
        """Return a done prompt's texts, best first: at least as many as the strategy promises.

        A prompt whose logits are not numbers (NaN, or no finite one) is done at once and has none.
        """
        ...
