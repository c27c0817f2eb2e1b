import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.quality.fluency import (
    bits_per_character,
    improbable_fence,
    nats_per_unit,
    ratio_of_sums,
    upper_fence,
)

ROWS = st.lists(st.tuples(st.floats(-50, 0), st.integers(0, 30)), max_size=12)


@settings(deadline=None)
@given(ROWS)
def test_bits_and_nats_are_their_definitions(rows) -> None:
    logprobs = np.array([logprob for logprob, _ in rows], dtype=np.float64)
    lengths = np.array([length for _, length in rows], dtype=np.int64)
    kept = [(logprob, length) for logprob, length in rows if length]
    bits = bits_per_character(logprobs, lengths)
    nats = nats_per_unit(logprobs, lengths.astype(np.float64))
    if not kept:
        assert bits is nats is None
        return
    total, units = sum(logprob for logprob, _ in kept), sum(length for _, length in kept)
    assert bits is not None
    assert nats is not None
    assert bits.n == nats.n == len(kept)
    assert nats.value == pytest.approx(-total / units)
    # 2 to the bits, over all characters, is one over the probability of the corpus.
    assert 2 ** (-bits.value * units) == pytest.approx(math.exp(total))


def test_a_uniform_model_has_the_perplexity_of_its_alphabet() -> None:
    lengths = np.array([3, 7, 1])
    found = bits_per_character(-lengths * math.log(32), lengths)
    assert found is not None
    assert (found.value, found.standard_error) == pytest.approx((5, 0), abs=1e-12)
    nats = nats_per_unit(-lengths * math.log(32), lengths.astype(float))
    assert nats is not None
    assert math.exp(nats.value) == pytest.approx(32)


def test_texts_that_do_not_fit_do_not_count() -> None:
    lengths = np.array([4, 9, 4])
    found = bits_per_character(np.array([-2.0, -np.inf, -6.0]), lengths)
    assert found == bits_per_character(np.array([-2.0, -6.0]), lengths[::2])


def test_intervals_of_a_ratio_cover() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        lengths = rng.integers(5, 60, size=120).astype(float)
        found = ratio_of_sums(rng.gamma(2.0, lengths), lengths)
        held += abs(found.value - 2.0) <= 1.96 * found.standard_error
    assert 0.91 <= held / 400 <= 0.98


def test_one_row_has_no_error() -> None:
    found = ratio_of_sums(np.array([3.0]), np.array([2.0]))
    assert found is not None
    assert (found.value, found.standard_error, found.n) == (1.5, None, 1)


def test_the_fence_of_normal_values() -> None:
    values = np.random.default_rng(0).normal(5, 2, size=200_000)
    assert upper_fence(values) == pytest.approx(5 + 3.5 * 2, rel=0.01)


def test_the_fence_by_hand() -> None:
    assert upper_fence(np.array([1.0, 2.0, 3.0, 4.0, 100.0])) == pytest.approx(3 + 3.5 * 1.4826)
    # Most are equal: the mean deviation, 1 here, speaks.
    assert upper_fence(np.array([2.0, 2.0, 2.0, 2.0, 7.0])) == pytest.approx(2 + 3.5 * 1.2533)
    assert upper_fence(np.array([2.0, 2.0])) == 2


def test_the_fence_of_bits_is_one_of_logarithms() -> None:
    bits = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    assert improbable_fence(bits) == pytest.approx(4 * 2 ** (3.5 * 1.4826))
    assert improbable_fence(np.array([0.0])) == pytest.approx(0, abs=1e-6)
