"""The engine: jobs through the model in lanes, step by step, until each has its texts.

A finished job leaves at once; where the lanes allow it, a waiting one takes its place while the
others go on.

B lanes, V vocabulary, S jobs in flight, E end-of-text tokens.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import torch
from torch import Tensor

from schemas.strategies import Strategy
from tasks.decoding.opening import open_search
from tasks.decoding.search import Hypothesis, Search, Step
from tasks.decoding.stopping import cut_at_stop
from tasks.decoding.token_search import TokenSearch
from tasks.generation.constraints import Constraint, FormState
from tasks.generation.jobs import Job, by_copies, fail, start_of
from tasks.generation.lanes import Lanes, Reading
from tasks.generation.protocol import Completion, FinishReason, Request
from tasks.generation.stops import StopWatch
from tasks.generation.tokenisation import PromptCodec

_REFILL_SHARE = 8
"""Waiting jobs are admitted when at least one in this many places is free: reading is cheaper for
several prompts at once."""


class Engine:
    """Carries out jobs of one strategy.

    All state of a run is in its searches and lanes, so a run that fails half-way leaves nothing.

    Args:
        codec: What turns tokens into text.
        end_ids: Tokens that end a text.
        vocabulary_size: Number of token ids that the model knows.
        device: Where tokens are chosen.
        num_digits: Digits behind the point that a mean log-probability keeps, and the logarithm of
            a weight; all when None.
    """

    def __init__(
        self,
        codec: PromptCodec,
        *,
        end_ids: Sequence[int],
        vocabulary_size: int,
        device: torch.device,
        num_digits: int | None,
    ) -> None:
        self._codec = codec
        self._end_ids_E = torch.tensor(end_ids, dtype=torch.long, device=device)
        self._vocabulary_size = vocabulary_size
        self._device = device
        self._num_digits = num_digits
        self._watches: dict[tuple[str, ...], StopWatch] = {}

    def width(self, strategy: Strategy) -> int:
        """Return the number of lanes that one job of a strategy takes."""
        return open_search(
            strategy, end_ids_E=self._end_ids_E, device=self._device
        ).lanes_per_prompt

    def run(
        self,
        jobs: Sequence[Job],
        *,
        strategy: Strategy,
        lanes: Lanes,
        max_lanes: int,
        form: Constraint | None = None,
    ) -> Iterator[Completion]:
        """Yield the completion of every request as its job ends.

        Args:
            jobs: What to do, all of this strategy.
            strategy: How.
            lanes: The model, without any lane yet.
            max_lanes: Most lanes at once; one job may take more than that.
            form: What every text must look like; strategies that choose one token at a time.

        Raises:
            RuntimeError: What the model raises, for one when the memory does not suffice.
        """
        search = open_search(strategy, end_ids_E=self._end_ids_E, device=self._device)
        max_jobs = max(1, max_lanes // search.lanes_per_prompt)
        flight = _Flight(search, lanes, max_jobs=max_jobs, form=form, device=self._device)
        watch = self._watch(strategy, search)
        waiting = deque(jobs)
        while waiting or flight.jobs:
            step = flight.advance(waiting)
            stopped = {} if watch is None else flight.stopped(watch, step)
            done = sorted({*step.done, *stopped})
            failed = []
            for place in done:
                job = flight.jobs[place]
                texts = stopped.get(place) or search.results(place)
                if not texts:
                    failed.append(place)
                yield from self._finish(job, texts, num_steps=flight.age(job))
            flight.drop(done, step, failed=failed)

    def _watch(self, strategy: Strategy, search: Search) -> StopWatch | None:
        if not strategy.stop or not isinstance(search, TokenSearch):
            return None
        if strategy.stop not in self._watches:
            self._watches[strategy.stop] = StopWatch(
                self._codec,
                strategy.stop,
                vocabulary_size=self._vocabulary_size,
                device=self._device,
            )
        return self._watches[strategy.stop]

    def _finish(
        self, job: Job, texts: Sequence[Hypothesis], *, num_steps: int
    ) -> Iterator[Completion]:
        for request, rank in zip(job.requests, job.ranks, strict=True):
            if rank < len(texts):
                yield self._complete(request, texts[rank])
            elif texts:
                yield fail(request, f"the search found only {len(texts)} texts")
            else:
                error = "the model's scores are not numbers (NaN or infinite)"
                yield fail(request, error, num_tokens=num_steps - 1)

    def _complete(self, request: Request, found: Hypothesis) -> Completion:
        tokens = found.tokens[:-1] if found.ended else found.tokens
        text, stopped = cut_at_stop(self._codec.decode(tokens), stops=request.strategy.stop)
        reason: FinishReason = "eos" if found.ended else "length"
        logprob = found.logprob / len(found.tokens)
        return Completion(
            request=request,
            text=text,
            num_tokens=len(found.tokens),
            logprob=logprob if self._num_digits is None else round(logprob, self._num_digits),
            finish_reason="stop" if stopped else reason,
            weight=self._weight(found.weight),
            total_logprob=found.logprob,
        )

    def _weight(self, weight: float | None) -> float | None:
        if self._num_digits is None or not weight:
            return weight
        return math.exp(round(math.log(weight), self._num_digits))


class _Flight:
    """The jobs under way: a search and its lanes, kept in step with each other."""

    def __init__(
        self,
        search: Search,
        lanes: Lanes,
        *,
        max_jobs: int,
        form: Constraint | None,
        device: torch.device,
    ) -> None:
        self.jobs: list[Job] = []
        self._device = device
        self._form = form
        self._forms: list[FormState] = []
        self._search = search
        self._lanes = lanes
        self._max_jobs = max_jobs
        self._now = 0
        self._tokens_B: Tensor | None = None

    def age(self, job: Job) -> int:
        """Count the steps that a job has taken."""
        return self._now - job.born

    # No `yield` may stand inside inference mode: the mode would leak to the caller.
    @torch.inference_mode()
    def advance(self, waiting: deque[Job]) -> Step:
        """Take one step with the jobs under way, and the first with those that find room."""
        readings: list[Reading] = []
        hidden = self._search.needs_hidden
        if self._tokens_B is not None:
            readings.append(self._lanes.step(self._tokens_B, hidden=hidden))
        readings += self._admit(waiting)
        self._now += 1
        logits_BV = self._gathered([reading.logits_BV for reading in readings])
        states = [reading.hidden_BD for reading in readings if reading.hidden_BD is not None]
        hidden_BD = self._gathered(states) if states else None
        if self._form is None:
            return self._search.step(logits_BV, hidden_BD=hidden_BD)
        allowed_BV = self._form.allowed(self._forms).to(self._device)
        step = self._search.step(logits_BV, allowed_BV=allowed_BV, hidden_BD=hidden_BD)
        for state, token in zip(self._forms, step.tokens_B.tolist(), strict=True):
            state.accept(token)
        return step

    def stopped(self, watch: StopWatch, step: Step) -> dict[int, list[Hypothesis]]:
        """Find the jobs whose text has just come to a stop string."""
        assert isinstance(self._search, TokenSearch)
        found: dict[int, list[Hypothesis]] = {}
        for place in watch.suspects(step.tokens_B):
            texts = self._search.results(place)
            if texts and not texts[0].ended and watch.is_stopped(texts[0].tokens[-watch.tail :]):
                found[place] = texts
        return found

    @torch.inference_mode()
    def drop(self, done: Sequence[int], step: Step, *, failed: Sequence[int]) -> None:
        """Follow the search's parents and free the lanes of jobs that are done, or failed."""
        num_lanes = self._search.lanes_per_prompt
        tokens_B = step.tokens_B
        if step.parents_B is not None and len(done) < len(self.jobs):
            self._lanes.reorder(step.parents_B)
        if failed:
            self._lanes.clear([place * num_lanes + k for place in failed for k in range(num_lanes)])
        if done:
            order = _closed_up(len(self.jobs), done)
            order_S = torch.tensor(order, dtype=torch.long, device=tokens_B.device)
            lane_K = torch.arange(num_lanes, device=tokens_B.device)
            order_B = (order_S[:, None] * num_lanes + lane_K).flatten()
            self.jobs = [self.jobs[place] for place in order]
            self._forms = [self._forms[place] for place in order] if self._forms else []
            self._search.keep(order_S)
            self._lanes.keep(order_B)
            tokens_B = tokens_B[order_B]
        self._tokens_B = tokens_B if self.jobs else None

    def _gathered(self, parts: Sequence[Tensor]) -> Tensor:
        """Join what is known of the lanes, where and in the precision that tokens are chosen."""
        joined = parts[0] if len(parts) == 1 else torch.cat(list(parts))
        return joined.to(self._device, torch.float32)

    def _goes_with(self, job: Job, first: Job) -> bool:
        return self._lanes.ragged or len(job.prompt) == len(first.prompt)

    def _admit(self, waiting: deque[Job]) -> Iterator[Reading]:
        room = self._max_jobs - len(self.jobs)
        if not waiting or (self.jobs and not self._lanes.refills):
            return
        if self.jobs and room < min(len(waiting), max(1, self._max_jobs // _REFILL_SHARE)):
            return
        new = [waiting.popleft()]
        while waiting and len(new) < room and self._goes_with(waiting[0], new[0]):
            new.append(waiting.popleft())
        groups = list(by_copies(new))
        if not self._lanes.refills and len(groups) > 1:
            groups = [(1, new)]
        for copies, jobs in groups:
            prompts = [job.prompt for job in islice(jobs, 0, None, copies)]
            reading = self._lanes.admit(
                prompts,
                copies=copies * self._search.lanes_per_prompt,
                hidden=self._search.needs_hidden,
            )
            states = dict(enumerate(reading.prompt_hidden))
            self._search.admit(
                [start_of(job, hidden_TD=states.get(at // copies)) for at, job in enumerate(jobs)]
            )
            for job in jobs:
                job.born = self._now
                if self._form is not None:
                    self._forms.append(self._form.open())
            self.jobs += jobs
            yield reading


def _closed_up(count: int, gone: Sequence[int]) -> list[int]:
    """Order `count` places so that those from the end fill the gaps and the others stay."""
    leaving = set(gone)
    order = list(range(count))
    end = count
    for place in range(count):
        if place >= end:
            break
        if place in leaving:
            end -= 1
            while end > place and end in leaving:
                end -= 1
            order[place] = end
    return order[: count - len(leaving)]
