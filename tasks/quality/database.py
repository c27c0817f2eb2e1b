"""The one way to open a database for what does not fit into memory."""

import errno
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

MOST_THREADS = 4
LEAST_MEMORY = 48 << 20


class ScratchDatabase:
    """A DuckDB database in a folder of its own, which is deleted with this object.

    What goes beyond its memory lies in that folder too.

    Args:
        folder: Where to make the folder; None for the system's place of temporary files.

    Raises:
        OSError: From any method, when the disk is full or fails.
    """

    def __init__(self, folder: Path | None) -> None:
        import duckdb

        self.folder = Path(tempfile.mkdtemp(prefix="corpusmith-", dir=folder))
        """Further files may be written here."""
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        with disk_errors():
            self._connection = duckdb.connect(
                str(self.folder / "rows.duckdb"),
                config={
                    "temp_directory": str(self.folder / "spilled"),
                    "memory_limit": f"{LEAST_MEMORY}B",
                    "threads": min(MOST_THREADS, os.cpu_count() or 1),
                    "preserve_insertion_order": False,
                },
            )

    def allow(self, memory_bytes: int) -> None:
        """Let the next statements take this much memory, beside the least that there always is."""
        self._connection.execute(f"SET memory_limit = '{LEAST_MEMORY + memory_bytes}B'")

    def run(self, statement: str) -> None:
        """Run a statement without a result."""
        with disk_errors():
            self._connection.execute(statement)

    def load(self, statement: str, columns: dict[str, Any]) -> None:
        """Run a statement that reads some columns as the table `given`."""
        self._connection.register("given", pa.table(columns))
        try:
            self.run(statement)
        finally:
            self._connection.unregister("given")

    def batches(self, query: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query, some rows at a time."""
        with disk_errors():
            yield from self._connection.sql(query).to_arrow_reader(rows)

    def table(self, query: str) -> pa.Table:
        """Return the result of a query."""
        with disk_errors():
            return self._connection.sql(query).to_arrow_table()


@contextmanager
def scratch_folder(home: Path) -> Iterator[Path]:
    """Make the folder `home/scratch` and delete it afterwards.

    What a killed process left there is deleted first: only one may use it at a time.
    """
    folder = home / "scratch"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn what DuckDB says of a full or failing disk into an `OSError`."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        # A commit that finds the disk full is an error of the transaction.
        if "No space left" in str(error):
            raise OSError(errno.ENOSPC, str(error)) from error
        if isinstance(error, duckdb.IOException):
            raise OSError(errno.EIO, str(error)) from error
        raise
