import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.row import RELEASED_SCHEMA
from tasks.release import parquet
from tasks.release.parquet import ROW_GROUP_ROWS, PartsWriter, SplitWriter

Rows = Callable[[int], pa.Table]


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    batches=st.lists(st.lists(st.integers(0, 1), max_size=9), max_size=5),
    row_group_rows=st.integers(1, 6),
    max_rows=st.integers(1, 9),
)
def test_every_row_lands_once_in_its_split_in_order(
    batches: list[list[int]],
    row_group_rows: int,
    max_rows: int,
    released: Rows,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("data")
    writer = SplitWriter(
        folder,
        ["train", "test"],
        schema=RELEASED_SCHEMA,
        row_group_rows=row_group_rows,
        max_rows=max_rows,
    )
    table = released(sum(map(len, batches)))
    start = 0
    for batch in batches:
        writer.add(table.slice(start, len(batch)), np.array(batch, dtype=np.int64))
        start += len(batch)
    files = writer.close()

    splits = np.array([split for batch in batches for split in batch], dtype=np.int64)
    for index, name in enumerate(["train", "test"]):
        parts = sorted(path for path in files if path.name.startswith(name))
        read = pa.concat_tables([RELEASED_SCHEMA.empty_table(), *map(pq.read_table, parts)])
        assert read.to_pylist() == table.take(np.flatnonzero(splits == index)).to_pylist()
        assert [path.name for path in parts] == [
            f"{name}-{i:05d}-of-{len(parts):05d}.parquet" for i in range(len(parts))
        ]
        for path in parts:
            meta = pq.read_metadata(path)
            assert meta.num_rows == files[path] <= max_rows
            groups = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
            assert max(groups, default=0) <= row_group_rows
    assert sorted(files) == sorted(folder.iterdir())


def test_a_file_keeps_types_meanings_and_small_columns(released: Rows, tmp_path: Path) -> None:
    writer = SplitWriter(tmp_path, ["train"], schema=RELEASED_SCHEMA, row_group_rows=100)
    writer.add(released(20), np.zeros(20, dtype=np.int64))
    (path,) = writer.close()
    assert pq.read_schema(path).equals(RELEASED_SCHEMA, check_metadata=False)
    for field in pq.read_schema(path):
        assert (
            field.metadata[b"description"]
            == RELEASED_SCHEMA.field(field.name).metadata[b"description"]
        )
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    assert {column.compression for column in columns} == {"ZSTD"}
    assert all(column.has_offset_index and column.has_column_index for column in columns)
    assert group.sorting_columns == ()
    dictionary = {column.path_in_schema for column in columns if column.has_dictionary_page}
    assert dictionary == {
        "label",
        "clean_label",
        "template",
        "model",
        "strategy",
        "finish_reason",
        "noise.list.element.kind",
        "attributes.key_value.key",
        "attributes.key_value.value",
    }


def test_a_null_where_none_may_be_is_refused(released: Rows, tmp_path: Path) -> None:
    writer = SplitWriter(tmp_path, ["train"], schema=RELEASED_SCHEMA, row_group_rows=10)
    table = released(1)
    place = table.schema.get_field_index("label")
    table = table.set_column(place, "label", pa.array([None], pa.string()))
    with pytest.raises(ValueError, match="label"):
        writer.add(table, np.zeros(1, dtype=np.int64))
    writer.abort()


@pytest.mark.parametrize("split", [[0], [0, 2], [-1, 0]])
def test_rows_need_a_split_that_exists(split: list[int], released: Rows, tmp_path: Path) -> None:
    writer = SplitWriter(tmp_path, ["a", "b"], schema=RELEASED_SCHEMA, row_group_rows=10)
    with pytest.raises(ValueError, match="split"):
        writer.add(released(2), np.array(split, dtype=np.int64))


TEXT = pa.schema([pa.field("text", pa.string(), nullable=False)])


def write_texts(folder: Path, texts: list[str], *, step: int) -> Path:
    folder.mkdir(exist_ok=True)
    writer = PartsWriter(folder, "train", schema=TEXT)
    for start in range(0, len(texts), step):
        writer.add(pa.table([texts[start : start + step]], schema=TEXT))
    ((path, rows),) = writer.close()
    assert rows == len(texts)
    return path


def row_groups(path: Path) -> list[int]:
    meta = pq.read_metadata(path)
    return [meta.row_group(place).num_rows for place in range(meta.num_row_groups)]


@pytest.mark.parametrize("step", [1024, 70_000])
def test_a_row_group_of_short_rows_is_bounded_by_their_number(step: int, tmp_path: Path) -> None:
    path = write_texts(tmp_path, ["short"] * 70_000, step=step)
    assert row_groups(path) == [ROW_GROUP_ROWS, 70_000 - ROW_GROUP_ROWS]


@pytest.mark.parametrize("step", [1, 100, 5000])
def test_a_row_group_of_long_rows_is_bounded_by_their_bytes(
    step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 1 << 20)
    path = write_texts(tmp_path, ["x" * 1000] * 5000, step=step)
    *whole, rest = row_groups(path)
    assert sum(whole) + rest == 5000
    assert all(1000 <= rows <= 1050 for rows in whole)
    assert rest <= 1050
    assert pq.read_table(path)["text"].to_pylist() == ["x" * 1000] * 5000


def test_one_row_larger_than_a_row_group_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_BYTES", 100)
    path = write_texts(tmp_path, ["x" * 1000, "", "y" * 1000], step=3)
    assert pq.read_table(path)["text"].to_pylist() == ["x" * 1000, "", "y" * 1000]


def chunk(path: Path) -> bytes:
    column = pq.read_metadata(path).row_group(0).column(0)
    start = column.data_page_offset
    return path.read_bytes()[start : start + column.total_compressed_size]


def shared_end(one: bytes, other: bytes) -> int:
    size = min(len(one), len(other))
    pairs = zip(reversed(one[-size:]), reversed(other[-size:]), strict=True)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), size)


def test_a_row_put_in_front_changes_only_the_first_pages(tmp_path: Path) -> None:
    rng = random.Random(1)
    texts = [rng.randbytes(100).hex() for _ in range(20_000)]
    old = chunk(write_texts(tmp_path / "old", texts, step=1024))
    new = chunk(write_texts(tmp_path / "new", ["first", *texts], step=1024))
    assert shared_end(old, new) > len(old) / 2

    pq.write_table(pa.table([texts], schema=TEXT), tmp_path / "a", compression="zstd")
    pq.write_table(pa.table([["first", *texts]], schema=TEXT), tmp_path / "b", compression="zstd")
    assert shared_end(chunk(tmp_path / "a"), chunk(tmp_path / "b")) < len(old) / 10
