"""Stop strings: which lanes have just written one, without decoding all of them at every step."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tasks.decoding.stopping import tail_length
from tasks.generation.tokenisation import PromptCodec

_UNDECODED = "\ufffd"


class StopWatch:
    """Watches the tokens of a batch for stop strings.

    Only a token whose own text holds the last character of a stop string can complete one; the
    text is searched for those alone.

    Args:
        codec: What turns tokens into text.
        stops: Stop strings, at least one.
        vocabulary_size: Number of token ids that the model knows.
        device: Where the tokens are.
    """

    def __init__(
        self,
        codec: PromptCodec,
        stops: Sequence[str],
        *,
        vocabulary_size: int,
        device: torch.device,
    ) -> None:
        self._codec = codec
        self._stops = tuple(stops)
        self.tail = tail_length(stops)
        lasts = {stop[-1] for stop in stops}
        # Some tokenizers drop the space in front of what they decode alone.
        anywhere = " " in lasts
        pieces = codec.decode_each(range(vocabulary_size))
        completes = [
            anywhere or _UNDECODED in piece or not lasts.isdisjoint(piece) for piece in pieces
        ]
        self._completes_V = torch.tensor(completes, device=device)

    def suspects(self, tokens_B: Tensor) -> list[int]:
        """Name the lanes whose newest token may complete a stop string."""
        places: list[int] = self._completes_V[tokens_B].nonzero().squeeze(-1).tolist()
        return places

    def is_stopped(self, tokens: Sequence[int]) -> bool:
        """Tell whether a stop string ends in the last of some tokens' text."""
        text = self._codec.decode(tokens)
        return any(stop in text for stop in self._stops)
