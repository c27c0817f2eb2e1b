"""Noise steps as a recipe names them, and the log entry of one edit."""

from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from schemas.base import Frozen
from schemas.noise_characters import CharacterStep, CharDelete, Keyboard
from schemas.noise_mixtures import (
    LabelFlip,
    MixtureStep,
    OneOf,
    Plugin,
    RecipeStep,
    SomeOf,
    TextStep,
    TokenDelete,
    TokenReplace,
    TokenStep,
    check_tree,
    preset_steps,
)
from schemas.noise_step import LEVELS, Level, RatedStep, Step
from schemas.noise_words import WordDelete, WordStep

__all__ = [
    "CharDelete",
    "CharacterStep",
    "Edit",
    "Keyboard",
    "LabelFlip",
    "MixtureStep",
    "NoiseConfig",
    "NoiseStep",
    "OneOf",
    "Operator",
    "PatternName",
    "Plugin",
    "Protect",
    "RatedStep",
    "RecipeStep",
    "SomeOf",
    "Step",
    "TextStep",
    "TokenDelete",
    "TokenReplace",
    "TokenStep",
    "WordDelete",
    "WordStep",
]


def _check_regex(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


NoiseStep = Annotated[CharacterStep | WordStep, Field(discriminator="kind")]
"""An operator on characters or words with its rate; `kind` says which."""


Operator = CharacterStep | WordStep | TokenStep | Plugin
"""A step that edits texts itself; a mixture is made of such."""


PatternName = Literal["url", "email", "placeholder", "number"]
"""Web addresses; e-mail addresses; `{name}`, `[MASK]`, `<tag>`, `@user` and `#tag`; numbers."""


class Protect(Frozen):
    """What no step may change: an edit that would touch it is not made."""

    patterns: tuple[PatternName, ...] = ()
    """What is found by name."""
    regexes: tuple[Annotated[str, AfterValidator(_check_regex)], ...] = Field(
        default=(), max_length=32
    )
    """Regular expressions (the `regex` library's), searched in each text."""
    spans: bool = True
    """Whether the text of labelled spans is protected, where a row has any."""
    label: bool = False
    """Whether the words of the row's own label are protected, in any case."""


_STEPS = TypeAdapter(tuple[RecipeStep, ...])


class NoiseConfig(Frozen):
    """Which part of the accepted rows is noised, and by what."""

    share: float = Field(default=0.25, ge=0, le=1)
    """Part of the accepted rows that is noised; their clean text is kept."""
    preset: Level | None = None
    """A named severity in place of `steps`; it stands for the steps that `preset_steps` returns."""
    steps: tuple[RecipeStep, ...] = Field(default=(), min_length=1, max_length=32)
    """Operators, applied in this order."""
    protect: Protect = Protect()
    """What stays byte-identical."""

    @model_validator(mode="before")
    @classmethod
    def _write_preset_out(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("preset") in LEVELS and "steps" not in data:
            return {**data, "steps": preset_steps(data["preset"])}
        return data

    @model_validator(mode="after")
    def _steps_are_sound(self) -> "NoiseConfig":
        if not self.steps:
            raise ValueError("steps: name at least one step, or a preset")
        if self.preset and self.steps != _STEPS.validate_python(preset_steps(self.preset)):
            raise ValueError("preset: give a preset or steps, and not both")
        check_tree(self.steps)
        return self


class Edit(Frozen):
    """One edit: in the text as it stood just before, `text[start:end] == before` became `after`."""

    kind: str
    start: int = Field(ge=0)
    """First code point of `before`."""
    end: int = Field(ge=0)
    """One past the last code point of `before`; equal to `start` for an insertion."""
    before: str
    after: str
