"""What every noise step shares: which rows it meets, and how often it edits."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.base import Frozen

Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Level = Literal["light", "medium", "heavy"]
LEVELS: tuple[Level, ...] = ("light", "medium", "heavy")
DEFAULT = "default"
"""The key of a mapping of rates that stands for every label not named."""


class Step(Frozen):
    """A step that may be restricted to the rows of some labels."""

    labels: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Only rows of these labels are noised by the step; all when absent."""


class RatedStep(Step):
    """A step that edits each unit of a text with a probability: `rate` or `level`."""

    rates_by_level: ClassVar[Mapping[Level, float]] = {"light": 0.01, "medium": 0.05, "heavy": 0.1}

    rate: Rate | dict[str, Rate] | None = None
    """Probability that one unit is edited; or one for each label, `default` for the others.

    A label that is not named has the rate 0 when there is no `default`.
    """
    level: Level | None = None
    """A named severity in place of a rate."""

    @model_validator(mode="after")
    def _one_of_rate_and_level(self) -> "RatedStep":
        if (self.rate is None) == (self.level is None):
            raise ValueError("rate: give either a rate or a level")
        return self

    def rate_of(self, label: str | None) -> float:
        """Return the rate for the rows of a label.

        Args:
            label: None for a row without a label.
        """
        if self.labels is not None and label not in self.labels:
            return 0.0
        if self.level is not None:
            return self.rates_by_level[self.level]
        if isinstance(self.rate, dict):
            return self.rate.get(label or DEFAULT, self.rate.get(DEFAULT, 0.0))
        return self.rate or 0.0

    @property
    def needs_labels(self) -> bool:
        """Whether the rate differs between labels."""
        return self.labels is not None or isinstance(self.rate, dict)


class RatedWordStep(RatedStep):
    """A step whose units are words or tokens: there are fewer of them, so the levels are higher."""

    rates_by_level: ClassVar[Mapping[Level, float]] = {"light": 0.05, "medium": 0.1, "heavy": 0.2}
