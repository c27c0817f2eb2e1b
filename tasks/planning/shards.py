"""Shard files: whole or absent, and never reused for another input."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from threading import get_ident
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import RunError
from schemas.shard import FileRef
from tasks.planning.faults import disk_faults

_RECEIPT = re.compile(r"[0-9a-f]+ [0-9a-f]{64}\n")
TEMPORARY = ".tmp-"
"""How the names of unfinished files begin."""


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is whole or absent: temporary name, fsync, rename.

    On a fault nothing is left behind; a kill can leave the temporary file, which is swept when the
    run goes on.

    Raises:
        InputError: CS-O001 if the folder cannot be written.
        RunError: CS-O004 if the disk is full; CS-O001 for faults that may pass.
    """
    draft = path.with_name(f"{TEMPORARY}{path.name}-{os.getpid()}-{get_ident()}")
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def write_shard(path: Path, table: pa.Table, *, made_from: str) -> FileRef:
    """Write a table as a shard file, then its receipt, and return the reference to it.

    Args:
        path: Where the file shall be.
        table: The rows.
        made_from: Hash of everything the rows were made from; a later try reuses the file only for
            the same.
    """
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    content = sink.getvalue().to_pybytes()
    sha256 = hashlib.sha256(content).hexdigest()
    write_whole(path, content)
    write_whole(receipt_of(path), f"{made_from} {sha256}\n".encode())
    return FileRef(path=path, sha256=sha256, rows=table.num_rows)


def receipt_of(path: Path) -> Path:
    """Name the file beside a shard that states what it was made from, and its SHA-256."""
    return path.with_suffix(".receipt")


def read_shard(ref: FileRef, columns: list[str] | None = None) -> pa.Table:
    """Read a shard, whole or some of its columns.

    Raises:
        RunError: CS-W001 if the file is not, to the last bit, what the reference was made for.
    """
    return _read(ref.path, ref.sha256, columns)


def read_written(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a shard by its name, whole or some of its columns.

    Raises:
        RunError: CS-W001 if the file is not, to the last bit, what its receipt says.
    """
    sha256 = read_receipt(path).split()[-1]
    return _read(path, sha256, None if columns is None else list(columns))


def read_receipt(path: Path) -> str:
    """Return what a shard was made from, and its SHA-256.

    Raises:
        RunError: CS-W001 if the receipt is missing or damaged.
    """
    try:
        receipt = receipt_of(path).read_text("ascii")
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not _RECEIPT.fullmatch(receipt):
        raise _damaged(path)
    return receipt


def _read(path: Path, sha256: str, columns: list[str] | None) -> pa.Table:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _damaged(path) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _damaged(path)
    return pq.read_table(pa.BufferReader(content), columns=columns)


def _damaged(path: Path) -> RunError:
    return RunError(
        "a file of this run is no longer what was written",
        code="CS-W001",
        place=str(path),
        hint="run the same command again: it is noticed and made again; check the disk's health",
    )


def find_shard(path: Path, *, made_from: str) -> FileRef | None:
    """Return the reference to a shard of an earlier try, or None when it must be made (again).

    A file that was made from something else, or of which a single bit is not what was written, is
    deleted: it would be made anew anyway.
    """
    receipt = receipt_of(path)
    try:
        input_hash, sha256 = receipt.read_text("ascii").split()
        if (input_hash, sha256) == (made_from, file_sha256(path)):
            return FileRef(path=path, sha256=sha256, rows=pq.read_metadata(path).num_rows)
    except (OSError, ValueError):
        pass  # absent or damaged: the same as made from something else
    for file in (receipt, path):
        file.unlink(missing_ok=True)
    return None


def combine(*parts: Any) -> str:
    """Hash what a shard is made from: the parts' text forms, in order, none able to imitate two."""
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()
