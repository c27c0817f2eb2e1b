"""Decoding strategies as a recipe names them: a discriminated union on `kind`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.base import Frozen


class Length(Frozen):
    """Hard bounds on the number of generated tokens."""

    min: int = Field(default=1, ge=0, le=100_000)
    """Least number of tokens before the end-of-text token; 0 lets a text be empty."""
    max: int = Field(default=64, ge=1, le=100_000)
    """Greatest number of tokens, the end-of-text token included; a text cut here has finish reason
    `length`."""

    @model_validator(mode="after")
    def _ordered(self) -> "Length":
        if self.min > self.max:
            raise ValueError(f"min ({self.min}) is greater than max ({self.max})")
        return self


class _Strategy(Frozen):
    source: ClassVar[str] = ""
    """Where the method was published; empty for what every textbook has."""
    share: float = Field(default=1.0, gt=0, le=1e9, allow_inf_nan=False)
    """Part of every label's rows that this strategy makes, relative to the other shares."""
    length: Length = Length()
    """Bounds on the generated length, in tokens."""
    stop: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), max_length=16
    )
    """The text ends before the first of these strings."""


class _Sampled(_Strategy):
    temperature: float = Field(default=1.0, gt=0, le=100, allow_inf_nan=False)
    """Divides the logits before anything is truncated; 1 is the model's own distribution."""


class Greedy(_Strategy):
    """The most probable token at every step."""

    kind: Literal["greedy"] = "greedy"


class Temperature(_Sampled):
    """Ancestral sampling from the whole distribution."""

    kind: Literal["temperature"] = "temperature"


class TopK(_Sampled):
    """Sampling among the `top_k` most probable tokens (Fan et al., ACL 2018)."""

    source: ClassVar[str] = "https://arxiv.org/abs/1805.04833"
    kind: Literal["top_k"] = "top_k"
    top_k: int = Field(default=50, ge=1, le=10_000_000)
    """Number of tokens to keep."""


class Nucleus(_Sampled):
    """Sampling from the smallest set with mass `top_p` (Holtzman et al., ICLR 2020)."""

    source: ClassVar[str] = "https://arxiv.org/abs/1904.09751"
    kind: Literal["nucleus"] = "nucleus"
    top_p: float = Field(default=0.9, gt=0, le=1)
    """Probability mass to keep."""


class MinP(_Sampled):
    """Sampling among tokens at least `min_p` times as probable as the best (Nguyen, ICLR 2025)."""

    source: ClassVar[str] = "https://arxiv.org/abs/2407.01082"
    kind: Literal["min_p"] = "min_p"
    min_p: float = Field(default=0.1, gt=0, le=1)
    """Least probability relative to the most probable token."""


class Typical(_Sampled):
    """Locally typical sampling (Meister et al., TACL 2023)."""

    source: ClassVar[str] = "https://arxiv.org/abs/2202.00666"
    kind: Literal["typical"] = "typical"
    typical_p: float = Field(default=0.95, gt=0, le=1)
    """Mass of the tokens whose surprisal is closest to the entropy."""


Strategy = Annotated[
    Greedy | Temperature | TopK | Nucleus | MinP | Typical, Field(discriminator="kind")
]
"""One way of choosing tokens; `kind` says which."""

STRATEGY_CLASSES: tuple[type[Frozen], ...] = (Greedy, Temperature, TopK, Nucleus, MinP, Typical)
"""The members of `Strategy`, in the order in which they are shown."""
