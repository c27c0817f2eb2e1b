"""The model and its cache as the engine sees them: lanes that are admitted, stepped, reordered.

A lane is one line of the batch. Lanes of one prompt share its reading: the prompt goes through the
model once, and its cache is copied to each of its lanes.

B lanes, P admitted prompts, T positions, V vocabulary, D hidden size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says behind the last token of some lanes.

    Args:
        logits_BV: The model's own logits in its dtype, on its device.
        hidden_BD: Last hidden states there; None unless asked for.
        prompt_hidden: After `admit`, the hidden states of each prompt's tokens, `(T, D)` each;
            empty unless asked for.
    """

    logits_BV: Tensor
    hidden_BD: Tensor | None = None
    prompt_hidden: Sequence[Tensor] = ()


class Lanes(Protocol):
    """A model at work on a batch. What a lane computes depends on its own tokens alone."""

    refills: bool
    """Whether `admit` may be called while other lanes are under way."""
    ragged: bool
    """Whether prompts of several lengths may be admitted together."""

    def admit(
        self, prompts: Sequence[Sequence[int]], *, copies: int, hidden: bool = False
    ) -> Reading:
        """Read prompts and add `copies` lanes for each, behind the present lanes.

        Args:
            prompts: Token ids of each prompt, none empty.
            copies: Lanes of each prompt.
            hidden: Whether hidden states are wanted.

        Returns:
            The reading of the new lanes alone, `B = P * copies`, prompt by prompt.
        """
        ...

    def step(self, tokens_B: Tensor, *, hidden: bool = False) -> Reading:
        """Let every lane read one token, int64, on any device."""
        ...

    def reorder(self, parents_B: Tensor) -> None:
        """Let each lane go on from another lane's state, always one of the same prompt."""
        ...

    def clear(self, lanes: Sequence[int]) -> None:
        """Forget what some lanes hold, whose scores are not numbers, before they are freed.

        A hidden number counts nothing, but what is no number spoils every sum that it is part of.
        """
        ...

    def keep(self, order_B: Tensor) -> None:
        """Keep some lanes, in the order given; all others are freed."""
        ...
