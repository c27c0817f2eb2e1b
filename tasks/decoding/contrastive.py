"""Contrastive search: probable tokens whose hidden state differs from all before (Su et al.).

NeurIPS 2022, https://arxiv.org/abs/2202.06417. Of the k most probable tokens the next is

    argmax over v of  (1 - alpha) * p(v | context) - alpha * max over j of cos(h_v, h_j),

h_v the hidden state behind v and h_j that of each token of the context, the prompt's included.
p is the probability over the whole vocabulary, not over the k candidates; it is the model's own
after steering to the target length, end-of-text masked before `length.min` and tokens masked that
the form forbids.

The K lanes of a prompt read one candidate each, so a step chooses among the candidates that the one
before put forward: the first step of a prompt chooses nothing, and n tokens take n + 1 steps.

S prompts, K candidates of a prompt, B = S * K lanes, V vocabulary, D hidden size, E end-of-text
tokens, C positions of the context, T generated tokens.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import normalize, pad
from torch.nn.utils.rnn import pad_sequence

from schemas.strategies import Contrastive
from tasks.decoding.blocks import log_norms
from tasks.decoding.search import Hypothesis, Start, Step
from tasks.decoding.steering import steer

_CHUNK = 32
"""Positions by which the records of tokens and hidden states grow."""


@dataclass(slots=True)
class _Texts:
    """Every prompt's text so far, and the candidates for its next token.

    `context_SCD` holds unit vectors, the first `num_context_S` of each prompt. Lanes of a prompt
    that is not `begun_S` stand behind the prompt and have read no candidates.
    """

    steps_S: Tensor
    targets_S: Tensor
    begun_S: Tensor
    spoilt_S: Tensor
    ended_S: Tensor
    logprob_S: Tensor
    tokens_ST: Tensor
    num_context_S: Tensor
    context_SCD: Tensor
    candidates_SK: Tensor
    phi_SK: Tensor
    """Log-probability of the candidates as searched, for p; `-inf` for those that are none."""
    scores_SK: Tensor
    """Their log-probability under the model itself."""


class ContrastiveSearch:
    """One text of each prompt. `penalty_alpha=0` and `top_k=1` are greedy.

    Args:
        strategy: Number of candidates, weight of the penalty, and length.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`; may be empty.
        device: Where logits and hidden states come and the state lives; needs float64.
    """

    needs_hidden = True

    def __init__(self, strategy: Contrastive, *, end_ids_E: Tensor, device: torch.device) -> None:
        self.lanes_per_prompt = strategy.top_k
        self._strategy = strategy
        self._device = device
        self._end_ids_E = end_ids_E.to(device)
        self._texts: _Texts | None = None

    def admit(self, starts: Sequence[Start]) -> None:
        """Add prompts behind the present ones.

        Raises:
            ValueError: If a prompt comes without its hidden states.
        """
        if not starts:
            return
        new, old = self._open(starts), self._texts
        if old is not None:
            num_tokens = max(old.tokens_ST.shape[1], new.tokens_ST.shape[1])
            num_context = max(old.context_SCD.shape[1], new.context_SCD.shape[1])
            for texts in (old, new):
                _grow(texts, num_tokens=num_tokens, num_context=num_context)
            pairs = ((getattr(old, f.name), getattr(new, f.name)) for f in fields(_Texts))
            new = _Texts(*(torch.cat(pair) for pair in pairs))
        self._texts = new

    def keep(self, order_S: Tensor) -> None:
        """Keep some prompts, in the order given; what only the others were long for is freed."""
        texts = self._texts
        if texts is None or not len(order_S):
            self._texts = None
            return
        order_S = order_S.to(self._device)
        longest = int(texts.num_context_S[order_S].max())
        texts.context_SCD = texts.context_SCD[:, : _rounded(longest + 1)]
        self._texts = _Texts(*(getattr(texts, f.name)[order_S] for f in fields(_Texts)))

    def step(
        self,
        logits_BV: Tensor,
        *,
        allowed_BV: Tensor | None = None,
        hidden_BD: Tensor | None = None,
    ) -> Step:
        """Choose each prompt's token among its candidates, and put the next candidates forward.

        Raises:
            ValueError: If no prompt was admitted or there are no hidden states.
        """
        texts = self._texts
        if texts is None or hidden_BD is None:
            raise ValueError(
                "contrastive search needs prompts, and a hidden state behind each lane"
            )
        num_prompts, num_lanes = texts.phi_SK.shape
        units_SKD = _units(hidden_BD).view(num_prompts, num_lanes, -1)
        lanes_S = self._choose(texts, units_SKD)
        self._append(texts, lanes_S=lanes_S, units_SKD=units_SKD)
        done_S = texts.ended_S | texts.spoilt_S | (texts.steps_S >= self._strategy.length.max)
        parents_S = torch.arange(num_prompts, device=self._device) * num_lanes + lanes_S
        allowed_SV = None if allowed_BV is None else allowed_BV[parents_S]
        numbers_S = self._propose(texts, logits_SV=logits_BV[parents_S], allowed_SV=allowed_SV)
        # A whole text does not ask what comes behind it.
        texts.spoilt_S = texts.spoilt_S | ~(done_S | numbers_S)
        done_S = done_S | texts.spoilt_S
        return Step(
            tokens_B=texts.candidates_SK.flatten(),
            parents_B=parents_S.repeat_interleave(num_lanes),
            done=done_S.nonzero().flatten().tolist(),
        )

    def results(self, prompt: int) -> list[Hypothesis]:
        """Return a done prompt's text."""
        texts = self._texts
        if texts is None or texts.spoilt_S[prompt]:
            return []
        num_tokens = int(texts.steps_S[prompt])
        return [
            Hypothesis(
                tokens=texts.tokens_ST[prompt, :num_tokens].tolist(),
                logprob=float(texts.logprob_S[prompt]),
                ended=bool(texts.ended_S[prompt]),
            )
        ]

    def _open(self, starts: Sequence[Start]) -> _Texts:
        hidden = [start.hidden_TD for start in starts if start.hidden_TD is not None]
        if len(hidden) < len(starts):
            raise ValueError("contrastive search needs the hidden states of every prompt's tokens")
        targets = [math.nan if s.target_tokens is None else s.target_tokens for s in starts]
        targets_S = torch.tensor(targets, dtype=torch.float64, device=self._device)
        lengths_S = torch.tensor([len(hidden_TD) for hidden_TD in hidden], device=self._device)
        context_SCD = pad_sequence([_units(h.to(self._device)) for h in hidden], batch_first=True)
        steps_S = torch.zeros_like(lengths_S)
        no_S = torch.zeros_like(steps_S, dtype=torch.bool)
        reals_SK = targets_S.new_zeros(len(starts), self.lanes_per_prompt)
        return _Texts(
            steps_S=steps_S,
            targets_S=targets_S,
            begun_S=no_S,
            spoilt_S=no_S,
            ended_S=no_S,
            logprob_S=torch.zeros_like(targets_S),
            tokens_ST=steps_S.new_zeros(len(starts), _CHUNK),
            num_context_S=lengths_S,
            context_SCD=context_SCD,
            candidates_SK=torch.zeros_like(reals_SK, dtype=torch.long),
            phi_SK=reals_SK,
            scores_SK=reals_SK,
        )

    def _choose(self, texts: _Texts, units_SKD: Tensor) -> Tensor:
        """Return the lane of each prompt's next token; 0 for prompts that have not begun."""
        alpha = self._strategy.penalty_alpha
        cosines_SKC = units_SKD @ texts.context_SCD.transpose(1, 2)
        places_C = torch.arange(cosines_SKC.shape[2], device=self._device)
        behind_S1C = (places_C >= texts.num_context_S[:, None])[:, None]
        penalty_SK = cosines_SKC.masked_fill(behind_S1C, -math.inf).amax(-1).double()
        value_SK = (1 - alpha) * texts.phi_SK.exp() - alpha * penalty_SK
        value_SK = value_SK.masked_fill(texts.phi_SK == -math.inf, -math.inf)
        texts.spoilt_S = texts.spoilt_S | (texts.begun_S & value_SK.isnan().any(-1))
        return torch.where(texts.begun_S, value_SK.argmax(-1), 0)

    def _append(self, texts: _Texts, *, lanes_S: Tensor, units_SKD: Tensor) -> None:
        """Add the chosen token to each text that has begun, and its hidden state to the context."""
        _grow(
            texts,
            num_tokens=_rounded(int(texts.steps_S.max()) + 1),
            num_context=_rounded(int(texts.num_context_S.max()) + 1),
        )
        rows_S = torch.arange(len(lanes_S), device=self._device)
        tokens_S = texts.candidates_SK[rows_S, lanes_S]
        # What a prompt that has not begun writes here lies behind its counts, until it is replaced.
        texts.tokens_ST[rows_S, texts.steps_S] = tokens_S
        texts.context_SCD[rows_S, texts.num_context_S] = units_SKD[rows_S, lanes_S]
        texts.steps_S = texts.steps_S + texts.begun_S
        texts.num_context_S = texts.num_context_S + texts.begun_S
        texts.logprob_S = texts.logprob_S + texts.scores_SK[rows_S, lanes_S]
        texts.ended_S = texts.begun_S & torch.isin(tokens_S, self._end_ids_E)
        texts.begun_S = torch.ones_like(texts.begun_S)

    def _propose(self, texts: _Texts, *, logits_SV: Tensor, allowed_SV: Tensor | None) -> Tensor:
        """Make the `top_k` most probable tokens the candidates; tell whose logits are numbers."""
        shaped_SV = steer(
            logits_SV,
            steps_B=texts.steps_S,
            targets_B=texts.targets_S,
            allowed_BV=allowed_SV,
            end_ids_E=self._end_ids_E,
            length=self._strategy.length,
        )
        num_lanes = self.lanes_per_prompt
        best_SK, candidates_SK = shaped_SV.topk(min(num_lanes, shaped_SV.shape[1]))
        missing = num_lanes - best_SK.shape[1]
        norms_S = log_norms(shaped_SV)
        own_norms_S = norms_S if shaped_SV is logits_SV else log_norms(logits_SV)
        own_SK = logits_SV.gather(1, candidates_SK).double() - own_norms_S[:, None]
        texts.candidates_SK = pad(candidates_SK, (0, missing))
        texts.phi_SK = pad(best_SK.double() - norms_S[:, None], (0, missing), value=-math.inf)
        texts.scores_SK = pad(own_SK, (0, missing))
        return (norms_S + own_norms_S).isfinite()


def _units(hidden_XD: Tensor) -> Tensor:
    return normalize(hidden_XD.float(), dim=-1)


def _rounded(num_positions: int) -> int:
    return -(-num_positions // _CHUNK) * _CHUNK


def _grow(texts: _Texts, *, num_tokens: int, num_context: int) -> None:
    """Make room for at least so many tokens and hidden states of each text."""
    missing = num_tokens - texts.tokens_ST.shape[1]
    if missing > 0:
        texts.tokens_ST = pad(texts.tokens_ST, (0, missing))
    missing = num_context - texts.context_SCD.shape[1]
    if missing > 0:
        texts.context_SCD = pad(texts.context_SCD, (0, 0, 0, missing))
