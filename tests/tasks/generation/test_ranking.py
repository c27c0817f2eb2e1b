"""Laws of candidates: how requests are expanded, which reply is kept, what it costs."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.strategies import (
    Arithmetic,
    Beam,
    BestOf,
    Greedy,
    Length,
    NoisyChannel,
    Nucleus,
    Temperature,
    TopK,
)
from tasks.generation.protocol import Completion, Request
from tasks.generation.rankers import Ranker
from tasks.generation.ranking import RankedBackend, expand, num_candidates, plain_strategy
from tasks.generation.scripted import ScriptedBackend, ScriptedReply

RERANK = NoisyChannel(num_candidates=3, length=Length(max=9), stop=("\n",), share=2)


def request_of(row: int, strategy, *, seed: int = 77) -> Request:
    return Request(row, 1, seed, "a", f"prompt {row}", strategy)


@pytest.mark.parametrize("strategy", [Greedy(), Beam(), Nucleus(), Arithmetic()])
def test_a_plain_request_is_its_own_candidate(strategy):
    request = request_of(0, strategy)
    assert expand(request) == [request]
    assert expand(request)[0] is request


@pytest.mark.parametrize(
    ("strategy", "plain", "count"),
    [
        (TopK(top_k=7, best_of=BestOf(n=5)), TopK(top_k=7, num_return_sequences=5), 5),
        (
            Arithmetic(num_return_sequences=3, best_of=BestOf(n=2)),
            Arithmetic(num_return_sequences=6),
            2,
        ),
        (
            RERANK,
            Nucleus(length=Length(max=9), stop=("\n",), share=2, num_return_sequences=3),
            3,
        ),
        (
            NoisyChannel(mode="corrupt", proposal=Temperature(temperature=0.5), stop=("x",)),
            Temperature(temperature=0.5, stop=("x",)),
            1,
        ),
    ],
)
def test_what_is_ranked_becomes_plain(strategy, plain, count):
    assert plain_strategy(strategy) == plain
    assert num_candidates(strategy) == count
    request = request_of(4, strategy)
    expanded = expand(request)
    assert [one.candidate for one in expanded] == list(range(count))
    for one in expanded:
        assert (one.row, one.attempt, one.label, one.prompt) == (4, 1, "a", "prompt 4")
        assert one.strategy == plain
        assert num_candidates(one.strategy) == 1


@given(seed=st.integers(0, 2**63 - 1), member=st.integers(0, 5))
def test_candidates_have_seeds_and_places_of_their_own(seed, member):
    request = replace(
        request_of(0, Nucleus(best_of=BestOf(n=16)), seed=seed), member=member, group_seed=5
    )
    expanded = expand(request)
    seeds = {one.seed for one in expanded}
    assert len(seeds | {seed}) == 17
    assert all(0 <= own < 2**63 for own in seeds)
    assert {one.shared_seed for one in expanded} == {5}
    assert [one.member for one in expanded] == list(range(16 * member, 16 * member + 16))
    fewer = expand(replace(request, strategy=Nucleus(best_of=BestOf(n=4))))
    assert [one.seed for one in fewer] == [one.seed for one in expanded[:4]]


class Shuffled(ScriptedBackend):
    """Answers in an order of its own, with a log-probability made of the seed."""

    def __init__(self, answer, *, order: int) -> None:
        super().__init__(answer)
        self._order = order
        self.asked: list[Request] = []

    def generate(self, requests):
        self.asked = list(requests)
        replies = list(super().generate(requests))
        random.Random(self._order).shuffle(replies)
        for reply in replies:
            logprob = None if reply.error else -float(reply.request.seed % 5) - 1
            yield replace(reply, logprob=logprob)


def answer(request: Request) -> ScriptedReply:
    if request.seed % 7 == 0:
        return ScriptedReply(error="no")
    return ScriptedReply(text="word " * (1 + request.seed % 3) + str(request.seed))


@settings(deadline=None, max_examples=30)
@given(order=st.integers(0, 99), first=st.integers(0, 10**6))
def test_the_best_is_kept_whatever_the_order(order, first):
    strategies = [Nucleus(best_of=BestOf(n=6)), Greedy(), Temperature(best_of=BestOf(n=2))]
    requests = [request_of(row, strategies[row % 3], seed=first + 31 * row) for row in range(9)]
    backend = Shuffled(answer, order=order)
    replies = list(RankedBackend(backend, rank=Ranker()).generate(requests))
    assert sorted(reply.request.row for reply in replies) == list(range(9))
    assert [one.row for one in backend.asked] == sorted(one.row for one in backend.asked)
    plain = {}
    for reply in Shuffled(answer, order=0).generate(backend.asked):
        plain.setdefault(reply.request.row, []).append(reply)
    for reply in replies:
        candidates = sorted(plain[reply.request.row], key=lambda one: one.request.candidate)
        good = [one for one in candidates if one.finish_reason != "error"]
        assert reply.request is requests[reply.request.row]
        assert reply.num_tokens == sum(one.num_tokens for one in candidates)
        kept = max(good, key=lambda one: one.logprob) if good else candidates[0]
        assert (reply.text, reply.logprob, reply.error) == (kept.text, kept.logprob, kept.error)


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([1.0, 3.0, 2.0], 1),
        ([2.0, 2.0, 2.0], 0),
        ([-math.inf, -9.0, -9.0], 1),
        ([math.nan, -3.0, math.nan], 1),
        ([math.nan] * 3, 0),
        ([-math.inf] * 3, 0),
    ],
)
def test_ties_and_scores_that_are_no_numbers(scores, best):
    backend = ScriptedBackend(lambda request: ScriptedReply(text=f"text {request.candidate}"))
    ranked = RankedBackend(backend, rank=lambda strategy, candidates: scores)
    (reply,) = ranked.generate([request_of(0, RERANK)])
    assert reply.text == f"text {best}"
    assert reply.num_tokens == 6


def test_candidates_that_failed_are_not_ranked():
    def only_the_last(request: Request) -> ScriptedReply:
        return ScriptedReply(text="good") if request.candidate == 2 else ScriptedReply(error="bad")

    seen: list[int] = []

    def rank(strategy, candidates: list[Completion]) -> list[float]:
        seen.extend(reply.request.candidate for reply in candidates)
        return [0.0] * len(candidates)

    (reply,) = RankedBackend(ScriptedBackend(only_the_last), rank=rank).generate(
        [request_of(0, RERANK)]
    )
    assert seen == [2]
    assert (reply.text, reply.error, reply.finish_reason) == ("good", None, "eos")


def test_a_row_fails_only_with_all_its_candidates():
    backend = ScriptedBackend(lambda request: ScriptedReply(error=f"bad {request.candidate}"))
    (reply,) = RankedBackend(backend, rank=Ranker()).generate([request_of(3, RERANK)])
    assert (reply.finish_reason, reply.error) == ("error", "bad 0")
    assert reply.request.row == 3


def test_the_rest_is_the_backends_own():
    backend = ScriptedBackend(answer, name="mine")
    ranked = RankedBackend(backend, rank=Ranker())
    assert (ranked.info, ranked.compute) == (backend.info, backend.compute)
    assert ranked.determinism == backend.determinism
    assert ranked.format_prompt("x y") == "x y"
    assert ranked.count_tokens(["x y"]) == [2]
    assert list(ranked.generate([])) == []
