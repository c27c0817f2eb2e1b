"""Every truncation against its definition, written out slowly over Python floats."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from tasks.decoding import truncation
from tasks.decoding.truncation import keep_min_p, keep_nucleus, keep_top_k, keep_typical

SHAPES = [(), (1,), (3,), (2, 1)]
DTYPES = [torch.float32, torch.float64]
NEAR = 1e-5
law = settings(deadline=None, max_examples=60)

sizes = st.sampled_from([1, 2, 5, 40, 128, 129, 300])
seeds = st.integers(0, 2**32 - 1)
kinds = st.sampled_from(["normal", "tied", "holes", "huge", "tiny", "flat", "peaked"])
ranks = st.sampled_from(SHAPES)
dtypes = st.sampled_from(DTYPES)
masses = st.floats(0.01, 0.999)


def make_logits(seed: int, kind: str, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape)
    match kind:
        case "tied":
            values = np.round(values)
        case "holes":
            holes = rng.random(shape) < 0.5
            holes[..., rng.integers(shape[-1])] = False
            values = np.where(holes, -np.inf, values)
        case "huge":
            values = values * 1e4
        case "tiny":
            values = values * 1e-30
        case "flat":
            values = np.zeros(shape)
        case "peaked":
            values = values * 8
    return torch.tensor(values, dtype=dtype)


def by_rows(logits: Tensor, keep: Callable[[list[float]], set[int]]) -> Tensor:
    expected = torch.full_like(logits, -math.inf)
    for place in np.ndindex(*logits.shape[:-1]):
        for token in keep(logits[place].tolist()):
            expected[(*place, token)] = logits[(*place, token)]
    return expected


def log_probabilities(row: list[float]) -> list[float]:
    top = max(row)
    log_z = top + math.log(math.fsum(math.exp(value - top) for value in row))
    return [value - log_z for value in row]


def prefix(order: list[int], probabilities: list[float], mass: float) -> set[int]:
    kept: list[int] = []
    for token in order:
        kept.append(token)
        reached = math.fsum(probabilities[token] for token in kept)
        # Where rounding alone decides, there is nothing to test.
        assume(abs(reached - mass) > NEAR)
        if reached >= mass:
            break
    return set(kept)


def nucleus(row: list[float], mass: float) -> set[int]:
    probabilities = [math.exp(value) for value in log_probabilities(row)]
    return prefix(sorted(range(len(row)), key=lambda token: -row[token]), probabilities, mass)


def typical(row: list[float], mass: float) -> set[int]:
    logs = log_probabilities(row)
    entropy = -math.fsum(math.exp(value) * value for value in logs if value > -math.inf)
    distance = [abs(value + entropy) for value in logs]
    order = sorted(range(len(row)), key=lambda token: distance[token])
    # Tokens on both sides of the entropy whose distances agree up to rounding have no certain
    # order.
    for one, other in pairwise(order):
        scale = NEAR * max(1.0, min(distance[one], 1e9))
        close = distance[other] - distance[one] < scale
        assume(not close or row[one] == row[other] or distance[one] == math.inf)
    return prefix(order, [math.exp(value) for value in logs], mass)


def close_mass(kind: str, dtype: torch.dtype) -> bool:
    """Tell whether float32 log-probabilities of this kind are good to NEAR."""
    return kind != "huge" or dtype == torch.float64


@law
@given(seed=seeds, kind=kinds, size=sizes, rank=ranks, dtype=dtypes, top_k=st.integers(1, 310))
def test_top_k_is_its_definition(seed, kind, size, rank, dtype, top_k):
    logits = make_logits(seed, kind, (*rank, size), dtype)
    expected = by_rows(
        logits,
        lambda row: set(sorted(range(len(row)), key=lambda token: -row[token])[:top_k]),
    )
    assert torch.equal(keep_top_k(logits, top_k=top_k), expected)


@law
@given(seed=seeds, kind=kinds, size=sizes, rank=ranks, dtype=dtypes, top_p=masses)
def test_nucleus_is_its_definition(seed, kind, size, rank, dtype, top_p):
    logits = make_logits(seed, kind, (*rank, size), dtype)
    expected = by_rows(logits, lambda row: nucleus(row, top_p))
    assert torch.equal(keep_nucleus(logits, top_p=top_p), expected)


@law
@given(seed=seeds, kind=kinds, size=sizes, rank=ranks, dtype=dtypes, typical_p=masses)
def test_typical_is_its_definition(seed, kind, size, rank, dtype, typical_p):
    assume(close_mass(kind, dtype))
    logits = make_logits(seed, kind, (*rank, size), dtype)
    expected = by_rows(logits, lambda row: typical(row, typical_p))
    assert torch.equal(keep_typical(logits, typical_p=typical_p), expected)


@law
@given(seed=seeds, kind=kinds, size=sizes, rank=ranks, dtype=dtypes, min_p=st.floats(0.001, 1))
def test_min_p_is_its_definition(seed, kind, size, rank, dtype, min_p):
    def keep(row: list[float]) -> set[int]:
        ratios = [math.exp(value - max(row)) for value in row]
        assume(
            all(
                abs(ratio - min_p) > NEAR or value == max(row)
                for ratio, value in zip(ratios, row, strict=True)
            )
        )
        return {
            token for token, ratio in enumerate(ratios) if ratio >= min_p or row[token] == max(row)
        }

    logits = make_logits(seed, kind, (*rank, size), dtype)
    assert torch.equal(keep_min_p(logits, min_p=min_p), by_rows(logits, keep))


KEEPERS = [
    pytest.param(lambda logits: keep_top_k(logits, top_k=logits.shape[-1]), id="top_k=V"),
    pytest.param(lambda logits: keep_top_k(logits, top_k=10**7), id="top_k>V"),
    pytest.param(lambda logits: keep_nucleus(logits, top_p=1.0), id="top_p=1"),
    pytest.param(lambda logits: keep_typical(logits, typical_p=1.0), id="typical_p=1"),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("kind", ["normal", "holes", "flat", "huge"])
@pytest.mark.parametrize("keep", KEEPERS)
def test_the_whole_vocabulary_is_the_identity_and_a_new_tensor(keep, kind, rank, dtype):
    logits = make_logits(3, kind, (*rank, 150), dtype)
    kept = keep(logits)
    assert torch.equal(kept, logits)
    assert kept.data_ptr() != logits.data_ptr()


@pytest.mark.parametrize(
    ("keep", "value"),
    [
        (lambda logits, value: keep_top_k(logits, top_k=value), 0),
        (lambda logits, value: keep_nucleus(logits, top_p=value), 0.0),
        (lambda logits, value: keep_nucleus(logits, top_p=value), 1.5),
        (lambda logits, value: keep_min_p(logits, min_p=value), 0.0),
        (lambda logits, value: keep_typical(logits, typical_p=value), -0.5),
        (lambda logits, value: keep_typical(logits, typical_p=value), math.nan),
    ],
)
def test_parameters_out_of_range_are_refused(keep, value):
    with pytest.raises(ValueError, match="must"):
        keep(torch.zeros(4), value)


@pytest.mark.parametrize("size", [3, 200])
@pytest.mark.parametrize("seed", range(20))
def test_nucleus_keeps_the_best_token_alone_under_a_small_mass(seed, size):
    logits = make_logits(seed, "normal", (2, size), torch.float32)
    kept = keep_nucleus(logits, top_p=1e-6)
    assert (kept > -math.inf).sum(-1).tolist() == [1, 1]
    assert torch.equal(kept.argmax(-1), logits.argmax(-1))


@pytest.mark.parametrize("size", [4, 256])
def test_ties_at_the_edge_keep_the_lower_index(size):
    logits = torch.zeros(size)
    quarter = list(range(size // 4))
    for kept in (
        keep_top_k(logits, top_k=size // 4),
        keep_nucleus(logits, top_p=0.25),
        keep_typical(logits, typical_p=0.25),
    ):
        assert (kept > -math.inf).nonzero().squeeze(-1).tolist() == quarter


def test_typical_may_drop_the_most_probable_token():
    probabilities = torch.tensor([0.4, *[0.6 / 60] * 60])
    kept = keep_typical(probabilities.log(), typical_p=0.295)
    assert kept[0] == -math.inf
    assert (kept > -math.inf).sum() == 30


@pytest.mark.parametrize("width", [1, 2, 7, 64])
@pytest.mark.parametrize("kind", ["normal", "tied", "holes", "flat", "peaked"])
def test_the_partial_sort_changes_no_result(monkeypatch, kind, width):
    logits = make_logits(11, kind, (6, 120), torch.float32)
    whole = [keep_nucleus(logits, top_p=0.7), keep_typical(logits, typical_p=0.7)]
    monkeypatch.setattr(truncation, "PARTIAL_WIDTH", width)
    partial = [keep_nucleus(logits, top_p=0.7), keep_typical(logits, typical_p=0.7)]
    assert all(map(torch.equal, whole, partial))


def test_a_row_that_is_not_a_number_leaves_the_others_alone():
    logits = make_logits(5, "normal", (3, 200), torch.float32)
    broken = logits.clone()
    broken[1] = math.nan
    for keep in (
        lambda x: keep_top_k(x, top_k=5),
        lambda x: keep_nucleus(x, top_p=0.8),
        lambda x: keep_min_p(x, min_p=0.1),
        lambda x: keep_typical(x, typical_p=0.8),
    ):
        assert torch.equal(keep(broken)[[0, 2]], keep(logits)[[0, 2]])
