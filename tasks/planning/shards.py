"""Shard files: whole or absent, and never reused for another input."""

import hashlib
import os
from pathlib import Path
from threading import get_ident
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.shard import FileRef
from tasks.planning.faults import disk_faults

TEMPORARY = ".tmp-"
"""How the names of unfinished files begin."""
_INPUT = b"corpusmith.input"


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
    """Write a table as a shard file and return the reference to it.

    Args:
        path: Where the file shall be.
        table: The rows.
        made_from: Hash of everything the rows were made from; a later try reuses the file only for
            the same.
    """
    metadata = {**(table.schema.metadata or {}), _INPUT: made_from.encode()}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.replace_schema_metadata(metadata), sink, compression="zstd", write_page_checksum=True
    )
    content = sink.getvalue().to_pybytes()
    write_whole(path, content)
    return FileRef(path=path, sha256=hashlib.sha256(content).hexdigest(), rows=table.num_rows)


def read_shard(ref: FileRef, columns: list[str] | None = None) -> pa.Table:
    """Read a shard, whole or some of its columns; page checksums are verified."""
    return pq.read_table(ref.path, columns=columns, page_checksum_verification=True)


def find_shard(path: Path, *, made_from: str) -> FileRef | None:
    """Return the reference to a shard of an earlier try, or None when it must be made (again).

    A file that was made from something else, or that is damaged, is deleted: it would be made anew
    anyway.
    """
    try:
        table = pq.read_table(path, page_checksum_verification=True)
    except FileNotFoundError:
        return None
    except (OSError, pa.ArrowException):
        path.unlink()
        return None
    if _metadata(table.schema).get(_INPUT) != made_from.encode():
        path.unlink()
        return None
    return FileRef(path=path, sha256=file_sha256(path), rows=table.num_rows)


def combine(*parts: Any) -> str:
    """Hash what a shard is made from: the parts' text forms, in order, none able to imitate two."""
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()


def _metadata(schema: pa.Schema) -> dict[bytes, bytes]:
    return dict(schema.metadata or {})
