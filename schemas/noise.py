"""Noise steps as a recipe names them, and the log entry of one edit."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Frozen


class _Step(Frozen):
    rate: float = Field(ge=0, le=1, allow_inf_nan=False)
    """Probability that one unit (character or word) is edited."""


class Keyboard(_Step):
    """Replaces a letter or digit by a neighbour on the QWERTY keyboard."""

    kind: Literal["keyboard"] = "keyboard"


class CharDelete(_Step):
    """Deletes characters."""

    kind: Literal["char_delete"] = "char_delete"


class WordDelete(_Step):
    """Deletes words."""

    kind: Literal["word_delete"] = "word_delete"


NoiseStep = Annotated[Keyboard | CharDelete | WordDelete, Field(discriminator="kind")]
"""One noise operator with its rate; `kind` says which."""


class NoiseConfig(Frozen):
    """Which part of the accepted rows is noised, and by what."""

    share: float = Field(default=0.25, ge=0, le=1)
    """Part of the accepted rows that is noised; their clean text is kept."""
    steps: tuple[NoiseStep, ...] = Field(min_length=1, max_length=32)
    """Operators, applied in this order."""


class Edit(Frozen):
    """One edit: in the text as it stood just before, `text[start:end] == before` became `after`."""

    kind: str
    start: int = Field(ge=0)
    """First code point of `before`."""
    end: int = Field(ge=0)
    """One past the last code point of `before`; equal to `start` for an insertion."""
    before: str
    after: str
