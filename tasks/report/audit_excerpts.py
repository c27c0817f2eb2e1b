"""Untrusted texts cut to what a page shows, with what a finding is about marked."""

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.audit import Span


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of a text: `shown` of its `chars` code points, not from its start if `late`."""

    pieces: tuple[Piece, ...]
    shown: int
    chars: int
    late: bool = False


def excerpt(text: str, spans: Iterable[Span] = (), *, limit: int, chars: int) -> Excerpt:
    """Cut a text around the first of its spans, and part it where spans begin and end.

    Spans may overlap, come in any order and reach beyond the text.

    Args:
        text: The text, or its beginning.
        spans: What is marked, in code points of `text`.
        limit: Most code points that are shown, at least 1.
        chars: Code points of the whole text.
    """
    wanted = sorted((span.start, min(span.end, len(text))) for span in spans)
    wanted = [(start, end) for start, end in wanted if start < end]
    first = wanted[0] if wanted else (0, 0)
    start = max(0, min(first[0] - limit // 4, len(text) - limit)) if first[1] > limit else 0
    end = min(len(text), start + limit)
    pieces: list[Piece] = []
    place = start
    for left, right in wanted:
        left, right = max(left, place), min(right, end)
        if left < right:
            pieces += [Piece(text[place:left], marked=False), Piece(text[left:right], marked=True)]
            place = right
    pieces.append(Piece(text[place:end], marked=False))
    return Excerpt(
        pieces=tuple(piece for piece in pieces if piece.text),
        shown=end - start,
        chars=max(chars, len(text)),
        late=start > 0,
    )
