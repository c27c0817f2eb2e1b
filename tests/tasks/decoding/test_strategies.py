"""Token strategies: what is drawn follows the truncated softmax, by whichever path it is found."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from schemas.strategies import Greedy, MinP, Nucleus, Temperature, TopK, Typical
from tasks.decoding import strategies as module
from tasks.decoding.strategies import choose_tokens, truncate
from tasks.decoding.truncation import keep_min_p, keep_nucleus, keep_top_k, keep_typical

B, V = 400, 30
law = settings(deadline=None, max_examples=60)

TRUNCATED = [
    Temperature(),
    Temperature(temperature=0.6),
    TopK(top_k=1),
    TopK(top_k=3),
    TopK(top_k=20, temperature=1.7),
    Nucleus(top_p=1e-9),
    Nucleus(top_p=0.1),
    Nucleus(top_p=0.5),
    Nucleus(top_p=0.95, temperature=0.7),
    MinP(min_p=1.0),
    MinP(min_p=0.02),
    MinP(min_p=0.4, temperature=2.0),
    Typical(typical_p=1e-9),
    Typical(typical_p=0.2),
    Typical(typical_p=0.8, temperature=1.3),
]
strategies = st.one_of(
    st.builds(TopK, top_k=st.integers(1, 310)),
    st.builds(Nucleus, top_p=st.floats(1e-6, 1)),
    st.builds(MinP, min_p=st.floats(1e-6, 1)),
    st.builds(Typical, typical_p=st.floats(1e-6, 1)),
)


def name(strategy):
    return "-".join(str(v) for k, v in strategy if k in {"kind", "top_k", "top_p", "min_p"})


@pytest.fixture
def logits():
    return torch.randn(B, V, generator=torch.Generator().manual_seed(4)) * 2


def choose(logits, strategy, *, step=7):
    return choose_tokens(
        logits,
        strategy=strategy,
        keys_B=torch.arange(len(logits)),
        steps_B=torch.full((len(logits),), step),
    )


def row_of(kind, size, seed=3):
    values = np.random.default_rng(seed).normal(size=size) * 2
    match kind:
        case "tied":
            values = np.round(values)
        case "flat":
            values = np.zeros(size)
        case "holes":
            values[1::3] = -math.inf
        case "peaked":
            values = values * 5
    return torch.tensor(values, dtype=torch.float32)


@pytest.mark.parametrize("kind", ["plain", "tied", "flat", "holes", "peaked"])
@pytest.mark.parametrize("strategy", TRUNCATED, ids=name)
def test_frequencies_follow_the_truncated_softmax(strategy, kind):
    num_draws, size = 6_000, 40
    row = row_of(kind, size)
    drawn = choose(row.expand(num_draws, size), strategy)
    kept = truncate((row / strategy.temperature)[None], strategy=strategy)[0]
    expected = kept.double().softmax(-1).numpy() * num_draws
    counts = np.bincount(drawn.numpy(), minlength=size).astype(float)
    assert counts[expected == 0].sum() == 0
    likely = expected > 8
    counts = np.append(counts[likely], counts[~likely].sum())
    expected = np.append(expected[likely], expected[~likely].sum())
    counts, expected = counts[expected > 0], expected[expected > 0]
    if len(counts) > 1:
        assert chisquare(counts, expected, sum_check=False).pvalue > 1e-3


@pytest.mark.parametrize(
    ("strategy", "keep"),
    [
        (Temperature(), lambda x: x),
        (TopK(top_k=4), lambda x: keep_top_k(x, top_k=4)),
        (Nucleus(top_p=0.4), lambda x: keep_nucleus(x, top_p=0.4)),
        (MinP(min_p=0.2), lambda x: keep_min_p(x, min_p=0.2)),
        (Typical(typical_p=0.4), lambda x: keep_typical(x, typical_p=0.4)),
    ],
)
def test_each_strategy_has_its_own_truncation(strategy, keep, logits):
    assert torch.equal(truncate(logits, strategy=strategy), keep(logits))


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["plain", "tied", "flat", "holes", "peaked"]),
    size=st.sampled_from([1, 2, 30, 129, 300]),
    strategy=strategies,
)
def test_only_tokens_that_stay_are_drawn(seed, kind, size, strategy):
    logits = torch.stack([row_of(kind, size, seed + row) for row in range(12)])
    kept = truncate(logits, strategy=strategy)
    assert torch.isfinite(kept[torch.arange(12), choose(logits, strategy)]).all()


@law
@given(seed=st.integers(0, 2**32 - 1), strategy=st.one_of(strategies, st.just(Greedy())))
def test_a_choice_depends_on_nothing_but_its_own_row(seed, strategy):
    rng = np.random.default_rng(seed)
    logits = torch.from_numpy(rng.normal(size=(9, 50)).astype(np.float32))
    keys, steps = torch.from_numpy(rng.integers(2**62, size=9)), torch.arange(9)
    together = choose_tokens(logits, strategy=strategy, keys_B=keys, steps_B=steps)
    for row in range(9):
        own = slice(row, row + 1)
        alone = choose_tokens(logits[own], strategy=strategy, keys_B=keys[own], steps_B=steps[own])
        assert int(alone) == int(together[row])


@pytest.mark.parametrize(
    "strategy",
    [Greedy(), TopK(top_k=1), Nucleus(top_p=1e-9), MinP(min_p=1), Temperature(temperature=1e-4)],
)
def test_the_limits_of_every_strategy_are_greedy(strategy, logits):
    assert torch.equal(choose(logits, strategy), logits.argmax(-1))


def test_the_limit_of_typical_is_the_token_closest_to_the_entropy(logits):
    log_probs = logits.double().log_softmax(-1)
    entropy = -(log_probs.exp() * log_probs).sum(-1, keepdim=True)
    closest = (log_probs + entropy).abs().argmin(-1)
    assert torch.equal(choose(logits, Typical(typical_p=1e-9)), closest)
    assert not torch.equal(closest, logits.argmax(-1))


@pytest.mark.parametrize(
    "strategy", [TopK(top_k=V), Nucleus(top_p=1), MinP(min_p=1e-30), Typical(typical_p=1)]
)
def test_without_truncation_every_strategy_is_ancestral_sampling(strategy, logits):
    assert torch.equal(choose(logits, strategy), choose(logits, Temperature()))


def test_temperature_comes_before_truncation():
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]]).expand(B, 4)
    hot = choose(logits, Nucleus(top_p=0.9, temperature=4.0))
    # Truncated first, the last token would be out of the nucleus.
    assert torch.isinf(keep_nucleus(logits, top_p=0.9)[0, 3])
    assert 3 in hot.tolist()


@pytest.fixture
def paths(monkeypatch):
    """Rows of every draw and of every truncation, in the order of the calls."""
    calls = {"draw": [], "truncate": []}
    for name, rows in calls.items():
        original = getattr(module, name)

        def spy(first, *, rows=rows, original=original, **more):
            rows.append(len(first))
            return original(first, **more)

        monkeypatch.setattr(module, name, spy)
    return calls


# Tokens of unlike masses, none of whose sums lies at a half.
DISTINCT = torch.tensor([0.3, 0.25, 0.2, 0.15, 0.1]).log().expand(B, 5)


@pytest.mark.parametrize(
    "strategy", [TopK(top_k=2), Nucleus(top_p=0.5), MinP(min_p=0.75), Typical(typical_p=0.4)]
)
def test_what_lies_outside_is_drawn_again_and_truncated_at_last(paths, strategy):
    choose(DISTINCT, strategy)
    first, second, third, last = paths["draw"]
    assert first == B > second > third > last > 0
    assert paths["truncate"] == [last]


@pytest.mark.parametrize("strategy", [TopK(top_k=5), Nucleus(top_p=0.99999), MinP(min_p=0.3)])
def test_what_lies_inside_is_drawn_once(paths, strategy):
    choose(DISTINCT, strategy)
    assert paths["draw"] == [B]


@pytest.mark.parametrize("strategy", [TopK(top_k=2), Nucleus(top_p=0.45), Typical(typical_p=0.45)])
def test_ties_at_the_bound_are_left_to_the_definition(paths, strategy):
    drawn = choose(torch.zeros(B, 5), strategy)
    assert paths["truncate"][0] == B
    kept = int(torch.isfinite(truncate(torch.zeros(1, 5), strategy=strategy)).sum())
    assert sorted(set(drawn.tolist())) == list(range(kept))


@pytest.mark.parametrize("bound", [0.55 - 2e-5, 0.55 + 2e-5])
def test_a_sum_too_close_to_the_bound_is_left_to_the_definition(paths, bound):
    drawn = choose(DISTINCT, Nucleus(top_p=bound))
    # The third token lies there; those before and behind it are told by their sums.
    asked = paths["truncate"][0]
    assert 0 < asked < B
    assert set(drawn.tolist()) == ({0, 1} if bound < 0.55 else {0, 1, 2})


@pytest.mark.parametrize("strategy", [Greedy(), *TRUNCATED], ids=name)
@pytest.mark.parametrize("bad", [math.nan, -math.inf])
def test_a_row_that_is_not_numbers_disturbs_no_other(strategy, bad, logits):
    broken = logits[:8].clone()
    broken[3] = bad
    drawn, sound = choose(broken, strategy), choose(logits[:8], strategy)
    others = [0, 1, 2, 4, 5, 6, 7]
    assert torch.equal(drawn[others], sound[others])
    assert 0 <= drawn[3] < V
