import pytest
import torch

from schemas.strategies import (
    STRATEGY_CLASSES,
    Greedy,
    MinP,
    Nucleus,
    Temperature,
    TopK,
    Typical,
)
from tasks.decoding.strategies import choose_tokens, truncate
from tasks.decoding.truncation import keep_nucleus

B, V = 400, 30


@pytest.fixture
def logits():
    return torch.randn(B, V, generator=torch.Generator().manual_seed(4)) * 2


def choose(logits, strategy):
    return choose_tokens(
        logits,
        strategy=strategy,
        keys_B=torch.arange(len(logits)),
        steps_B=torch.full((len(logits),), 7),
    )


@pytest.mark.parametrize("kind", STRATEGY_CLASSES)
def test_every_strategy_of_the_recipe_chooses_tokens(kind, logits):
    tokens = choose(logits, kind())
    assert tokens.shape == (B,)
    assert tokens.dtype == torch.int64


@pytest.mark.parametrize(
    "strategy",
    [Greedy(), TopK(top_k=1), Nucleus(top_p=1e-9), MinP(min_p=1), Temperature(temperature=1e-4)],
)
def test_the_limits_of_every_strategy_are_greedy(strategy, logits):
    assert torch.equal(choose(logits, strategy), logits.argmax(-1))


@pytest.mark.parametrize(
    "strategy", [TopK(top_k=V), Nucleus(top_p=1), MinP(min_p=1e-30), Typical(typical_p=1)]
)
def test_without_truncation_every_strategy_is_ancestral_sampling(strategy, logits):
    assert torch.equal(choose(logits, strategy), choose(logits, Temperature()))


@pytest.mark.parametrize(
    "strategy",
    [TopK(top_k=3), Nucleus(top_p=0.5), MinP(min_p=0.3), Typical(typical_p=0.5)],
)
def test_only_tokens_that_stay_are_drawn(strategy, logits):
    kept = truncate(logits, strategy=strategy)
    assert (kept == -torch.inf).any()
    assert torch.isfinite(kept[torch.arange(B), choose(logits, strategy)]).all()


def test_temperature_comes_before_truncation():
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]]).expand(B, 4)
    hot = choose(logits, Nucleus(top_p=0.9, temperature=4.0))
    # Truncated first, the last token would be out of the nucleus.
    assert torch.isinf(keep_nucleus(logits, top_p=0.9)[0, 3])
    assert 3 in hot.tolist()
