"""A column of labelled spans: lists of structs, or the same as JSON, read and written back."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from schemas.errors import InputError
from tasks.noise.spans import Spans
from tasks.noise.strings import Ints, Mask, offsets_of

_WANTED = "a list of {start, end, label} for each row, start and end in code points"


@dataclass(frozen=True, slots=True)
class SpanColumn:
    """The spans of N rows, M of them, in the order in which they stand.

    Args:
        column: The column as it was read.
        rows: Row of each span, shape `(M,)`.
        starts: First code point, shape `(M,)`.
        ends: One past the last, shape `(M,)`.
        parsed: The rows as Python's lists where the column holds JSON.
    """

    column: pa.Array
    rows: Ints
    starts: Ints
    ends: Ints
    parsed: list[Any] | None = None

    def of_rows(self, chosen: Mask) -> Spans:
        """Return the spans of the rows in `chosen`, shape `(N,)`, which are numbered anew."""
        own = chosen[self.rows]
        rank = np.cumsum(chosen) - 1
        starts, ends = self.starts[own], self.ends[own]
        return Spans(rank[self.rows[own]], starts, ends, starts < ends)

    def with_moved(self, chosen: Mask, spans: Spans) -> pa.Array:
        """Return the column with the new places of the spans in the rows in `chosen`.

        A span of which nothing is left is dropped; a null row stays null.
        """
        own = chosen[self.rows]
        starts, ends, kept = self.starts.copy(), self.ends.copy(), np.ones(self.rows.size, np.bool_)
        starts[own], ends[own], kept[own] = spans.starts, spans.ends, spans.is_kept
        if self.parsed is not None:
            return self._as_json(starts, ends, kept, chosen)
        values = self.column.flatten()
        fields = list(values.type)
        arrays = [values.field(place) for place in range(len(fields))]
        for name, places in (("start", starts), ("end", ends)):
            place = values.type.get_field_index(name)
            arrays[place] = pa.array(places).cast(fields[place].type)
        moved = pa.StructArray.from_arrays(arrays, fields=fields).filter(pa.array(kept))
        offsets = offsets_of(np.bincount(self.rows[kept], minlength=len(self.column)))
        is_large = pt.is_large_list(self.column.type)
        make = pa.LargeListArray if is_large else pa.ListArray
        places = pa.array(offsets if is_large else offsets.astype(np.int32))
        return make.from_arrays(places, moved, type=self.column.type, mask=self.column.is_null())

    def _as_json(self, starts: Ints, ends: Ints, kept: Mask, chosen: Mask) -> pa.Array:
        texts = self.column.to_pylist()
        firsts = np.searchsorted(self.rows, np.arange(len(texts) + 1))
        assert self.parsed is not None
        for row in np.flatnonzero(chosen).tolist():
            if self.parsed[row]:
                places = range(firsts[row], firsts[row + 1])
                spans = [
                    {**span, "start": int(starts[place]), "end": int(ends[place])}
                    for span, place in zip(self.parsed[row], places, strict=True)
                    if kept[place]
                ]
                texts[row] = json.dumps(spans, ensure_ascii=False)
        return pa.array(texts, self.column.type)


def check_span_type(kind: pa.DataType, *, column: str) -> None:
    """Refuse a column that cannot hold spans.

    Raises:
        InputError: `CS-D003`.
    """
    if pt.is_string(kind) or pt.is_large_string(kind) or pt.is_null(kind):
        return
    if pt.is_list(kind) or pt.is_large_list(kind):
        inner = kind.value_type
        names = (
            {field.name for field in inner if pt.is_integer(field.type)}
            if _is_struct(inner)
            else set()
        )
        if {"start", "end"} <= names or pt.is_null(inner):
            return
    raise InputError(
        f"the column {column} is of the type {kind}, which holds no spans",
        code="CS-D003",
        place=f"--spans {column}",
        hint=f"wanted: {_WANTED}; in a text column, the same as JSON",
    )


def read_spans(column: pa.Array, *, lengths: Ints, first_row: int) -> SpanColumn:
    """Read a column of spans.

    Args:
        column: Of a type that `check_span_type` allows, N rows.
        lengths: Code points of each row's text, shape `(N,)`.
        first_row: Number of the first row in the data, for errors.

    Raises:
        InputError: `CS-D004` if a span does not lie in its text, or JSON holds no list of spans.
    """
    parsed = None
    if pt.is_string(column.type) or pt.is_large_string(column.type):
        texts = column.to_pylist()
        parsed = [_parse(text, first_row + row) for row, text in enumerate(texts)]
        counts = np.array([len(spans) for spans in parsed], np.int64)
        places = [(span["start"], span["end"]) for spans in parsed for span in spans]
        starts, ends = np.array(places, np.int64).reshape(-1, 2).T
    elif pt.is_null(column.type) or pt.is_null(column.type.value_type):
        counts, starts, ends = np.zeros(len(column), np.int64), *np.zeros((2, 0), np.int64)
    else:
        counts = np.asarray(column.value_lengths().fill_null(0).to_numpy(), np.int64)
        starts, ends = (_integers(column.flatten(), name) for name in ("start", "end"))
    rows = np.repeat(np.arange(len(column)), counts)
    is_wrong = (starts < 0) | (ends < starts) | (ends > lengths[rows])
    if is_wrong.any():
        first = int(np.flatnonzero(is_wrong)[0])
        row = int(rows[first])
        raise _wrong_row(
            f"a span from {starts[first]} to {ends[first]} does not lie in its text"
            f" of {lengths[row]} characters",
            first_row + row,
        )
    return SpanColumn(column, rows, starts, ends, parsed)


def _integers(values: pa.StructArray, name: str) -> Ints:
    # A null place, or one in a null struct, becomes one that no text has.
    numbers = values.flatten()[values.type.get_field_index(name)]
    return np.asarray(numbers.cast(pa.int64()).fill_null(-1).to_numpy(), np.int64)


def _parse(text: str | None, row: int) -> list[Any]:
    if not text:
        return []
    try:
        spans = json.loads(text)
    except (ValueError, RecursionError):
        spans = None
    if not isinstance(spans, list) or not all(map(_is_span, spans)):
        raise _wrong_row("the spans are not a JSON list of spans", row)
    return spans


def _is_span(span: Any) -> bool:
    return isinstance(span, dict) and all(
        type(span.get(key)) is int and abs(span[key]) < 2**62 for key in ("start", "end")
    )


def _is_struct(kind: pa.DataType) -> bool:
    return bool(pt.is_struct(kind))


def _wrong_row(message: str, row: int) -> InputError:
    return InputError(message, code="CS-D004", place=f"row {row + 1:,}", hint=f"wanted: {_WANTED}")
