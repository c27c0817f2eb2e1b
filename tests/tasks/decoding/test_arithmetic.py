"""Arithmetic sampling: exact draws, codes that stay uniform, rows that spread evenly."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from tasks.decoding.arithmetic import Codes, draw_by_code, open_codes
from tasks.decoding.sampling import fold, gumbel_noise

law = settings(deadline=None, max_examples=80)


def random_logits(seed, *, num_rows, size, scale=1.5):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(num_rows, size))) * scale


def check_frequencies(tokens, probabilities):
    counts = np.bincount(tokens.numpy(), minlength=len(probabilities))
    expected = probabilities.double().numpy() * len(tokens)
    likely = expected > 8
    counts = np.append(counts[likely], counts[~likely].sum())
    expected = np.append(expected[likely], expected[~likely].sum())
    kept = expected > 0
    assert counts[~kept].sum() == 0
    assert chisquare(counts[kept], expected[kept], sum_check=False).pvalue > 0.01


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    num_rows=st.integers(1, 6),
    size=st.integers(1, 70),
    masked=st.sampled_from([0.0, 0.7]),
)
def test_the_token_is_the_one_whose_interval_holds_the_code(seed, num_rows, size, masked):
    rng = np.random.default_rng(seed)
    logits = random_logits(seed, num_rows=num_rows, size=size)
    logits[torch.from_numpy(rng.random(logits.shape) < masked)] = -math.inf
    logits[:, rng.integers(size)] = 0.0
    codes = torch.from_numpy(rng.choice([0.0, 0.25, 1 - 2**-53, rng.random()], size=num_rows))
    keys = torch.arange(num_rows)
    fine = torch.full_like(codes, 2**-30)
    tokens, (new_codes, cells) = draw_by_code(
        logits, Codes(codes, fine), keys_B=keys, steps_B=torch.zeros_like(keys)
    )
    for row in range(num_rows):
        p = logits[row].softmax(-1).numpy()
        high = p.cumsum()
        token = int(tokens[row])
        low = high[token] - p[token]
        assert p[token] > 0
        assert low - 1e-12 <= codes[row] <= high[token] + 1e-12
        place = (float(codes[row]) - low) / p[token]
        assert fine[row] / p[token] <= cells[row] * (1 + 1e-9) <= 2 * fine[row] / p[token] + 1e-9
        assert abs(float(new_codes[row]) - place) < float(cells[row]) + 1e-9
    assert ((new_codes >= 0) & (new_codes < 1)).all()


@pytest.mark.parametrize("num_members", [1, 3])
def test_each_row_alone_is_an_exact_sample_of_texts(num_members):
    """Texts of three tokens of a toy model, for the last member of many prompts."""
    num_prompts, size = 12_000, 4

    def logits_of(nodes):
        return gumbel_noise(nodes[:, None], torch.arange(size))

    seeds = torch.arange(num_prompts)
    keys = fold(seeds, torch.tensor(1))
    codes = open_codes(
        seeds, members_B=torch.full_like(seeds, num_members - 1), num_members=num_members
    )
    nodes, texts = torch.full_like(seeds, 17), torch.zeros_like(seeds)
    tree, exact = torch.tensor([17]), torch.ones(1, dtype=torch.float64)
    for step in range(3):
        steps = torch.full_like(seeds, step)
        tokens, codes = draw_by_code(logits_of(nodes), codes, keys_B=keys, steps_B=steps)
        nodes, texts = fold(nodes, tokens), texts * size + tokens
        exact = (exact[:, None] * logits_of(tree).softmax(-1)).flatten()
        tree = fold(tree[:, None], torch.arange(size)).flatten()
    check_frequencies(texts, exact)


@pytest.mark.parametrize("size", [2, 100])
@pytest.mark.parametrize("scale", [0.0, 4.0], ids=["flat", "peaked"])
def test_codes_stay_uniform_in_long_texts(size, scale):
    """After 60 steps every bit that a code was opened with is long used up."""
    num_rows = 4_000
    logits = random_logits(size, num_rows=1, size=size, scale=scale)[0]
    seeds = torch.arange(num_rows)
    keys = fold(seeds, torch.tensor(1))
    codes = open_codes(seeds, members_B=torch.zeros_like(seeds), num_members=1)
    tokens = before = torch.empty(0)
    for step in range(60):
        before, steps = tokens, torch.full_like(seeds, step)
        tokens, codes = draw_by_code(
            logits.expand(num_rows, size), codes, keys_B=keys, steps_B=steps
        )
    probabilities = logits.softmax(-1)
    check_frequencies(tokens, probabilities)
    assert kstest(codes.values_B.numpy(), "uniform").pvalue > 0.01
    assert len(codes.values_B.unique()) == num_rows
    assert (codes.cells_B == 1).all()
    # One step says nothing about the next: about half of the mass against the other.
    middle = probabilities.cumsum(-1).sub(0.5).abs().argmin()
    share = probabilities[: middle + 1].sum()
    single = torch.stack([share, 1 - share])
    pairs = (before > middle) * 2 + (tokens > middle)
    check_frequencies(pairs, torch.outer(single, single).flatten())


@law
@given(
    seed=st.integers(0, 2**62),
    num_members=st.integers(1, 40),
    probability=st.floats(0.01, 0.99),
)
def test_rows_of_one_prompt_spread_evenly(seed, num_members, probability):
    members = torch.arange(num_members)
    seeds = torch.full_like(members, seed)
    codes = open_codes(seeds, members_B=members, num_members=num_members)
    spaces = codes.values_B.sort().values.diff()
    assert torch.allclose(spaces, torch.full_like(spaces, 1 / num_members))
    logits = torch.tensor([probability, 1 - probability]).double().log()
    steps = torch.zeros_like(members)
    expanded = logits.expand(num_members, 2)
    tokens, codes = draw_by_code(expanded, codes, keys_B=members, steps_B=steps)
    count = int((tokens == 0).sum())
    assert abs(count - num_members * probability) < 1 + 1e-9
    # The rows that share their first token are spread evenly over the second.
    again, _ = draw_by_code(expanded, codes, keys_B=members, steps_B=steps + 1)
    both = int(((tokens == 0) & (again == 0)).sum())
    # Codes are kept to a quarter of their spacing, so one row at either end may have moved.
    assert abs(both - num_members * probability**2) < 2


def test_codes_are_uniform_over_seeds_for_every_member():
    seeds = torch.arange(5_000)
    for member in (0, 2):
        codes, _ = open_codes(seeds, members_B=torch.full_like(seeds, member), num_members=3)
        assert ((codes >= 0) & (codes < 1)).all()
        assert kstest(codes.numpy(), "uniform").pvalue > 0.01


@law
@given(seed=st.integers(0, 2**32 - 1), num_rows=st.integers(1, 8))
def test_a_draw_depends_on_nothing_but_its_own_row(seed, num_rows):
    rng = np.random.default_rng(seed)
    logits = random_logits(seed, num_rows=num_rows, size=40).float()
    codes = Codes(torch.from_numpy(rng.random(num_rows)), torch.full((num_rows,), 0.125).double())
    inputs = {
        "keys_B": torch.from_numpy(rng.integers(2**62, size=num_rows)),
        "steps_B": torch.from_numpy(rng.integers(9, size=num_rows)),
    }
    tokens, new = draw_by_code(logits, codes, **inputs)
    for row in range(num_rows):
        one = slice(row, row + 1)
        own = {name: values[one] for name, values in inputs.items()}
        token, code = draw_by_code(logits[one], Codes(*(values[one] for values in codes)), **own)
        assert (token, *code) == (tokens[one], *(values[one] for values in new))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_rows_that_are_not_numbers_draw_token_zero_and_keep_their_code(bad):
    logits = torch.tensor([[0.0, bad, 1.0], [-math.inf] * 3, [-math.inf, -math.inf, 0.0]])
    values, keys = torch.tensor([0.9, 0.8, 0.7]).double(), torch.arange(3)
    codes = Codes(values, torch.full_like(values, 0.25))
    tokens, new = draw_by_code(logits, codes, keys_B=keys, steps_B=keys)
    assert tokens.tolist() == [0, 0, 2]
    assert torch.equal(new.values_B[:2], values[:2])
    assert torch.equal(new.cells_B[:2], codes.cells_B[:2])
