"""Noise steps as a recipe names them, and the log entry of one edit."""

from typing import Annotated, Literal

import regex
from pydantic import AfterValidator, Field

from schemas.base import Frozen


def _check_regex(pattern: str) -> str:
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


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


CharacterStep = Keyboard | CharDelete
WordStep = WordDelete
NoiseStep = Annotated[CharacterStep | WordStep, Field(discriminator="kind")]
"""One noise operator with its rate; `kind` says which."""


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


class NoiseConfig(Frozen):
    """Which part of the accepted rows is noised, and by what."""

    share: float = Field(default=0.25, ge=0, le=1)
    """Part of the accepted rows that is noised; their clean text is kept."""
    steps: tuple[NoiseStep, ...] = Field(min_length=1, max_length=32)
    """Operators, applied in this order."""
    protect: Protect = Protect()
    """What stays byte-identical."""


class Edit(Frozen):
    """One edit: in the text as it stood just before, `text[start:end] == before` became `after`."""

    kind: str
    start: int = Field(ge=0)
    """First code point of `before`."""
    end: int = Field(ge=0)
    """One past the last code point of `before`; equal to `start` for an insertion."""
    before: str
    after: str
