"""Blocks of the vocabulary against sums over slices."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.decoding.blocks import (
    block_ids,
    block_logprobs,
    block_sums,
    block_width,
    gather_blocks,
    log_norms,
)

law = settings(deadline=None, max_examples=60)


@law
@given(num_tokens=st.integers(1, 10**6))
def test_blocks_are_about_as_many_as_they_are_wide(num_tokens):
    width = block_width(num_tokens)
    assert width <= num_tokens or num_tokens == 1
    assert num_tokens / 2 <= width * width <= 4 * num_tokens


@law
@given(seed=st.integers(0, 2**32 - 1), num_rows=st.integers(0, 4), num_tokens=st.integers(1, 70))
def test_sums_and_look_ups_are_those_of_slices(seed, num_rows, num_tokens):
    values = torch.from_numpy(np.random.default_rng(seed).random((num_rows, num_tokens)))
    width = block_width(num_tokens)
    slices = values.split(width, dim=1)
    expected = torch.stack([part.sum(-1) for part in slices], 1)
    torch.testing.assert_close(block_sums(values, width=width), expected)
    for block, part in enumerate(slices):
        rows = torch.arange(num_rows)
        ids = block_ids(torch.full_like(rows, block), width=width)
        found = gather_blocks(values, rows_J=rows, ids_JW=ids, fill=-1.0)
        assert torch.equal(found[:, : part.shape[1]], part)
        assert (found[:, part.shape[1] :] == -1).all()


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    num_tokens=st.integers(1, 70),
    scale=st.sampled_from([1.0, 30.0, 1000.0]),
    masked=st.sampled_from([0.0, 0.5, 0.95]),
)
def test_block_logprobs_are_log_sums_of_the_softmax(seed, num_tokens, scale, masked):
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(3, num_tokens)) * scale).float()
    logits[torch.from_numpy(rng.random(logits.shape) < masked)] = -math.inf
    logits[:, rng.integers(num_tokens)] = 0.5
    width = block_width(num_tokens)
    logprobs, norms = block_logprobs(logits, width=width)
    exact = logits.double().log_softmax(-1)
    expected = torch.stack([part.logsumexp(-1) for part in exact.split(width, dim=1)], 1)
    torch.testing.assert_close(logprobs, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(norms, logits.double().logsumexp(-1), rtol=1e-6, atol=1e-5)
    assert torch.equal(norms, log_norms(logits))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_rows_that_are_not_numbers_have_no_norm(bad):
    logits = torch.tensor([[0.0, bad, 1.0], [0.0, -math.inf, 1.0], [-math.inf] * 3])
    _, norms = block_logprobs(logits, width=2)
    assert norms.isfinite().tolist() == [False, True, False]
