"""Stochastic beam search: whole texts sampled without replacement (Kool et al., ICML 2019).

https://arxiv.org/abs/1903.06059. Every text has the perturbed log-probability
G = phi + Gumbel noise, phi its log-probability; the k texts of greatest G are a sample of size k
without replacement, in order (Gumbel-top-k). A prefix has as its G the greatest of the texts that
begin with it, so the search goes top-down: the root draws G from Gumbel(0), and the children of a
prefix draw theirs under the condition that the greatest equals the prefix's own.

What is sampled is the model's distribution as the strategy shapes it: steered to the target length,
end-of-text masked before `length.min`, tokens masked that the form forbids, divided by the
temperature, and renormalised. A text cut at `length.max` is complete and stands for all that begin
with it. There is no length normalisation and no early stop: a finished text keeps its place by its
G, and a prompt is done when all its beams are finished.

**Noise** is keyed by the path: the seed folded with each token. It is thus a function of the seed
and the text alone, and k beams find the first k texts of what k + 1 beams find.

**Blocks.** Noise for every child would be V hashes a lane and cost many times the rest of the step.
So the tree gets a level between a prefix and its children: the blocks of `tasks.decoding.blocks`,
with the sums of their tokens' probabilities. A block is a node like any other (its G is the
greatest of its tokens' G), so the search stays exact while it hashes about sqrt(V) blocks of a lane
and then the sqrt(V) tokens of each of the k + 1 best blocks.

**The threshold** kappa of the importance weights is the (k+1)-th greatest G of all texts. No lane
is needed for it: each text outside the sample begins with exactly one candidate that was left out
at some step, and a candidate's G equals the greatest of its texts'. So kappa is the greatest G that
was ever left out, that is of the (k+1)-th candidate of each step.

S prompts, K beams of a prompt, B = S * K lanes, V vocabulary, N blocks, W tokens of a block,
M = K + 1 candidates of a prompt, J = S * M, R nodes of a level with C children each, T positions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from schemas.strategies import StochasticBeam
from tasks.decoding.blocks import block_ids, block_logprobs, block_width, gather_blocks, log_norms
from tasks.decoding.sampling import fold, gumbel_noise
from tasks.decoding.search import Hypothesis, Start, Step
from tasks.decoding.steering import steer
from tasks.decoding.without_replacement import best_children, importance_weights

_TOKENS, _BLOCKS, _ROOT = -1, -2, -3
"""Streams of a path's noise; the tokens that a path is folded with are never negative."""
_FINISHED = -1
"""Stands for the token of a candidate that is a finished text."""
_CHUNK = 32
"""Positions by which the record of tokens grows."""


@dataclass(slots=True)
class _Beams:
    """The beams of every prompt, best first; a place without a text has G = -inf."""

    steps_S: Tensor
    targets_S: Tensor
    kappa_S: Tensor
    paths_SK: Tensor
    perturbed_SK: Tensor
    phi_SK: Tensor
    logprob_SK: Tensor
    open_SK: Tensor
    ended_SK: Tensor
    lengths_SK: Tensor
    tokens_SKT: Tensor


@dataclass(slots=True)
class _Candidates:
    """The best candidates of each prompt: children of open beams, and finished texts."""

    perturbed_SM: Tensor
    phi_SM: Tensor
    lanes_SM: Tensor
    ids_SM: Tensor


class StochasticBeamSearch:
    """`num_beams` different texts of each prompt, sampled without replacement.

    Results come in the order of the draw, so the first is an ancestral sample. A prompt whose form
    allows fewer texts than `num_beams` yields those that there are, each with its probability as
    its weight. `Hypothesis.weight` is `p / (1 - exp(-exp(phi - kappa)))`, p = exp(phi) under the
    distribution sampled from: the sum of `weight * f(text)` over a prompt's texts has the
    expectation of f as its mean.

    Args:
        strategy: Number of beams, temperature and length.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`; may be empty.
        device: Where the logits come and the state lives; needs float64.
    """

    needs_hidden = False

    def __init__(
        self, strategy: StochasticBeam, *, end_ids_E: Tensor, device: torch.device
    ) -> None:
        self.lanes_per_prompt = strategy.num_beams
        self._strategy = strategy
        self._device = device
        self._end_ids_E = end_ids_E.to(device)
        self._beams = self._open(())

    def admit(self, starts: Sequence[Start]) -> None:
        """Add prompts behind the present ones; the G of their roots is drawn here."""
        old, new = self._beams, self._open(starts)
        _grow(new, old.tokens_SKT.shape[2])
        self._beams = _Beams(
            *(torch.cat([getattr(old, f.name), getattr(new, f.name)]) for f in fields(_Beams))
        )

    def keep(self, order_S: Tensor) -> None:
        """Keep some prompts, in the order given."""
        order_S = order_S.to(self._device)
        self._beams = _Beams(*(getattr(self._beams, f.name)[order_S] for f in fields(_Beams)))

    def step(
        self,
        logits_BV: Tensor,
        *,
        allowed_BV: Tensor | None = None,
        hidden_BD: Tensor | None = None,
    ) -> Step:
        """Choose the next `num_beams` prefixes of each prompt."""
        beams = self._beams
        shaped_BV = self._shape(logits_BV, allowed_BV)
        width = block_width(shaped_BV.shape[1])
        logprobs_BN, norms_B = block_logprobs(shaped_BV, width=width)
        own_norms_B = norms_B if shaped_BV is logits_BV else log_norms(logits_BV)
        self._drop_spoilt((norms_B + own_norms_B).view_as(beams.open_SK))
        blocks = self._choose_blocks(logprobs_BN)
        best = self._choose_tokens(blocks, logits_BV=shaped_BV, norms_B=norms_B)
        beams.kappa_S = torch.maximum(beams.kappa_S, best.perturbed_SM[:, -1])
        lanes_SK, ids_SK = best.lanes_SM[:, :-1], best.ids_SM[:, :-1]
        parents_B = self._rows(lanes_SK).flatten()
        tokens_B = ids_SK.flatten().clamp(0, logits_BV.shape[1] - 1)
        scores_B = logits_BV[parents_B, tokens_B].double() - own_norms_B[parents_B]
        self._advance(best, tokens_SK=tokens_B.view_as(ids_SK), scores_SK=scores_B.view_as(ids_SK))
        done_S = ~beams.open_SK.any(-1)
        return Step(tokens_B, parents_B, done_S.nonzero().flatten().tolist())

    def results(self, prompt: int) -> list[Hypothesis]:
        """Return a done prompt's texts in the order in which they were drawn."""
        beams = self._beams
        weights_K = importance_weights(beams.phi_SK[prompt], kappa=beams.kappa_S[prompt])
        facts_SK = (beams.perturbed_SK, beams.lengths_SK, beams.logprob_SK, beams.ended_SK)
        facts_K4 = torch.stack([facts_K[prompt].double() for facts_K in facts_SK], 1).tolist()
        texts = zip(beams.tokens_SKT[prompt].tolist(), facts_K4, weights_K.tolist(), strict=True)
        return [
            Hypothesis(tokens[: int(length)], logprob, ended == 1, weight)
            for tokens, (perturbed, length, logprob, ended), weight in texts
            if perturbed > -math.inf
        ]

    def _open(self, starts: Sequence[Start]) -> _Beams:
        shape = (len(starts), self.lanes_per_prompt)
        targets = [math.nan if s.target_tokens is None else s.target_tokens for s in starts]
        targets_S = torch.tensor(targets, dtype=torch.float64, device=self._device)
        seeds_S = torch.tensor([s.seed for s in starts], dtype=torch.long, device=self._device)
        integers_SK, reals_SK = seeds_S.new_zeros(shape), targets_S.new_zeros(shape)
        perturbed_SK = torch.full_like(reals_SK, -math.inf)
        perturbed_SK[:, 0] = gumbel_noise(_stream(seeds_S, _ROOT), torch.zeros_like(seeds_S))
        return _Beams(
            steps_S=torch.zeros_like(seeds_S),
            targets_S=targets_S,
            kappa_S=torch.full_like(targets_S, -math.inf),
            paths_SK=seeds_S[:, None].expand(shape),
            perturbed_SK=perturbed_SK,
            phi_SK=reals_SK,
            logprob_SK=reals_SK,
            open_SK=perturbed_SK > -math.inf,
            ended_SK=integers_SK.bool(),
            lengths_SK=integers_SK,
            tokens_SKT=integers_SK.new_zeros(*shape, _CHUNK),
        )

    def _shape(self, logits_BV: Tensor, allowed_BV: Tensor | None) -> Tensor:
        """Return the logits of the distribution that is sampled from."""
        beams, num_beams = self._beams, self.lanes_per_prompt
        steered_BV = steer(
            logits_BV,
            steps_B=beams.steps_S.repeat_interleave(num_beams),
            targets_B=beams.targets_S.repeat_interleave(num_beams),
            allowed_BV=allowed_BV,
            end_ids_E=self._end_ids_E,
            length=self._strategy.length,
        )
        temperature = self._strategy.temperature
        return steered_BV if temperature == 1 else steered_BV / temperature

    def _drop_spoilt(self, norms_SK: Tensor) -> None:
        """Take every beam from prompts with an open beam whose logits are not numbers."""
        beams = self._beams
        spoilt_S1 = (beams.open_SK & ~norms_SK.isfinite()).any(-1, keepdim=True)
        beams.open_SK = beams.open_SK & ~spoilt_S1
        beams.perturbed_SK = beams.perturbed_SK.masked_fill(spoilt_S1, -math.inf)

    def _choose_blocks(self, logprobs_BN: Tensor) -> _Candidates:
        beams = self._beams
        rows_B = torch.arange(len(logprobs_BN), device=self._device)
        return self._choose(
            beams.phi_SK.reshape(-1, 1) + logprobs_BN,
            ids_RC=torch.arange(logprobs_BN.shape[1], device=self._device).expand_as(logprobs_BN),
            rows_R=rows_B,
            perturbed_R=beams.perturbed_SK.masked_fill(~beams.open_SK, -math.inf).flatten(),
            stream=_BLOCKS,
        )

    def _choose_tokens(
        self, blocks: _Candidates, *, logits_BV: Tensor, norms_B: Tensor
    ) -> _Candidates:
        rows_J = self._rows(blocks.lanes_SM).flatten()
        blocks_J = blocks.ids_SM.flatten()
        ids_JW = block_ids(blocks_J.clamp(min=0), width=block_width(logits_BV.shape[1]))
        logits_JW = gather_blocks(logits_BV, rows_J=rows_J, ids_JW=ids_JW, fill=-math.inf)
        offsets_J = self._beams.phi_SK.flatten()[rows_J] - norms_B[rows_J]
        return self._choose(
            logits_JW.double() + offsets_J[:, None],
            ids_RC=ids_JW,
            rows_R=rows_J,
            perturbed_R=blocks.perturbed_SM.flatten().masked_fill(blocks_J < 0, -math.inf),
            stream=_TOKENS,
        )

    def _choose(
        self, phi_RC: Tensor, *, ids_RC: Tensor, rows_R: Tensor, perturbed_R: Tensor, stream: int
    ) -> _Candidates:
        """Choose the M best of each prompt's finished texts and of the children of its nodes.

        Args:
            phi_RC: Log-probabilities of the children.
            ids_RC: Their numbers, which key their noise.
            rows_R: The lane that each node belongs to; as many nodes for each prompt.
            perturbed_R: G of the nodes; `-inf` for nodes that have no children.
            stream: `_BLOCKS` or `_TOKENS`.
        """
        beams = self._beams
        num_prompts, num_beams = beams.open_SK.shape
        noise_RC = gumbel_noise(_stream(beams.paths_SK.flatten()[rows_R], stream)[:, None], ids_RC)
        perturbed_RM, places_RM = best_children(
            phi_RC + noise_RC, parents_R=perturbed_R, num_best=num_beams + 1
        )
        lanes_RM = (rows_R % num_beams)[:, None].expand_as(places_RM)
        lanes_SK = torch.arange(num_beams, device=self._device).expand_as(beams.open_SK)
        pairs = (
            (perturbed_RM, beams.perturbed_SK.masked_fill(beams.open_SK, -math.inf)),
            (phi_RC.gather(1, places_RM), beams.phi_SK),
            (lanes_RM, lanes_SK),
            (ids_RC.gather(1, places_RM), torch.full_like(lanes_SK, _FINISHED)),
        )
        columns = [torch.cat([new.reshape(num_prompts, -1), old], 1) for new, old in pairs]
        _, best_SM = columns[0].topk(num_beams + 1)
        return _Candidates(*(column.gather(1, best_SM) for column in columns))

    def _advance(self, best: _Candidates, *, tokens_SK: Tensor, scores_SK: Tensor) -> None:
        """Let the K best candidates be the beams; `scores_SK` are under the model itself."""
        beams, lanes_SK = self._beams, best.lanes_SM[:, :-1]
        beams.perturbed_SK = best.perturbed_SM[:, :-1]
        beams.phi_SK = best.phi_SM[:, :-1]
        grown_SK = best.ids_SM[:, :-1] != _FINISHED
        paths_SK = beams.paths_SK.gather(1, lanes_SK)
        beams.paths_SK = torch.where(grown_SK, fold(paths_SK, tokens_SK), paths_SK)
        scores_SK = scores_SK.masked_fill(~grown_SK, 0.0)
        beams.logprob_SK = beams.logprob_SK.gather(1, lanes_SK) + scores_SK
        beams.lengths_SK = beams.lengths_SK.gather(1, lanes_SK) + grown_SK
        ended_SK = torch.isin(tokens_SK, self._end_ids_E)
        beams.ended_SK = torch.where(grown_SK, ended_SK, beams.ended_SK.gather(1, lanes_SK))
        _grow(beams, int(beams.steps_S.max()) + 1)
        # Behind the end of a finished text this writes what its length hides.
        places_SK1 = beams.steps_S[:, None, None].expand(*lanes_SK.shape, 1)
        tokens_SKT = beams.tokens_SKT.gather(1, lanes_SK[:, :, None].expand_as(beams.tokens_SKT))
        beams.tokens_SKT = tokens_SKT.scatter(2, places_SK1, tokens_SK[:, :, None])
        beams.steps_S = beams.steps_S + 1
        runs_on_SK = ~ended_SK & (beams.steps_S < self._strategy.length.max)[:, None]
        beams.open_SK = grown_SK & runs_on_SK & (beams.perturbed_SK > -math.inf)

    def _rows(self, lanes_SX: Tensor) -> Tensor:
        """Turn places among a prompt's lanes into places among all lanes."""
        first_S1 = torch.arange(len(lanes_SX), device=self._device)[:, None]
        return first_S1 * self.lanes_per_prompt + lanes_SX


def _stream(paths: Tensor, stream: int) -> Tensor:
    return fold(paths, torch.full_like(paths, stream))


def _grow(beams: _Beams, num_positions: int) -> None:
    """Make room for at least `num_positions` tokens of each text."""
    present = beams.tokens_SKT.shape[2]
    if num_positions > present:
        missing = -(-num_positions // _CHUNK) * _CHUNK - present
        beams.tokens_SKT = torch.nn.functional.pad(beams.tokens_SKT, (0, missing))
