import numpy as np
import pandas as pd
import pyarrow as pa

from schemas.row import RELEASED_SCHEMA, SCORES
from tasks.expectations.frame import COLUMNS, release_frame


def test_the_frame_has_its_columns_and_values(frame: pd.DataFrame, table: pa.Table) -> None:
    assert set(frame.columns) == set(COLUMNS)
    assert len(frame.columns) == len(COLUMNS)
    assert frame["label"].tolist() == table["label"].to_pylist()
    assert frame["num_tokens"].tolist() == table["num_tokens"].to_pylist()
    for name in SCORES:
        stored = [row[name] for row in table["scores"].to_pylist()]
        assert frame[f"score_{name}"].tolist() == stored


def test_flags_become_numbers(table: pa.Table) -> None:
    flags = np.arange(200) % 4 == 0
    frame = release_frame(
        table, split=np.repeat(["a"], 200), duplicate=flags, near_duplicate=~flags
    )
    assert frame["duplicate"].mean() == 0.25
    assert frame["near_duplicate"].mean() == 0.75


def test_chunks_and_slices_make_no_difference(table: pa.Table) -> None:
    none = np.zeros(199, dtype=np.bool_)
    split = np.repeat(["a"], 199)
    parts = pa.concat_tables([table.slice(1, 50), table.slice(51)])
    whole = release_frame(table.slice(1), split=split, duplicate=none, near_duplicate=none)
    again = release_frame(parts, split=split, duplicate=none, near_duplicate=none)
    pd.testing.assert_frame_equal(whole, again)


def test_the_label_is_the_one_asked_for() -> None:
    table = RELEASED_SCHEMA.empty_table()
    columns = {
        name: pa.nulls(2, field.type)
        for name, field in zip(table.schema.names, table.schema, strict=True)
    }
    columns |= {
        "label": pa.array(["pin", "card"]),
        "clean_label": pa.array(["card", None]),
        "scores": pa.array([dict.fromkeys(SCORES, 0.0)] * 2, RELEASED_SCHEMA.field("scores").type),
    }
    ones = np.zeros(2, bool)
    frame = release_frame(
        pa.table(columns), split=np.array(["a", "a"]), duplicate=ones, near_duplicate=ones
    )
    assert frame["label"].tolist() == ["card", "card"]
