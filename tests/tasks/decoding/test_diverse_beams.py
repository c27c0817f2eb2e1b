import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.strategies import Beam, DiverseBeam, Length
from tasks.decoding.beams import BeamSearch
from tasks.decoding.diverse_beams import DiverseBeamSearch
from tasks.decoding.search import Start

PROMPTS = [[3], [1, 2, 4], [8, 8]]
ENDS = torch.tensor([0])
lengths = st.builds(
    Length,
    min=st.integers(0, 3),
    max=st.integers(3, 6),
    strength=st.sampled_from([0, 0.5, 4]),
)
PENALTIES = st.sampled_from([0, 0.3, 1, 5, 1000])
length_penalties = st.sampled_from([0, 0.6, 1, 2, -1])


@st.composite
def strategies(draw, diversity_penalties=PENALTIES):
    num_groups = draw(st.integers(1, 4))
    return DiverseBeam(
        num_beams=num_groups * draw(st.integers(1, 3)),
        num_beam_groups=num_groups,
        diversity_penalty=draw(diversity_penalties),
        length_penalty=draw(length_penalties),
        length=draw(lengths),
    )


def texts(hypotheses):
    return [hypothesis.tokens for hypothesis in hypotheses]


@settings(deadline=None, max_examples=60)
@given(
    strategy=strategies(),
    seed=st.integers(0, 10**6),
    num_tokens=st.integers(2, 9),
    ends=st.sampled_from([(), (0,), (1, 0)]),
    target=st.sampled_from([None, 2.5, 6]),
    masked=st.booleans(),
    admitted=st.lists(st.integers(0, 4), min_size=3, max_size=3),
)
def test_every_prompt_of_a_batch_is_searched_as_defined(
    drive, define_beams, toy_model, strategy, seed, num_tokens, ends, target, masked, admitted
):
    model = toy_model(seed, num_tokens)
    shadow = toy_model(seed + 1, num_tokens)

    def allowed(lane):
        return shadow([lane])[0] > -1.5

    masks = allowed if masked else None
    found = drive(
        DiverseBeamSearch(strategy, end_ids_E=torch.tensor(ends, dtype=torch.long)),
        model,
        PROMPTS,
        starts=[Start(seed=0, target_tokens=target)] * 3,
        admitted=admitted,
        reverse=seed % 2 == 0,
        linger=seed % 3,
        allowed=masks,
    )
    for prompt, hypotheses in zip(PROMPTS, found, strict=True):
        groups = define_beams(model, prompt, strategy, ends=ends, target=target, allowed=masks)
        ranked = [(rank, -one[0], *one[1:]) for group in groups for rank, one in enumerate(group)]
        ranked.sort(key=lambda entry: entry[:2])
        assert texts(hypotheses) == [list(tokens) for *_, tokens in ranked]
        for one, (*_, logprob, tokens) in zip(hypotheses, ranked, strict=True):
            assert one.logprob == pytest.approx(logprob, abs=1e-4)
            assert one.ended == (tokens[-1] in ends)


@settings(deadline=None, max_examples=20)
@given(
    num_beams=st.integers(1, 5),
    length_penalty=length_penalties,
    length=lengths,
    seed=st.integers(0, 10**6),
)
def test_one_group_is_beam_search(drive, toy_model, num_beams, length_penalty, length, seed):
    model = toy_model(seed, 11)
    shared = {"num_beams": num_beams, "length_penalty": length_penalty, "length": length}
    diverse = DiverseBeam(num_beam_groups=1, diversity_penalty=9, **shared)
    found = drive(DiverseBeamSearch(diverse, end_ids_E=ENDS), model, PROMPTS)
    assert found == drive(BeamSearch(Beam(**shared), end_ids_E=ENDS), model, PROMPTS)


@settings(deadline=None, max_examples=20)
@given(strategy=strategies(diversity_penalties=st.just(0)), seed=st.integers(0, 10**6))
def test_without_penalty_all_groups_are_the_same_beam_search(drive, toy_model, strategy, seed):
    model = toy_model(seed, 11)
    num_groups = strategy.num_beam_groups
    beam = Beam(
        num_beams=strategy.num_beams // num_groups,
        length_penalty=strategy.length_penalty,
        length=strategy.length,
    )
    found = drive(DiverseBeamSearch(strategy, end_ids_E=ENDS), model, PROMPTS)
    alone = drive(BeamSearch(beam, end_ids_E=ENDS), model, PROMPTS)
    assert found == [[one for one in texts for _ in range(num_groups)] for texts in alone]


@settings(deadline=None, max_examples=20)
@given(strategy=strategies(), seed=st.integers(0, 10**6))
def test_the_first_group_never_depends_on_the_penalty(drive, toy_model, strategy, seed):
    model = toy_model(seed, 11)
    beam = Beam(
        num_beams=strategy.num_beams // strategy.num_beam_groups,
        length_penalty=strategy.length_penalty,
        length=strategy.length,
    )
    found = drive(DiverseBeamSearch(strategy, end_ids_E=ENDS), model, PROMPTS)
    first = drive(BeamSearch(beam, end_ids_E=ENDS), model, PROMPTS)
    for all_groups, one_group in zip(found, first, strict=True):
        assert all(one in all_groups for one in one_group)


def test_a_great_penalty_makes_groups_differ_in_every_token_but_ends(drive, toy_model):
    strategy = DiverseBeam(
        num_beams=4, num_beam_groups=4, diversity_penalty=1000, length=Length(min=6, max=6)
    )
    found = drive(DiverseBeamSearch(strategy, end_ids_E=ENDS), toy_model(1, 30), PROMPTS)
    for hypotheses in found:
        assert all(len(set(tokens)) == 4 for tokens in zip(*texts(hypotheses), strict=True))


def test_the_best_of_each_group_come_first(drive, define_beams, toy_model):
    model = toy_model(6, 15)
    strategy = DiverseBeam(
        num_beams=6, num_beam_groups=3, diversity_penalty=2, length=Length(min=1, max=6)
    )
    ((*leaders, _, _, _),) = drive(DiverseBeamSearch(strategy, end_ids_E=ENDS), model, [[1]])
    groups = define_beams(model, [1], strategy, ends=(0,))
    assert sorted(texts(leaders)) == sorted(list(group[0][2]) for group in groups)


def test_logits_that_are_not_numbers_end_all_groups_of_their_own_prompt_alone(drive, toy_model):
    model = toy_model(2, 9)

    def broken(lanes):
        logits = model(lanes)
        for lane, row in zip(lanes, logits, strict=True):
            if lane[0] == 5 and len(lane) == 3:
                row[0] = math.nan
        return logits

    strategy = DiverseBeam(num_beams=4, num_beam_groups=2, length=Length(min=1, max=7))
    search = DiverseBeamSearch(strategy, end_ids_E=ENDS)
    found = drive(search, broken, [[1], [5], [2]])
    alone = drive(search, model, [[1], [2]])
    assert found == [alone[0], [], alone[1]]
