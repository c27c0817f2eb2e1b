import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import InputError
from tasks.release.data_output import TableWriter, check_output

ROWS: list[dict[str, Any]] = [
    {"text": 'a "b",\nc', "n": 1, "log": [{"start": 0, "after": "é"}], "more": [("k", "v")]},
    {"text": "", "n": None, "log": [], "more": []},
    {"text": None, "n": 3, "log": None, "more": None},
]
SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("n", pa.int64()),
        ("log", pa.list_(pa.struct([("start", pa.int32()), ("after", pa.string())]))),
        ("more", pa.map_(pa.string(), pa.string())),
    ]
)


def write(path: Path, *, times: int = 1) -> Path:
    with TableWriter(path, schema=SCHEMA) as writer:
        for _ in range(times):
            writer.add(pa.RecordBatch.from_pylist(ROWS, SCHEMA))
            assert not path.exists()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    return path


@pytest.mark.parametrize("name", ["a.parquet", "a.PARQUET", "a"])
def test_parquet_is_the_default(name: str, tmp_path: Path) -> None:
    table = pq.read_table(write(tmp_path / "new" / name, times=3))
    assert table.schema.equals(SCHEMA)
    assert table.to_pylist() == ROWS * 3


def test_json_lines_hold_every_value(tmp_path: Path) -> None:
    lines = write(tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert found == [{**ROWS[0], "more": {"k": "v"}}, {**ROWS[1], "more": {}}, ROWS[2]]
    assert "é" in lines[0]


def test_csv_holds_lists_as_json(tmp_path: Path) -> None:
    with write(tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        first, second, third = csv.DictReader(file)
    assert first["text"] == ROWS[0]["text"]
    assert json.loads(first["log"]) == ROWS[0]["log"]
    assert json.loads(first["more"]) == {"k": "v"}
    assert (second["text"], second["n"], second["log"]) == ("", "", "[]")
    assert (third["text"], third["log"]) == ("", "")


def test_many_rows_are_written_in_groups(tmp_path: Path) -> None:
    schema = pa.schema([("n", pa.int32())])
    with TableWriter(tmp_path / "a.parquet", schema=schema) as writer:
        for start in range(0, 200_000, 8000):
            writer.add(pa.record_batch([pa.array(range(start, start + 8000), pa.int32())], schema))
    found = pq.ParquetFile(tmp_path / "a.parquet")
    assert found.metadata.num_row_groups == 3
    assert found.read()["n"].to_pylist() == list(range(200_000))


def test_no_rows_make_a_file_with_columns(tmp_path: Path) -> None:
    assert pq.read_table(write(tmp_path / "a.parquet", times=0)).schema.equals(SCHEMA)
    assert write(tmp_path / "b" / "a.csv", times=0).read_text() == '"text","n","log","more"\n'


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_failure_leaves_nothing(suffix: str, tmp_path: Path) -> None:
    def fail() -> None:
        with TableWriter(tmp_path / f"a{suffix}", schema=SCHEMA) as writer:
            writer.add(pa.RecordBatch.from_pylist(ROWS, SCHEMA))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    taken = tmp_path / "a.csv"
    taken.write_text("precious")
    for place in (taken, tmp_path):
        with pytest.raises(InputError) as caught:
            check_output(place)
        assert caught.value.code == "CS-O005"
    with pytest.raises(InputError):
        check_output(tmp_path / "b.csv", taken)
    with TableWriter(tmp_path / "late.csv", schema=SCHEMA) as writer:
        (tmp_path / "other.csv").write_text("x")
        writer.add(pa.RecordBatch.from_pylist(ROWS, SCHEMA))
    assert taken.read_text() == "precious"


def test_a_file_that_came_up_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    def race() -> None:
        with TableWriter(path, schema=SCHEMA):
            path.write_text("precious")

    with pytest.raises(InputError) as caught:
        race()
    assert caught.value.code == "CS-O005"
    assert path.read_text() == "precious"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("name", ["a.xlsx", "a.txt"])
def test_another_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        check_output(tmp_path / name)
    assert caught.value.code == "CS-O001"


def test_a_column_that_the_format_cannot_hold_is_told(tmp_path: Path) -> None:
    schema = pa.schema([("a", pa.struct([]))])

    def attempt() -> None:
        with TableWriter(tmp_path / "a.parquet", schema=schema) as writer:
            writer.add(pa.record_batch([pa.array([{}], pa.struct([]))], schema))

    with pytest.raises(InputError, match="cannot hold") as caught:
        attempt()
    assert caught.value.code == "CS-O001"
    assert not list(tmp_path.iterdir())
