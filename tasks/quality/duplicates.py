"""Duplicates among rows: which row is admitted, and how many there are in a corpus."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.gates import Reason
from tasks.quality.fingerprints import normalise_text
from tasks.quality.near_duplicates import LEAST_BLOCK, Matches, NearDuplicateIndex


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row was not admitted: the reason, and the earlier row with the similarity to it."""

    reason: Reason
    detail: str


class Selector:
    """Admits rows one by one; a row is compared with the rows admitted before it, and no others.

    So a row's verdict is a function of the rows before it in the sequence: how the sequence is cut
    into calls changes nothing. Memory does not grow with the rows: those of earlier blocks are on
    disk (`NearDuplicateIndex`).
    """

    def __init__(
        self, *, duplicate: bool, near_duplicate: float | None, folder: Path | None = None
    ) -> None:
        """Start with no row admitted.

        Args:
            duplicate: Whether to reject copies (equal once normalised).
            near_duplicate: Least Jaccard similarity of character 5-grams at which to reject, 0 to
                1; None admits near duplicates. Copies are near duplicates too.
            folder: Where to keep admitted rows on disk while this object lives.
        """
        self._rejects_copies = duplicate
        self._near_duplicate = near_duplicate
        compares = duplicate or near_duplicate is not None
        # Copies have similarity 1.
        threshold = 1.0 if near_duplicate is None else near_duplicate
        self._index = NearDuplicateIndex(threshold=threshold, folder=folder) if compares else None

    @property
    def block(self) -> int:
        """How many rows are best given at once."""
        return LEAST_BLOCK if self._index is None else self._index.block

    def admit(self, ids: Sequence[str], texts: Sequence[str]) -> list[Rejection | None]:
        """Decide on further rows, in order.

        Args:
            ids: Ids of the rows, to be named in later rejections.
            texts: Their clean texts, as many.

        Returns:
            For each row None when it is admitted, else why not. Of several earlier rows the detail
            names the most similar, and of equals the earliest.
        """
        if len(ids) != len(texts):
            raise ValueError(f"{len(ids)} ids for {len(texts)} texts")
        if self._index is None:
            return [None] * len(ids)
        first = len(self._index)
        rows = range(first, first + len(ids))
        judge = _Admission(rows, rejects_copies=self._rejects_copies, near=self._near_duplicate)
        self._index.search([normalise_text(text) for text in texts], ids, judge)
        names = self._index.names(nearest.row for nearest in judge.rejected.values())
        rejections: list[Rejection | None] = [None] * len(ids)
        for row, nearest in judge.rejected.items():
            rejections[row - first] = self._rejection(nearest, names[nearest.row])
        return rejections

    def remember(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        """Note rows that were admitted before, in an interrupted run, without deciding on them."""
        if self._index is not None:
            self._index.insert([normalise_text(text) for text in texts], ids)

    def _rejection(self, nearest: "_Nearest", name: str) -> Rejection:
        if nearest.copy and self._rejects_copies:
            return Rejection(Reason.DUPLICATE, f"a copy of {name}")
        detail = f"similarity {nearest.similarity:.3f} to {name}, less than "
        return Rejection(Reason.NEAR_DUPLICATE, f"{detail}{self._near_duplicate:g}")


@dataclass(frozen=True, slots=True)
class _Nearest:
    """An earlier row that a row is like."""

    row: int
    similarity: float
    copy: bool


class _Admission:
    """Keeps a row when it is like none of the kept rows before it."""

    def __init__(self, rows: range, *, rejects_copies: bool, near: float | None) -> None:
        self._rows, self._undecided = rows, rows.start
        self._rejects_copies, self._rejects_near = rejects_copies, near is not None
        self._lost = np.zeros(len(rows), dtype=np.bool_)
        """Rows like one that is kept for certain."""
        self._matches: defaultdict[int, list[_Nearest]] = defaultdict(list)
        self.rejected: dict[int, _Nearest] = {}
        """The rows that are not kept, each with the kept one that is most like it."""

    def worth(self, later: NDArray[np.int64], earlier: NDArray[np.int64]) -> NDArray[np.bool_]:
        if not self._rejects_near:
            return np.zeros(later.shape, dtype=np.bool_)
        own = earlier >= self._rows.start
        worth = np.ones(later.shape, dtype=np.bool_)
        worth[own] = ~self._lost[earlier[own] - self._rows.start]
        return worth

    def found(self, matches: Matches) -> None:
        columns = (matches.later, matches.earlier, matches.similarities, matches.copies)
        for later, *match in zip(*(column.tolist() for column in columns), strict=True):
            nearest = _Nearest(*match)
            if self._rejects_near or nearest.copy:
                self._matches[later].append(nearest)
                self._lost[later - self._rows.start] |= nearest.row < self._undecided

    def keep(self, rows: range) -> NDArray[np.bool_]:
        kept = np.ones(len(rows), dtype=np.bool_)
        for row in sorted(row for row in self._matches if row < rows.stop):
            matches = [match for match in self._matches.pop(row) if match.row not in self.rejected]
            if matches:
                self.rejected[row] = min(matches, key=self._order)
                kept[row - rows.start] = False
        self._undecided = rows.stop
        return kept

    def _order(self, match: _Nearest) -> tuple[bool, float, int]:
        return not (match.copy and self._rejects_copies), -match.similarity, match.row


@dataclass(frozen=True, slots=True)
class Copies:
    """Which rows of a portion have a duplicate among all rows before them.

    Args:
        exact: Whether the normalised text equals an earlier one's, shape `(N,)`.
        near: Whether an earlier row is a near duplicate or a copy, shape `(N,)`.
    """

    exact: NDArray[np.bool_]
    near: NDArray[np.bool_]


class DuplicateCounter:
    """Counts the rows with a duplicate among all rows before them; rows come in any portions.

    Memory does not grow with the rows: those of earlier blocks are on disk.
    """

    def __init__(self, *, threshold: float = 0.8, folder: Path | None = None) -> None:
        """Count near duplicates of at least this Jaccard similarity of character 5-grams.

        Args:
            threshold: Least similarity, 0 to 1.
            folder: Where to keep rows on disk while this object lives.
        """
        self._index = NearDuplicateIndex(threshold=threshold, folder=folder)
        self._num_rows = self._num_exact = self._num_near = 0

    @property
    def block(self) -> int:
        """How many rows are best given at once."""
        return self._index.block

    def add(self, texts: Sequence[str]) -> Copies:
        """Count further rows and tell which of them have a duplicate."""
        judge = _Count(len(self._index), len(texts))
        normals = [normalise_text(text) for text in texts]
        self._index.search(normals, [""] * len(normals), judge)
        self._num_rows += len(texts)
        self._num_exact += int(judge.exact.sum())
        self._num_near += int(judge.near.sum())
        return Copies(judge.exact, judge.near)

    @property
    def duplicate_rate(self) -> float:
        """Share of rows whose normalised text equals an earlier one's; 0 without rows."""
        return self._num_exact / max(self._num_rows, 1)

    @property
    def near_duplicate_rate(self) -> float:
        """Share of rows with a near duplicate or a copy at an earlier row; 0 without rows."""
        return self._num_near / max(self._num_rows, 1)


class _Count:
    """Keeps every row that is no copy; one match of a row is enough."""

    def __init__(self, first: int, num_rows: int) -> None:
        self._first = first
        self.exact = np.zeros(num_rows, dtype=np.bool_)
        self.near = np.zeros(num_rows, dtype=np.bool_)

    def worth(self, later: NDArray[np.int64], earlier: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray(~self.near[later - self._first])

    def found(self, matches: Matches) -> None:
        self.near[matches.later - self._first] = True
        self.exact[matches.later[matches.copies] - self._first] = True

    def keep(self, rows: range) -> NDArray[np.bool_]:
        return np.asarray(~self.exact[rows.start - self._first : rows.stop - self._first])


def duplicate_rates(texts: Sequence[str], *, threshold: float = 0.8) -> DuplicateCounter:
    """Count the duplicates of a whole corpus."""
    counter = DuplicateCounter(threshold=threshold)
    counter.add(texts)
    return counter
