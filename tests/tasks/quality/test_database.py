"""The database of what does not fit into memory."""

import errno

import duckdb
import numpy as np
import pytest

from tasks.quality.database import ScratchDatabase, disk_errors, scratch_folder


def test_rows_go_in_and_come_out_in_batches(tmp_path):
    database = ScratchDatabase(tmp_path)
    database.run("CREATE TABLE numbers (number BIGINT)")
    database.load("INSERT INTO numbers SELECT * FROM given", {"number": np.arange(10_000)})
    batches = list(database.batches("SELECT number FROM numbers", rows=3000))
    assert sorted(value for batch in batches for value in batch.column(0).to_pylist()) == list(
        range(10_000)
    )
    assert (
        database.table("SELECT sum(number) AS total FROM numbers")["total"][0].as_py() == 49995000
    )


def test_it_takes_its_folder_along(tmp_path):
    database = ScratchDatabase(tmp_path)
    (database.folder / "more").write_text("beside it")
    assert len(list(tmp_path.iterdir())) == 1
    del database
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (duckdb.IOException("Could not write file: No space left on device"), errno.ENOSPC),
        (duckdb.TransactionException("Failed to commit: No space left on device"), errno.ENOSPC),
        (duckdb.IOException("Could not read"), errno.EIO),
    ],
)
def test_faults_of_the_disk_are_those_of_the_system(error, number):
    with pytest.raises(OSError, match=str(error)) as raised, disk_errors():
        raise error
    assert raised.value.errno == number


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(duckdb.CatalogException):
        ScratchDatabase(tmp_path).run("SELECT * FROM nowhere")


def test_a_scratch_folder_begins_empty_and_goes(tmp_path):
    (tmp_path / "scratch" / "left behind").mkdir(parents=True)
    with scratch_folder(tmp_path) as folder:
        assert not list(folder.iterdir())
        (folder / "file").touch()
    assert not list(tmp_path.iterdir())
