"""Contrastive search against its definition, by brute force on toy models."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.strategies import Contrastive
from tasks.decoding.contrastive import ContrastiveSearch
from tasks.decoding.sampling import fold, gumbel_noise, uniforms
from tasks.decoding.search import Start

law = settings(deadline=None, max_examples=40)
END, SIZE, HIDDEN = 0, 6, 3
CPU = torch.device("cpu")


def logits_of(nodes):
    return (gumbel_noise(nodes[:, None], torch.arange(SIZE)) * 1.5).float()


def hidden_of(nodes):
    return (uniforms(fold(nodes, torch.tensor(-9))[:, None], torch.arange(HIDDEN)) - 0.4).float()


def child(nodes, tokens):
    return fold(nodes, tokens + 1000)


def prompt(root, num_tokens, target=None):
    """Return a prompt of so many tokens, the last of which is `root`."""
    before = root + torch.arange(num_tokens - 1, -1, -1)
    return Start(0, target_tokens=target, hidden_TD=hidden_of(before))


def form_of(nodes):
    """Allow token 2 and about half of the others."""
    allowed = uniforms(fold(nodes, torch.tensor(-7))[:, None], torch.arange(SIZE)) < 0.5
    return allowed | (torch.arange(SIZE) == 2)


def reference(start, root, strategy, *, form=None):
    """Choose token by token as the paper defines it."""
    length, alpha = strategy.length, strategy.penalty_alpha
    node, context = torch.tensor([root]), start.hidden_TD.double().tolist()
    tokens, logprob = [], 0.0
    while True:
        logits = logits_of(node)[0].double()
        own = logits.log_softmax(-1)
        if start.target_tokens is not None:
            target = start.target_tokens
            logits[END] += length.strength * (len(tokens) - target) / target
        if form is not None:
            logits[~form(node)[0]] = -math.inf
        if len(tokens) < length.min:
            logits[END] = -math.inf
        p = logits.softmax(-1)
        best, best_value, best_hidden = None, -math.inf, None
        for token in p.argsort(descending=True)[: strategy.top_k].tolist():
            if p[token] == 0:
                continue
            hidden = hidden_of(child(node, torch.tensor([token])))[0].double().numpy()
            cosines = [
                hidden @ np.array(h) / np.linalg.norm(hidden) / np.linalg.norm(h) for h in context
            ]
            value = (1 - alpha) * float(p[token]) - alpha * max(cosines)
            if value > best_value:
                best, best_value, best_hidden = token, value, hidden.tolist()
        tokens.append(best)
        logprob += float(own[best])
        context.append(best_hidden)
        node = child(node, torch.tensor([best]))
        if best == END or len(tokens) == length.max:
            return tokens, logprob, best == END


def drive(strategy, starts, roots, *, rng=None, form=None):
    """Run every prompt to its end; with `rng`, admit and order them at random."""
    search = ContrastiveSearch(strategy, end_ids_E=torch.tensor([END]), device=CPU)
    num_lanes, waiting = search.lanes_per_prompt, list(range(len(starts)))
    present, nodes, results = [], torch.empty(0, dtype=torch.long), {}
    while waiting or present:
        num_new = len(waiting) if rng is None else int(rng.integers(not present, 3))
        new, waiting = waiting[:num_new], waiting[num_new:]
        search.admit([starts[place] for place in new])
        present += new
        seeds = torch.tensor([roots[place] for place in new], dtype=torch.long)
        nodes = torch.cat([nodes, seeds.repeat_interleave(num_lanes)])
        allowed = None if form is None else form(nodes)
        step = search.step(logits_of(nodes), hidden_BD=hidden_of(nodes), allowed_BV=allowed)
        prompts = torch.arange(len(nodes)) // num_lanes
        assert torch.equal(step.parents_B // num_lanes, prompts)
        nodes = child(nodes[step.parents_B], step.tokens_B)
        results |= {present[place]: search.results(place) for place in step.done}
        order = [place for place in range(len(present)) if place not in set(step.done)]
        order = order if rng is None else rng.permutation(order).astype(int).tolist()
        order_S = torch.tensor(order, dtype=torch.long)
        search.keep(order_S)
        present = [present[place] for place in order]
        nodes = nodes.view(-1, num_lanes)[order_S].flatten()
    return [results[place] for place in range(len(starts))]


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    top_k=st.integers(1, 8),
    alpha=st.sampled_from([0.0, 0.3, 0.6, 1.0]),
    minimum=st.integers(0, 3),
    num_prompts=st.integers(1, 5),
    has_form=st.booleans(),
)
def test_every_choice_is_that_of_the_definition(seed, top_k, alpha, minimum, num_prompts, has_form):
    rng = np.random.default_rng(seed)
    form = form_of if has_form else None
    targets = [None, 3.0, 6.5]
    roots = rng.integers(1, 2**62, size=num_prompts).tolist()
    starts = [
        prompt(root, int(rng.integers(1, 50)), target=targets[rng.integers(3)]) for root in roots
    ]
    length = {"min": minimum, "max": int(rng.integers(max(1, minimum), 41))}
    strategy = Contrastive(top_k=top_k, penalty_alpha=alpha, length=length)
    results = drive(strategy, starts, roots, rng=rng, form=form)
    for start, root, texts in zip(starts, roots, results, strict=True):
        tokens, logprob, ended = reference(start, root, strategy, form=form)
        assert [(text.tokens, text.ended) for text in texts] == [(tokens, ended)]
        assert texts[0].logprob == pytest.approx(logprob, abs=1e-4)
        assert texts[0].weight is None


@law
@given(seed=st.integers(0, 2**32 - 1), setting=st.sampled_from([(1, 0.6), (1, 1.0), (4, 0.0)]))
def test_no_penalty_or_one_candidate_is_greedy(seed, setting):
    root, expected = seed + 1, []
    node = torch.tensor([root])
    while len(expected) < 12 and expected[-1:] != [END]:
        expected.append(int(logits_of(node).argmax()))
        node = child(node, torch.tensor(expected[-1:]))
    strategy = Contrastive(top_k=setting[0], penalty_alpha=setting[1], length={"min": 0, "max": 12})
    ((text,),) = drive(strategy, [prompt(root, 3)], [root])
    assert text.tokens == expected


def test_the_penalty_avoids_the_state_that_the_prompt_ends_in():
    """Two equally probable tokens: the hidden state of one repeats the prompt's."""
    search = ContrastiveSearch(
        Contrastive(top_k=2, penalty_alpha=0.5, length={"max": 1}),
        end_ids_E=torch.tensor([], dtype=torch.long),
        device=CPU,
    )
    search.admit([Start(0, hidden_TD=torch.tensor([[1.0, 0.0], [3.0, 0.0]]))])
    logits = torch.tensor([[0.0, 5.0, 5.0], [0.0, 5.0, 5.0]])
    step = search.step(logits, hidden_BD=torch.zeros(2, 2))
    assert sorted(step.tokens_B.tolist()) == [1, 2]
    assert list(step.done) == []
    hidden = torch.tensor([[2.0, 0.0], [0.0, 1.0]])[step.tokens_B - 1]
    assert list(search.step(logits, hidden_BD=hidden).done) == [0]
    assert search.results(0)[0].tokens == [2]


@pytest.mark.parametrize(
    ("where", "bad"),
    [
        ("logits", math.nan),
        ("logits", math.inf),
        ("logits", -math.inf),
        ("hidden", math.nan),
        ("hidden", math.inf),
    ],
)
def test_a_prompt_of_scores_that_are_not_numbers_is_done_with_nothing(where, bad):
    strategy = Contrastive(top_k=2, length={"min": 9, "max": 9})
    search = ContrastiveSearch(strategy, end_ids_E=torch.tensor([END]), device=CPU)
    search.admit([prompt(5, 2), prompt(6, 4)])
    nodes = torch.tensor([5, 5, 6, 6])
    for number in range(10):
        logits, hidden = logits_of(nodes), hidden_of(nodes)
        if number == 2:
            (logits if where == "logits" else hidden)[:2] = bad
        step = search.step(logits, hidden_BD=hidden)
        nodes = child(nodes[step.parents_B], step.tokens_B)
        assert list(step.done) == ([0] if number in {2, 9} else [])
        if number == 2:
            assert search.results(0) == []
            search.keep(torch.tensor([1]))
            nodes = nodes[2:]
    assert [search.results(0)] == drive(strategy, [prompt(6, 4)], [6])


def test_what_comes_behind_a_whole_text_does_not_matter():
    strategy = Contrastive(top_k=2, length={"max": 1})
    search = ContrastiveSearch(strategy, end_ids_E=torch.tensor([END]), device=CPU)
    search.admit([prompt(5, 2)])
    nodes = torch.tensor([5, 5])
    step = search.step(logits_of(nodes), hidden_BD=hidden_of(nodes))
    nodes = child(nodes, step.tokens_B)
    search.step(torch.full((2, SIZE), math.nan), hidden_BD=hidden_of(nodes))
    assert len(search.results(0)) == 1


def test_missing_hidden_states_are_an_error():
    search = ContrastiveSearch(Contrastive(), end_ids_E=torch.tensor([END]), device=CPU)
    with pytest.raises(ValueError, match="hidden states of every prompt"):
        search.admit([Start(0)])
    search.admit([prompt(5, 2)])
    with pytest.raises(ValueError, match="hidden state behind each lane"):
        search.step(torch.zeros(4, SIZE))
