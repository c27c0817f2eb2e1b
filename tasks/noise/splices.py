"""Replacements that one step makes in a batch, and how they turn into new texts and a log."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.noise.batch import TextBatch
from tasks.noise.strings import Ints, Mask, Strings, offsets_of, ranges


@dataclass(frozen=True, slots=True)
class Splices:
    """E disjoint replacements in a `TextBatch`, in the order in which they stand there.

    Each one is a whole: a step may lose some of them (those that touch protected text) and must
    make sense without. An insertion never stands where another replacement ends.

    Args:
        rows: Number of the text of each, shape `(E,)`.
        starts: First code point replaced, counted in the batch, shape `(E,)`.
        ends: One past the last, shape `(E,)`; equal to `starts` for an insertion.
        afters: What comes in its place, E strings.
    """

    rows: Ints
    starts: Ints
    ends: Ints
    afters: Strings

    def __len__(self) -> int:
        """Return the number of replacements."""
        return int(self.rows.size)

    @classmethod
    def deleting(cls, rows: Ints, starts: Ints, ends: Ints) -> "Splices":
        """Replace by nothing."""
        return cls(rows, starts, ends, Strings.empty(rows.size))

    @classmethod
    def none(cls) -> "Splices":
        """Replace nothing."""
        nowhere = np.empty(0, np.int64)
        return cls.deleting(nowhere, nowhere, nowhere)

    def where(self, mask: Mask) -> "Splices":
        """Keep those for which `mask`, shape `(E,)`, is true."""
        if mask.all():
            return self
        kept = np.flatnonzero(mask)
        return Splices(self.rows[kept], self.starts[kept], self.ends[kept], self.afters.take(kept))

    def outside(self, batch: TextBatch) -> "Splices":
        """Keep those that change no protected code point and insert nothing between two."""
        if batch.protected is None or not len(self):
            return self
        before = offsets_of(batch.protected)
        touches = before[self.ends] > before[self.starts]
        inserts = np.flatnonzero(self.starts == self.ends)
        inserts = inserts[
            (self.starts[inserts] > batch.offsets[self.rows[inserts]])
            & (self.starts[inserts] < batch.offsets[self.rows[inserts] + 1])
        ]
        places = self.starts[inserts]
        touches[inserts] = batch.protected[places - 1] & batch.protected[places]
        return self.where(~touches)

    def lifted(self, rows: Ints, *, part: TextBatch, whole: TextBatch) -> "Splices":
        """Turn replacements in `whole.take(rows)` into replacements in `whole`.

        Args:
            rows: The texts taken, ascending.
            part: The batch of those texts.
            whole: The batch from which they were taken.
        """
        own = rows[self.rows]
        shift = whole.offsets[own] - part.offsets[self.rows]
        return Splices(own, self.starts + shift, self.ends + shift, self.afters)


@dataclass(frozen=True, slots=True)
class Edits:
    """Edits as a log has them, in the order made.

    Args:
        rows: Number of the text of each, shape `(E,)`.
        steps: Number of the step that made it, shape `(E,)`.
        starts: Its first code point, counted in its text as that stood just before, shape `(E,)`.
        befores: What stood there, E strings.
        afters: What stands there now, E strings.
    """

    rows: Ints
    steps: Ints
    starts: Ints
    befores: Strings
    afters: Strings


@dataclass(frozen=True, slots=True)
class Shifts:
    """Where the places of a batch come to lie after splices.

    Args:
        splices: The replacements.
        before_each: How far everything has moved where each begins, and the total last: `(E + 1,)`.
        old_offsets: Where each text began, shape `(N + 1,)`.
        new_offsets: Where it begins now, shape `(N + 1,)`.
    """

    splices: Splices
    before_each: Ints
    old_offsets: Ints
    new_offsets: Ints

    @classmethod
    def of(cls, batch: TextBatch, splices: Splices) -> "Shifts":
        """Compute them; the splices lie in the batch."""
        grown = splices.afters.lengths - (splices.ends - splices.starts)
        before_each = offsets_of(grown)
        up_to_row = offsets_of(np.bincount(splices.rows, minlength=len(batch)))
        return cls(splices, before_each, batch.offsets, batch.offsets + before_each[up_to_row])


def apply(batch: TextBatch, splices: Splices, *, step: int) -> tuple[TextBatch, Edits, Shifts]:
    """Make the replacements, those of a text from left to right.

    Args:
        batch: The texts before the step.
        splices: What to replace.
        step: Number of the step, for the log.

    Returns:
        The texts after it, its edits (in the order of texts and places), and how places moved. A
        code point that was put in is not protected.

    Raises:
        ValueError: If the splices overlap, are out of order or leave their texts.
    """
    _check(batch, splices)
    shifts = Shifts.of(batch, splices)
    starts = splices.starts + shifts.before_each[:-1]
    removed = ranges(splices.starts, splices.ends - splices.starts)
    added = ranges(starts, splices.afters.lengths)
    is_kept = np.ones(batch.code_points.size, np.bool_)
    is_kept[removed] = False
    code_points = _put_in(splices.afters.code_points, added, batch.code_points[is_kept])
    protected = None
    if batch.protected is not None:
        protected = _put_in(np.zeros(added.size, np.bool_), added, batch.protected[is_kept])
    edits = Edits(
        splices.rows,
        np.full(len(splices), step),
        starts - shifts.new_offsets[splices.rows],
        Strings(batch.code_points[removed], offsets_of(splices.ends - splices.starts)),
        splices.afters,
    )
    return TextBatch(Strings(code_points, shifts.new_offsets), protected), edits, shifts


def _put_in(new: NDArray[Any], places: Ints, kept: NDArray[Any]) -> NDArray[Any]:
    """Lay `new` at `places` of an array, and `kept` around it."""
    if not places.size:
        return kept
    is_kept = np.ones(kept.size + places.size, np.bool_)
    is_kept[places] = False
    both = np.empty(is_kept.size, kept.dtype)
    both[is_kept] = kept
    both[places] = new
    return both


def _check(batch: TextBatch, splices: Splices) -> None:
    rows, starts, ends = splices.rows, splices.starts, splices.ends
    apart = starts[1:] > ends[:-1]
    touching = (starts[1:] == ends[:-1]) & ((ends > starts)[1:] | (rows[1:] > rows[:-1]))
    inside = (batch.offsets[rows] <= starts) & (starts <= ends) & (ends <= batch.offsets[rows + 1])
    if not ((apart | touching).all() and (rows[1:] >= rows[:-1]).all() and inside.all()):
        raise ValueError("splices overlap, are out of order or leave their texts")
