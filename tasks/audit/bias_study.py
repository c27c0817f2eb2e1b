"""What the measures of bias share: mentions of a corpus, and how figures and rows are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import regex

from schemas.audit import Estimate, Evidence, Group, Metric
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import beginning, excerpt
from tasks.bias.association import Ints, code_values
from tasks.bias.interval import Interval
from tasks.bias.lexicons import Lexicons, shipped_lexicons
from tasks.bias.mentions import Mentions, find_mentions

MOST_EVIDENCE = 20
MOST_TABLE_ROWS = 50
FOUR_FIFTHS = 0.8
"""A group that gets less than four fifths of what it should, or more than five fourths, is told of.

After the four-fifths rule of the US Equal Employment Opportunity Commission, 29 CFR 1607.4 D.
"""
_WORD = regex.compile(r"(?:[\p{L}\p{N}]\p{M}*+)++")


@dataclass(frozen=True)
class Study:
    """A corpus with the groups that its rows mention."""

    corpus: Corpus
    lexicons: Lexicons
    mentions: Mentions

    @cached_property
    def labels(self) -> tuple[Ints, list[str]] | None:
        """Number of each row's label, and the labels; None without any."""
        if self.corpus.labels is None:
            return None
        codes, names = code_values(self.corpus.labels)
        return (codes, names) if names else None


def study(corpus: Corpus) -> Study:
    """Find the mentions of a corpus with the shipped lexicons."""
    lexicons, words = shipped_lexicons(), corpus.words
    known = ((word, words.vocabulary.known(word)) for word in sorted(lexicons.words()))
    code_of = {word: code for word, code in known if code is not None}
    found = find_mentions(words.codes, words.offsets, code_of=code_of, lexicons=lexicons)
    return Study(corpus, lexicons, found)


def metric(
    name: str,
    *,
    title: str,
    unit: Literal["share", "score", "nats"],
    better: Literal["lower", "neither"],
    measured: tuple[Estimate | None, Estimate | None] | str,
    about: tuple[str, str],
) -> Metric:
    """Build a metric of this group.

    Args:
        name: Its name.
        title: A few words.
        unit: Its unit.
        better: Whether less is better.
        measured: Its estimate and its baseline; or why there is none.
        about: Its definition and its source.
    """
    estimate, baseline = (None, None) if isinstance(measured, str) else measured
    return Metric(
        name=name, group=Group.BIAS, title=title, unit=unit, better=better, estimate=estimate,
        baseline=baseline, definition=about[0], source=about[1],
        unmeasured=measured if isinstance(measured, str) else None,
    )  # fmt: skip


def estimate(interval: Interval | None) -> Estimate | None:
    """Turn an interval of the engine into one of the report; an infinite one has no bounds."""
    if interval is None:
        return None
    bounds = np.isfinite([interval.low, interval.high]).all()
    return Estimate(
        value=interval.value,
        low=interval.low if bounds else None,
        high=interval.high if bounds else None,
        n=interval.n,
    )


def is_far(interval: Interval, target: float) -> bool:
    """Return whether a share lies, with its interval, beyond four fifths or five fourths."""
    return interval.high < FOUR_FIFTHS * target or interval.low > target / FOUR_FIFTHS


def plain(name: str) -> str:
    """Write a name of a lexicon in words."""
    return name.replace("_", " ")


def percent(share: float) -> str:
    """Write a share as a reader reads it."""
    return f"{100 * share:.1f} %"


def evidence(
    studied: Study, places: Sequence[int], *, columns: Sequence[int], note: str = ""
) -> list[Evidence]:
    """Show rows with the terms of groups marked.

    Args:
        studied: The corpus.
        places: The rows.
        columns: The groups, by their columns.
        note: What to see in them.
    """
    named = {studied.mentions.columns[column] for column in columns}
    terms = {words for words, axis, group in studied.lexicons.phrases() if (axis, group) in named}
    corpus = studied.corpus
    return [
        excerpt(corpus, place, spans=term_spans(beginning(corpus.strings[place]), terms), note=note)
        for place in places
    ]


def term_spans(text: str, terms: set[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Find terms in a text, where they stand; the longest at each place."""
    found, words = [], [(m.group().casefold(), m.start(), m.end()) for m in _WORD.finditer(text)]
    longest = max(map(len, terms), default=0)
    place = 0
    while place < len(words):
        for size in range(min(longest, len(words) - place), 0, -1):
            part = words[place : place + size]
            if tuple(word for word, _, _ in part) in terms:
                found.append((part[0][1], part[-1][2]))
                place += size - 1
                break
        place += 1
    return found
