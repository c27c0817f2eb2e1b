"""The sampler: its noise is the project's streams, and its draws follow the softmax."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from tasks.decoding.blocks import block_width
from tasks.decoding.sampling import (
    draw,
    fold,
    gumbel_noise,
    mix,
    pick_best,
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


def random_probabilities(seed, *, num_rows, size, masked=0.0):
    """Rows of a softmax; some tokens are impossible, one of each row never is."""
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(num_rows, size)))
    logits[torch.from_numpy(rng.random(logits.shape) < masked)] = -math.inf
    logits[:, rng.integers(size)] = 0.0
    return logits.softmax(-1)


def check_frequencies(tokens, probabilities):
    """Chi-square test; tokens too rare for it count as one."""
    counts = np.bincount(tokens.numpy(), minlength=len(probabilities)).astype(float)
    expected = probabilities.double().numpy() * len(tokens)
    assert counts[expected == 0].sum() == 0
    likely = expected > 8
    counts = np.append(counts[likely], counts[~likely].sum())
    expected = np.append(expected[likely], expected[~likely].sum())
    counts, expected = counts[expected > 0], expected[expected > 0]
    if len(counts) > 1:
        assert chisquare(counts, expected, sum_check=False).pvalue > 0.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [1, 3, 50, 300, 4096, 4099])
def test_frequencies_follow_the_softmax(size, dtype):
    num_draws = 20_000 if size < 1000 else 4_000
    (probabilities,) = random_probabilities(size, num_rows=1, size=size, masked=0.2).to(dtype)
    drawn = draw(probabilities.expand(num_draws, size), keys_B=torch.arange(num_draws))
    check_frequencies(drawn, probabilities)


@pytest.mark.parametrize("size", [50, 4096])
def test_both_stages_of_a_draw_follow_the_softmax(size):
    num_draws = 20_000
    (probabilities,) = random_probabilities(7, num_rows=1, size=size)
    parts = [
        draw(rows, keys_B=fold(torch.arange(len(rows)), torch.tensor(part)))
        for part, rows in enumerate(probabilities.expand(num_draws, size).split(2_000))
    ]
    width = block_width(size)
    for place in (torch.arange(size) // width, torch.arange(size) % width):
        masses = torch.zeros(int(place.max()) + 1).double().index_add_(0, place, probabilities)
        check_frequencies(place[torch.cat(parts)], masses)


def test_draws_need_no_normalised_weights():
    weights = torch.tensor([0.0, 3.0, 1.0, 0.0, 4.0])
    drawn = draw(weights.expand(20_000, 5), keys_B=torch.arange(20_000))
    check_frequencies(drawn, weights / 8)


def test_steps_of_one_key_are_independent_draws():
    num_draws = 20_000
    probabilities = torch.tensor([0.0, 1.0, -1.0]).softmax(-1)
    keys = fold(torch.full((num_draws,), 77), torch.arange(num_draws))
    drawn = draw(probabilities.expand(num_draws, 3), keys_B=keys)
    check_frequencies(
        drawn[1:] * 3 + drawn[:-1], torch.outer(probabilities, probabilities).flatten()
    )


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    keys=keys,
    size=st.sampled_from([1, 2, 3, 7, 16, 17, 40, 130]),
    masked=st.sampled_from([0.0, 0.7, 1.0]),
)
def test_a_draw_is_the_best_block_and_then_its_best_token(seed, keys, size, masked):
    probabilities = random_probabilities(seed, num_rows=len(keys), size=size, masked=masked)
    drawn = draw(probabilities, keys_B=torch.tensor(keys))
    width = block_width(size)
    for row, key in enumerate(keys):
        weights = np.append(probabilities[row].numpy(), np.zeros(-size % width))
        blocks = weights.reshape(-1, width)
        with np.errstate(divide="ignore"):
            block, sure = best(np.log(blocks.sum(1)), key, stage=0)
            place, sure_too = best(np.log(blocks[block]), key, stage=1)
        if sure and sure_too:
            assert int(drawn[row]) == block * width + place
        assert probabilities[row, drawn[row]] > 0


def best(logs, key, *, stage):
    """Gumbel-max over the numpy streams, and whether rounding cannot change its outcome."""
    stage_key = streams.fold(np.array([key], dtype=np.uint64), stage)
    noise = -np.log(-np.log(streams.uniforms(stage_key[:, None], np.arange(len(logs)))[0]))
    perturbed = logs + noise
    order = np.sort(perturbed)[::-1]
    return int(perturbed.argmax()), len(order) < 2 or order[0] - order[1] > 1e-4


@law
@given(seed=st.integers(0, 2**32 - 1), keys=keys, size=st.sampled_from([1, 5, 12, 70]))
def test_a_draw_depends_on_nothing_but_its_own_row(seed, keys, size):
    probabilities = random_probabilities(seed, num_rows=len(keys), size=size, masked=0.3)
    together = draw(probabilities, keys_B=torch.tensor(keys))
    for place, key in enumerate(keys):
        alone = draw(probabilities[place : place + 1], keys_B=torch.tensor([key]))
        assert alone.item() == together[place].item()


@pytest.mark.parametrize("bad", [math.nan, 0.0])
@pytest.mark.parametrize("size", [5, 37])
def test_a_row_that_is_not_numbers_draws_some_token_and_disturbs_no_other(bad, size):
    probabilities = random_probabilities(3, num_rows=3, size=size)
    keys = torch.tensor([1, 2, 3])
    broken = probabilities.clone()
    broken[1] = bad
    drawn, sound = draw(broken, keys_B=keys), draw(probabilities, keys_B=keys)
    assert 0 <= drawn[1] < size
    assert torch.equal(drawn[[0, 2]], sound[[0, 2]])


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
