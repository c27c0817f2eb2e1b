"""Diverse beam search: groups of beams that avoid each other's tokens (`tasks.decoding.trellis`).

B lanes, S prompts, G groups of a prompt, K beams of a group (B = S * G * K), R groups of all
prompts (R = S * G), N candidates of a group, V vocabulary, E end-of-text tokens, D hidden size.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from schemas.strategies import DiverseBeam
from tasks.decoding.choice import Candidates, Choice, choose
from tasks.decoding.search import Hypothesis, Start, Step
from tasks.decoding.trellis import Rule, Trellis


class DiverseBeamSearch:
    """`diverse_beam`: beam search in groups, with a Hamming penalty between them.

    In each step the groups choose in order. A candidate's score is lowered by `diversity_penalty`
    for every beam of an earlier group of the prompt that went on with the same token in this step.
    A hypothesis that ends, and a group that is finished, choose nothing: ending is no likeness.

    The objective is that of the paper's Algorithm 1 (and of the group beam search that transformers
    had): the penalty becomes part of the running score, so it stays with the hypothesis, and the
    finished score is the augmented one over the length to the power of `length_penalty`.
    `Hypothesis.logprob` is the model's own.

    Each group stops by itself under the rule of `beam` with `early_stopping=False`, so a group of
    one beam is greedy; a prompt is done when all its groups are. The results are the hypotheses
    that are best in their groups, best score first, then all the second best, and so on: the first
    G are the best of each group. Groups may find the same text.

    Args:
        strategy: Width, groups, penalties, bounds on the length.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`; may be empty.
        device: Where the logits will be.

    References:
        Vijayakumar et al., AAAI 2018. https://arxiv.org/abs/1610.02424
    """

    needs_hidden = False

    def __init__(
        self, strategy: DiverseBeam, *, end_ids_E: Tensor, device: torch.device | str = "cpu"
    ) -> None:
        self.lanes_per_prompt = strategy.num_beams
        self._num_groups = strategy.num_beam_groups
        self._num_beams = strategy.num_beams // strategy.num_beam_groups
        self._penalty = strategy.diversity_penalty
        rule = Rule(
            num_beams=self._num_beams,
            num_groups=self._num_groups,
            length=strategy.length,
            length_penalty=strategy.length_penalty,
            early_stopping=False,
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
        # The penalty only lowers scores, and those of at most `num_beams - K` tokens: the K best
        # of what it leaves alone are always among a lane's `num_beams` best.
        candidates = self._trellis.expand(
            logits_BV, allowed_BV=allowed_BV, num_candidates=self.lanes_per_prompt
        )
        choice = self._choose_in_turn(candidates, num_tokens=logits_BV.shape[-1])
        return self._trellis.advance(candidates, choice)

    def keep(self, order_S: Tensor) -> None:
        """Keep some prompts, in the order given; int64 places of the present ones."""
        self._trellis.keep(order_S)

    def results(self, prompt: int) -> list[Hypothesis]:
        """Return a done prompt's texts, each group's best before any group's second best."""
        first = prompt * self._num_groups
        ranked = [
            (rank, -score, hypothesis)
            for search in range(first, first + self._num_groups)
            for rank, (score, hypothesis) in enumerate(self._trellis.hypotheses(search))
        ]
        return [hypothesis for *_, hypothesis in sorted(ranked, key=lambda entry: entry[:2])]

    def _choose_in_turn(self, candidates: Candidates, *, num_tokens: int) -> Choice:
        shape_SGN = (-1, self._num_groups, candidates.tokens_RN.shape[-1])
        groups = zip(
            candidates.scores_RN.view(shape_SGN).unbind(dim=1),
            candidates.tokens_RN.view(shape_SGN).unbind(dim=1),
            candidates.ends_RN.view(shape_SGN).unbind(dim=1),
            strict=True,
        )
        num_prompts = len(candidates.scores_RN) // self._num_groups
        counts_SV = candidates.scores_RN.new_zeros(num_prompts, num_tokens)
        choices = []
        for scores_SN, tokens_SN, ends_SN in groups:
            lowered_SN = scores_SN - counts_SV.gather(-1, tokens_SN) * self._penalty
            choice = choose(lowered_SN, ends_RN=ends_SN, num_beams=self._num_beams)
            chosen_SK = tokens_SN.gather(-1, choice.going_RK)
            live_SK = choice.going_scores_RK > -math.inf
            counts_SV.scatter_add_(-1, chosen_SK, live_SK.to(counts_SV.dtype))
            choices.append(choice)

        def stack(parts: list[Tensor]) -> Tensor:
            return torch.stack(parts, dim=1).flatten(0, 1)

        return Choice(
            best_scores_RK=stack([choice.best_scores_RK for choice in choices]),
            best_RK=stack([choice.best_RK for choice in choices]),
            going_scores_RK=stack([choice.going_scores_RK for choice in choices]),
            going_RK=stack([choice.going_RK for choice in choices]),
        )
