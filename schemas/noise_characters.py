"""Noise steps on characters: what a finger, a scanner, an encoding or a writer's habit does."""

from typing import Annotated, Literal

import regex
from pydantic import AfterValidator, Field

from schemas.noise_step import RatedStep

Layout = Literal["qwerty", "qwertz", "azerty"]
CaseMode = Literal["upper", "lower", "title", "random"]

# What is put in stands for itself: it joins no neighbour into one grapheme cluster.
_STANDS_ALONE = regex.compile(r"[[\p{L}\p{N}\p{P}\p{S}]&&\p{GCB=XX}]+", regex.V1)


def _check_alphabet(alphabet: str) -> str:
    if not _STANDS_ALONE.fullmatch(alphabet):
        raise ValueError("not letters, digits, punctuation and symbols alone")
    return alphabet


class Keyboard(RatedStep):
    """Replaces a letter or digit by a neighbour on the keyboard."""

    kind: Literal["keyboard"] = "keyboard"
    layout: Layout = "qwerty"
    """Which keyboard: American or British, German, or French."""


class CharDelete(RatedStep):
    """Deletes characters."""

    kind: Literal["char_delete"] = "char_delete"


class CharInsert(RatedStep):
    """Puts a random letter after a letter, or a random digit after a digit."""

    kind: Literal["char_insert"] = "char_insert"
    alphabet: Annotated[str, AfterValidator(_check_alphabet)] | None = Field(
        default=None, min_length=1, max_length=1000
    )
    """What is put in, each equally likely; by default the alphabet of the letter before, in its
    case."""


class CharSubstitute(RatedStep):
    """Replaces a letter or digit by another of the same alphabet and case."""

    kind: Literal["char_substitute"] = "char_substitute"


class CharSwap(RatedStep):
    """Swaps two neighbouring characters of a word."""

    kind: Literal["char_swap"] = "char_swap"


class CharRepeat(RatedStep):
    """Writes a character twice."""

    kind: Literal["char_repeat"] = "char_repeat"


class Ocr(RatedStep):
    """Takes one or two characters for others of the same shape, as text recognition does."""

    kind: Literal["ocr"] = "ocr"


class Homoglyph(RatedStep):
    """Replaces a letter by one of another script that looks the same."""

    kind: Literal["homoglyph"] = "homoglyph"


class ZeroWidth(RatedStep):
    """Puts a character without width between two others of a word."""

    kind: Literal["zero_width"] = "zero_width"


class Diacritics(RatedStep):
    """Gives letters a mark, or takes their marks away."""

    kind: Literal["diacritics"] = "diacritics"
    mode: Literal["add", "strip"] = "add"
    """`add` marks a bare letter of the Latin alphabet; `strip` leaves the bare letter."""


class Leetspeak(RatedStep):
    """Replaces a letter by a digit or sign of its shape."""

    kind: Literal["leetspeak"] = "leetspeak"


class Case(RatedStep):
    """Changes the case of letters."""

    kind: Literal["case"] = "case"
    mode: CaseMode = "random"
    """`random` swaps the case of each letter chosen; `title` chooses whole words and begins them
    with a capital, the other letters small."""


class Whitespace(RatedStep):
    """Joins words or splits them."""

    kind: Literal["whitespace"] = "whitespace"
    mode: Literal["drop", "add"] = "drop"
    """`drop` chooses among the gaps between words; `add` among the places within words."""


class Punctuation(RatedStep):
    """Loses punctuation, or puts it between words."""

    kind: Literal["punctuation"] = "punctuation"
    mode: Literal["drop", "add"] = "add"
    """`drop` chooses among punctuation marks; `add` among the gaps between words."""


CharacterStep = (
    Keyboard
    | CharDelete
    | CharInsert
    | CharSubstitute
    | CharSwap
    | CharRepeat
    | Ocr
    | Homoglyph
    | ZeroWidth
    | Diacritics
    | Leetspeak
    | Case
    | Whitespace
    | Punctuation
)
