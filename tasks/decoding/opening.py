"""From a strategy to the search that carries it out."""

from typing import assert_never

import torch
from torch import Tensor

from schemas.strategies import (
    Arithmetic,
    Beam,
    Contrastive,
    DiverseBeam,
    Greedy,
    MinP,
    NoisyChannel,
    Nucleus,
    StochasticBeam,
    Strategy,
    Temperature,
    TopK,
    Typical,
)
from tasks.decoding.beams import BeamSearch
from tasks.decoding.contrastive import ContrastiveSearch
from tasks.decoding.diverse_beams import DiverseBeamSearch
from tasks.decoding.search import Search
from tasks.decoding.stochastic_beams import StochasticBeamSearch
from tasks.decoding.token_search import TokenSearch


def open_search(strategy: Strategy, *, end_ids_E: Tensor, device: torch.device) -> Search:
    """Open a search without prompts.

    Args:
        strategy: How to decode; what is ranked has been expanded into its candidates before.
        end_ids_E: Ids of the tokens that end a text, int64, shape `(E,)`, on `device`.
        device: Where the logits will be.

    Raises:
        ValueError: If the strategy ranks candidates instead of decoding.
    """
    match strategy:
        case Greedy() | Temperature() | TopK() | Nucleus() | MinP() | Typical() | Arithmetic():
            return TokenSearch(strategy, end_ids_E=end_ids_E, device=device)
        case Beam():
            return BeamSearch(strategy, end_ids_E=end_ids_E, device=device)
        case DiverseBeam():
            return DiverseBeamSearch(strategy, end_ids_E=end_ids_E, device=device)
        case StochasticBeam():
            return StochasticBeamSearch(strategy, end_ids_E=end_ids_E, device=device)
        case Contrastive():
            return ContrastiveSearch(strategy, end_ids_E=end_ids_E, device=device)
        case NoisyChannel():
            raise ValueError("noisy_channel ranks candidates; it decodes none itself")
        case _:
            assert_never(strategy)
