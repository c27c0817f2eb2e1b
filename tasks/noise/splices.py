"""Replacements that one step makes, and how they turn into a text and its edit log."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from schemas.noise import Edit
from tasks.noise.buffers import Ints, TextBuffer


@dataclass(frozen=True, slots=True)
class Splices:
    """Disjoint replacements in a `TextBuffer`, in the order in which they stand there.

    Args:
        owners: Number of the text of each replacement, shape `(E,)`.
        starts: First code point replaced, counted in the buffer, shape `(E,)`.
        ends: One past the last, shape `(E,)`; equal to `starts` for an insertion.
        afters: What comes in its place, E strings.
    """

    owners: Ints
    starts: Ints
    ends: Ints
    afters: Sequence[str]

    def by_text(self, buffer: TextBuffer) -> Iterator[tuple[int, list[tuple[int, int, str]]]]:
        """Yield each text that changes: its number and its (start, end, after), counted in it."""
        firsts = buffer.offsets[self.owners]
        places = zip(
            self.owners.tolist(),
            (self.starts - firsts).tolist(),
            (self.ends - firsts).tolist(),
            self.afters,
            strict=True,
        )
        for number, group in groupby(places, key=lambda place: place[0]):
            yield number, [(start, end, after) for _, start, end, after in group]


def splice(
    text: str, replacements: Iterable[tuple[int, int, str]], *, kind: str
) -> tuple[str, list[Edit]]:
    """Apply replacements from left to right and log them.

    Args:
        text: The text before the step.
        replacements: Disjoint (start, end, after) in ascending order, in code points of `text`.
        kind: Operator to name in the log.

    Returns:
        The new text, and one edit a replacement: its offsets are those of the text in which every
        replacement to the left is already made.
    """
    pieces: list[str] = []
    edits: list[Edit] = []
    place = shift = 0
    for start, end, after in replacements:
        before = text[start:end]
        edits.append(
            Edit(kind=kind, start=start + shift, end=end + shift, before=before, after=after)
        )
        pieces += (text[place:start], after)
        shift += len(after) - len(before)
        place = end
    pieces.append(text[place:])
    return "".join(pieces), edits
