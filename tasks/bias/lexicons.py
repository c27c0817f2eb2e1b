"""Words that say which people a text speaks of: versioned data files, one for each axis."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, model_validator

from schemas.base import Frozen

AXES = (
    "gender",
    "gender_identity",
    "religion",
    "ethnicity",
    "region",
    "age",
    "disability",
    "sexual_orientation",
)
"""The shipped axes, in the order in which a report shows them."""

Term = Annotated[str, Field(pattern=r"^[^\W_]+( [^\W_]+)*$")]
"""Words as a normalised text holds them: lower case, one space between two."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]


class GroupTerms(Frozen):
    """The terms of one group of people."""

    terms: tuple[Term, ...] = Field(min_length=1)
    """Terms that count wherever they stand."""
    ambiguous: tuple[Term, ...] = ()
    """Words with other senses ("black", "straight"): they count only before a word for people."""


class Lexicon(Frozen):
    """The terms of one axis, as its data file holds them.

    A term belongs to one group of an axis; it may belong to groups of several axes ("grandmother"
    is gender and age).
    """

    axis: Name
    version: int = Field(ge=1)
    source: str = Field(min_length=1)
    groups: dict[Name, GroupTerms] = Field(min_length=2)
    shields: tuple[Term, ...] = ()
    """Longer terms that hold a term of this axis and mean something else ("indian ocean")."""

    @model_validator(mode="after")
    def _each_term_once(self) -> "Lexicon":
        seen: set[str] = set(self.shields)
        if len(seen) != len(self.shields):
            raise ValueError(f"{self.axis}: a shield stands twice")
        for name, group in self.groups.items():
            for term in (*group.terms, *group.ambiguous):
                if term in seen or term != term.casefold():
                    raise ValueError(f"{self.axis}, {name}: {term!r} stands twice or has capitals")
                seen.add(term)
        return self


class Heads(Frozen):
    """Words for people: an ambiguous adjective before one of them is about people."""

    version: int = Field(ge=1)
    source: str = Field(min_length=1)
    heads: tuple[Term, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Lexicons:
    """What mentions are looked for with.

    Args:
        axes: The lexicons, one an axis.
        heads: Words for people.
    """

    axes: tuple[Lexicon, ...]
    heads: tuple[str, ...]

    def columns(self) -> list[tuple[str, str]]:
        """Return axis and group of each of the G columns of a mention array."""
        return [(lexicon.axis, group) for lexicon in self.axes for group in lexicon.groups]

    def phrases(self) -> list[tuple[tuple[str, ...], str, str | None]]:
        """Return each term as words, with its axis and its group (None for a shield).

        An ambiguous word becomes one phrase for each head that may follow it.
        """
        found: list[tuple[tuple[str, ...], str, str | None]] = []
        for lexicon in self.axes:
            for name, group in lexicon.groups.items():
                expanded = [f"{word} {head}" for word in group.ambiguous for head in self.heads]
                # A term that is spelled out and expanded too is one phrase.
                for term in dict.fromkeys((*group.terms, *expanded)):
                    found.append((tuple(term.split()), lexicon.axis, name))
            found.extend((tuple(term.split()), lexicon.axis, None) for term in lexicon.shields)
        return found

    def words(self) -> set[str]:
        """Return every word of every phrase: those whose codes a search needs."""
        return {word for words, _, _ in self.phrases() for word in words}


@cache
def shipped_lexicons() -> Lexicons:
    """Return the lexicons that ship with corpusmith."""
    folder = files(__package__).joinpath("lexicons")
    axes = [Lexicon.model_validate(_parse(folder.joinpath(f"{a}.yaml").read_text())) for a in AXES]
    heads = Heads.model_validate(_parse(folder.joinpath("people.yaml").read_text()))
    return Lexicons(tuple(axes), heads.heads)


def read_lexicon(path: Path) -> Lexicon:
    """Read a lexicon of a user's own.

    Raises:
        OSError: If the file cannot be read.
        yaml.YAMLError: If it is not YAML.
        ValueError: If it is not a lexicon: a term in capitals or twice in the axis, fewer than two
            groups, an unknown key.
    """
    return Lexicon.model_validate(_parse(path.read_text("utf-8")))


def _parse(text: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load(text)
    return document
