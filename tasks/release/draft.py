"""A release in the making: a folder that is published whole, or leaves no trace."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.manifest import FileEntry, Manifest
from schemas.row import REJECTED_SCHEMA, RELEASED_SCHEMA
from tasks.planning.faults import disk_faults
from tasks.release.manifest import file_entries
from tasks.release.parquet import ROW_GROUP_ROWS, PartsWriter, SplitWriter
from tasks.release.publish import (
    MANIFEST,
    TEMPORARY,
    publish_folder,
    write_checksums,
    write_text,
)


class ReleaseDraft:
    """Collects the files of one release; `publish` makes them visible with one rename.

    Use it as a context manager: without `publish`, leaving the block deletes everything that was
    written.

    Args:
        home: The corpus's folder, `OUT/NAME`.
        version: The release's version, from `version_name`.
        splits: Names of the splits, in the recipe's order.
        row_group_rows: Most rows of a Parquet row group.

    Raises:
        InputError: `CS-O001`, on entering, if the folder cannot be written.
        RunError: `CS-O004`, from any method, if the disk is full.
    """

    def __init__(
        self,
        home: Path,
        *,
        version: str,
        splits: Sequence[str],
        row_group_rows: int = ROW_GROUP_ROWS,
    ) -> None:
        self.folder = home / f"{TEMPORARY}{version}-{os.getpid()}"
        """Where the files lie until they are published; others may be written straight into it."""
        self.version = version
        self._splits = tuple(splits)
        self._row_group_rows = row_group_rows
        self._rows: dict[str, int] | None = None

    def __enter__(self) -> Self:
        """Make the folder and open the Parquet files."""
        with disk_faults(self.folder):
            if self.folder.exists():
                shutil.rmtree(self.folder)
            for part in ("data", "rejected"):
                (self.folder / part).mkdir(parents=True)
        self._data = SplitWriter(
            self.folder / "data",
            self._splits,
            schema=RELEASED_SCHEMA,
            row_group_rows=self._row_group_rows,
        )
        self._rejected = PartsWriter(
            self.folder / "rejected",
            "rejected",
            schema=REJECTED_SCHEMA,
            row_group_rows=self._row_group_rows,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete the folder unless it was published."""
        if self.folder.exists():
            try:
                self._data.abort()
                self._rejected.abort()
            finally:
                shutil.rmtree(self.folder, ignore_errors=True)

    def add_rows(self, table: pa.Table, split: NDArray[np.int64]) -> None:
        """Append rows, each to its split's place; columns beyond `RELEASED_SCHEMA` are dropped."""
        self._data.add(table, split)

    def add_rejected(self, table: pa.Table) -> None:
        """Append rejected candidates; columns beyond `REJECTED_SCHEMA` are dropped."""
        self._rejected.add(table)

    def write_text(self, path: str, content: str) -> None:
        """Write a text file at a path inside the release, with a newline at its end."""
        write_text(self.folder / path, content)

    def close_data(self) -> Mapping[str, int]:
        """Finish the Parquet files; no rows can be added afterwards.

        Returns:
            Rows of each file, by its path inside the release.
        """
        if self._rows is None:
            files = {**self._data.close(), **dict(self._rejected.close())}
            self._rows = {
                path.relative_to(self.folder).as_posix(): rows for path, rows in files.items()
            }
        return self._rows

    def data_files(self) -> tuple[FileEntry, ...]:
        """Finish the Parquet files and describe those of the splits: hash, size, rows."""
        rows = self.close_data()
        return file_entries(self.folder, rows=rows, under="data")

    def files(self) -> tuple[FileEntry, ...]:
        """Finish the Parquet files and describe every file so far: hash, size, rows."""
        return file_entries(self.folder, rows=self.close_data())

    def publish(self, manifest: Manifest) -> Path:
        """Write the manifest, then the checksums, and give the folder its final name.

        Args:
            manifest: Everything but the files, which are filled in here. Its verdict decides:
                `pass` becomes `OUT/NAME/VERSION` and moves `latest.json`; `fail` becomes
                `OUT/NAME/VERSION-failed`.

        Returns:
            The published folder.

        Raises:
            ValueError: If the manifest is another version's, or its splits are not the ones
                written.
        """
        if manifest.version != self.version:
            raise ValueError(f"manifest of {manifest.version} for a draft of {self.version}")
        files = self.files()
        if (written := self._written_splits(files)) != dict(manifest.splits):
            raise ValueError(f"the manifest's splits {dict(manifest.splits)} are not {written}")
        whole = manifest.model_copy(update={"files": files})
        self.write_text(MANIFEST, whole.model_dump_json(indent=2))
        write_checksums(self.folder)
        return publish_folder(self.folder, whole)

    def _written_splits(self, files: Sequence[FileEntry]) -> dict[str, int]:
        return {
            split: sum(
                entry.rows or 0 for entry in files if entry.path.startswith(f"data/{split}-")
            )
            for split in self._splits
        }
