"""Jobs: what the engine searches from, each one prompt and the requests that it answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from torch import Tensor

from schemas.strategies import Length, Strategy
from schemas.strategies_token import Greedy, Sampled
from tasks.decoding.search import Start
from tasks.generation.protocol import Completion, Request


@dataclass(slots=True)
class Row:
    """One request and its prompt's tokens."""

    request: Request
    prompt: list[int]


@dataclass(slots=True)
class Job:
    """One search from one prompt.

    Args:
        prompt: The prompt's tokens.
        requests: What the search answers.
        ranks: Which of the search's texts each request gets, from 0.
        seed: Key of the search's randomness.
        born: The engine's step at which it was admitted.
    """

    prompt: list[int]
    requests: tuple[Request, ...]
    ranks: tuple[int, ...]
    seed: int
    born: int = 0


def jobs_of(rows: Iterable[Row], strategy: Strategy) -> list[Job]:
    """Turn rows of one strategy into jobs, the longest prompts first, equal prompts adjacent.

    Strategies that choose one token at a time search for each row by itself; the others answer all
    rows of a prompt that share a seed by one search.
    """
    alone = isinstance(strategy, Greedy | Sampled)
    ordered = sorted(rows, key=_order)
    if alone:
        return [Job(row.prompt, (row.request,), (0,), row.request.seed) for row in ordered]
    shared = groupby(ordered, key=lambda row: (row.prompt, row.request.shared_seed))
    return [
        _joint(prompt, seed, [row.request for row in group]) for (prompt, seed), group in shared
    ]


def _joint(prompt: list[int], seed: int, requests: Sequence[Request]) -> Job:
    return Job(prompt, tuple(requests), tuple(request.member for request in requests), seed)


def _order(row: Row) -> tuple[int, list[int], int, int, int]:
    # If memory is short, the longest prompt shows it at once; freed lanes suffice for what follows.
    request = row.request
    return (-len(row.prompt), row.prompt, request.shared_seed, request.row, request.attempt)


def start_of(job: Job, *, hidden_TD: Tensor | None = None) -> Start:
    """State what a search needs to know of a job."""
    request = job.requests[0]
    return Start(
        seed=job.seed,
        shared_seed=request.shared_seed,
        member=request.member,
        target_tokens=target_tokens(request, job.prompt),
        hidden_TD=hidden_TD,
    )


def target_tokens(request: Request, prompt: Sequence[int]) -> float | None:
    """Return a row's target length in tokens; words and characters by its own prompt's measure.

    Args:
        request: Whose strategy may have a target.
        prompt: Its prompt's tokens.
    """
    length: Length = request.strategy.length
    if length.target is None:
        return None
    match length.unit:
        case "tokens":
            return float(length.target)
        case "words":
            size = len(request.prompt.split())
        case "chars":
            size = len(request.prompt)
    return length.target * len(prompt) / max(1, size)


def by_copies(jobs: Sequence[Job]) -> Iterator[tuple[int, list[Job]]]:
    """Group jobs by how many share a prompt; equal prompts are adjacent in and out.

    Yields:
        Number of jobs to a prompt, and all jobs of prompts with so many.
    """
    shared = [list(group) for _, group in groupby(jobs, key=lambda job: job.prompt)]
    shared.sort(key=len)
    for copies, groups in groupby(shared, key=len):
        yield copies, [job for group in groups for job in group]


def common_prefix(jobs: Sequence[Job]) -> list[int]:
    """Return the tokens that all prompts begin with, but never a whole prompt."""
    shortest, longest = min(job.prompt for job in jobs), max(job.prompt for job in jobs)
    most = min(min(len(job.prompt) for job in jobs) - 1, len(shortest), len(longest))
    end = next((at for at in range(most) if shortest[at] != longest[at]), most)
    return shortest[:end]


def fail(request: Request, error: str, *, num_tokens: int = 0) -> Completion:
    """Answer one request with an error that concerns it alone, after `num_tokens` tokens."""
    return Completion(request, "", num_tokens, None, "error", error)
