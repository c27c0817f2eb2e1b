"""Decoding strategies as a recipe names them: a discriminated union on `kind`."""

from typing import Annotated

from pydantic import Field

from schemas.base import Frozen
from schemas.strategies_sequence import (
    Beam,
    Contrastive,
    DiverseBeam,
    NoisyChannel,
    StochasticBeam,
)
from schemas.strategies_token import (
    Arithmetic,
    BestOf,
    Greedy,
    LabelPosteriorScorer,
    Length,
    LogprobScorer,
    MinP,
    Nucleus,
    RewardScorer,
    Sampled,
    Scorer,
    Temperature,
    TopK,
    Typical,
)

__all__ = [
    "STRATEGY_CLASSES",
    "TOKEN_STRATEGIES",
    "Arithmetic",
    "Beam",
    "BestOf",
    "Contrastive",
    "DiverseBeam",
    "Greedy",
    "LabelPosteriorScorer",
    "Length",
    "LogprobScorer",
    "MinP",
    "NoisyChannel",
    "Nucleus",
    "RewardScorer",
    "Sampled",
    "Scorer",
    "StochasticBeam",
    "Strategy",
    "Temperature",
    "TopK",
    "Typical",
]

Strategy = Annotated[
    Greedy
    | Temperature
    | TopK
    | Nucleus
    | MinP
    | Typical
    | Arithmetic
    | Beam
    | DiverseBeam
    | StochasticBeam
    | Contrastive
    | NoisyChannel,
    Field(discriminator="kind"),
]
"""One way of choosing a text; `kind` says which."""

TOKEN_STRATEGIES: tuple[type[Frozen], ...] = (
    Greedy, Temperature, TopK, Nucleus, MinP, Typical, Arithmetic,
)  # fmt: skip
"""The members of `Strategy` that choose one token at a time."""
STRATEGY_CLASSES: tuple[type[Frozen], ...] = (
    *TOKEN_STRATEGIES, Beam, DiverseBeam, StochasticBeam, Contrastive, NoisyChannel,
)  # fmt: skip
"""The members of `Strategy`, in the order in which they are shown."""
