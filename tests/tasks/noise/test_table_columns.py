import pyarrow as pa
import pytest

from schemas.errors import InputError
from schemas.row import EDITS, RELEASED_SCHEMA
from tasks.noise.table_columns import Columns, noised_schema, texts_of

TEXT = ("text", pa.string())


def test_the_columns_of_a_release_are_added() -> None:
    schema = noised_schema(pa.schema([("id", pa.int64()), TEXT], {"made": "here"}), Columns())
    assert schema.names == ["id", "text", "clean_text", "noise"]
    assert schema.field("noise").type == EDITS
    assert schema.metadata == {b"made": b"here"}
    flipped = noised_schema(pa.schema([TEXT]), Columns(label="text"), flips_labels=True)
    assert flipped.names == ["text", "clean_text", "noise", "clean_label"]


def test_a_release_keeps_its_columns() -> None:
    after = noised_schema(RELEASED_SCHEMA, Columns(label="label"), flips_labels=True)
    assert after.names == RELEASED_SCHEMA.names
    assert after.types == RELEASED_SCHEMA.types


@pytest.mark.parametrize(
    ("schema", "columns", "code", "place"),
    [
        ([TEXT], Columns("txt"), "CS-D002", "--text txt"),
        ([TEXT], Columns(label="labels"), "CS-D002", "--label labels"),
        ([TEXT], Columns(spans="spans"), "CS-D002", "--spans spans"),
        ([("text", pa.int64())], Columns(), "CS-D003", "--text text"),
        ([TEXT, ("label", pa.list_(pa.string()))], Columns(label="label"), "CS-D003", "--label"),
        ([TEXT, ("spans", pa.int8())], Columns(spans="spans"), "CS-D003", "--spans spans"),
        ([TEXT, TEXT], Columns(), "CS-D003", ""),
        ([TEXT, ("noise", pa.float32())], Columns(), "CS-D003", ""),
        ([TEXT, ("clean_text", pa.string())], Columns(), "CS-D003", ""),
        ([TEXT, ("clean_text", pa.string()), ("noise", pa.string())], Columns(), "CS-D003", ""),
    ],
)
def test_wrong_columns_are_refused(
    schema: list[tuple[str, pa.DataType]], columns: Columns, code: str, place: str
) -> None:
    with pytest.raises(InputError) as caught:
        noised_schema(pa.schema(schema), columns)
    assert caught.value.code == code
    assert place in caught.value.place
    assert caught.value.hint


def test_a_misspelt_column_is_suggested() -> None:
    with pytest.raises(InputError, match="no column txet") as caught:
        noised_schema(pa.schema([TEXT]), Columns("txet"))
    assert 'did you mean "text"?' in caught.value.hint


def test_what_is_not_unicode_is_refused_with_its_row() -> None:
    broken = pa.array([b"good", None, b"\xff\xfe"], pa.binary()).view(pa.string())
    with pytest.raises(InputError) as caught:
        texts_of(broken, column="text", first_row=40)
    assert (caught.value.code, caught.value.place) == ("CS-D004", "row 43")
