"""The database of what does not fit into memory."""

import errno

import duckdb
import numpy as np
import pytest

from tasks.quality.database import ScratchDatabase, disk_errors


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
    assert [path.name.startswith(".tmp-") for path in tmp_path.iterdir()] == [True]
    del database
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("message", "number"),
    [("Could not write file: No space left on device", errno.ENOSPC), ("Bad read", errno.EIO)],
)
def test_faults_of_the_disk_are_those_of_the_system(message, number):
    with pytest.raises(OSError, match=message) as raised, disk_errors():
        raise duckdb.IOException(message)
    assert raised.value.errno == number
