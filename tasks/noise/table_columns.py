"""Which columns of a table noise reads and writes, and that they can be what they are taken for."""

from dataclasses import dataclass
from difflib import get_close_matches

import pyarrow as pa
import pyarrow.types as pt

from schemas.errors import InputError
from schemas.row import EDITS
from tasks.noise.span_column import check_span_type

CLEAN = "clean_text"
CLEAN_LABEL = "clean_label"
LOG = "noise"


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns that noise needs.

    Args:
        text: What is noised.
        label: The row's label, which may be protected; None when there is none.
        spans: Labelled spans of the text; None when there are none.
    """

    text: str = "text"
    label: str | None = None
    spans: str | None = None


def noised_schema(schema: pa.Schema, columns: Columns, *, flips_labels: bool = False) -> pa.Schema:
    """Return the schema after noise: the columns of the data, the clean text and the log.

    A text column that is encoded as a dictionary becomes plain.

    Args:
        schema: That of the data.
        columns: What noise needs.
        flips_labels: Whether labels are noised too: the clean ones get a column of their own.

    Raises:
        InputError: `CS-D002` if a column is missing; `CS-D003` if one is of the wrong type, stands
            twice, or is called `clean_text` or `noise` and holds something else.
    """
    for name in schema.names:
        if schema.names.count(name) > 1:
            raise InputError(
                f"two columns are called {name}", code="CS-D003", hint="rename one of them"
            )
    text = _field(schema, columns.text, "--text")
    if not _is_text(text.type):
        raise _wrong_type(text, "--text", "text")
    if columns.label is not None:
        label = _field(schema, columns.label, "--label")
        if not (
            _is_text(label.type)
            or pt.is_null(label.type)
            or pt.is_integer(label.type)
            or pt.is_boolean(label.type)
        ):
            raise _wrong_type(label, "--label", "text or whole numbers")
    if columns.spans is not None:
        check_span_type(_field(schema, columns.spans, "--spans").type, column=columns.spans)
    for name in {columns.text, columns.label} if flips_labels else {columns.text}:
        place = schema.get_field_index(str(name))
        if pt.is_dictionary(schema.field(place).type):
            schema = schema.set(place, schema.field(place).with_type(pa.string()))
    return _with_log(schema, flips_labels)


def texts_of(values: pa.Array, *, column: str, first_row: int) -> pa.StringArray:
    """Return the texts of a batch as Arrow's plain strings; null ones stay null.

    Args:
        values: The text column.
        column: Its name, for errors.
        first_row: Number of its first row in the data, for errors.

    Raises:
        InputError: `CS-D004` if one is not Unicode.
    """
    texts = values.cast(pa.string())
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        row = next(row for row, text in enumerate(texts) if not _is_unicode(text))
        raise InputError(
            f"the column {column} holds what is not UTF-8",
            code="CS-D004",
            place=f"row {first_row + row + 1:,}",
            hint="correct the row, or leave it out",
        ) from None
    return texts


def _is_unicode(text: pa.StringScalar) -> bool:
    try:
        text.as_py()
    except UnicodeDecodeError:
        return False
    return True


def _with_log(schema: pa.Schema, flips_labels: bool) -> pa.Schema:
    own = {CLEAN: pa.string(), LOG: EDITS}
    present = [name for name in own if name in schema.names]
    if present and (len(present) < len(own) or not _is_log(schema)):
        raise InputError(
            f"the data has a column {present[0]} of its own",
            code="CS-D003",
            hint=f"rename it: noise writes the columns {CLEAN} and {LOG}",
        )
    if flips_labels:
        own[CLEAN_LABEL] = pa.string()
        if CLEAN_LABEL in schema.names and not _is_text_or_null(schema.field(CLEAN_LABEL).type):
            raise _wrong_type(schema.field(CLEAN_LABEL), "--label", "clean labels")
    for name, kind in own.items():
        field, place = pa.field(name, kind), schema.get_field_index(name)
        schema = schema.append(field) if place < 0 else schema.set(place, field)
    return schema


def _is_log(schema: pa.Schema) -> bool:
    clean, log = schema.field(CLEAN).type, schema.field(LOG).type
    if not _is_text_or_null(clean) or not pt.is_list(log):
        return False
    inner = log.value_type
    if pt.is_null(inner):  # lists of JSON, all empty
        return True
    return bool(pt.is_struct(inner)) and {field.name for field in inner} == {
        field.name for field in EDITS.value_type
    }


def _field(schema: pa.Schema, name: str, option: str) -> pa.Field:
    if name in schema.names:
        return schema.field(name)
    near = get_close_matches(name, schema.names, n=1)
    meant = f'did you mean "{near[0]}"? ' if near else ""
    raise InputError(
        f"the data has no column {name}",
        code="CS-D002",
        place=f"{option} {name}",
        hint=f"{meant}its columns are: {', '.join(schema.names[:30]) or 'none'}",
    )


def _is_text(kind: pa.DataType) -> bool:
    if pt.is_dictionary(kind):
        kind = kind.value_type
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def _is_text_or_null(kind: pa.DataType) -> bool:
    return _is_text(kind) or bool(pt.is_null(kind))


def _wrong_type(field: pa.Field, option: str, wanted: str) -> InputError:
    return InputError(
        f"the column {field.name} holds {field.type}, not {wanted}",
        code="CS-D003",
        place=f"{option} {field.name}",
        hint="name another column, or convert this one",
    )
