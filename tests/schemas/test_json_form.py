"""Which JSON Schemas may describe an output."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas.json_form import MAX_DEPTH, close_objects, resolve, schema_fault, subschemas

TEXT = {"type": "string"}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = TEXT
    for _ in range(depth):
        schema = {"items": schema}
    return schema


def laughs(levels: int) -> dict[str, Any]:
    """Each level refers to the next one twice: small as written, huge when written out."""
    both = {
        f"l{level}": {"anyOf": [{"$ref": f"#/$defs/l{level + 1}"}] * 2} for level in range(levels)
    }
    return {"$ref": "#/$defs/l0", "$defs": {**both, f"l{levels}": TEXT}}


def chain(length: int) -> dict[str, Any]:
    links: dict[str, Any] = {f"l{k}": {"$ref": f"#/$defs/l{k + 1}"} for k in range(length)}
    return {"$ref": "#/$defs/l0", "$defs": {**links, f"l{length}": TEXT}}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        TEXT,
        nested(MAX_DEPTH - 1),
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": TEXT}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"},
        {"properties": {"$ref": TEXT, "patternProperties": TEXT, "$id": TEXT, "$schema": TEXT}},
        {"enum": [{"$ref": "http://elsewhere"}]},
        laughs(8),
        chain(50),
    ],
)
def test_usable_schemas(schema: dict[str, Any]) -> None:
    assert schema_fault(schema) is None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "strin"}, "at type"),
        ({"minLength": -1}, "minimum"),
        ({"$schema": "http://elsewhere/dialect"}, "no dialect"),
        ({"$ref": "http://127.0.0.1:9/s.json"}, "leaves the schema"),
        ({"$ref": "other.json#/a"}, "leaves the schema"),
        ({"items": {"$ref": "file:///etc/passwd"}}, "leaves the schema"),
        ({"$ref": "#/$defs/none"}, "points at nothing"),
        ({"$ref": "#"}, "back to itself"),
        ({"properties": {"child": {"$ref": "#"}}}, "back to itself"),
        (nested(MAX_DEPTH + 1), "nested deeper"),
        (laughs(30), "written out"),
        (chain(3000), "references"),
        ({"properties": {1: TEXT}}, "is no text"),
        ({"maximum": float("inf")}, "not finite"),
        ({"patternProperties": {"^a": TEXT}}, "not supported"),
        ({"items": {"$id": "http://elsewhere/"}}, "top level only"),
        (
            {"items": {"$schema": "http://json-schema.org/draft-07/schema#"}},
            "$schema is supported at the top level only",
        ),
    ],
)
def test_schemas_that_are_refused(schema: dict[str, Any], words: str) -> None:
    fault = schema_fault(schema)
    assert fault is not None
    assert words in fault


def test_references_are_json_pointers() -> None:
    root = {"a/b": [{"c~d": 1}], "é x": 2}
    assert resolve(root, "#") is root
    assert resolve(root, "#/a~1b/0/c~0d") == 1
    assert resolve(root, "#/%C3%A9%20x") == 2
    for wrong in ("#/a~1b/1", "#/a~1b/x", "#/none", "#a", ""):
        with pytest.raises(ValueError, match=r"\$ref"):
            resolve(root, wrong)


def test_values_are_no_subschemas() -> None:
    schema = {"enum": [{"a": 1}], "const": {}, "default": {}, "items": TEXT, "not": True}
    assert list(subschemas(schema)) == [TEXT, True]


SCHEMAS = st.recursive(
    st.sampled_from([TEXT, {"type": "integer"}, {"enum": [1, {"properties": {}}]}, True]),
    lambda inner: st.one_of(
        st.builds(
            lambda properties: {"type": "object", "properties": properties},
            st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
        ),
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda nodes: {"anyOf": nodes}, st.lists(inner, min_size=1, max_size=2)),
        st.builds(lambda nodes: {"allOf": nodes}, st.lists(inner, min_size=1, max_size=2)),
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    st.sampled_from(["x", 1, None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=5,
)


@settings(deadline=None, max_examples=150)
@given(SCHEMAS.filter(lambda schema: isinstance(schema, dict)), VALUES)
def test_what_fits_a_closed_schema_fits_the_open_one(schema: dict[str, Any], value: Any) -> None:
    if Draft202012Validator(close_objects(schema)).is_valid(value):
        assert Draft202012Validator(schema).is_valid(value)


def test_closing_forbids_further_keys_and_touches_nothing_else() -> None:
    schema = {"properties": {"a": {"properties": {"b": TEXT}}}, "const": {"properties": {}}}
    closed = close_objects(schema)
    assert closed["additionalProperties"] is False
    assert closed["properties"]["a"]["additionalProperties"] is False
    assert closed["const"] == {"properties": {}}
    spoken = {"properties": {}, "additionalProperties": TEXT}
    together = {"properties": {}, "anyOf": [{"properties": {"a": TEXT}}]}
    assert close_objects(spoken) == spoken
    assert close_objects(together) == together
