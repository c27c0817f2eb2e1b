"""Every strategy of a recipe has its search."""

import pytest
import torch

from schemas.strategies import (
    STRATEGY_CLASSES,
    TOKEN_STRATEGIES,
    Beam,
    Contrastive,
    DiverseBeam,
    NoisyChannel,
    StochasticBeam,
)
from tasks.decoding.beams import BeamSearch
from tasks.decoding.contrastive import ContrastiveSearch
from tasks.decoding.diverse_beams import DiverseBeamSearch
from tasks.decoding.opening import open_search
from tasks.decoding.stochastic_beams import StochasticBeamSearch
from tasks.decoding.token_search import TokenSearch

SEARCHES = {kind: (kind(), TokenSearch, 1) for kind in TOKEN_STRATEGIES} | {
    Beam: (Beam(num_beams=3), BeamSearch, 3),
    DiverseBeam: (DiverseBeam(num_beams=6, num_beam_groups=2), DiverseBeamSearch, 6),
    StochasticBeam: (StochasticBeam(num_beams=5), StochasticBeamSearch, 5),
    Contrastive: (Contrastive(top_k=7), ContrastiveSearch, 7),
}


def opened(strategy):
    return open_search(strategy, end_ids_E=torch.tensor([0]), device=torch.device("cpu"))


@pytest.mark.parametrize("kind", [kind for kind in STRATEGY_CLASSES if kind is not NoisyChannel])
def test_every_strategy_opens_its_own_search(kind):
    strategy, search, num_lanes = SEARCHES[kind]
    found = opened(strategy)
    assert type(found) is search
    assert found.lanes_per_prompt == num_lanes
    assert found.needs_hidden == (kind is Contrastive)


def test_what_ranks_candidates_is_expanded_before():
    with pytest.raises(ValueError, match="ranks candidates"):
        opened(NoisyChannel())
