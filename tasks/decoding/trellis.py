"""The trellis of many beam searches at once: hypotheses under way, finished ones, and the rule.

A search is one beam search of its own: a prompt in plain beam search, one group of a prompt in
diverse beam search. What is here is the same for both: candidates are taken from the logits
(`Trellis.expand`), a strategy chooses among them (`tasks.decoding.choice`), the trellis moves on
and settles which prompts are finished (`Trellis.advance`).

The rule is that of transformers 5 for one prompt alone, of which these points are easily missed:

- A hypothesis that ends counts only if it is among the K best candidates of all lanes; the lanes go
  on with the K best candidates that do not end.
- At `length.max` the K best candidates count as they are, ended or not.
- A finished hypothesis of n tokens, its end included, scores `logprob / n ** length_penalty`. Once
  K of them are kept, the search stops when the best one under way, scored as if it ended now, is
  not better than the worst of them; under `early_stopping="never"` with a positive length penalty
  it is scored as if it ended at `length.max`; under `early_stopping=True` it stops at once. So does
  a search of one beam under any setting: there, as in transformers, it is the greedy search.
- Bounds and masks take tokens away and leave the log-probabilities of the others as they are.

Lanes and hypotheses that do not exist score `-inf`, where transformers has -1e9: no log-probability
and no power of a length can come below it. All else is computed as there, in float32. Among equal
scores the order is `torch.topk`'s.

S prompts, G groups of a prompt, R searches (R = S * G), K beams of a search, B lanes (B = R * K),
C candidates of a lane, N candidates of a search (N = K * C), T most tokens of a text, V vocabulary,
E end-of-text tokens.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor

from schemas.strategies import Length
from tasks.decoding.choice import Candidates, Choice
from tasks.decoding.search import Hypothesis, Start, Step

LARGEST_POWER = 1e30
"""Powers of lengths are kept between this and its inverse: beyond, float32 scores overflow."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a beam search is asked for.

    Args:
        num_beams: Beams of one search, K.
        num_groups: Searches of one prompt, G; its lanes are `G * K`, group by group.
        length: Bounds and target.
        length_penalty: Power of the length that a finished hypothesis's score is divided by.
        early_stopping: When a search stops.
    """

    num_beams: int
    num_groups: int
    length: Length
    length_penalty: float
    early_stopping: Literal["never"] | bool


@dataclass(slots=True)
class _State:
    """One entry for each search. A link is `token * K + lane that it continues`.

    A search that is finished has no lane left: all of `scores_RK` are `-inf`.
    """

    steps_R: Tensor
    slopes_R: Tensor
    targets_R: Tensor
    scores_RK: Tensor
    logprobs_RK: Tensor
    links_RTK: Tensor
    finished_scores_RK: Tensor
    finished_logprobs_RK: Tensor
    finished_lengths_RK: Tensor
    finished_links_RK: Tensor


class Trellis:
    """State of the searches of any number of prompts, each at its own step.

    Args:
        rule: What is searched for.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`; may be empty.
        device: Where the logits will be.
    """

    def __init__(self, rule: Rule, *, end_ids_E: Tensor, device: torch.device | str) -> None:
        self._rule = rule
        self._device = torch.device(device)
        self._end_ids_E = end_ids_E.to(self._device)
        self._end_ids = frozenset(end_ids_E.tolist())
        powers = [max(n, 1) ** rule.length_penalty for n in range(rule.length.max + 1)]
        bounded = torch.tensor(powers, dtype=torch.float64).clamp(1 / LARGEST_POWER, LARGEST_POWER)
        self._powers_T = bounded.float().to(self._device)
        self._state = self._begin(())

    def admit(self, starts: Sequence[Start]) -> None:
        """Add prompts behind the present ones."""
        new = self._begin(starts)
        for field in fields(_State):
            both = (getattr(self._state, field.name), getattr(new, field.name))
            setattr(self._state, field.name, torch.cat(both))

    def keep(self, order_S: Tensor) -> None:
        """Keep some prompts, in the order given; int64 places of the present ones."""
        groups_G = torch.arange(self._rule.num_groups, device=self._device)
        order_SG = order_S.to(self._device)[:, None] * self._rule.num_groups + groups_G
        for field in fields(_State):
            kept = getattr(self._state, field.name).index_select(0, order_SG.flatten())
            setattr(self._state, field.name, kept)

    def expand(
        self, logits_BV: Tensor, *, allowed_BV: Tensor | None, num_candidates: int
    ) -> Candidates:
        """Take each lane's best tokens.

        Args:
            logits_BV: The model's own logits, float32, shape `(B, V)`.
            allowed_BV: False for forbidden tokens; None when all are allowed.
            num_candidates: Tokens of a lane, end-of-text tokens not counted.
        """
        state = self._state
        shape_RKE = (*state.scores_RK.shape, len(self._end_ids_E))
        log_probs_BV = logits_BV.log_softmax(dim=-1)
        raw_BE = log_probs_BV[:, self._end_ids_E]
        if allowed_BV is not None:
            log_probs_BV = torch.where(allowed_BV, log_probs_BV, -math.inf)
        ends_RKE = log_probs_BV[:, self._end_ids_E].view(shape_RKE)
        steered_RKE = ends_RKE + (state.slopes_R * (state.steps_R - state.targets_R))[:, None, None]
        early_R11 = (state.steps_R < self._rule.length.min)[:, None, None]
        bounded_RKE = steered_RKE.masked_fill(early_R11, -math.inf)
        log_probs_BV.index_copy_(1, self._end_ids_E, bounded_RKE.view_as(raw_BE))
        width = min(num_candidates + len(self._end_ids_E), logits_BV.shape[-1])
        values_BC, tokens_BC = log_probs_BV.topk(width, dim=-1)
        # The model's own log-probabilities of end tokens are put back rather than computed from
        # the steered ones, which a great strength would leave without digits.
        raw_BC = log_probs_BV.index_copy_(1, self._end_ids_E, raw_BE).gather(-1, tokens_BC)
        return self._join(values_BC, raw_BC=raw_BC, tokens_BC=tokens_BC)

    def advance(self, candidates: Candidates, choice: Choice) -> Step:
        """Let every search go on with what was chosen for it, and settle which are finished."""
        state, rule = self._state, self._rule
        were_alive_S = self._alive_S()
        lengths_R = state.steps_R + 1
        cut_R = lengths_R == rule.length.max
        self._finish(candidates, choice, lengths_R=lengths_R, cut_R=cut_R)
        lanes_RK = self._lanes_of(candidates, choice.going_RK)
        tokens_RK = candidates.tokens_RN.gather(-1, choice.going_RK)
        searches_R = torch.arange(len(lengths_R), device=self._device)
        state.links_RTK[searches_R, state.steps_R] = tokens_RK * rule.num_beams + lanes_RK
        stopped_R = cut_R | candidates.broken_R | self._is_settled(choice, lengths_R=lengths_R)
        state.scores_RK = choice.going_scores_RK.masked_fill(stopped_R[:, None], -math.inf)
        state.logprobs_RK = candidates.logprobs_RN.gather(-1, choice.going_RK)
        # Finished searches that are stepped on write where no hypothesis of theirs is read.
        state.steps_R = lengths_R.clamp(max=rule.length.max - 1)
        done_S = were_alive_S & ~self._alive_S()
        return Step(
            tokens_B=tokens_RK.flatten(),
            parents_B=(searches_R[:, None] * rule.num_beams + lanes_RK).flatten(),
            done=done_S.cpu().nonzero().flatten().tolist(),
        )

    def hypotheses(self, search: int) -> list[tuple[float, Hypothesis]]:
        """Return a search's finished hypotheses with their scores, best first; at most K."""
        state = self._state
        links_TK = state.links_RTK[search].tolist()
        columns = (
            state.finished_scores_RK[search].tolist(),
            state.finished_logprobs_RK[search].tolist(),
            state.finished_lengths_RK[search].tolist(),
            state.finished_links_RK[search].tolist(),
        )
        found = []
        for score, logprob, length, link in zip(*columns, strict=True):
            if score > -math.inf:
                tokens = self._trace(links_TK, length=length, link=link)
                ended = tokens[-1] in self._end_ids
                found.append((score, Hypothesis(tokens=tokens, logprob=logprob, ended=ended)))
        return found

    def _begin(self, starts: Sequence[Start]) -> _State:
        rule, device = self._rule, self._device
        num, num_beams = len(starts) * rule.num_groups, rule.num_beams
        strength = rule.length.strength
        targets = [s.target_tokens for s in starts for _ in range(rule.num_groups)]
        slopes = [0.0 if target is None else strength / target for target in targets]
        # All lanes of a new prompt carry the same logits: only the first of each search counts.
        scores_RK = torch.full((num, num_beams), -math.inf, device=device)
        scores_RK[:, 0] = 0.0
        return _State(
            steps_R=torch.zeros(num, dtype=torch.long, device=device),
            slopes_R=torch.tensor(slopes, device=device),
            targets_R=torch.tensor([target or 0.0 for target in targets], device=device),
            scores_RK=scores_RK,
            logprobs_RK=torch.zeros(num, num_beams, device=device),
            links_RTK=torch.zeros(num, rule.length.max, num_beams, dtype=torch.long, device=device),
            finished_scores_RK=torch.full((num, num_beams), -math.inf, device=device),
            finished_logprobs_RK=torch.zeros(num, num_beams, device=device),
            finished_lengths_RK=torch.zeros(num, num_beams, dtype=torch.long, device=device),
            finished_links_RK=torch.zeros(num, num_beams, dtype=torch.long, device=device),
        )

    def _join(self, values_BC: Tensor, *, raw_BC: Tensor, tokens_BC: Tensor) -> Candidates:
        state, num_beams = self._state, self._rule.num_beams
        num, width = len(state.steps_R), values_BC.shape[-1]
        alive_RK1 = (state.scores_RK > -math.inf)[:, :, None]
        totals_RKC = state.scores_RK[:, :, None] + values_BC.view(num, num_beams, width)
        # log_softmax spreads NaN, +inf and a row without any finite logit over the whole row.
        nan_RKC = totals_RKC.isnan() & alive_RK1
        broken_S = nan_RKC.view(-1, self._rule.num_groups * num_beams * width).any(dim=-1)
        totals_RKC = totals_RKC.masked_fill(~alive_RK1 | nan_RKC, -math.inf)
        logprobs_RKC = state.logprobs_RK[:, :, None] + raw_BC.view(num, num_beams, width)
        return Candidates(
            scores_RN=totals_RKC.view(num, -1),
            logprobs_RN=logprobs_RKC.view(num, -1),
            tokens_RN=tokens_BC.view(num, -1),
            ends_RN=(tokens_BC[:, :, None] == self._end_ids_E).any(dim=-1).view(num, -1),
            broken_R=broken_S.repeat_interleave(self._rule.num_groups),
        )

    def _lanes_of(self, candidates: Candidates, places_RK: Tensor) -> Tensor:
        return places_RK // (candidates.tokens_RN.shape[-1] // self._rule.num_beams)

    def _finish(
        self, candidates: Candidates, choice: Choice, *, lengths_R: Tensor, cut_R: Tensor
    ) -> None:
        """Keep the K best finished hypotheses of each search, old and new; none of a broken one."""
        state, num_beams = self._state, self._rule.num_beams
        best_RK = choice.best_RK
        over_RK = candidates.ends_RN.gather(-1, best_RK) | cut_R[:, None]
        scores_RK = choice.best_scores_RK / self._powers_T[lengths_R][:, None]
        merged = torch.cat(
            (state.finished_scores_RK, scores_RK.masked_fill(~over_RK, -math.inf)), dim=-1
        ).masked_fill(candidates.broken_R[:, None], -math.inf)
        state.finished_scores_RK, order_RK = merged.topk(num_beams, dim=-1)
        tokens_RK = candidates.tokens_RN.gather(-1, best_RK)
        links_RK = tokens_RK * num_beams + self._lanes_of(candidates, best_RK)

        def merge(old_RK: Tensor, new_RK: Tensor) -> Tensor:
            return torch.cat((old_RK, new_RK), dim=-1).gather(-1, order_RK)

        state.finished_logprobs_RK = merge(
            state.finished_logprobs_RK, candidates.logprobs_RN.gather(-1, best_RK)
        )
        state.finished_lengths_RK = merge(
            state.finished_lengths_RK, lengths_R[:, None].expand_as(best_RK)
        )
        state.finished_links_RK = merge(state.finished_links_RK, links_RK)

    def _is_settled(self, choice: Choice, *, lengths_R: Tensor) -> Tensor:
        """Tell which searches nothing under way is going to change, by the rule."""
        rule = self._rule
        worst_R = self._state.finished_scores_RK[:, -1]
        at_most = rule.early_stopping == "never" and rule.length_penalty > 0
        powers_R = self._powers_T[-1] if at_most else self._powers_T[lengths_R]
        settled_R = ~(choice.going_scores_RK[:, 0] / powers_R > worst_R)
        at_once = rule.early_stopping is True or rule.num_beams == 1
        return settled_R | (worst_R > -math.inf) if at_once else settled_R

    def _alive_S(self) -> Tensor:
        alive_R = self._state.scores_RK[:, 0] > -math.inf
        return alive_R.view(-1, self._rule.num_groups).any(dim=-1)

    def _trace(self, links_TK: list[list[int]], *, length: int, link: int) -> list[int]:
        """Follow links back from a hypothesis's last one to its first token."""
        token, lane = divmod(link, self._rule.num_beams)
        tokens = [token]
        for step in range(length - 2, -1, -1):
            token, lane = divmod(links_TK[step][lane], self._rule.num_beams)
            tokens.append(token)
        return tokens[::-1]
