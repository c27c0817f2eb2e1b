"""Stochastic beam search against the enumeration of every text of a toy model."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from schemas.strategies import StochasticBeam
from tasks.decoding.sampling import fold, gumbel_noise
from tasks.decoding.search import Start
from tasks.decoding.stochastic_beams import StochasticBeamSearch

law = settings(deadline=None, max_examples=25)
ROOT, END = 12345, 0
CPU = torch.device("cpu")
NO_END = torch.tensor([END])


class World:
    """A model whose logits are a hash of the text so far."""

    def __init__(self, size=5, scale=1.0):
        self.size, self.scale = size, scale

    def logits(self, nodes):
        return (gumbel_noise(nodes[:, None], torch.arange(self.size)) * self.scale).float()

    def child(self, nodes, tokens):
        return fold(nodes, tokens + 1000)


def drive(search, world, starts, *, roots=None, rng=None, form=None):
    """Run every prompt to its end; with `rng`, admit and order them at random."""
    waiting = list(range(len(starts)))
    roots = [ROOT] * len(starts) if roots is None else roots
    present, nodes, results = [], torch.empty(0, dtype=torch.long), {}
    lanes = torch.arange(search.lanes_per_prompt)
    while waiting or present:
        num_new = len(waiting) if rng is None else int(rng.integers(not present, 3))
        new, waiting = waiting[:num_new], waiting[num_new:]
        search.admit([starts[place] for place in new])
        present += new
        seeds = torch.tensor([roots[place] for place in new], dtype=torch.long)
        nodes = torch.cat([nodes, seeds.repeat_interleave(len(lanes))])
        logits = world.logits(nodes)
        step = search.step(logits, allowed_BV=None if form is None else form(nodes))
        parents = torch.arange(len(nodes)) if step.parents_B is None else step.parents_B
        assert torch.equal(parents // len(lanes), torch.arange(len(nodes)) // len(lanes))
        nodes = world.child(nodes[parents], step.tokens_B)
        assert list(step.done) == sorted(set(step.done))
        results |= {present[place]: search.results(place) for place in step.done}
        order = [place for place in range(len(present)) if place not in set(step.done)]
        order = order if rng is None else rng.permutation(order).astype(int).tolist()
        order_S = torch.tensor(order, dtype=torch.long)
        search.keep(order_S)
        present = [present[place] for place in order]
        nodes = nodes.view(-1, len(lanes))[order_S].flatten()
    return [results[place] for place in range(len(starts))]


def enumerate_texts(world, strategy, *, target=None):
    """Return the log-probability of every text, as searched and under the model itself."""
    length, texts = strategy.length, {}

    def visit(node, tokens, phi, logprob):
        logits = world.logits(torch.tensor([node]))[0].double()
        own = logits.log_softmax(-1)
        if target is not None:
            logits[END] += length.strength * (len(tokens) - target) / target
        if len(tokens) < length.min:
            logits[END] = -math.inf
        shaped = (logits / strategy.temperature).log_softmax(-1)
        for token in range(world.size):
            if shaped[token] == -math.inf:
                continue
            text = (*tokens, token)
            sums = phi + float(shaped[token]), logprob + float(own[token])
            if token == END or len(text) == length.max:
                texts[text] = sums
            else:
                child = world.child(torch.tensor([node]), torch.tensor([token]))
                visit(int(child), text, *sums)

    visit(ROOT, (), 0.0, 0.0)
    return texts


def search_for(num_beams, *, temperature=1.0, **length):
    strategy = StochasticBeam(num_beams=num_beams, temperature=temperature, length=length)
    return strategy, StochasticBeamSearch(strategy, end_ids_E=NO_END, device=CPU)


SETTINGS = [
    pytest.param({"min": 0, "max": 3}, None, id="plain"),
    pytest.param({"min": 1, "max": 3, "temperature": 0.6}, None, id="tempered"),
    pytest.param({"min": 0, "max": 3, "strength": 3.0, "temperature": 1.5}, 1.5, id="steered"),
]


@pytest.mark.parametrize(("options", "target"), SETTINGS)
def test_texts_are_drawn_without_replacement_and_weigh_right(options, target):
    num_prompts, num_beams = 6_000, 3
    world = World(size=4)
    strategy, search = search_for(num_beams, **options)
    exact = enumerate_texts(world, strategy, target=target)
    place = {text: number for number, text in enumerate(exact)}
    starts = [Start(seed, target_tokens=target) for seed in range(num_prompts)]
    results = drive(search, world, starts)
    drawn = np.array([[place[tuple(text.tokens)] for text in texts] for texts in results])
    assert drawn.shape == (num_prompts, num_beams)
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all(), "texts of a prompt are distinct"
    p = np.exp([phi for phi, _ in exact.values()])
    assert p.sum() == pytest.approx(1)
    # The first two in order: p_i * p_j / (1 - p_i).
    pairs = p[:, None] * p / (1 - p[:, None])
    np.fill_diagonal(pairs, 0)
    counts = np.zeros_like(pairs)
    np.add.at(counts, (drawn[:, 0], drawn[:, 1]), 1)
    check_counts(counts.ravel(), pairs.ravel() * num_prompts)
    # All three, in any order: inclusion probabilities by enumeration.
    rest = 1 - p[:, None] - p
    triples = pairs[:, :, None] * p / np.where(rest > 1e-12, rest, np.inf)[:, :, None]
    for i in range(len(p)):
        triples[i, :, i] = triples[:, i, i] = 0
    inclusion = sum(triples.sum(axis) for axis in ((0, 1), (0, 2), (1, 2)))
    error = np.sqrt(inclusion * (1 - inclusion) / num_prompts)
    included = np.bincount(drawn.ravel(), minlength=len(p)) / num_prompts
    likely = inclusion * num_prompts > 20
    assert likely.sum() > 5
    assert (np.abs(included - inclusion)[likely] < 3.5 * error[likely]).all()
    check_estimates(results, exact, strategy)


def check_counts(counts, expected):
    """Test counts by chi-square; cells of few are taken together."""
    likely = expected > 8
    counts = np.append(counts[likely], counts[~likely].sum())
    expected = np.append(expected[likely], expected[~likely].sum())
    kept = expected > 0
    assert counts[~kept].sum() == 0
    assert chisquare(counts[kept], expected[kept], sum_check=False).pvalue > 0.01


def check_estimates(results, exact, strategy):
    """Test that weighted sums estimate expectations, and what is said of each text."""
    functions = {
        "one": lambda tokens: 1.0,
        "length": len,
        "first": lambda tokens: float(tokens[0] == 2),
    }
    for name, function in functions.items():
        truth = sum(math.exp(phi) * function(text) for text, (phi, _) in exact.items())
        sums = np.array([sum(t.weight * function(t.tokens) for t in texts) for texts in results])
        assert abs(sums.mean() - truth) < 3 * sums.std() / math.sqrt(len(sums)), name
    for text in itertools.chain.from_iterable(results[:200]):
        phi, logprob = exact[tuple(text.tokens)]
        assert text.logprob == pytest.approx(logprob, abs=1e-5)
        assert text.ended == (text.tokens[-1] == END)
        assert text.weight >= math.exp(phi) * (1 - 1e-5)


def test_one_beam_is_ancestral_sampling():
    world = World(size=7)
    strategy, search = search_for(1, min=0, max=2)
    exact = enumerate_texts(world, strategy)
    num_prompts = 8_000
    results = drive(search, world, [Start(seed) for seed in range(num_prompts)])
    place = {text: number for number, text in enumerate(exact)}
    counts = np.bincount([place[tuple(texts[0].tokens)] for texts in results], minlength=len(exact))
    check_counts(counts, np.exp([phi for phi, _ in exact.values()]) * num_prompts)


@law
@given(seed=st.integers(0, 2**63 - 1), num_beams=st.integers(1, 7), size=st.integers(2, 70))
def test_k_beams_find_the_first_k_of_more_and_their_threshold(seed, num_beams, size):
    world = World(size=size, scale=2.0)
    _, search = search_for(num_beams, min=1, max=5)
    _, wider = search_for(num_beams + 1, min=1, max=5)
    (fewer,), (more,) = (drive(s, world, [Start(seed)]) for s in (search, wider))
    assert [text.tokens for text in fewer] == [text.tokens for text in more[:num_beams]]
    for narrow, wide in zip(fewer, more, strict=False):
        assert narrow.logprob == pytest.approx(wide.logprob)
        assert narrow.weight >= wide.weight * (1 - 1e-9), "a lower threshold includes more"


def test_the_threshold_is_the_next_text_of_a_wider_search():
    world = World(size=9, scale=2.0)
    starts = [Start(seed) for seed in range(200)]
    _, search = search_for(3, min=1, max=4)
    _, wider = search_for(4, min=1, max=4)
    for each in (search, wider):
        each.admit(starts)
    nodes = {each: torch.full((200 * each.lanes_per_prompt,), ROOT) for each in (search, wider)}
    for _ in range(4):
        for each in (search, wider):
            step = each.step(world.logits(nodes[each]))
            nodes[each] = world.child(nodes[each][step.parents_B], step.tokens_B)
    assert len(step.done) == 200
    torch.testing.assert_close(search._beams.kappa_S, wider._beams.perturbed_SK[:, 3])


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    num_beams=st.integers(1, 4),
    num_prompts=st.integers(1, 7),
    minimum=st.integers(0, 2),
)
def test_a_prompt_depends_on_nothing_but_itself(seed, num_beams, num_prompts, minimum):
    rng = np.random.default_rng(seed)
    world = World(size=6, scale=2.0)
    targets = [None, 2.0, 3.5]
    starts = [
        Start(int(rng.integers(2**62)), target_tokens=targets[rng.integers(3)])
        for _ in range(num_prompts)
    ]
    roots = rng.integers(1, 2**62, size=num_prompts).tolist()
    length = {"min": minimum, "max": 40}
    together = drive(search_for(num_beams, **length)[1], world, starts, roots=roots, rng=rng)
    for start, root, texts in zip(starts, roots, together, strict=True):
        assert drive(search_for(num_beams, **length)[1], world, [start], roots=[root]) == [texts]
        assert all(len(text.tokens) > minimum or not text.ended for text in texts)
        assert all(text.ended or len(text.tokens) == 40 for text in texts)


def test_a_form_with_few_texts_yields_them_all_with_their_probabilities():
    world = World(size=6)

    def form(nodes):
        """Allow 2 or 4 first, and nothing but the end behind them."""
        allowed = torch.zeros(len(nodes), world.size, dtype=torch.bool)
        allowed[:, END] = nodes != ROOT
        allowed[:, 2] = allowed[:, 4] = nodes == ROOT
        return allowed

    _, search = search_for(4, min=5, max=9)
    (texts,) = drive(search, world, [Start(3)], form=form)
    assert sorted(text.tokens for text in texts) == [[2, END], [4, END]]
    logits = world.logits(torch.tensor([ROOT]))[0, [2, 4]].double()
    weights = {text.tokens[0]: text.weight for text in texts}
    assert [weights[2], weights[4]] == pytest.approx(logits.softmax(-1).tolist(), rel=1e-5)


def test_a_sharp_model_still_yields_as_many_texts():
    world = World(size=50, scale=2000.0)
    _, search = search_for(4, min=1, max=6)
    results = drive(search, world, [Start(seed) for seed in range(50)])
    assert all(len({tuple(text.tokens) for text in texts}) == 4 for texts in results)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("when", [0, 1])
def test_a_prompt_of_scores_that_are_not_numbers_is_done_with_nothing(bad, when):
    world = World(size=6)
    _, search = search_for(2, min=3, max=8)
    search.admit([Start(1), Start(2)])
    nodes = torch.full((4,), ROOT)
    for number in range(8):
        logits = world.logits(nodes)
        if number == when:
            logits[0] = bad
        step = search.step(logits)
        nodes = world.child(nodes[step.parents_B], step.tokens_B)
        if number == when:
            assert list(step.done) == [0]
            assert search.results(0) == []
            search.keep(torch.tensor([1]))
            nodes = nodes[2:]
        elif step.done:
            break
    assert [search.results(0)] == drive(search_for(2, min=3, max=8)[1], world, [Start(2)])


def test_scores_behind_finished_texts_do_not_matter():
    world = World(size=4)

    class Spoilt(World):
        def logits(self, nodes):
            logits = world.logits(nodes)
            logits[(nodes[:, None] == ended).any(-1)] = math.nan
            return logits

    tokens = torch.tensor([END])
    ended = world.child(torch.tensor([ROOT]), tokens)
    ended = torch.cat([ended, world.child(ended, tokens)])
    starts = [Start(seed) for seed in range(30)]
    expected = drive(search_for(3, min=0, max=4)[1], world, starts)
    assert any(text.tokens == [END] for texts in expected for text in texts)
    assert drive(search_for(3, min=0, max=4)[1], Spoilt(4), starts) == expected
