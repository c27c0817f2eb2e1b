import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InputError
from tasks.noise.span_column import check_span_type, read_spans
from tasks.noise.spans import Spans

LENGTH = 9
SPAN = st.tuples(st.integers(0, LENGTH), st.integers(0, LENGTH)).map(sorted)
ROWS = st.lists(st.none() | st.lists(SPAN, max_size=4), min_size=1, max_size=6)


def as_structs(rows: list) -> list:
    return [
        None if row is None else [{"label": "x", "start": start, "end": end} for start, end in row]
        for row in rows
    ]


def columns_of(rows: list) -> list[pa.Array]:
    structs = as_structs(rows)
    kind = pa.struct([("label", pa.string()), ("start", pa.int32()), ("end", pa.int16())])
    texts = [None if row is None else json.dumps(row) for row in structs]
    return [
        pa.array(structs, pa.list_(kind)),
        pa.array(structs, pa.large_list(kind)),
        pa.array([None, *structs], pa.list_(kind)).slice(1),
        pa.array(texts, pa.string()),
    ]


def moved(spans: Spans) -> Spans:
    return Spans(spans.rows, spans.starts + 1, spans.ends + 2, spans.is_kept & (spans.starts != 3))


@given(ROWS, st.data())
@settings(deadline=None, max_examples=60)
def test_the_chosen_rows_get_their_new_places(rows: list, data: st.DataObject) -> None:
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    wanted = [
        row
        if row is None or not is_chosen
        else [(start + 1, end + 2) for start, end in row if start != 3 and start < end]
        for row, is_chosen in zip(rows, chosen, strict=True)
    ]
    for column in columns_of(rows):
        check_span_type(column.type, column="spans")
        read = read_spans(column, lengths=np.full(len(rows), LENGTH), first_row=0)
        after = read.with_moved(chosen, moved(read.of_rows(chosen)))
        assert after.type == column.type
        values = after.to_pylist()
        if pa.types.is_string(column.type):
            values = [None if value is None else json.loads(value) for value in values]
        assert values == as_structs(wanted)


@pytest.mark.parametrize(
    "span", [{"start": 2, "end": 1}, {"start": -1, "end": 1}, {"start": 0, "end": 10}]
)
def test_a_span_outside_its_text_is_refused(span: dict[str, int]) -> None:
    for column in (pa.array([[], [span]]), pa.array([None, json.dumps([span])])):
        with pytest.raises(InputError) as caught:
            read_spans(column, lengths=np.full(2, LENGTH), first_row=1000)
        assert (caught.value.code, caught.value.place) == ("CS-D004", "row 1,002")


@pytest.mark.parametrize(
    "text", ["{", '{"start": 0, "end": 1}', "[1]", '[{"start": "0", "end": 1}]', "[" * 10_000]
)
def test_json_that_holds_no_spans_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_spans(pa.array([text]), lengths=np.full(1, LENGTH), first_row=0)
    assert (caught.value.code, caught.value.place) == ("CS-D004", "row 1")


def test_a_null_place_is_refused() -> None:
    with pytest.raises(InputError):
        read_spans(pa.array([[{"start": None, "end": 1}]]), lengths=np.full(1, 5), first_row=0)


def test_columns_without_any_span_are_empty() -> None:
    for column in (pa.nulls(3), pa.array([[], None, []], pa.list_(pa.null()))):
        check_span_type(column.type, column="spans")
        assert read_spans(column, lengths=np.zeros(3, np.int64), first_row=0).rows.size == 0


@pytest.mark.parametrize(
    "kind",
    [pa.int64(), pa.list_(pa.int64()), pa.list_(pa.struct([("start", pa.int64())])),
     pa.list_(pa.struct([("start", pa.string()), ("end", pa.string())]))],
)  # fmt: skip
def test_a_column_of_another_type_is_refused(kind: pa.DataType) -> None:
    with pytest.raises(InputError) as caught:
        check_span_type(kind, column="ents")
    assert (caught.value.code, caught.value.place) == ("CS-D003", "--spans ents")
