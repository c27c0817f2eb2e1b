"""An edit log turned into one marked text: what stayed, what went, what came."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.noise import Edit
from tasks.report.findings import Segment

_MARGIN = 2
"""Deletions pull later text forward, so more of the clean text is replayed than is shown."""


@dataclass(slots=True)
class _Cell:
    """One character of the clean text (`original`) or of an edit, and whether it is still there."""

    char: str
    original: bool
    alive: bool = True


def mark_edits(clean: str, edits: Sequence[Edit], text: str, *, limit: int) -> tuple[Segment, ...]:
    """Show how `clean` became `text`, for about the first `limit` characters.

    Every edit's offsets count in the text as the edits before it left it; the result places all
    edits in one text. A character that an edit put in and a later one took out is not shown. A log
    that does not lead from `clean` to `text` gives one replacement of the one by the other.

    Args:
        clean: The text before noise.
        edits: The log, in the order made.
        text: The text after noise.
        limit: Most characters of `before` and `after` together, at least 1.

    Returns:
        Segments whose `before` join to a prefix of `clean` and whose `after` to a prefix of `text`.
    """
    head = clean[: limit * _MARGIN]
    whole = len(head) == len(clean)
    cells = [_Cell(char, original=True) for char in head]
    num_alive = len(cells)
    for edit in edits:
        if edit.start < num_alive or (whole and edit.start == num_alive):
            num_alive += _apply(cells, edit)
    left = "".join(cell.char for cell in cells if cell.alive)
    if left != (text if whole else text[: len(left)]):
        half = max(1, limit // 2)
        return (Segment(kind="replaced", before=clean[:half], after=text[:half]),)
    shown = [cell for cell in cells if cell.alive or cell.original]
    return tuple(_segments(shown[:limit]))


def _apply(cells: list[_Cell], edit: Edit) -> int:
    """Make one edit, clipped to the cells, and return by how much the living cells grew."""
    places = [place for place, cell in enumerate(cells) if cell.alive]
    gone = places[edit.start : edit.end]
    for place in gone:
        cells[place].alive = False
    at = 0 if edit.end == 0 else places[min(edit.end, len(places)) - 1] + 1
    cells[at:at] = [_Cell(char, original=False) for char in edit.after]
    return len(edit.after) - len(gone)


def _segments(cells: Iterable[_Cell]) -> Iterable[Segment]:
    for untouched, run in itertools.groupby(cells, lambda cell: cell.original and cell.alive):
        changed = list(run)
        before = "".join(cell.char for cell in changed if cell.original)
        after = "".join(cell.char for cell in changed if cell.alive)
        if untouched:
            yield Segment(kind="same", before=before, after=after)
        elif not after:
            yield Segment(kind="deleted", before=before, after="")
        else:
            kind = "replaced" if before else "inserted"
            yield Segment(kind=kind, before=before, after=after)
