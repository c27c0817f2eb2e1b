"""Rows as findings show them, and how often such rows occur."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.audit import Estimate, Evidence, Group, Metric, Span
from tasks.audit import intervals
from tasks.audit.corpus import Corpus

MOST_ROWS = 20
"""Rows that a finding shows."""
MOST_CHARS = 300
"""Code points of a row that are shown."""
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Count:
    """Rows that have a property, of all rows."""

    rows: int
    of: int

    def estimate(self) -> Estimate | None:
        """Return the share with its interval; None of no rows."""
        return intervals.share(self.rows, self.of) if self.of else None

    def __str__(self) -> str:
        """Say it as the beginning of a sentence: "3 of 1,200 rows (0.25 %)"."""
        return f"{self.rows:,} of {self.of:,} rows ({100 * self.rows / max(self.of, 1):.3g} %)"


def row_rate(
    name: str, group: Group, *, says: tuple[str, str, str], count: Count, baseline: Count | None
) -> Metric:
    """State the share of rows that have what none should.

    Args:
        name: Of the metric.
        group: Its room.
        says: Title, definition and source.
        count: Rows of the corpus.
        baseline: Rows of the reference, where there is one.
    """
    title, definition, source = says
    estimate = count.estimate()
    return Metric(
        name=name,
        group=group,
        title=title,
        unit="share",
        better="lower",
        estimate=estimate,
        unmeasured=None if estimate else "the corpus has no rows",
        baseline=baseline.estimate() if baseline else None,
        definition=definition,
        source=source,
    )


def excerpt(
    corpus: Corpus,
    place: int,
    *,
    text: str | None = None,
    spans: Iterable[tuple[int, int]] = (),
    note: str = "",
    beside: tuple[str | None, str] | None = None,
) -> Evidence:
    """Return a row as evidence.

    Args:
        corpus: Where it stands.
        place: Its number.
        text: Its text as it may be shown; None shows it as it stands.
        spans: What the finding is about, in code points of `text`.
        note: What was seen in it.
        beside: The text that it is compared with, behind that row's id if it has one.
    """
    text = corpus.strings[place] if text is None else text
    label = None if corpus.labels is None else corpus.labels[place]
    other_id, other = (None, None) if beside is None else beside
    return Evidence(
        id=printable(corpus.ids[place]),
        text=beginning(text),
        chars=len(text),
        label=None if label is None else printable(label),
        spans=tuple(
            Span(start=start, end=min(end, MOST_CHARS))
            for start, end in spans
            if start < MOST_CHARS
        ),
        note=beginning(note),
        other=None if other is None else beginning(other),
        other_id=None if other_id is None else printable(other_id),
    )


def beginning(text: str) -> str:
    """Return as much of a text as is shown."""
    return printable(text[:MOST_CHARS])


def printable(text: str) -> str:
    """Put U+FFFD for every half of a surrogate pair, which no file of UTF-8 can hold."""
    return _SURROGATE.sub("\ufffd", text)
