"""Duplicates among rows: which row is admitted, and how many there are in a corpus."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from schemas.gates import Reason
from tasks.quality.fingerprints import normalise_text
from tasks.quality.near_duplicates import NearDuplicateIndex, Sketch, sketch_texts


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row was not admitted: the reason, and the earlier row with the similarity to it."""

    reason: Reason
    detail: str


class Selector:
    """Admits rows one by one; a row is compared with the rows admitted before it, and no others.

    So a row's verdict is a function of the rows before it in the sequence: how the sequence is cut
    into calls changes nothing. An admitted row costs about 0.4 kB, with near duplicates 5 kB.
    """

    def __init__(self, *, duplicate: bool, near_duplicate: float | None) -> None:
        """Start with no row admitted.

        Args:
            duplicate: Whether to reject copies (equal once normalised).
            near_duplicate: Least Jaccard similarity of character 5-grams at which to reject, 0 to
                1;
                None admits near duplicates. Copies are near duplicates too.
        """
        self._rejects_copies = duplicate
        self._index = (
            None if near_duplicate is None else NearDuplicateIndex(threshold=near_duplicate)
        )
        self._ids: list[str] = []
        self._first_place: dict[str, int] = {}

    def admit(self, ids: Sequence[str], texts: Sequence[str]) -> list[Rejection | None]:
        """Decide on further rows, in order.

        Args:
            ids: Ids of the rows, to be named in later rejections.
            texts: Their clean texts, as many.

        Returns:
            For each row None when it is admitted, else why not. Of several earlier rows the detail
            names the most similar, and of equals the earliest.
        """
        verdicts: list[Rejection | None] = []
        for row_id, normal, sketch in self._prepare(ids, texts):
            rejection = self._reject(normal, sketch)
            if rejection is None:
                self._keep(row_id, normal, sketch)
            verdicts.append(rejection)
        return verdicts

    def remember(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        """Note rows that were admitted before, in an interrupted run, without deciding on them."""
        for row_id, normal, sketch in self._prepare(ids, texts):
            self._keep(row_id, normal, sketch)

    def _prepare(
        self, ids: Sequence[str], texts: Sequence[str]
    ) -> Iterator[tuple[str, str, Sketch | None]]:
        normals = [normalise_text(text) for text in texts]
        sketches: Iterable[Sketch | None] = (
            repeat(None, len(normals)) if self._index is None else sketch_texts(normals)
        )
        return zip(ids, normals, sketches, strict=True)

    def _reject(self, normal: str, sketch: Sketch | None) -> Rejection | None:
        if self._rejects_copies and (place := self._first_place.get(normal)) is not None:
            return Rejection(Reason.DUPLICATE, f"a copy of {self._ids[place]}")
        if self._index is None or sketch is None:
            return None
        nearest = self._index.nearest(sketch)
        if nearest is None:
            return None
        detail = f"similarity {nearest[1]:.3f} to {self._ids[nearest[0]]}"
        return Rejection(Reason.NEAR_DUPLICATE, f"{detail}, less than {self._index.threshold:g}")

    def _keep(self, row_id: str, normal: str, sketch: Sketch | None) -> None:
        self._first_place.setdefault(normal, len(self._ids))
        self._ids.append(row_id)
        if self._index is not None and sketch is not None:
            self._index.insert(sketch)


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

    A row that is no copy costs about 5 kB.
    """

    def __init__(self, *, threshold: float = 0.8) -> None:
        """Count near duplicates of at least this Jaccard similarity of character 5-grams."""
        self._index = NearDuplicateIndex(threshold=threshold)
        self._seen: set[str] = set()
        self._num_rows = self._num_exact = self._num_near = 0

    def add(self, texts: Sequence[str]) -> Copies:
        """Count further rows and tell which of them have a duplicate."""
        exact = np.zeros(len(texts), dtype=np.bool_)
        near = np.zeros(len(texts), dtype=np.bool_)
        for row, sketch in enumerate(sketch_texts(map(normalise_text, texts))):
            exact[row] = sketch.normal in self._seen
            near[row] = exact[row] or self._index.nearest(sketch) is not None
            if not exact[row]:
                self._seen.add(sketch.normal)
                self._index.insert(sketch)
        self._num_rows += len(texts)
        self._num_exact += int(exact.sum())
        self._num_near += int(near.sum())
        return Copies(exact, near)

    @property
    def duplicate_rate(self) -> float:
        """Share of rows whose normalised text equals an earlier one's; 0 without rows."""
        return self._num_exact / max(self._num_rows, 1)

    @property
    def near_duplicate_rate(self) -> float:
        """Share of rows with a near duplicate or a copy at an earlier row; 0 without rows."""
        return self._num_near / max(self._num_rows, 1)


def duplicate_rates(texts: Sequence[str], *, threshold: float = 0.8) -> DuplicateCounter:
    """Count the duplicates of a whole corpus."""
    counter = DuplicateCounter(threshold=threshold)
    counter.add(texts)
    return counter
