"""The engine on toy lanes: who enters when, what is read, and that none of it changes a row."""

import functools
import random
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from schemas.strategies import (
    STRATEGY_CLASSES,
    Arithmetic,
    Beam,
    Contrastive,
    DiverseBeam,
    Greedy,
    Length,
    NoisyChannel,
    StochasticBeam,
    Temperature,
)
from tasks.generation.engine import Engine
from tasks.generation.jobs import Row, jobs_of
from tasks.generation.lanes import Reading
from tasks.generation.protocol import Request
from tasks.generation.tokenisation import PromptCodec

V, D, CPU = 259, 4, torch.device("cpu")
WRITTEN = range(3 + 32, 3 + 40)
"""Ids of a few letters: the toy model writes these and the end, id 0."""
law = settings(deadline=None, max_examples=8)
DECODING = [kind for kind in STRATEGY_CLASSES if kind is not NoisyChannel]


@functools.cache
def toy_logits(tokens):
    generator = torch.Generator().manual_seed(hash((tokens[-3:], len(tokens) // 4)) % 2**61)
    logits = torch.full((V,), -20.0)
    logits[list(WRITTEN)] = torch.randn(len(WRITTEN), generator=generator) * 2
    logits[0] = torch.randn((), generator=generator) * 2
    return logits, torch.randn(D, generator=generator)


class ToyLanes:
    """Lanes that remember their tokens; whatever is asked of them is written down."""

    def __init__(self, *, refills=True, ragged=True):
        self.refills, self.ragged = refills, ragged
        self.lanes, self.families = [], []
        self.read, self.admitted, self.sizes, self.num_steps = [], [], [], 0

    def reading(self, lanes, *, hidden):
        said = [toy_logits(tuple(lane)) for lane in lanes]
        states = torch.stack([state for _, state in said]) if hidden else None
        return Reading(torch.stack([logits for logits, _ in said]), states)

    def admit(self, prompts, *, copies, hidden=False):
        assert self.refills or not self.lanes
        assert self.ragged or len({len(prompt) for prompt in prompts}) == 1
        new = [list(prompt) for prompt in prompts for _ in range(copies)]
        self.families += [len(self.read) + n // copies for n in range(len(new))]
        self.read += [tuple(prompt) for prompt in prompts]
        self.admitted.append((len(self.lanes), len(prompts), copies))
        self.lanes += new
        self.sizes.append(len(self.lanes))
        found = self.reading(new, hidden=hidden)
        states = [
            torch.stack([toy_logits(tuple(prompt[: n + 1]))[1] for n in range(len(prompt))])
            for prompt in prompts
        ]
        return Reading(found.logits_BV, found.hidden_BD, states if hidden else ())

    def step(self, tokens_B, *, hidden=False):
        assert len(tokens_B) == len(self.lanes)
        self.num_steps += 1
        self.lanes = [[*lane, t] for lane, t in zip(self.lanes, tokens_B.tolist(), strict=True)]
        return self.reading(self.lanes, hidden=hidden)

    def reorder(self, parents_B):
        parents = parents_B.tolist()
        assert [self.families[parent] for parent in parents] == self.families
        self.lanes = [self.lanes[parent] for parent in parents]

    def keep(self, order_B):
        self.lanes = [self.lanes[place] for place in order_B.tolist()]
        self.families = [self.families[place] for place in order_B.tolist()]


@pytest.fixture(scope="module")
def engine(llama):
    codec = PromptCodec(AutoTokenizer.from_pretrained(llama))
    return Engine(codec, end_ids=[0], vocabulary_size=V, device=CPU, num_digits=None)


def strategy_of(kind, **more):
    fields = {"num_return_sequences": 3} if "num_return_sequences" in kind.model_fields else {}
    return kind(**fields, length=Length(min=1, max=9), **more)


def rows_of(strategy, *, num_prompts, seed=0):
    """A group of rows from each prompt, in any length."""
    rng = random.Random(seed)
    rows = []
    for group in range(num_prompts):
        prompt = [rng.choice(WRITTEN) for _ in range(rng.randint(1, 6))]
        for member in range(strategy.rows_per_prompt):
            number = len(rows)
            request = Request(
                number, 0, number * 7919, "any", "", strategy, group * 31 + seed, member
            )
            rows.append(Row(request, prompt))
    return rows


def run(engine, rows, *, max_lanes=6, lanes=None):
    lanes = lanes or ToyLanes()
    strategy = rows[0].request.strategy
    found = engine.run(jobs_of(rows, strategy), strategy=strategy, lanes=lanes, max_lanes=max_lanes)
    completions = {completion.request.row: completion for completion in found}
    assert sorted(completions) == sorted(row.request.row for row in rows)
    assert not lanes.lanes
    return completions


@pytest.mark.parametrize("kind", DECODING)
@law
@given(
    seed=st.integers(0, 3),
    max_lanes=st.integers(1, 40),
    refills=st.booleans(),
    ragged=st.booleans(),
    chance=st.integers(0, 10**6),
)
def test_rows_are_the_same_in_any_company(engine, kind, seed, max_lanes, refills, ragged, chance):
    rows = rows_of(strategy_of(kind), num_prompts=5, seed=seed)
    expected = run(engine, rows, max_lanes=1)
    rng = random.Random(chance)
    some = rng.sample(rows, k=rng.randint(1, len(rows)))
    lanes = ToyLanes(refills=refills, ragged=ragged)
    found = run(engine, some, max_lanes=max_lanes, lanes=lanes)
    for row, completion in found.items():
        alone = expected[row]
        assert (completion.text, completion.num_tokens) == (alone.text, alone.num_tokens)
        assert (completion.finish_reason, completion.error) == (alone.finish_reason, None)
        assert completion.logprob == pytest.approx(alone.logprob, abs=1e-6)
        assert (completion.weight or 0) == pytest.approx(alone.weight or 0, rel=1e-6)


@pytest.mark.parametrize("refills", [True, False])
@pytest.mark.parametrize("kind", DECODING)
def test_the_logprob_is_what_the_model_says_of_the_text(engine, llama, kind, refills):
    codec = PromptCodec(AutoTokenizer.from_pretrained(llama))
    rows = rows_of(strategy_of(kind), num_prompts=6)
    found = run(engine, rows, max_lanes=12, lanes=ToyLanes(refills=refills))
    for row in rows:
        completion = found[row.request.row]
        (tokens,) = codec.encode([completion.text])
        tokens += [0] * (completion.finish_reason == "eos")
        assert len(tokens) == completion.num_tokens
        logprobs = [
            float(toy_logits((*row.prompt, *tokens[:place]))[0].double().log_softmax(-1)[token])
            for place, token in enumerate(tokens)
        ]
        assert completion.logprob == pytest.approx(sum(logprobs) / len(tokens), abs=1e-5)


@pytest.mark.parametrize("kind", DECODING)
def test_lanes_never_exceed_what_is_allowed_and_are_all_used(engine, kind):
    strategy = strategy_of(kind)
    width = engine.width(strategy)
    lanes = ToyLanes()
    run(engine, rows_of(strategy, num_prompts=40), max_lanes=5 * width + width - 1, lanes=lanes)
    assert max(lanes.sizes) == 5 * width
    assert any(before for before, _, _ in lanes.admitted)


@pytest.mark.parametrize("kind", [Temperature, Arithmetic])
def test_rows_of_one_prompt_read_it_once(engine, kind):
    lanes = ToyLanes()
    rows = rows_of(strategy_of(kind), num_prompts=9)
    found = run(engine, rows, max_lanes=27, lanes=lanes)
    assert Counter(lanes.read) == Counter({tuple(row.prompt) for row in rows})
    assert {copies for _, _, copies in lanes.admitted} <= {3, 6}
    assert len({found[row].text for row in range(3)}) > 1


@pytest.mark.parametrize("kind", [Beam, DiverseBeam, StochasticBeam])
def test_members_of_a_group_get_different_texts_of_one_search(engine, kind):
    lanes = ToyLanes()
    strategy = strategy_of(kind, **({"num_beam_groups": 4} if kind is DiverseBeam else {}))
    rows = rows_of(strategy, num_prompts=6)
    found = run(engine, rows, max_lanes=24, lanes=lanes)
    assert len(lanes.read) == 6
    per_prompt = strategy.rows_per_prompt
    for first in range(0, len(rows), per_prompt):
        texts = [(found[row].text, found[row].num_tokens) for row in range(first, first + 3)]
        if kind is not DiverseBeam:
            assert len(set(texts)) == 3
    assert all((c.weight is None) == (kind is not StochasticBeam) for c in found.values())


def test_beams_are_ranked_by_their_score(engine):
    found = run(engine, rows_of(strategy_of(Beam, length_penalty=1.0), num_prompts=8))
    for first in range(0, 24, 3):
        logprobs = [found[row].logprob for row in range(first, first + 3)]
        assert logprobs == sorted(logprobs, reverse=True)


def test_a_member_beyond_what_the_search_finds_fails_alone(engine):
    strategy = Beam(num_beams=2, num_return_sequences=2, length=Length(min=1, max=4))
    rows = rows_of(strategy, num_prompts=1)
    lost = Request(9, 0, 1, "any", "", strategy, rows[0].request.group_seed, 5)
    found = run(engine, [*rows, Row(lost, rows[0].prompt)])
    assert found[0].error is found[1].error is None
    assert found[9].error == "the search found only 2 texts"


@pytest.mark.parametrize("refills", [True, False])
def test_a_finished_job_makes_room_at_once_where_lanes_refill(engine, refills):
    lanes = ToyLanes(refills=refills)
    rows = rows_of(Temperature(length=Length(min=0, max=60)), num_prompts=60)
    found = run(engine, rows, max_lanes=8, lanes=lanes)
    tokens = sum(completion.num_tokens for completion in found.values())
    # The last token of a text is not read.
    assert lanes.num_steps >= (tokens - 60) / 8
    if refills:
        assert lanes.num_steps < 1.35 * tokens / 8
    else:
        assert all(before == 0 for before, _, _ in lanes.admitted)
        assert lanes.num_steps > 1.35 * tokens / 8


def test_prompts_of_one_length_are_read_together_where_padding_is_not_borne(engine):
    lanes = ToyLanes(ragged=False, refills=False)
    rows = rows_of(Greedy(length=Length(max=3)), num_prompts=30)
    run(engine, rows, max_lanes=64, lanes=lanes)
    assert len(lanes.admitted) == len({len(row.prompt) for row in rows})


@pytest.mark.parametrize("stops", [("A",), ("BC", "D"), ("H", "GG"), ("EF", "AA")])
@pytest.mark.parametrize("strategy", [Temperature(), Beam(), Contrastive()])
def test_a_stopped_text_is_the_whole_one_cut(engine, strategy, stops):
    strategy = strategy.model_copy(update={"length": Length(min=1, max=30)})
    rows = rows_of(strategy, num_prompts=12)
    whole = run(engine, rows)
    stopping = strategy.model_copy(update={"stop": stops})
    cut = run(engine, rows_of(stopping, num_prompts=12))
    places = {row: [p for s in stops if (p := c.text.find(s)) >= 0] for row, c in whole.items()}
    assert any(places.values())
    for row, completion in cut.items():
        text = whole[row].text
        assert completion.text == text[: min(places[row], default=len(text))]
        reason = "stop" if places[row] else whole[row].finish_reason
        assert completion.finish_reason == reason
        if places[row] and isinstance(strategy, Temperature):
            # One token is one letter: the stop string's last letter is the last token.
            ends = min(text.find(s) + len(s) for s in stops if s in text)
            assert completion.num_tokens == ends


def test_logprobs_keep_the_digits_that_no_batch_changes(llama):
    codec = PromptCodec(AutoTokenizer.from_pretrained(llama))
    options = {"end_ids": [0], "vocabulary_size": V, "device": CPU}
    rows = rows_of(strategy_of(StochasticBeam), num_prompts=5)
    exact = run(Engine(codec, **options, num_digits=None), rows)
    short = run(Engine(codec, **options, num_digits=2), rows)
    for row, completion in short.items():
        assert completion.logprob == round(exact[row].logprob, 2)
        assert completion.weight == pytest.approx(exact[row].weight, rel=0.00502)
        assert exact[row].weight != completion.weight


def test_no_jobs_need_no_lanes(engine):
    lanes = ToyLanes()
    assert list(engine.run([], strategy=Greedy(), lanes=lanes, max_lanes=4)) == []
    assert not lanes.read
