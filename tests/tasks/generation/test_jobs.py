"""Jobs: every request is answered by exactly one, prompts that are alike stand together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.strategies import Beam, Contrastive, Length, StochasticBeam, Temperature
from tasks.generation.jobs import (
    Job,
    Row,
    by_copies,
    common_prefix,
    jobs_of,
    start_of,
    target_tokens,
)
from tasks.generation.protocol import Request

law = settings(deadline=None, max_examples=60)
prompts = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=4), min_size=1, max_size=9)


def row_of(number, prompt, strategy, *, group=None, member=0, text="a b"):
    request = Request(number, 0, number * 31, "any", text, strategy, group, member)
    return Row(request, list(prompt))


def bare(prompt):
    return Job(list(prompt), (), (), 0)


@law
@given(prompts=prompts, shuffled=st.randoms())
def test_token_strategies_have_one_job_for_each_row_in_one_order(prompts, shuffled):
    rows = [row_of(n, prompt, Temperature()) for n, prompt in enumerate(prompts)]
    jobs = jobs_of(rows, Temperature())
    assert sorted(job.requests[0].row for job in jobs) == list(range(len(rows)))
    assert all((len(job.requests), job.ranks) == (1, (0,)) for job in jobs)
    assert all(job.seed == job.requests[0].seed for job in jobs)
    sizes = [len(job.prompt) for job in jobs]
    assert sizes == sorted(sizes, reverse=True)
    runs = [job.prompt for n, job in enumerate(jobs) if not n or job.prompt != jobs[n - 1].prompt]
    assert len(runs) == len({tuple(prompt) for prompt in runs})
    shuffled.shuffle(rows)
    assert jobs_of(rows, Temperature()) == jobs


@pytest.mark.parametrize("strategy", [Beam(), StochasticBeam(), Contrastive()])
def test_rows_of_one_prompt_and_seed_share_a_search(strategy):
    rows = [row_of(n, [1, 2], strategy, group=5, member=n) for n in range(3)]
    rows += [row_of(3, [1, 2], strategy, group=6, member=1), row_of(4, [1], strategy, group=5)]
    jobs = jobs_of(rows[::-1], strategy)
    found = [(job.prompt, job.seed, [r.row for r in job.requests], job.ranks) for job in jobs]
    assert found == [
        ([1, 2], 5, [0, 1, 2], (0, 1, 2)),
        ([1, 2], 6, [3], (1,)),
        ([1], 5, [4], (0,)),
    ]


def test_groups_of_one_prompt_are_told_apart_though_their_rows_alternate():
    rows = [row_of(n, [1, 2], Beam(), group=n % 2, member=n // 2) for n in range(6)]
    jobs = jobs_of(rows, Beam())
    assert [[request.row for request in job.requests] for job in jobs] == [[0, 2, 4], [1, 3, 5]]


def test_members_that_come_alone_keep_their_ranks():
    rows = [row_of(n, [1], Beam(), group=5, member=n) for n in (3, 1)]
    (job,) = jobs_of(rows, Beam())
    assert dict(zip((r.row for r in job.requests), job.ranks, strict=True)) == {1: 1, 3: 3}


@law
@given(prompts=prompts)
def test_jobs_are_grouped_by_how_many_share_a_prompt(prompts):
    jobs = [bare(prompt) for prompt in sorted(prompts)]
    grouped = list(by_copies(jobs))
    assert [copies for copies, _ in grouped] == sorted({prompts.count(p) for p in prompts})
    for copies, found in grouped:
        for first in range(0, len(found), copies):
            alike = [job.prompt for job in found[first : first + copies]]
            assert alike == [alike[0]] * copies
            assert prompts.count(alike[0]) == copies
    assert sorted(job.prompt for _, found in grouped for job in found) == sorted(prompts)


@law
@given(prompts=prompts, start=st.lists(st.integers(0, 2), max_size=3))
def test_the_common_prefix_is_the_longest_that_leaves_each_prompt_a_token(prompts, start):
    prompts = [start + prompt for prompt in prompts]
    prefix = common_prefix([bare(prompt) for prompt in prompts])
    size = len(prefix)

    def fits(size):
        return all(len(p) > size and p[:size] == prompts[0][:size] for p in prompts)

    assert prefix == prompts[0][:size]
    assert fits(size)
    assert not fits(size + 1)


def test_a_start_says_what_a_search_needs():
    strategy = Temperature(length=Length(target=9))
    row = row_of(4, [1, 2, 3], strategy, group=77, member=2)
    (job,) = jobs_of([row], strategy)
    start = start_of(job)
    assert (start.seed, start.shared_seed, start.member) == (4 * 31, 77, 2)
    assert (start.target_tokens, start.hidden_TD) == (9.0, None)


@pytest.mark.parametrize(
    ("unit", "expected"), [("tokens", 12.0), ("words", 12 * 8 / 3), ("chars", 12 * 8 / 14)]
)
def test_targets_in_words_and_characters_go_by_the_prompts_own_measure(unit, expected):
    strategy = Temperature(length=Length(target=12, unit=unit))
    row = row_of(0, range(8), strategy, text="three words it")
    assert target_tokens(row.request, row.prompt) == pytest.approx(expected)
    plain = row_of(0, range(8), Temperature(), text="three words it")
    assert target_tokens(plain.request, plain.prompt) is None
