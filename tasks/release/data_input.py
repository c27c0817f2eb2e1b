"""Any table of the user's as a stream of record batches: Parquet, CSV, JSON lines, a release."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from schemas.errors import InputError
from tasks.planning.shards import combine, file_sha256

_BATCH_ROWS = 8192
_READ_BYTES = 1 << 20
_CSV_BLOCK_BYTES = 8 << 20
"""A row of CSV longer than this cannot be read."""
SUFFIXES = (".parquet", ".csv", ".jsonl", ".ndjson")
_KINDS = "a .parquet, .csv or .jsonl file, or a folder of .parquet files"


@dataclass(frozen=True, slots=True)
class TableSource:
    """Rows that are read when they are asked for.

    Args:
        path: The file or folder.
        schema: What every batch has.
        num_rows: How many rows there are; None where only reading them tells.
        batches: Reads the rows from the start, a bounded number at a time.
    """

    path: Path
    schema: pa.Schema
    num_rows: int | None
    batches: Callable[[], Iterator[pa.RecordBatch]]


def open_table(path: Path) -> TableSource:
    """Open a dataset; the rows stay on the disk until they are read.

    Parquet keeps its types. Every column of CSV is text, so that nothing is lost that a number
    would not keep; the first line names the columns. JSON lines hold one object each; their types
    are found in a first pass, and a key that a line lacks is null.

    Args:
        path: A `.parquet`, `.csv`, `.jsonl` or `.ndjson` file; a folder of Parquet files, which
            follow one another by name; or a release, whose splits do.

    Raises:
        InputError: `CS-D001` if it cannot be read, here or while the rows are read; `CS-D003` if
            files of a folder, or lines of JSON, differ in their types.
    """
    with _readable(path):
        if path.is_dir():
            return _open_parquet(path, _parquet_files(path))
        if not path.exists():
            near = sorted(entry.name for entry in islice(path.parent.glob(f"*{path.suffix}"), 5))
            hint = f"there is: {', '.join(near)}" if near and path.suffix else f"name {_KINDS}"
            raise _unreadable(path, "does not exist", hint)
        match path.suffix.lower():
            case ".parquet":
                return _open_parquet(path, [path])
            case ".csv":
                return _open_csv(path)
            case ".jsonl" | ".ndjson":
                return _open_json_lines(path)
            case suffix:
                what = f"has the extension {suffix}" if suffix else "has no extension"
                raise _unreadable(path, f"{what}, which is no data format", f"name {_KINDS}")


def data_files(path: Path) -> list[Path]:
    """Return the files of a dataset: itself, or those of a folder (of a release, of `data/`).

    Raises:
        InputError: `CS-D001` if a folder holds none.
    """
    if not path.is_dir():
        return [path]
    for place in (path, path / "data"):
        if files := sorted(one for one in place.glob("*.*") if one.suffix.lower() in SUFFIXES):
            return files
    raise _unreadable(path, f"holds no {', '.join(SUFFIXES)} files", "name a file or its folder")


def data_sha256(path: Path) -> str:
    """Hash the files of a dataset, by their names and contents."""
    return combine(*((file.name, file_sha256(file)) for file in data_files(path)))


def _parquet_files(folder: Path) -> list[Path]:
    for place in (folder, folder / "data"):
        if files := sorted(place.glob("*.parquet")):
            return files
    raise _unreadable(folder, "holds no .parquet files", f"name {_KINDS}")


def _open_parquet(path: Path, files: list[Path]) -> TableSource:
    schema, num_rows = pq.read_schema(files[0]), 0
    for file in files:
        facts = pq.read_metadata(file)
        num_rows += facts.num_rows
        if not facts.schema.to_arrow_schema().equals(schema):
            raise InputError(
                "files of one folder differ in their columns",
                code="CS-D003",
                place=str(file),
                hint=f"it must have the columns of {files[0].name}; or work on each file alone",
            )

    def batches() -> Iterator[pa.RecordBatch]:
        for file in files:
            with _readable(file), pq.ParquetFile(file, buffer_size=_READ_BYTES) as opened:
                yield from opened.iter_batches(_BATCH_ROWS)

    return TableSource(path, schema, num_rows, batches)


def _open_csv(path: Path) -> TableSource:
    parsing = csv.ParseOptions(newlines_in_values=True)
    reading = csv.ReadOptions(block_size=_CSV_BLOCK_BYTES)
    with csv.open_csv(path, read_options=reading, parse_options=parsing) as opened:
        schema = pa.schema([(name, pa.string()) for name in opened.schema.names])
    as_text = csv.ConvertOptions(
        column_types=dict.fromkeys(schema.names, pa.string()), strings_can_be_null=False
    )

    def batches() -> Iterator[pa.RecordBatch]:
        with (
            _readable(path),
            csv.open_csv(
                path, read_options=reading, parse_options=parsing, convert_options=as_text
            ) as opened,
        ):
            yield from opened

    return TableSource(path, schema, None, batches)


def _open_json_lines(path: Path) -> TableSource:
    schema, num_rows = pa.schema([]), 0
    for first_line, rows in _json_rows(path):
        num_rows += len(rows)
        found = _json_batch(rows, None, place=f"{path}:{first_line}").schema
        try:
            schema = pa.unify_schemas([schema, found], promote_options="permissive")
        except pa.ArrowException as error:
            raise _mixed(f"{path}:{first_line}", error) from None

    def batches() -> Iterator[pa.RecordBatch]:
        for first_line, rows in _json_rows(path):
            yield _json_batch(rows, schema, place=f"{path}:{first_line}")

    return TableSource(path, schema, num_rows, batches)


def _json_rows(path: Path) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield objects with the number of the line that the first one stands in."""
    with _readable(path), path.open("rb") as file:
        rows: list[dict[str, Any]] = []
        first_line = 1
        for number, line in enumerate(file, 1):
            if line.strip():
                rows.append(_json_object(line, f"{path}:{number}"))
            if len(rows) == _BATCH_ROWS:
                yield first_line, rows
                rows, first_line = [], number + 1
        if rows:
            yield first_line, rows


def _json_object(line: bytes, place: str) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8-sig"))
        # A lone surrogate can be written in JSON and is no character.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError:
        what, hint = "is not UTF-8", "save the file as UTF-8"
    except UnicodeEncodeError:
        what, hint = "holds half of a surrogate pair", "correct the escape \\ud800 to \\udfff"
    except (ValueError, RecursionError):
        what, hint = "is not JSON", "write one object a line"
    else:
        if isinstance(value, dict):
            return value
        what, hint = "is not a JSON object", "write one object a line"
    raise InputError(f"the line {what}", code="CS-D001", place=place, hint=hint)


def _json_batch(
    rows: list[dict[str, Any]], schema: pa.Schema | None, *, place: str
) -> pa.RecordBatch:
    try:
        kind = None if schema is None else pa.struct(list(schema))
        return pa.RecordBatch.from_struct_array(pa.array(rows, kind))
    except (pa.ArrowException, OverflowError) as error:
        raise _mixed(place, error) from None


def _mixed(place: str, error: Exception) -> InputError:
    return InputError(
        f"a key holds values of different types: {error}",
        code="CS-D003",
        place=f"{place} or the lines after it",
        hint="give each key one type in all lines",
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what a reader raises into an error with a code."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:300]
        raise _unreadable(
            path, f"cannot be read: {reason}", "check the file, its permissions and its encoding"
        ) from None


def _unreadable(path: Path, what: str, hint: str) -> InputError:
    return InputError(f"the data {what}", code="CS-D001", place=str(path), hint=hint)
