"""Laws of coercion, against jsonschema."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tasks.generation.coercion import coerce

SCALARS = st.sampled_from(
    ["1", " 2 ", "-0", "01", "1.5", "1e3", "1e999", "true", "False", "null", "x", ""]
) | st.sampled_from([0, 1, 1.0, 1.5, -3, True, False, None, 10**30])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
KINDS = st.sampled_from(["string", "integer", "number", "boolean", "null"])
NODES = st.recursive(
    st.builds(lambda kind: {"type": kind}, KINDS)
    | st.builds(lambda kinds: {"type": kinds}, st.lists(KINDS, min_size=1, max_size=2, unique=True))
    | st.builds(lambda members: {"enum": members}, st.lists(SCALARS, min_size=1, max_size=3))
    | st.sampled_from([{"const": 1}, {}, True, {"$ref": "#/$defs/count"}, {"minimum": 1}]),
    lambda inner: (
        st.builds(
            lambda own, rest: {"properties": own, "additionalProperties": rest},
            st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            inner,
        )
        | st.builds(
            lambda first, rest: {"prefixItems": first, "items": rest},
            st.lists(inner, min_size=1),
            inner,
        )
        | st.builds(lambda nodes: {"anyOf": nodes}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda nodes: {"oneOf": nodes}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda nodes: {"allOf": nodes}, st.lists(inner, min_size=1, max_size=2))
    ),
    max_leaves=6,
)
DEFS = {"$defs": {"count": {"type": "integer"}}}


def rooted(node: Any) -> dict[str, Any]:
    return {**DEFS, "allOf": [node]}


def coerced(value: Any, schema: dict[str, Any]) -> Any:
    validator = Draft202012Validator(schema)
    fits = lambda part, node: validator.evolve(schema=node).is_valid(part)  # noqa: E731
    return coerce(value, schema, root=schema, is_valid=fits)


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@settings(deadline=None, max_examples=300)
@given(NODES.map(rooted), VALUES)
def test_a_valid_value_stays_as_it_is(schema: dict[str, Any], value: Any) -> None:
    result = coerced(value, schema)
    if Draft202012Validator(schema).is_valid(value):
        assert same(result, value)
    elif Draft202012Validator(schema).is_valid(result):
        assert same(coerced(result, schema), result)


@settings(deadline=None, max_examples=200)
@given(NODES.map(rooted), VALUES)
def test_structure_stays(schema: dict[str, Any], value: Any) -> None:
    def shape(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: shape(inner) for key, inner in part.items()}
        return [shape(inner) for inner in part] if isinstance(part, list) else "scalar"

    assert shape(coerced(value, schema)) == shape(value)


@settings(deadline=None, max_examples=200)
@given(
    st.integers(-(10**18) + 1, 10**18 - 1)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
)
def test_what_is_written_as_text_comes_back(value: Any) -> None:
    kind = {bool: "boolean", int: "integer", float: "number", type(None): "null"}[type(value)]
    written = json.dumps(value)
    assert coerced(written, {"type": kind}) == value
    if value is not None:
        assert coerced(value, {"type": "string"}) == written


@pytest.mark.parametrize(
    ("value", "node", "expected"),
    [
        ("1", {"type": "integer"}, 1),
        ("1.5", {"type": "integer"}, "1.5"),
        ("01", {"type": "integer"}, "01"),
        ("1e999", {"type": "number"}, "1e999"),
        ("9" * 5000, {"type": "integer"}, "9" * 5000),
        ("TRUE", {"type": "boolean"}, True),
        (1, {"type": "boolean"}, 1),
        (True, {"type": "integer"}, True),
        (True, {"type": "string"}, "true"),
        (5, {"type": ["null", "string"]}, "5"),
        ("5", {"type": ["string", "integer"]}, "5"),
        (1, {"enum": ["1", "2"]}, "1"),
        (" b ", {"enum": ["a", "b"]}, "b"),
        (True, {"enum": [1]}, True),
        ("1", {"enum": [1, 1.0]}, 1),
        ("1", {"anyOf": [{"type": "integer", "minimum": 5}, {"type": "number"}]}, 1),
        ({"n": "4"}, {"oneOf": [{"required": ["m"]}, {"properties": {"n": {"type": "integer"}}}]},
         {"n": 4}),
        (["1", "2", "x"], {"items": {"type": "integer"}}, [1, 2, "x"]),
        (["1", "1"], {"items": [{"type": "integer"}], "additionalItems": {"type": "boolean"}},
         [1, "1"]),
        ("x", False, "x"),
    ],
)  # fmt: skip
def test_examples(value: Any, node: Any, expected: Any) -> None:
    schema = node if isinstance(node, dict) else {}
    result = coerced(value, schema)
    assert same(result, expected)
