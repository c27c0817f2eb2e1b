"""Beam search: the best few hypotheses are carried on together (`tasks.decoding.trellis`).

B lanes, S prompts, K beams (B = S * K), V vocabulary, E end-of-text tokens, D hidden size.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from schemas.strategies import Beam
from tasks.decoding.choice import choose
from tasks.decoding.search import Hypothesis, Start, Step
from tasks.decoding.trellis import Rule, Trellis


class BeamSearch:
    """`beam`: what `generate(num_beams=K)` of transformers 5 finds for each prompt alone.

    The results are the finished hypotheses, the best length-penalised score first: `num_beams` of
    them, or fewer where masks leave fewer texts. With a length target the scores hold what was
    added to end-of-text tokens; `Hypothesis.logprob` never does.

    Args:
        strategy: Width, length penalty, stopping, bounds on the length.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`; may be empty.
        device: Where the logits will be.
    """

    needs_hidden = False

    def __init__(
        self, strategy: Beam, *, end_ids_E: Tensor, device: torch.device | str = "cpu"
    ) -> None:
        self.lanes_per_prompt = strategy.num_beams
        rule = Rule(
            num_beams=strategy.num_beams,
            num_groups=1,
            length=strategy.length,
            length_penalty=strategy.length_penalty,
            early_stopping=strategy.early_stopping,
        )
        self._trellis = Trellis(rule, end_ids_E=end_ids_E, device=device)

    def admit(self, starts: Sequence[Start]) -> None:
        """Add prompts behind the present ones."""
        self._trellis.admit(starts)

    def step(
        self,
        logits_BV: Tensor,
        *,
        allowed_BV: Tensor | None = None,
        hidden_BD: Tensor | None = None,
    ) -> Step:
        """Choose every lane's next token; see `Search.step`."""
        num_beams = self.lanes_per_prompt
        # A lane's share of the K best, and of the K best that do not end, lies within these.
        candidates = self._trellis.expand(
            logits_BV, allowed_BV=allowed_BV, num_candidates=num_beams
        )
        choice = choose(candidates.scores_RN, ends_RN=candidates.ends_RN, num_beams=num_beams)
        return self._trellis.advance(candidates, choice)

    def keep(self, order_S: Tensor) -> None:
        """Keep some prompts, in the order given; int64 places of the present ones."""
        self._trellis.keep(order_S)

    def results(self, prompt: int) -> list[Hypothesis]:
        """Return a done prompt's texts, best first; none if its logits were not numbers."""
        return [hypothesis for _, hypothesis in self._trellis.hypotheses(prompt)]
