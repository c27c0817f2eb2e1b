import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import InputError
from tasks.release.data_input import open_table


def rows_of(path: Path) -> list[dict[str, Any]]:
    source = open_table(path)
    batches = list(source.batches())
    assert all(batch.schema.equals(source.schema) for batch in batches)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert source.num_rows in (None, len(rows))
    return rows


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_parquet_keeps_its_types_and_comes_in_parts(tmp_path: Path) -> None:
    table = pa.table({"id": pa.array(range(20_000), pa.int16()), "tags": [["a"]] * 20_000})
    pq.write_table(table, tmp_path / "a.parquet")
    source = open_table(tmp_path / "a.parquet")
    assert source.schema.equals(table.schema)
    batches = list(source.batches())
    assert max(map(len, batches)) <= 8192
    assert pa.Table.from_batches(batches) == table
    assert list(source.batches()) == batches


@pytest.mark.parametrize("inner", ["", "data"])
def test_a_folder_is_read_by_name(tmp_path: Path, inner: str) -> None:
    folder = tmp_path / inner
    folder.mkdir(exist_ok=True)
    for name in "bca":
        pq.write_table(pa.table({"text": [name]}), folder / f"{name}.parquet")
    assert [row["text"] for row in rows_of(tmp_path)] == ["a", "b", "c"]


def test_files_of_a_folder_must_agree(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": [1]}), tmp_path / "b.parquet")
    with pytest.raises(InputError) as caught:
        open_table(tmp_path)
    assert caught.value.code == "CS-D003"
    assert caught.value.place.endswith("b.parquet")


def test_csv_is_text_as_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '\ufefftext,n\n"two\nlines, ""x""",007\n,NA\n1.50,é\n')
    assert rows_of(path) == [
        {"text": 'two\nlines, "x"', "n": "007"},
        {"text": "", "n": "NA"},
        {"text": "1.50", "n": "é"},
    ]


def test_types_of_json_lines_are_found_in_all_lines(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"text": "2020-01-01", "n": None, "deep": {"a": 1}}]
    rows += [{"text": f"é {number}", "n": number} for number in range(9000)]
    rows += [{"n": 0.5, "spans": [{"start": 0}], "deep": {"b": "x"}}]
    content = "\ufeff" + "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    found = rows_of(write(tmp_path / "a.jsonl", content))
    assert len(found) == len(rows)
    assert found[0] == {"text": "2020-01-01", "n": None, "deep": {"a": 1, "b": None}, "spans": None}
    assert found[9000]["text"] == "é 8999"
    assert found[-1]["deep"] == {"a": None, "b": "x"}
    assert found[-1]["spans"] == [{"start": 0}]


@pytest.mark.parametrize(
    ("name", "content", "code", "place"),
    [
        ("a.txt", "x", "CS-D001", "a.txt"),
        ("a.json", "[]", "CS-D001", "a.json"),
        ("plain", "x", "CS-D001", "plain"),
        ("a.parquet", "not parquet", "CS-D001", "a.parquet"),
        ("a.parquet", b"PAR1\x00\x00PAR1", "CS-D001", "a.parquet"),
        ("a.csv", "", "CS-D001", "a.csv"),
        ("a.csv", "a,b\n1,2,3\n", "CS-D001", "a.csv"),
        ("a.csv", b"a\n\xff\n", "CS-D001", "a.csv"),
        ("a.jsonl", '{"a": 1}\n{"a": }\n', "CS-D001", "a.jsonl:2"),
        ("a.jsonl", "[1]\n", "CS-D001", "a.jsonl:1"),
        ("a.jsonl", b'{"a": 1}\n\n{"a": "\xff"}\n', "CS-D001", "a.jsonl:3"),
        ("a.jsonl", '{"a": "\\ud800"}\n', "CS-D001", "a.jsonl:1"),
        ("a.jsonl", '{"a": ' + "[" * 100_000, "CS-D001", "a.jsonl:1"),
        ("a.jsonl", '{"a": 1}\n{"a": "x"}\n', "CS-D003", "a.jsonl:1"),
        ("a.jsonl", '{"a": 99999999999999999999}\n', "CS-D003", "a.jsonl:1"),
    ],
)
def test_what_cannot_be_read_says_where(
    name: str, content: str | bytes, code: str, place: str, tmp_path: Path
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(InputError) as caught:
        rows_of(path)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)
    assert place in caught.value.place
    assert caught.value.hint


def test_lines_far_apart_that_disagree_are_told(tmp_path: Path) -> None:
    lines = ['{"a": 1}'] * 8192 + ['{"a": "x"}']
    with pytest.raises(InputError, match="different types") as caught:
        open_table(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert "a.jsonl:8193" in caught.value.place


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", "a\n")
    with pytest.raises(InputError) as caught:
        open_table(tmp_path / "tarin.csv")
    assert "train.csv" in caught.value.hint
    with pytest.raises(InputError, match=r"holds no \.parquet"):
        open_table(tmp_path)
