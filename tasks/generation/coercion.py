"""Scalars of a reply turned into the types that a JSON Schema asks for, where no doubt is left.

A model that writes `"1"` for 1 or `"true"` for true has understood the question.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from schemas.json_form import Schema, resolve

IsValid = Callable[[Any, Any], bool]
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,32})?([eE][+-]?[0-9]{1,3})?")
_BOOLEANS = {"true": True, "false": False}


def coerce(value: Any, node: Any, *, root: Schema, is_valid: IsValid) -> Any:
    """Convert the scalars inside a value to the types that a schema asks for.

    Text becomes a number, a boolean or null when that is how it would be written; a scalar becomes
    text as JSON writes it; a member of `enum` or `const` is found by how it is written. Of several
    possible schemas (`anyOf`, `oneOf`) the first that the converted value fits counts. Everything
    else stays as it is: the result need not be valid.

    A valid value is returned unchanged, so coercing twice is coercing once.

    Args:
        value: Parsed JSON.
        node: The schema for it, checked by `schema_fault`.
        root: The whole schema, which references start from.
        is_valid: Tells whether a value fits a part of the whole schema.
    """
    if not isinstance(node, Mapping):
        return value

    def inner(value: Any, node: Any) -> Any:
        return coerce(value, node, root=root, is_valid=is_valid)

    if "$ref" in node:
        value = inner(value, resolve(root, node["$ref"]))
    for part in node.get("allOf", ()):
        value = inner(value, part)
    for key in ("anyOf", "oneOf"):
        value = _first_fitting(value, node.get(key, ()), inner, is_valid)
    if isinstance(value, dict):
        own, others = node.get("properties", {}), node.get("additionalProperties")
        return {key: inner(part, own.get(key, others)) for key, part in value.items()}
    if isinstance(value, list):
        return _items(value, node, inner)
    return _scalar(value, node)


def _first_fitting(
    value: Any, nodes: Sequence[Any], inner: Callable[[Any, Any], Any], is_valid: IsValid
) -> Any:
    if any(is_valid(value, node) for node in nodes):
        return value
    for node in nodes:
        converted = inner(value, node)
        if is_valid(converted, node):
            return converted
    return value


def _items(value: list[Any], node: Schema, inner: Callable[[Any, Any], Any]) -> list[Any]:
    first, rest = node.get("prefixItems", ()), node.get("items")
    if isinstance(rest, list):  # draft 7 and before
        first, rest = rest, node.get("additionalItems")
    nodes = [*first, *([rest] * max(0, len(value) - len(first)))]
    return [inner(part, below) for part, below in zip(value, nodes, strict=False)]


def _scalar(value: Any, node: Schema) -> Any:
    members = node["enum"] if "enum" in node else [node["const"]] if "const" in node else []
    if members:
        return _member(value, members)
    wanted = node.get("type", ())
    kinds = [wanted] if isinstance(wanted, str) else wanted
    if any(_is(value, kind) for kind in kinds):
        return value
    for kind in kinds:
        converted = _converted(value, kind)
        if _is(converted, kind):
            return converted
    return value


def _member(value: Any, members: Sequence[Any]) -> Any:
    if any(_same(value, member) for member in members):
        return value
    scalars = [member for member in members if not isinstance(member, (dict, list))]
    alike = [member for member in scalars if _written(member) == _written(value)]
    return alike[0] if len(alike) == 1 else value


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: `true` is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _written(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _is(value: Any, kind: str) -> bool:
    match kind:
        case "integer":
            whole = isinstance(value, float) and value.is_integer()
            return (isinstance(value, int) and not isinstance(value, bool)) or whole
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "string":
            return isinstance(value, str)
    return False


def _converted(value: Any, kind: str) -> Any:
    """Return a scalar as a kind, or anything that is not of the kind when it cannot be one."""
    if kind == "string":
        return value if value is None else _written(value)
    text = value.strip() if isinstance(value, str) else ""
    match kind:
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "number" if _NUMBER.fullmatch(text):
            number = json.loads(text)
            return number if math.isfinite(number) else value
        case "boolean":
            return _BOOLEANS.get(text.lower(), value)
        case "null" if text.lower() == "null":
            return None
    return value
