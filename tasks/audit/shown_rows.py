"""Rows with a phrase marked wherever it stands in them."""

import regex

from schemas.audit import Evidence
from tasks.audit.corpus import Corpus
from tasks.audit.excerpts import beginning, excerpt


def shown_row(corpus: Corpus, place: int, *, note: str = "", phrase: str = "") -> Evidence:
    """Return the row at `place` as evidence.

    Args:
        corpus: Where it stands.
        place: Its number.
        note: What was seen in it.
        phrase: Normalised words to mark wherever they follow each other in the shown part.
    """
    spans = _spans(beginning(corpus.strings[place]), phrase.split())
    return excerpt(corpus, place, spans=spans, note=note)


def _spans(text: str, words: list[str]) -> list[tuple[int, int]]:
    if not words:
        return []
    between = r"[^\p{L}\p{N}]+"
    pattern = rf"(?<![\p{{L}}\p{{N}}]){between.join(map(regex.escape, words))}(?![\p{{L}}\p{{N}}])"
    found = regex.finditer(pattern, text, flags=regex.IGNORECASE | regex.FULLCASE)
    return [match.span() for match in found]
