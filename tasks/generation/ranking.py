"""Candidates: a layer over plain generation that draws several for a row and keeps the best.

What a recipe calls `best_of` or `noisy_channel` no backend ever sees: each of its rows becomes
requests for plain candidates, and their replies become the row's one reply again.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from schemas.manifest import Determinism, ModelInfo
from schemas.strategies import NoisyChannel, Strategy
from schemas.strategies_token import SAMPLED
from tasks.generation.protocol import Backend, Completion, Compute, Request
from tasks.planning.streams import fold

Rank = Callable[[Strategy, Sequence[Completion]], Sequence[float]]
"""Scores the candidates of one row, none of them an error, by the row's strategy; more is better.

A score is a function of these candidates alone. NaN counts as the least.
"""


def num_candidates(strategy: Strategy) -> int:
    """Count the candidates that a strategy draws for each row; 1 when nothing is ranked."""
    match strategy:
        case NoisyChannel():
            return strategy.num_candidates if strategy.mode == "rerank" else 1
        case _ if isinstance(strategy, SAMPLED) and strategy.best_of is not None:
            return strategy.best_of.n
        case _:
            return 1


def plain_strategy(strategy: Strategy) -> Strategy:
    """Return how a single candidate of a strategy is decoded: `best_of` and noisy channels go.

    A noisy channel decodes by its `proposal` with its own length, stop and share. A sampled
    strategy counts each candidate as one of its `num_return_sequences`, so that arithmetic sampling
    spaces its codes over all candidates of a prompt.
    """
    match strategy:
        case NoisyChannel():
            own = {"length": strategy.length, "stop": strategy.stop, "share": strategy.share}
            plain: Strategy = strategy.proposal.model_copy(
                update={**own, "num_return_sequences": num_candidates(strategy)}
            )
            return plain
        case _ if isinstance(strategy, SAMPLED) and strategy.best_of is not None:
            num_rows = strategy.num_return_sequences * strategy.best_of.n
            return strategy.model_copy(update={"best_of": None, "num_return_sequences": num_rows})
        case _:
            return strategy


def expand(request: Request) -> list[Request]:
    """Turn a request into those for its candidates: the same prompt, seeds of their own.

    Every seed of several candidates is derived, the first one's too: `fold(seed, candidate) >> 1`.
    A strategy that is plain already gives the request itself.
    """
    strategy, count = plain_strategy(request.strategy), num_candidates(request.strategy)
    if count == 1:
        return [request if strategy is request.strategy else replace(request, strategy=strategy)]
    seeds = fold(np.full(count, request.seed, dtype=np.uint64), np.arange(count)) >> np.uint64(1)
    return [
        replace(
            request,
            seed=seed,
            strategy=strategy,
            group_seed=request.shared_seed,
            member=request.member * count + candidate,
            candidate=candidate,
        )
        for candidate, seed in enumerate(seeds.tolist())
    ]


@dataclass(slots=True)
class _Row:
    """A row whose candidates are under way."""

    request: Request
    count: int
    replies: list[Completion] = field(default_factory=list)


class RankedBackend:
    """A backend whose rows may each be the best of several candidates.

    The candidates of a row are asked for side by side, so that the model reads their prompt once,
    and are ranked when the last has come, by candidate number: in which order they come changes
    nothing. The reply is the text, log-probability and finish reason of the best, the first among
    equals, with the tokens of all candidates, which were all paid for. Candidates that failed are
    passed over; a row fails, with the error of its first candidate, when all of them did.

    Args:
        backend: Answers plain requests.
        rank: Scores the candidates of one row.
    """

    def __init__(self, backend: Backend, *, rank: Rank) -> None:
        self._backend = backend
        self._rank = rank

    @property
    def info(self) -> ModelInfo:
        """Identify the model that writes the candidates."""
        return self._backend.info

    @property
    def determinism(self) -> Determinism:
        """State the promise of the candidates; ranking adds no chance of its own."""
        return self._backend.determinism

    @property
    def compute(self) -> Compute:
        """Name what the model runs on."""
        return self._backend.compute

    def format_prompt(self, text: str) -> str:
        """Wrap a rendered template as the model wants it."""
        return self._backend.format_prompt(text)

    def count_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Count the tokens of prompts that `format_prompt` returned."""
        return self._backend.count_tokens(prompts)

    def generate(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Yield one completion for each request; see `Backend.generate`."""
        rows: dict[tuple[int, int], _Row] = {}
        candidates: list[Request] = []
        for request in requests:
            expanded = expand(request)
            rows[request.row, request.attempt] = _Row(request, len(expanded))
            candidates += expanded
        for reply in self._backend.generate(candidates):
            key = (reply.request.row, reply.request.attempt)
            row = rows[key]
            row.replies.append(reply)
            if len(row.replies) == row.count:
                del rows[key]
                yield self._answer(row)

    def _answer(self, row: _Row) -> Completion:
        replies = sorted(row.replies, key=lambda reply: reply.request.candidate)
        good = [reply for reply in replies if reply.finish_reason != "error"]
        best = replies[0]
        if row.count > 1 and good:
            scores = [
                -math.inf if math.isnan(score) else score
                for score in self._rank(row.request.strategy, good)
            ]
            best = good[scores.index(max(scores))]
        num_tokens = sum(reply.num_tokens for reply in replies)
        return replace(best, request=row.request, num_tokens=num_tokens)
