from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.row import RELEASED_SCHEMA
from tasks.release.parquet import SplitWriter

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
    assert all(column.has_offset_index for column in columns)
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
