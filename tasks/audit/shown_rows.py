"""Rows as a finding shows them: the beginning of the text, and where in it a phrase stands."""

import regex

from schemas.audit import Evidence, Span
from tasks.audit.corpus import Corpus

MOST_ROWS = 20
SHOWN_CHARS = 300


def shown_row(corpus: Corpus, place: int, *, note: str = "", phrase: str = "") -> Evidence:
    """Return the row at `place` as evidence.

    Args:
        corpus: Where it stands.
        place: Its number.
        note: What was seen in it.
        phrase: Normalised words to mark wherever they follow each other in the shown part.
    """
    text = corpus.strings[place]
    label = None if corpus.labels is None else corpus.labels[place]
    shown = printable(text[:SHOWN_CHARS])
    return Evidence(
        id=printable(corpus.ids[place]),
        text=shown,
        chars=len(text),
        label=None if label is None else printable(label),
        spans=_spans(shown, phrase.split()),
        note=note,
    )


def _spans(text: str, words: list[str]) -> tuple[Span, ...]:
    if not words:
        return ()
    between = r"[^\p{L}\p{N}]+"
    pattern = rf"(?<![\p{{L}}\p{{N}}]){between.join(map(regex.escape, words))}(?![\p{{L}}\p{{N}}])"
    found = regex.finditer(pattern, text, flags=regex.IGNORECASE | regex.FULLCASE)
    return tuple(Span(start=match.start(), end=match.end()) for match in found)


def printable(text: str) -> str:
    """Return a text with a question mark for every lone surrogate, which no JSON can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
