"""Labelled spans and tags of words, carried through the edits.

One rule holds everywhere: an edit inside a span moves its end, what is put in at either end of a
span stays outside, and so does a replacement that reaches across an end. So the text of a span is
untouched, or the new extent is what became of it; a span of which nothing is left is dropped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from schemas.noise import Edit
from tasks.noise.splices import Shifts
from tasks.noise.strings import Ints, Mask, offsets_of


@dataclass(frozen=True, slots=True)
class Spans:
    """M spans in the texts of a batch, in any order; they may overlap.

    Args:
        rows: Number of the text of each, shape `(M,)`.
        starts: Its first code point, counted in its text, shape `(M,)`.
        ends: One past its last, shape `(M,)`.
        is_kept: False for a span of which nothing is left, shape `(M,)`; its place is meaningless.
    """

    rows: Ints
    starts: Ints
    ends: Ints
    is_kept: Mask

    @classmethod
    def of(cls, spans: Sequence[Sequence[tuple[int, int]]]) -> "Spans":
        """Take the (start, end) of each text's spans; an empty span counts as dropped."""
        places = np.array([place for own in spans for place in own], np.int64).reshape(-1, 2)
        rows = np.repeat(np.arange(len(spans)), [len(own) for own in spans])
        return cls(rows, places[:, 0], places[:, 1], places[:, 0] < places[:, 1])

    def to_lists(self, num_texts: int) -> list[list[tuple[int, int] | None]]:
        """Return each text's spans in the order given; None for one that was dropped."""
        lists: list[list[tuple[int, int] | None]] = [[] for _ in range(num_texts)]
        places = zip(self.rows, self.starts, self.ends, self.is_kept, strict=True)
        for row, start, end, is_kept in places:
            lists[row].append((int(start), int(end)) if is_kept else None)
        return lists

    def moved(self, shifts: Shifts) -> "Spans":
        """Return where the spans lie after the edits of one step."""
        if not len(shifts.splices) or not self.rows.size:
            return self
        splices, moves = shifts.splices, shifts.before_each
        starts = self.starts + shifts.old_offsets[self.rows]
        ends = self.ends + shifts.old_offsets[self.rows]
        last = len(splices) - 1
        # The splices that end at or before a start move it; one that reaches across pushes it out.
        num_left = np.searchsorted(splices.ends, starts, side="right")
        next_one = np.minimum(num_left, last)
        is_cut = (num_left <= last) & (splices.starts[next_one] < starts)
        after_it = splices.starts[next_one] + splices.afters.lengths[next_one]
        new_starts = np.where(is_cut, after_it, starts) + moves[num_left]
        # The splices that begin before an end move it, the last of them may reach across.
        num_left = np.searchsorted(splices.starts, ends, side="left")
        last_one = np.maximum(num_left - 1, 0)
        is_cut = (num_left > 0) & (splices.ends[last_one] > ends)
        new_ends = np.where(
            is_cut, splices.starts[last_one] + moves[last_one], ends + moves[num_left]
        )
        base = shifts.new_offsets[self.rows]
        return replace(
            self,
            starts=new_starts - base,
            ends=new_ends - base,
            is_kept=self.is_kept & (new_starts < new_ends),
        )


def project_spans(
    spans: Iterable[tuple[int, int]], edits: Iterable[Edit]
) -> list[tuple[int, int] | None]:
    """Carry the spans of one text through its edit log.

    Args:
        spans: (start, end) in code points of the clean text; they may overlap.
        edits: The edits in the order made.

    Returns:
        (start, end) in the noised text for each span, or None where nothing of it is left (or it
        was empty).
    """
    log = tuple(edits)
    return [_project(start, end, log) for start, end in spans]


def project_bio(
    tags: Sequence[str], tokens: Sequence[tuple[int, int]], edits: Iterable[Edit]
) -> tuple[list[str], list[tuple[int, int]]]:
    """Carry the BIO tags of one text's tokens through its edit log.

    A token of which nothing is left goes with its tag. Where that was the first token of an entity,
    the next token of the same entity begins it.

    Args:
        tags: `O`, `B-name` or `I-name` for each token.
        tokens: (start, end) of each token in code points of the clean text, in order.
        edits: The edits in the order made.

    Returns:
        The tags that are left, and where their tokens stand in the noised text.

    Raises:
        ValueError: If there are not as many tags as tokens.
    """
    new_tags: list[str] = []
    new_tokens: list[tuple[int, int]] = []
    has_lost_its_first = False
    places = project_spans(tokens, edits)
    for tag, place in zip(tags, places, strict=True):
        if not tag.startswith("I-"):
            has_lost_its_first = place is None and tag.startswith("B-")
        if place is None:
            continue
        new_tags.append(f"B-{tag[2:]}" if has_lost_its_first else tag)
        new_tokens.append(place)
        has_lost_its_first = False
    return new_tags, new_tokens


def mark_spans(spans: Spans, offsets: Ints) -> Mask:
    """Tell which code points of a batch stand in a span that is kept.

    Args:
        spans: The spans.
        offsets: Where each text of the batch begins, shape `(N + 1,)`.

    Returns:
        Shape `(C,)`.
    """
    own = np.flatnonzero(spans.is_kept)
    base, size = offsets[spans.rows[own]], int(offsets[-1]) + 1
    opened = np.bincount(base + spans.starts[own], minlength=size)
    closed = np.bincount(base + spans.ends[own], minlength=size)
    return np.asarray(offsets_of(opened - closed)[1:-1] > 0)


def _project(start: int, end: int, edits: Sequence[Edit]) -> tuple[int, int] | None:
    for edit in edits:
        grown = len(edit.after) - len(edit.before)
        is_right = edit.start >= end
        if edit.end <= start:
            start += grown
        elif edit.start < start:
            start = edit.start + len(edit.after)
        if edit.start < end < edit.end:
            end = edit.start
        elif not is_right:
            end += grown
        if start >= end:
            return None
    return (start, end) if start < end else None
