"""A table written while its rows arrive, under a temporary name until it is whole."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pyarrow.types as pt

from schemas.errors import InputError
from tasks.planning.faults import disk_faults

_GROUP_ROWS = 1 << 16
_GROUP_BYTES = 64 << 20
"""What is held in memory before a row group is written, whichever comes first."""
FORMATS = (".parquet", ".csv", ".jsonl", ".ndjson")


class TableWriter:
    """Writes one file; it appears with all its rows, or not at all.

    Use it as a context manager: when the block ends well, the file gets its name; else nothing is
    left. The extension says the format; a name without one gives Parquet. In CSV, what is not a
    plain value (a list, a struct) is written as JSON.

    Args:
        path: The file, which must not exist.
        schema: What every batch has.

    Raises:
        InputError: On making it, `CS-O005` if a file is there already, `CS-O001` if the extension
            is unknown or the folder cannot be written.
        RunError: `CS-O004`, from any method, if the disk is full.
    """

    def __init__(self, path: Path, *, schema: pa.Schema) -> None:
        check_output(path)
        self.path = path
        self._schema = schema
        self._temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
        self._pending: list[pa.RecordBatch] = []

    def __enter__(self) -> Self:
        """Open the temporary file."""
        with disk_faults(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._temporary.open("wb")
        try:
            with _faults(self.path):
                self._sink = _sink(self.path.suffix.lower(), self._file, self._schema)
        except BaseException:
            self._drop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the file its name, or delete it."""
        try:
            with _faults(self.path):
                if kind is None:
                    self._flush()
                self._sink.close()
                if kind is None:
                    self._file.flush()
                    os.fsync(self._file.fileno())
                    self._file.close()
                    check_output(self.path)
                    self._temporary.rename(self.path)
        finally:
            self._drop()

    def add(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        self._pending.append(batch)
        rows = sum(part.num_rows for part in self._pending)
        if rows >= _GROUP_ROWS or sum(part.nbytes for part in self._pending) >= _GROUP_BYTES:
            with _faults(self.path):
                self._flush()

    def _drop(self) -> None:
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._pending:
            self._sink.write_table(pa.Table.from_batches(self._pending, self._schema))
        self._pending = []


def check_output(path: Path, *beside: Path) -> None:
    """Refuse to write over a file, or to write a format that does not exist.

    Args:
        path: The table.
        beside: What will be written beside it.

    Raises:
        InputError: `CS-O005` or `CS-O001`.
    """
    if path.suffix and path.suffix.lower() not in FORMATS:
        raise InputError(
            f"{path.suffix} is no format that can be written",
            code="CS-O001",
            place=f"--out {path}",
            hint=f"end the name in one of: {', '.join(FORMATS)}",
        )
    with disk_faults(path):
        for taken in (path, *beside):
            if taken.exists() or taken.is_symlink():
                raise InputError(
                    "there is such a file already",
                    code="CS-O005",
                    place=str(taken),
                    hint="name another with --out, or remove it; nothing is ever overwritten",
                )


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        with disk_faults(path):
            yield
    except pa.ArrowException as error:
        raise InputError(
            f"the format cannot hold a column: {' '.join(str(error).split())[:300]}",
            code="CS-O001",
            place=str(path),
            hint=f"leave the column out, or choose another of: {', '.join(FORMATS)}",
        ) from None


class _CsvSink:
    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._plain = pa.schema(
            [field if _is_plain(field.type) else field.with_type(pa.string()) for field in schema]
        )
        self._writer = csv.CSVWriter(file, self._plain)

    def write_table(self, table: pa.Table) -> None:
        columns = [
            column if kind.equals(column.type) else _as_json(column)
            for column, kind in zip(table.columns, self._plain.types, strict=True)
        ]
        self._writer.write_table(pa.table(columns, schema=self._plain))

    def close(self) -> None:
        self._writer.close()


class _JsonSink:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write_table(self, table: pa.Table) -> None:
        for row in table.to_pylist(maps_as_pydicts="lossy"):
            self._file.write(f"{_json(row)}\n".encode())

    def close(self) -> None:
        pass


def _sink(suffix: str, file: BinaryIO, schema: pa.Schema) -> Any:
    match suffix:
        case ".csv":
            return _CsvSink(file, schema)
        case ".jsonl" | ".ndjson":
            return _JsonSink(file)
        case _:
            return pq.ParquetWriter(file, schema, compression="zstd")


def _is_plain(kind: pa.DataType) -> bool:
    return not (pt.is_nested(kind) or pt.is_dictionary(kind) or pt.is_binary(kind))


def _as_json(column: pa.ChunkedArray) -> pa.Array:
    if pt.is_dictionary(column.type):
        return column.cast(pa.string())
    values = column.to_pylist(maps_as_pydicts="lossy")
    return pa.array([None if value is None else _json(value) for value in values], pa.string())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
