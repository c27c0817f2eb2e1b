import numpy as np
import pandas as pd
import pyarrow as pa

from schemas.row import RELEASED_SCHEMA, SCORES
from tasks.expectations.frame import COLUMNS, release_columns, release_frame


def test_the_frame_has_its_columns_and_values(frame: pd.DataFrame, table: pa.Table) -> None:
    assert set(frame.columns) == set(COLUMNS)
    assert len(frame.columns) == len(COLUMNS)
    assert frame["label"].tolist() == table["label"].to_pylist()
    assert frame["text"].tolist() == [len(text) for text in table["text"].to_pylist()]
    assert frame["num_tokens"].tolist() == table["num_tokens"].to_pylist()
    for name in SCORES:
        stored = [row[name] for row in table["scores"].to_pylist()]
        assert frame[f"score_{name}"].tolist() == stored


def made(table: pa.Table, **flags: np.ndarray) -> pd.DataFrame:
    none = np.zeros(table.num_rows, dtype=np.bool_)
    columns = {"duplicate": none, "near_duplicate": none, **flags}
    split = pa.array(["a"] * table.num_rows)
    return release_frame([release_columns(table, split=split, **columns)])


def test_flags_become_numbers(table: pa.Table) -> None:
    flags = np.arange(200) % 4 == 0
    frame = made(table, duplicate=flags, near_duplicate=~flags)
    assert frame["duplicate"].mean() == 0.25
    assert frame["near_duplicate"].mean() == 0.75


def test_chunks_slices_and_parts_make_no_difference(table: pa.Table) -> None:
    none = np.zeros(199, dtype=np.bool_)
    split = pa.array(["b"] * 40 + ["a"] * 159)
    whole = table.slice(1)
    chunks = pa.concat_tables([table.slice(1, 50), table.slice(51)])
    frames = [
        release_frame(
            [
                release_columns(
                    rows.slice(first, size),
                    split=split[first : first + size],
                    duplicate=none[:size],
                    near_duplicate=none[:size],
                )
                for first, size in cuts
            ]
        )
        for rows, cuts in ((whole, [(0, 199)]), (chunks, [(0, 199)]), (whole, [(0, 30), (30, 169)]))
    ]
    for other in frames[1:]:
        pd.testing.assert_frame_equal(frames[0], other)


def test_ids_are_told_apart_and_texts_left_out(table: pa.Table, secret: str) -> None:
    frame = made(pa.concat_tables([table, table.slice(7, 1)]))
    assert frame["id"].duplicated(keep=False).sum() == 2
    assert not any(secret in str(value) for value in frame.to_numpy().ravel())


def test_what_is_missing_stays_missing(table: pa.Table) -> None:
    for name in ("id", "text", "label", "strategy"):
        place = table.schema.get_field_index(name)
        holes = pa.array([None, *table[name].to_pylist()[1:]])
        frame = made(table.set_column(place, name, holes))
        assert frame[name].isna().tolist() == [True] + [False] * 199


def test_no_parts_make_a_frame_without_lines() -> None:
    assert list(release_frame([]).columns) == list(COLUMNS)


def test_a_line_is_small(table: pa.Table) -> None:
    assert made(table).memory_usage(index=False, deep=True).sum() < 200 * 64 + 2000


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
    frame = made(pa.table(columns))
    assert frame["label"].tolist() == ["card", "card"]
