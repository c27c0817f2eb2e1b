"""Strategies that choose one token at a time, as a recipe names them; what all strategies have."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from schemas.base import Frozen


class Length(Frozen):
    """Hard bounds on the number of generated tokens, and a target that is steered to."""

    min: int = Field(default=1, ge=0, le=100_000)
    """Least number of tokens before the end-of-text token; 0 lets a text be empty."""
    max: int = Field(default=64, ge=1, le=100_000)
    """Greatest number of tokens, the end-of-text token included; a text cut here has finish reason
    `length`."""
    target: int | None = Field(default=None, ge=1, le=100_000)
    """Length that texts are steered to, in `unit`s, by the end-of-text logit alone."""
    unit: Literal["tokens", "words", "chars"] = "tokens"
    """What `target` counts. Words and characters are counted again in the finished text."""
    strength: float = Field(default=4.0, ge=0, le=1000, allow_inf_nan=False)
    """How hard texts are steered: at step t the end-of-text logit is raised by
    `strength * (t - target) / target`; 0 changes nothing."""
    tolerance: float = Field(default=0.5, ge=0, le=10, allow_inf_nan=False)
    """Rows whose words or characters miss the target by more than this part of it are rejected."""

    @model_validator(mode="after")
    def _ordered(self) -> "Length":
        if self.min > self.max:
            raise ValueError(f"min ({self.min}) is greater than max ({self.max})")
        if self.target is not None and self.unit == "tokens" and self.target > self.max:
            raise ValueError(f"target ({self.target}) is greater than max ({self.max})")
        return self


class Strategic(Frozen):
    """What every strategy has."""

    source: ClassVar[str] = ""
    """Where the method was published; empty for what every textbook has."""
    share: float = Field(default=1.0, gt=0, le=1e9, allow_inf_nan=False)
    """Part of every label's rows that this strategy makes, relative to the other shares."""
    length: Length = Length()
    """Bounds on the generated length, in tokens, and a target."""
    stop: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), max_length=16
    )
    """The text ends before the first of these strings."""

    @property
    def rows_per_prompt(self) -> int:
        """Rows that are made from one prompt: a row for each member of a group.

        A group has fewer members where a label's rows run out. A member that is rejected is tried
        again alone, with the next attempt's prompt and in the same place of its group.
        """
        return 1

    @property
    def max_tokens_per_row(self) -> int:
        """Most tokens that one row can count.

        These are the tokens of its own text, a beam's rejected hypotheses apart; where candidates
        of a row are ranked, the tokens of all of them.
        """
        return self.length.max


class LogprobScorer(Frozen):
    """Mean log-probability a token under the model that wrote the text."""

    kind: Literal["logprob"] = "logprob"


class LabelPosteriorScorer(Frozen):
    """log p(label | text) under the model that wrote the text, over the recipe's labels."""

    kind: Literal["label_posterior"] = "label_posterior"


class RewardScorer(Frozen):
    """A reward model: a sequence classifier of transformers; its first logit is the score."""

    kind: Literal["reward"] = "reward"
    name: str = Field(min_length=1)
    """Hub id or local folder."""


Scorer = Annotated[LogprobScorer | LabelPosteriorScorer | RewardScorer, Field(discriminator="kind")]


def _long_scorer(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


class BestOf(Frozen):
    """Several candidates a row; the one that the scorer ranks first is kept."""

    n: int = Field(default=4, ge=2, le=256)
    """Candidates for each row; all their tokens count."""
    scorer: Annotated[
        Scorer,
        BeforeValidator(
            _long_scorer,
            json_schema_input_type=Scorer | Literal["logprob", "label_posterior"],
        ),
    ] = LogprobScorer()
    """What ranks them."""


class _Sampled(Strategic):
    temperature: float = Field(default=1.0, gt=0, le=100, allow_inf_nan=False)
    """Divides the logits before anything is truncated; 1 is the model's own distribution."""
    num_return_sequences: int = Field(default=1, ge=1, le=256)
    """Rows made from one prompt; the model reads it once."""
    best_of: BestOf | None = None
    """Draw several candidates for each row and keep the best; one when absent."""

    @property
    def rows_per_prompt(self) -> int:
        """Rows that are made from one prompt."""
        return self.num_return_sequences

    @property
    def max_tokens_per_row(self) -> int:
        """Most tokens that one row can count: those of every candidate that is drawn for it."""
        return self.length.max * (1 if self.best_of is None else self.best_of.n)


class Greedy(Strategic):
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


class Arithmetic(_Sampled):
    """Sampling along evenly spaced codes: rows of one prompt differ by design (Vilnis, ICML 2023).

    The rows of one prompt share a random shift; each row alone is an exact sample.
    """

    source: ClassVar[str] = "https://arxiv.org/abs/2210.15458"
    kind: Literal["arithmetic"] = "arithmetic"


Sampled = Temperature | TopK | Nucleus | MinP | Typical | Arithmetic
"""Strategies that draw one token at a time."""
SAMPLED: tuple[type[Sampled], ...] = (Temperature, TopK, Nucleus, MinP, Typical, Arithmetic)
