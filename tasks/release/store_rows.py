"""The rows of a release in a store, copied to this machine to be compared with."""

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from schemas.errors import RunError
from schemas.manifest import FileEntry, Manifest
from tasks.planning.faults import disk_faults
from tasks.planning.shards import file_sha256
from tasks.release.publish import MANIFEST, TEMPORARY


def copy_rows(files: Any, root: str, target: Path) -> Path | None:
    """Copy manifest and rows of a release; the folder is there whole or not at all.

    Args:
        files: The store, of fsspec.
        root: The release in it.
        target: The folder to make.

    Returns:
        The folder; None if there is no such release.

    Raises:
        RunError: `CS-W001` if a file is not the one that the manifest names; stores raise errors of
            their own besides.
    """
    try:
        content = files.cat_file(f"{root}/{MANIFEST}")
    except FileNotFoundError:
        return None
    draft = target.with_name(f"{TEMPORARY}{target.name}-{os.getpid()}")
    with disk_faults(draft):
        (draft / "data").mkdir(parents=True)
        (draft / MANIFEST).write_bytes(content)
    try:
        for entry in _rows_of(content, place=root):
            files.get_file(f"{root}/{entry.path}", str(draft / entry.path))
            if file_sha256(draft / entry.path) != entry.sha256:
                raise _damaged(f"{root}/{entry.path}")
        with disk_faults(target):
            draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def _rows_of(content: bytes, *, place: str) -> list[FileEntry]:
    """List the files of rows that a manifest names; a hostile path leads nowhere."""
    manifest = parse_manifest(content, place=place)
    rows = [entry for entry in manifest.files if entry.path.startswith("data/")]
    if any(entry.path != f"data/{PurePosixPath(entry.path).name}" for entry in rows):
        raise _damaged(f"{place}/{MANIFEST}")
    return rows


def parse_manifest(content: bytes, *, place: str) -> Manifest:
    """Read the manifest of a release in a store.

    Raises:
        RunError: `CS-W001` if it is damaged.
    """
    try:
        return Manifest.model_validate_json(content)
    except ValidationError:
        raise _damaged(f"{place}/{MANIFEST}") from None


def _damaged(place: str) -> RunError:
    return RunError(
        "a file of the version before is damaged",
        code="CS-W001",
        place=place,
        hint="restore it from a copy, or delete that version: drift is left out then",
    )
