"""Token search: every text is that of its prompt alone, decoded one token at a time."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from schemas.strategies import (
    TOKEN_STRATEGIES,
    Arithmetic,
    Greedy,
    Length,
    MinP,
    Nucleus,
    Temperature,
    TopK,
    Typical,
)
from tasks.decoding.search import Hypothesis, Start
from tasks.decoding.strategies import choose_tokens, truncate
from tasks.decoding.token_search import TokenSearch

CPU = torch.device("cpu")
law = settings(deadline=None, max_examples=40)
STEPWISE = [Greedy, Temperature, TopK, Nucleus, MinP, Typical]


def opened(strategy, *, ends=(0,)):
    return TokenSearch(strategy, end_ids_E=torch.tensor(ends, dtype=torch.long), device=CPU)


def drive(search, model, prompts, *, starts, admitted=None, order_of=None, allowed=None):
    """Run a search whose prompts come when `admitted` says and change places in every step."""
    admitted = admitted or [0] * len(prompts)
    present, texts, found = [], {}, {}
    clock = 0
    while present or clock <= max(admitted):
        new = [i for i in range(len(prompts)) if admitted[i] == clock]
        if new:
            search.admit([starts[i] for i in new])
        present += new
        texts |= {i: list(prompts[i]) for i in new}
        clock += 1
        if not present:
            continue
        lanes = [texts[i] for i in present]
        masks = None if allowed is None else torch.stack([allowed(lane) for lane in lanes])
        step = search.step(model(lanes), allowed_BV=masks)
        assert step.parents_B is None
        assert list(step.done) == sorted(set(step.done))
        for i, token in zip(present, step.tokens_B.tolist(), strict=True):
            texts[i].append(token)
        found |= {present[place]: search.results(place) for place in step.done}
        places = [place for place in range(len(present)) if place not in set(step.done)]
        places = places if order_of is None else order_of(places)
        search.keep(torch.tensor(places, dtype=torch.long))
        present = [present[place] for place in places]
    return [found[i] for i in range(len(prompts))]


def decode_alone(model, prompt, start, strategy, *, ends=(0,)):
    """One text as defined: one row, one token at a time, everything looked up anew."""
    length, tokens, logprob = strategy.length, [], 0.0
    while len(tokens) < length.max:
        row = model([[*prompt, *tokens]])[0]
        shaped = row.clone()
        for end in ends:
            if start.target_tokens:
                excess = (len(tokens) - start.target_tokens) / start.target_tokens
                shaped[end] += length.strength * excess
            if len(tokens) < length.min:
                shaped[end] = -math.inf
        token = choose_tokens(
            shaped[None],
            strategy=strategy,
            keys_B=torch.tensor([start.seed]),
            steps_B=torch.tensor([len(tokens)]),
        )
        tokens.append(int(token))
        logprob += float(row.double().log_softmax(-1)[tokens[-1]])
        if tokens[-1] in ends:
            break
    return tokens, logprob, tokens[-1] in ends


@law
@given(
    data=st.data(),
    seed=st.integers(0, 999),
    kind=st.sampled_from(STEPWISE),
    ends=st.sampled_from([(), (0,), (1, 4)]),
    length=st.sampled_from([(0, 1), (0, 9), (2, 2), (3, 9)]),
    targeted=st.booleans(),
)
def test_texts_are_those_of_each_prompt_alone(toy_model, data, seed, kind, ends, length, targeted):
    count = data.draw(st.integers(1, 5))
    model = toy_model(seed, 6)
    strategy = kind(length=Length(min=length[0], max=length[1]))
    prompts = [[number % 6, 3] for number in range(count)]
    targets = [float(number) if targeted and number % 2 else None for number in range(count)]
    starts = [Start(seed=seed * 31 + n, target_tokens=target) for n, target in enumerate(targets)]
    texts = drive(
        opened(strategy, ends=ends),
        model,
        prompts,
        starts=starts,
        admitted=data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count)),
        order_of=lambda places: data.draw(st.permutations(places)),
    )
    for prompt, start, found in zip(prompts, starts, texts, strict=True):
        tokens, logprob, ended = decode_alone(model, prompt, start, strategy, ends=ends)
        assert [(text.tokens, text.ended, text.weight) for text in found] == [(tokens, ended, None)]
        assert found[0].logprob == pytest.approx(logprob, abs=1e-4)
        assert length[0] <= len(tokens) - ended
        assert len(tokens) <= length[1]
        assert ended or len(tokens) == length[1]


@law
@given(data=st.data(), seed=st.integers(0, 999), kind=st.sampled_from(TOKEN_STRATEGIES))
def test_a_prompt_depends_on_nothing_but_itself(toy_model, data, seed, kind):
    model = toy_model(seed, 6)
    # Codes of many rows are fine ones, and decide many tokens.
    several = {"num_return_sequences": 64} if kind is Arithmetic else {}
    strategy = kind(**several, length=Length(min=1, max=8))
    prompts = [[number, 2] for number in range(5)]
    starts = [Start(seed=n * 7 + seed, shared_seed=seed, member=n) for n in range(5)]
    together = drive(
        opened(strategy),
        model,
        prompts,
        starts=starts,
        admitted=data.draw(st.lists(st.integers(0, 4), min_size=5, max_size=5)),
        order_of=lambda places: data.draw(st.permutations(places)),
    )
    for prompt, start, found in zip(prompts, starts, together, strict=True):
        (alone,) = drive(opened(strategy), model, [prompt], starts=[start])
        assert bare(found) == bare(alone)


def bare(texts: list[Hypothesis]):
    return [(text.tokens, text.ended, round(text.logprob, 4)) for text in texts]


def markov(size, *, seed=0, end_logit=None):
    """A model that sees the last token alone."""
    table = torch.from_numpy(np.random.default_rng(seed).normal(size=(size, size)) * 1.5).float()
    if end_logit is not None:
        table[:, 0] = end_logit
    return table, lambda lanes: table[[lane[-1] for lane in lanes]]


def sampled_texts(strategy, *, count, size=5, ends=(0,), target=None):
    table, model = markov(size)
    starts = [Start(seed=n, shared_seed=10**6 + n, target_tokens=target) for n in range(count)]
    texts = drive(opened(strategy, ends=ends), model, [[1]] * count, starts=starts)
    return table, [tuple(found[0].tokens) for found in texts]


def enumerate_texts(table, strategy, *, depth):
    """The probability of every text, by its definition."""
    open_, whole = {(): 1.0}, {}
    for step in range(depth):
        grown = {}
        for tokens, mass in open_.items():
            logits = table[tokens[-1] if tokens else 1].double()[None] / strategy.temperature
            if not isinstance(strategy, Arithmetic):
                logits = truncate(logits, strategy=strategy)
            for token, share in enumerate(logits[0].softmax(-1).tolist()):
                target = whole if token == 0 or step + 1 == depth else grown
                target[*tokens, token] = mass * share
        open_ = grown
    return whole


@pytest.mark.parametrize(
    "strategy",
    [
        Temperature(),
        Temperature(temperature=1.6),
        TopK(top_k=3),
        Nucleus(top_p=0.8, temperature=1.2),
        MinP(min_p=0.2),
        Typical(typical_p=0.8),
        Arithmetic(),
        Arithmetic(temperature=0.7),
    ],
    ids=lambda strategy: f"{strategy.kind}-{strategy.temperature}",
)
def test_whole_texts_follow_the_models_distribution(strategy):
    strategy = strategy.model_copy(update={"length": Length(min=0, max=3)})
    count = 5_000
    table, texts = sampled_texts(strategy, count=count)
    masses = enumerate_texts(table, strategy, depth=3)
    assert sum(masses.values()) == pytest.approx(1)
    possible = [text for text in masses if masses[text] > 0]
    assert set(texts) <= set(possible)
    expected = np.array([masses[text] * count for text in possible])
    found = Counter(texts)
    counts = np.array([found[text] for text in possible], dtype=float)
    rare = expected < 8
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    counts, expected = counts[expected > 0], expected[expected > 0]
    assert chisquare(counts, expected, sum_check=False).pvalue > 0.01


@pytest.mark.parametrize("kind", [Temperature, Nucleus, Arithmetic])
def test_the_mean_length_rises_with_the_target(kind):
    strategy = kind(length=Length(min=0, max=60, target=1))
    _, model = markov(8, seed=2, end_logit=0.0)
    means = []
    for target in (2, 5, 10, 20, 40):
        starts = [Start(seed=n, shared_seed=n, target_tokens=float(target)) for n in range(300)]
        texts = drive(opened(strategy), model, [[1]] * 300, starts=starts)
        means.append(np.mean([len(found[0].tokens) for found in texts]))
    assert all(later > 1.2 * earlier for earlier, later in itertools.pairwise(means))


def test_a_strength_of_zero_and_no_target_are_the_same():
    def texts(target, strength):
        strategy = Temperature(length=Length(max=12, target=1, strength=strength))
        return sampled_texts(strategy, count=200, target=target)[1]

    assert texts(6.0, 0.0) == texts(None, 4.0)
    assert texts(6.0, 4.0) != texts(None, 4.0)


def test_steering_leaves_the_ratios_of_other_tokens_alone():
    strategy = Temperature(length=Length(min=0, max=1, target=1))
    table, texts = sampled_texts(strategy, count=5_000, target=1.0)
    counts = np.bincount([text[0] for text in texts], minlength=5)
    weights = table[1].double().softmax(-1).numpy()
    # At step 0 of a target of 1 the end is lowered by the whole strength.
    steered = weights * np.exp([-strategy.length.strength, 0, 0, 0, 0])
    assert chisquare(counts, 5_000 * steered / steered.sum()).pvalue > 0.01
    others = weights[1:] / weights[1:].sum() * counts[1:].sum()
    assert chisquare(counts[1:], others).pvalue > 0.01


@pytest.mark.parametrize("kind", TOKEN_STRATEGIES)
def test_masks_are_heeded_and_the_logprob_stays_the_models_own(toy_model, kind):
    model = toy_model(5, 6)
    strategy = kind(length=Length(min=0, max=6))

    def allowed(lane):
        return torch.tensor([(token + len(lane)) % 2 == 0 for token in range(6)])

    starts = [Start(seed=n, member=n) for n in range(4)]
    texts = drive(opened(strategy), model, [[1]] * 4, starts=starts, allowed=allowed)
    for (text,) in texts:
        prefix, total = [1], 0.0
        for token in text.tokens:
            assert allowed(prefix)[token]
            total += float(model([prefix])[0].double().log_softmax(-1)[token])
            prefix.append(token)
        assert text.logprob == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("kind", TOKEN_STRATEGIES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("when", [1, 3])
def test_a_prompt_whose_scores_are_not_numbers_has_no_text(toy_model, kind, bad, when):
    sound = toy_model(3, 6)
    strategy = kind(length=Length(min=5, max=7))
    prompts = [[number, 2] for number in range(4)]
    starts = [Start(seed=n, member=n) for n in range(4)]

    def spoilt(lanes):
        logits = sound(lanes).clone()
        for place, lane in enumerate(lanes):
            if lane[0] == 2 and len(lane) > when:
                logits[place] = bad
        return logits

    expected = drive(opened(strategy), sound, prompts, starts=starts)
    texts = drive(opened(strategy), spoilt, prompts, starts=starts)
    assert texts[2] == []
    assert [bare(texts[i]) for i in (0, 1, 3)] == [bare(expected[i]) for i in (0, 1, 3)]


def arithmetic_texts(model, *, members, depth, shared_seed, ends=()):
    strategy = Arithmetic(num_return_sequences=members, length=Length(min=0, max=depth))
    starts = [
        Start(seed=shared_seed * 1000 + n, shared_seed=shared_seed, member=n)
        for n in range(members)
    ]
    texts = drive(opened(strategy, ends=ends), model, [[1]] * members, starts=starts)
    return [tuple(found[0].tokens) for found in texts]


@pytest.mark.parametrize("seed", range(8))
def test_rows_of_one_prompt_spread_evenly_over_texts_of_one_probability(seed):
    flat = lambda lanes: torch.zeros(len(lanes), 4)  # noqa: E731
    texts = arithmetic_texts(flat, members=16, depth=2, shared_seed=seed)
    assert sorted(texts) == list(itertools.product(range(4), repeat=2))


def test_rows_of_one_prompt_repeat_each_other_less_than_chance():
    _, model = markov(6, seed=4)
    codes, free = 0, 0
    strategy = Temperature(length=Length(min=0, max=3))
    for seed in range(40):
        codes += len(set(arithmetic_texts(model, members=12, depth=3, shared_seed=seed)))
        starts = [Start(seed=seed * 1000 + n) for n in range(12)]
        drawn = drive(opened(strategy, ends=()), model, [[1]] * 12, starts=starts)
        free += len({tuple(found[0].tokens) for found in drawn})
    assert codes > 1.05 * free


def test_a_member_drawn_alone_is_the_member_of_its_group():
    _, model = markov(6, seed=4)
    group = arithmetic_texts(model, members=5, depth=6, shared_seed=9)
    strategy = Arithmetic(num_return_sequences=5, length=Length(min=0, max=6))
    for member in range(5):
        start = Start(seed=9000 + member, shared_seed=9, member=member)
        ((alone,),) = drive(opened(strategy, ends=()), model, [[1]], starts=[start])
        assert tuple(alone.tokens) == group[member]
