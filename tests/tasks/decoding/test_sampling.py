"""The sampler: its noise is the project's streams, and its draws follow the softmax."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from tasks.decoding.sampling import (
    fold,
    gumbel_noise,
    mix,
    pick_best,
    sample,
    token_logprobs,
    uniforms,
)
from tasks.planning import streams

law = settings(deadline=None, max_examples=100)
words = st.integers(0, 2**64 - 1)
keys = st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20)


def signed(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.uint64).view(np.int64).copy())


@law
@given(values=st.lists(words, min_size=1, max_size=40))
def test_mix_equals_the_numpy_stream_bit_for_bit(values):
    numbers = np.array(values, dtype=np.uint64)
    assert torch.equal(mix(signed(numbers)), signed(streams.mix(numbers)))


@law
@given(values=st.lists(words, min_size=1, max_size=10), step=st.integers(0, 10**6))
def test_fold_and_uniforms_equal_the_numpy_stream_bit_for_bit(values, step):
    numbers = np.array(values, dtype=np.uint64)
    tokens = np.arange(50)
    expected = streams.fold(numbers, step)
    actual = fold(signed(numbers), torch.tensor(step))
    assert torch.equal(actual, signed(expected))
    drawn = uniforms(actual[:, None], torch.from_numpy(tokens))
    assert np.array_equal(drawn.numpy(), streams.uniforms(expected[:, None], tokens))
    noise = gumbel_noise(actual[:, None], torch.from_numpy(tokens)).numpy()
    np.testing.assert_allclose(noise, -np.log(-np.log(drawn.numpy())), rtol=1e-12, atol=1e-12)


def test_noise_is_standard_gumbel():
    noise = gumbel_noise(fold(torch.arange(200), torch.tensor(3))[:, None], torch.arange(100))
    assert kstest(noise.flatten().numpy(), "gumbel_r").pvalue > 0.01


@pytest.mark.parametrize("size", [3, 50])
def test_frequencies_follow_the_softmax(size):
    num_draws = 40_000
    logits = torch.from_numpy(np.random.default_rng(1).normal(size=size)).float()
    logits[0] = -math.inf
    drawn = sample(
        logits.expand(num_draws, size),
        keys_B=torch.arange(num_draws),
        steps_B=torch.full((num_draws,), 5),
    )
    counts = np.bincount(drawn.numpy(), minlength=size)
    assert counts[0] == 0
    expected = logits.double().softmax(-1).numpy()[1:] * num_draws
    assert chisquare(counts[1:], expected * (num_draws / expected.sum())).pvalue > 0.01


def test_steps_of_one_key_are_independent_draws():
    num_draws = 20_000
    logits = torch.tensor([0.0, 1.0, -1.0])
    drawn = sample(
        logits.expand(num_draws, 3),
        keys_B=torch.full((num_draws,), 77),
        steps_B=torch.arange(num_draws),
    )
    pairs = np.bincount((drawn[1:] * 3 + drawn[:-1]).numpy(), minlength=9)
    single = logits.double().softmax(-1).numpy()
    expected = np.outer(single, single).flatten() * pairs.sum()
    assert chisquare(pairs, expected * (pairs.sum() / expected.sum())).pvalue > 0.01


@law
@given(seed=st.integers(0, 2**32 - 1), keys=keys, step=st.integers(0, 100))
def test_hashing_the_candidates_alone_draws_what_hashing_all_tokens_draws(seed, keys, step):
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(len(keys), 30)))
    logits[torch.from_numpy(rng.random((len(keys), 30)) < 0.7)] = -math.inf
    logits[:, rng.integers(30)] = 0.0
    keys_B = torch.tensor(keys)
    noise = gumbel_noise(fold(keys_B, torch.tensor(step))[:, None], torch.arange(30))
    drawn = sample(logits, keys_B=keys_B, steps_B=torch.full_like(keys_B, step))
    assert torch.equal(drawn, (logits + noise).argmax(-1))


@law
@given(seed=st.integers(0, 2**32 - 1), keys=keys)
def test_a_draw_depends_on_nothing_but_its_own_row(seed, keys):
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(len(keys), 12)))
    steps = torch.from_numpy(rng.integers(0, 9, size=len(keys)))
    together = sample(logits, keys_B=torch.tensor(keys), steps_B=steps)
    for place, key in enumerate(keys):
        alone = sample(
            logits[place : place + 1],
            keys_B=torch.tensor([key]),
            steps_B=steps[place : place + 1],
        )
        assert alone.item() == together[place].item()


def test_a_row_without_finite_logits_draws_token_zero():
    logits = torch.stack(
        [torch.full((4,), math.nan), torch.tensor([-math.inf, -math.inf, 0, -math.inf])]
    )
    drawn = sample(logits, keys_B=torch.tensor([1, 2]), steps_B=torch.tensor([0, 0]))
    assert drawn.tolist() == [0, 2]


def test_the_best_token_is_the_lowest_of_equals():
    assert pick_best(torch.tensor([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0]])).tolist() == [1, 0]


def test_token_logprobs_are_the_log_softmax():
    logits = torch.from_numpy(np.random.default_rng(2).normal(size=(5, 40))).float() * 5
    tokens = torch.tensor([0, 3, 39, 8, 8])
    expected = logits.double().log_softmax(-1)[torch.arange(5), tokens].float()
    torch.testing.assert_close(token_logprobs(logits, tokens_B=tokens), expected)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_token_logprobs_show_scores_that_are_not_numbers(bad):
    logits = torch.tensor([[0.0, bad, 1.0], [0.0, -math.inf, 1.0]])
    scores = token_logprobs(logits, tokens_B=torch.tensor([0, 0]))
    assert torch.isfinite(scores).tolist() == [False, True]
