"""Texts that were kept, on disk: found again by the keys of their sketches."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tasks.quality.buckets import MOST_PAIRS, Pairs, distinct_pairs
from tasks.quality.database import ScratchDatabase
from tasks.quality.sketches import Sketches

_BYTES_PER_KEY = 96
"""What a join of a key takes, with room to spare."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Texts that were kept, in order.

    Args:
        rows: Row number of each, ascending, shape `(N,)`.
        normals: Normalised texts.
        names: What they are called in verdicts on later rows.
        sketches: Their sketches.
    """

    rows: NDArray[np.int64]
    normals: list[str]
    names: list[str]
    sketches: Sketches

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.normals)

    def take(self, places: NDArray[np.int64]) -> Self:
        """Return some of the texts, in ascending order."""
        normals = [self.normals[place] for place in places.tolist()]
        names = [self.names[place] for place in places.tolist()]
        return type(self)(self.rows[places], normals, names, self.sketches.take(places))

    def normals_of(self, rows: NDArray[np.int64]) -> dict[int, str]:
        """Return the normalised texts of some rows, which are all here."""
        places = np.searchsorted(self.rows, rows).tolist()
        return {row: self.normals[place] for row, place in zip(rows.tolist(), places, strict=True)}

    def followed_by(self, other: Self) -> Self:
        """Return these texts and those of `other` after them."""
        return type(self)(
            np.concatenate([self.rows, other.rows]),
            self.normals + other.normals,
            self.names + other.names,
            self.sketches.followed_by(other.sketches),
        )


class KeptTexts:
    """Kept texts in a DuckDB database, with their bitmaps in a file beside it.

    A text takes some 450 bytes on disk at threshold 0.8: 31 keys of 12 bytes and a bitmap of 64,
    beside the text itself. Memory is that of one call, and the pages of the bitmaps that it reads.

    Args:
        folder: Where the files go, in a folder of their own that is deleted with this object; None
            for the system's place of temporary files.
    """

    def __init__(self, folder: Path | None) -> None:
        self._database = ScratchDatabase(folder)
        self._database.run("CREATE TABLE keys (key UBIGINT, text UINTEGER)")
        self._database.run("CREATE TABLE texts (row BIGINT, normal VARCHAR, name VARCHAR)")
        own = self._database.folder
        self._rows = _Column(own / "rows", np.int64, ())
        self._sizes = _Column(own / "sizes", np.int32, ())
        self._bitmaps = _Column(own / "bitmaps", np.uint64, (8,))

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._rows)

    def add(self, kept: Kept) -> None:
        """Add texts, after all that were added before."""
        first, num_keys = len(self), kept.sketches.keys.shape[1]
        texts = np.arange(first, first + len(kept), dtype=np.uint32)
        owners = np.repeat(texts, num_keys)
        self._insert("keys", {"key": kept.sketches.keys.ravel(), "text": owners})
        self._insert("texts", {"row": kept.rows, "normal": kept.normals, "name": kept.names})
        self._rows.append(kept.rows)
        self._sizes.append(kept.sketches.sizes)
        self._bitmaps.append(kept.sketches.bitmaps)

    def pairs(self, keys: NDArray[np.uint64]) -> Iterator[Pairs]:
        """Yield the places of texts given by their keys with the kept texts that share one.

        A pair may come in several portions, in one it comes once.

        Args:
            keys: Keys of N texts, shape `(N, K)`.
        """
        places = np.repeat(np.arange(len(keys), dtype=np.uint32), keys.shape[1])
        self._database.allow(_BYTES_PER_KEY * keys.size)
        self._wanted({"key": keys.ravel(), "place": places})
        query = "SELECT wanted.place, keys.text FROM keys JOIN wanted USING (key)"
        for batch in self._database.batches(query, rows=MOST_PAIRS):
            columns = (np.asarray(batch.column(place)) for place in range(2))
            later, earlier = (column.astype(np.int64) for column in columns)
            yield distinct_pairs(later, earlier)

    @property
    def sketches(self) -> Sketches:
        """The sketches of all texts, without keys, as they lie on disk."""
        keys = np.empty((len(self), 0), dtype=np.uint64)
        return Sketches(keys, self._bitmaps.values(), self._sizes.values())

    @property
    def rows(self) -> NDArray[np.int64]:
        """Row number of each text, ascending, as they lie on disk."""
        return self._rows.values()

    def normals_of(self, rows: NDArray[np.int64]) -> dict[int, str]:
        """Return the normalised texts of some rows, which are all here."""
        return self._fetch("normal", rows)

    def names(self, rows: NDArray[np.int64]) -> dict[int, str]:
        """Return the names of those of some rows that are here."""
        return self._fetch("name", rows)

    def _fetch(self, column: str, rows: NDArray[np.int64]) -> dict[int, str]:
        self._wanted({"row": np.unique(rows)})
        query = f"SELECT row, {column} FROM texts JOIN wanted USING (row)"
        found = self._database.table(query)
        return dict(zip(found["row"].to_pylist(), found[column].to_pylist(), strict=True))

    def _insert(self, table: str, columns: dict[str, Any]) -> None:
        self._database.load(f"INSERT INTO {table} SELECT * FROM given", columns)

    def _wanted(self, columns: dict[str, Any]) -> None:
        """Make the table that a query joins with: its size is known, that of Arrow's is not."""
        statement = "CREATE OR REPLACE TEMP TABLE wanted AS SELECT * FROM given"
        self._database.load(statement, columns)


class _Column:
    """Values of one kind in a file, one behind the other."""

    def __init__(self, path: Path, kind: type[np.number[Any]], shape: tuple[int, ...]) -> None:
        self._path, self._kind, self._shape = path, kind, shape
        self._length = 0
        path.touch()

    def __len__(self) -> int:
        return self._length

    def append(self, values: NDArray[Any]) -> None:
        with self._path.open("ab") as file:
            file.write(np.ascontiguousarray(values, dtype=self._kind).data)
        self._length += len(values)

    def values(self) -> NDArray[Any]:
        """Map the file into memory: pages that are not looked at take none."""
        shape = (self._length, *self._shape)
        if not self._length:
            return np.empty(shape, dtype=self._kind)
        return np.memmap(self._path, dtype=self._kind, mode="r", shape=shape)
