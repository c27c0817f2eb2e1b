"""Strategies that choose among whole sequences, as a recipe names them."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.noise_characters import Keyboard
from schemas.noise_mixtures import TextStep, check_tree
from schemas.noise_words import WordDelete
from schemas.strategies_token import Nucleus, Sampled, Strategic


class _Beams(Strategic):
    num_beams: int = Field(default=4, ge=1, le=256)
    """Hypotheses kept at every step."""
    num_return_sequences: int = Field(default=1, ge=1, le=256)
    """Rows made from one prompt: the best hypotheses, in order."""

    @property
    def rows_per_prompt(self) -> int:
        """Rows that are made from one prompt."""
        return self.num_return_sequences

    @model_validator(mode="after")
    def _enough_beams(self) -> "_Beams":
        if self.rows_per_prompt > self.num_beams:
            raise ValueError(
                f"num_return_sequences ({self.rows_per_prompt}) is greater than num_beams"
                f" ({self.num_beams})"
            )
        return self


class Beam(_Beams):
    """Beam search with the defaults and the stopping rule of transformers."""

    kind: Literal["beam"] = "beam"
    length_penalty: float = Field(default=1.0, ge=-10, le=10, allow_inf_nan=False)
    """A finished hypothesis scores its log-probability over its length to this power."""
    early_stopping: Literal["never"] | bool = False
    """`true`: stop once `num_beams` are finished; `false`: once no hypothesis is likely to become
    better; `never`: once none can."""


class DiverseBeam(_Beams):
    """Groups of beams that avoid each other's tokens (Vijayakumar et al., AAAI 2018)."""

    source: ClassVar[str] = "https://arxiv.org/abs/1610.02424"
    kind: Literal["diverse_beam"] = "diverse_beam"
    num_beam_groups: int = Field(default=4, ge=1, le=256)
    """Groups that `num_beams` are divided among, evenly."""
    diversity_penalty: float = Field(default=0.5, ge=0, le=1000, allow_inf_nan=False)
    """Taken from a token's log-probability for each earlier group's beam that chose it."""
    length_penalty: float = Field(default=1.0, ge=-10, le=10, allow_inf_nan=False)
    """A finished hypothesis scores its log-probability over its length to this power."""

    @model_validator(mode="after")
    def _groups_fit(self) -> "DiverseBeam":
        if self.num_beams % self.num_beam_groups:
            raise ValueError(
                f"num_beams ({self.num_beams}) is no multiple of num_beam_groups"
                f" ({self.num_beam_groups})"
            )
        return self


class StochasticBeam(Strategic):
    """Sampling whole sequences without replacement (Kool et al., ICML 2019)."""

    source: ClassVar[str] = "https://arxiv.org/abs/1903.06059"
    kind: Literal["stochastic_beam"] = "stochastic_beam"
    num_beams: int = Field(default=4, ge=1, le=256)
    """Sequences drawn from one prompt, all different; each becomes a row with its weight."""
    temperature: float = Field(default=1.0, gt=0, le=100, allow_inf_nan=False)
    """Divides the logits; 1 is the model's own distribution."""

    @property
    def rows_per_prompt(self) -> int:
        """Rows that are made from one prompt."""
        return self.num_beams


class Contrastive(Strategic):
    """Probable tokens whose hidden state differs from those before (Su et al., NeurIPS 2022)."""

    source: ClassVar[str] = "https://arxiv.org/abs/2202.06417"
    kind: Literal["contrastive"] = "contrastive"
    top_k: int = Field(default=4, ge=1, le=64)
    """Candidates looked at in each step."""
    penalty_alpha: float = Field(default=0.6, ge=0, le=1)
    """Weight of the degeneration penalty; 0 is greedy."""


class NoisyChannel(Strategic):
    """Two uses of a channel model: candidates reranked by it, or texts corrupted and restored.

    `rerank` draws candidates and ranks them by log p(text | prompt) + channel_weight *
    log p(label | text) + prior_weight * log p(text) (Yee et al., EMNLP 2019). `corrupt` puts noise
    into an example of the row's label and lets the model restore it.
    """

    source: ClassVar[str] = "https://arxiv.org/abs/1908.05731"
    kind: Literal["noisy_channel"] = "noisy_channel"
    mode: Literal["rerank", "corrupt"] = "rerank"
    """What the channel is used for."""
    proposal: Annotated[Sampled, Field(discriminator="kind")] = Nucleus()
    """How candidates or restorations are drawn; its length, share and stop do not count."""
    num_candidates: int = Field(default=8, ge=2, le=256)
    """Candidates for each row (`rerank`)."""
    channel_weight: float = Field(default=1.0, ge=0, le=100, allow_inf_nan=False)
    """Weight of log p(label | text) (`rerank`)."""
    prior_weight: float = Field(default=0.3, ge=0, le=100, allow_inf_nan=False)
    """Weight of log p(text) (`rerank`)."""
    noise: tuple[TextStep, ...] = Field(
        default=(Keyboard(rate=0.05), WordDelete(rate=0.1)), min_length=1
    )
    """What corrupts the example (`corrupt`)."""

    @property
    def max_tokens_per_row(self) -> int:
        """Most tokens that one row can count: those of every candidate that is ranked."""
        return self.length.max * (self.num_candidates if self.mode == "rerank" else 1)

    @model_validator(mode="after")
    def _proposal_is_one_text(self) -> "NoisyChannel":
        check_tree(self.noise)
        if self.proposal.best_of is not None:
            raise ValueError("proposal: leave best_of out; mode: rerank ranks the candidates")
        if self.proposal.num_return_sequences != 1:
            raise ValueError("proposal: leave num_return_sequences out; a row is made of each")
        return self
