"""Parquet files of a release, written as the rows arrive: a row group a split is in memory.

Readers stream them: row groups are large enough to read at full speed and small enough to begin at
once, and the page index lets a reader skip to a page. Pages end where the content says so, not
where a counter does: storage that keeps equal chunks once stores a little changed corpus cheaply.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.planning.faults import disk_faults

MAX_ROWS_PER_FILE = 500_000
ROW_GROUP_ROWS = 1 << 16
ROW_GROUP_BYTES = 32 << 20
"""Bytes of a row group in memory; on disk they are a fifth to a third of it."""
_DICTIONARY = [
    "label",
    "clean_label",
    "template",
    "model",
    "strategy",
    "finish_reason",
    "stage",
    "reason",
    "noise.list.element.kind",
    "attributes.key_value.key",
    "attributes.key_value.value",
]


class PartsWriter:
    """Writes rows into `STEM-00000.parquet`, `STEM-00001.parquet`, ... while they arrive.

    Args:
        folder: Where the files go; it must exist.
        stem: Start of the file names.
        schema: What every table must have.
        row_group_rows: Most rows of a row group, at least 1; fewer when they come to
            `ROW_GROUP_BYTES`. About that much is held in memory.
        max_rows: Rows of a file, at least 1.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        *,
        schema: pa.Schema,
        row_group_rows: int = ROW_GROUP_ROWS,
        max_rows: int = MAX_ROWS_PER_FILE,
    ) -> None:
        self._folder = folder
        self._stem = stem
        self._schema = schema
        self._row_group_rows = min(row_group_rows, max_rows)
        self._max_rows = max_rows
        self._pending: list[pa.Table] = []
        self._waiting = self._waiting_bytes = 0
        self._writer: pq.ParquetWriter | None = None
        self._rows: list[int] = []

    def add(self, table: pa.Table) -> None:
        """Take rows over; whole row groups are written at once.

        Raises:
            KeyError: If a column of the schema is missing.
            ValueError: If a column is of another type, or holds a null that it must not.
        """
        own = table.select(self._schema.names).cast(self._schema)
        self._pending.append(own)
        self._waiting += own.num_rows
        self._waiting_bytes += own.nbytes
        while self._waiting >= self._row_group_rows or self._waiting_bytes >= ROW_GROUP_BYTES:
            self._write_group()

    def __len__(self) -> int:
        """Return the number of rows taken over."""
        return sum(self._rows) + self._waiting

    def close(self) -> list[tuple[Path, int]]:
        """Write the rest, and at least one file, and return each file with its rows."""
        while self._waiting or not self._rows:
            self._write_group()
        self.abort()
        return [(self._path(index), rows) for index, rows in enumerate(self._rows)]

    def abort(self) -> None:
        """Close the open file, whole or not."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with disk_faults(self._folder):
                writer.close()

    def _path(self, index: int) -> Path:
        return self._folder / f"{self._stem}-{index:05d}.parquet"

    def _write_group(self) -> None:
        table = pa.concat_tables([self._schema.empty_table(), *self._pending])
        room = self._max_rows - self._rows[-1] if self._writer is not None else 0
        if not room:
            self.abort()
            self._rows.append(0)
            room = self._max_rows
        by_bytes = self._waiting * ROW_GROUP_BYTES // max(self._waiting_bytes, ROW_GROUP_BYTES)
        group = table.slice(0, max(1, min(self._row_group_rows, room, by_bytes)))
        rest = table.slice(group.num_rows)
        self._pending, self._waiting, self._waiting_bytes = [rest], rest.num_rows, rest.nbytes
        path = self._path(len(self._rows) - 1)
        with disk_faults(path):
            if self._writer is None:
                self._writer = pq.ParquetWriter(
                    path,
                    self._schema,
                    compression="zstd",
                    use_dictionary=[
                        column
                        for column in _DICTIONARY
                        if column.split(".")[0] in self._schema.names
                    ],
                    write_page_index=True,
                    use_content_defined_chunking=True,
                )
            self._writer.write_table(group, row_group_size=self._row_group_rows)
        self._rows[-1] += group.num_rows


class SplitWriter:
    """Writes `data/SPLIT-00000-of-00001.parquet` for every split that has rows.

    A split without rows has no file: `datasets` refuses to load one.
    The number of files is known only at the end, so the files get their final names in `close`.

    Args:
        folder: The release's `data` folder; it must exist.
        splits: Names of the splits.
        schema: What every table must have.
        row_group_rows: Most rows of a row group, at least 1.
        max_rows: Rows of a file, at least 1.
    """

    def __init__(
        self,
        folder: Path,
        splits: Sequence[str],
        *,
        schema: pa.Schema,
        row_group_rows: int = ROW_GROUP_ROWS,
        max_rows: int = MAX_ROWS_PER_FILE,
    ) -> None:
        self._writers = {
            split: PartsWriter(
                folder, split, schema=schema, row_group_rows=row_group_rows, max_rows=max_rows
            )
            for split in splits
        }

    def add(self, table: pa.Table, split: NDArray[np.int64]) -> None:
        """Append rows, each to its split.

        Args:
            table: Rows with the writer's schema.
            split: Place of each row's split among the writer's splits, shape `(table.num_rows,)`.
        """
        if split.shape != (table.num_rows,):
            raise ValueError(f"{table.num_rows} rows but splits of shape {split.shape}")
        if split.size and not 0 <= split.min() <= split.max() < len(self._writers):
            raise ValueError("a split that does not exist")
        for index, writer in enumerate(self._writers.values()):
            writer.add(table.take(pa.array(np.flatnonzero(split == index))))

    def close(self) -> dict[Path, int]:
        """Finish every file under its final name and return each with its rows."""
        files: dict[Path, int] = {}
        for writer in self._writers.values():
            parts = writer.close() if len(writer) else []
            for part, rows in parts:
                final = part.with_name(f"{part.stem}-of-{len(parts):05d}.parquet")
                with disk_faults(final):
                    part.rename(final)
                files[final] = rows
        return files

    def abort(self) -> None:
        """Close every open file, whole or not."""
        for writer in self._writers.values():
            writer.abort()
