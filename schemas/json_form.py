"""What a recipe's JSON Schema may hold: bounded, self-contained, with no reference to itself.

A schema is finite when its references are followed, so that checking a value against it is bounded
by the sizes of both.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

MAX_DEPTH = 32
"""Greatest nesting of a schema as it is written."""
MAX_NODES = 10_000
"""Greatest number of subschemas when every reference is written out."""
_MAX_HEIGHT = 64
_IN_MAPPING = ("properties", "$defs", "definitions", "dependentSchemas")
_IN_LIST = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_SINGLE = (
    "items", "additionalProperties", "additionalItems", "unevaluatedItems",
    "unevaluatedProperties", "propertyNames", "contains", "not", "if", "then", "else",
)  # fmt: skip
_REFUSED = ("$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$anchor", "patternProperties")

Schema = Mapping[str, Any]


def schema_fault(schema: Schema) -> str | None:
    """Say why a JSON Schema cannot describe an output; None when it can.

    It must be valid, hold no reference that leaves it or leads back to itself, and stay within the
    bounds of this module. Nothing is fetched.
    """
    try:
        _check_values(schema, depth=0)
        _check_dialect(schema)
        _measure(schema, root=schema, known={}, under=())
    except ValueError as error:
        return str(error)
    return None


def resolve(root: Schema, reference: str) -> Any:
    """Return what a reference of the form `#` or `#/a/b` points at.

    Raises:
        ValueError: If it is of another form or points at nothing.
    """
    if reference == "#":
        return root
    if not reference.startswith("#/"):
        raise ValueError(f"$ref {reference!r} leaves the schema; only #/... is followed")
    found: Any = root
    for part in unquote(reference[2:]).split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(key)] if isinstance(found, list) else found[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise ValueError(f"$ref {reference!r} points at nothing") from None
    return found


def subschemas(node: Schema) -> Iterator[Any]:
    """Yield the schemas that stand directly inside one, `$ref` not followed."""
    for key in _IN_MAPPING:
        yield from (node[key].values() if isinstance(node.get(key), Mapping) else ())
    for key in _IN_LIST:
        yield from (node[key] if isinstance(node.get(key), list) else ())
    for key in _SINGLE:
        if isinstance(node.get(key), (Mapping, bool)):
            yield node[key]


def close_objects(schema: Schema) -> dict[str, Any]:
    """Forbid further keys in every object that lists its own and does not speak of others.

    JSON Schema allows them, and a weak model would invent keys until it is cut. A schema that puts
    objects together (`allOf`, or `properties` beside a choice or a reference) stays as it is:
    closing a part would forbid the keys of the others. Whatever fits the result fits `schema`.
    """
    return dict(schema) if _puts_together(schema) else _close(schema)


def _close(node: Any) -> Any:
    if not isinstance(node, Mapping):
        return node
    closed = dict(node)
    for key in _IN_MAPPING:
        if isinstance(node.get(key), Mapping):
            closed[key] = {name: _close(inner) for name, inner in node[key].items()}
    for key in _IN_LIST:
        if isinstance(node.get(key), list):
            closed[key] = [_close(inner) for inner in node[key]]
    for key in _SINGLE:
        if isinstance(node.get(key), Mapping):
            closed[key] = _close(node[key])
    if "properties" in node and "unevaluatedProperties" not in node:
        closed.setdefault("additionalProperties", False)
    return closed


def _puts_together(node: Any) -> bool:
    if not isinstance(node, Mapping):
        return False
    beside = any(key in node for key in ("anyOf", "oneOf", "$ref", "if", "dependentSchemas"))
    joined = "allOf" in node or ("properties" in node and beside)
    return joined or any(map(_puts_together, subschemas(node)))


def _check_values(value: Any, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("it holds a number that is not finite")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"the key {key!r} is no text; put it in quotes")
            _check_values(inner, depth=depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_values(inner, depth=depth + 1)
    elif value is not None and not isinstance(value, (str, int, float, bool)):
        raise ValueError(f"{value!r} is no JSON value; put it in quotes")


def _check_dialect(schema: Schema) -> None:
    # Importing it takes a moment, and only recipes with such an output need it.
    from jsonschema import Draft202012Validator, SchemaError
    from jsonschema.validators import validator_for

    if "$schema" in schema and validator_for(schema, default=None) is None:
        raise ValueError(f"$schema {schema['$schema']!r} is no dialect of JSON Schema")
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path)) or "its top level"
        raise ValueError(f"at {place}: {error.message[:200]}") from None


def _measure(
    node: Any, *, root: Schema, known: dict[str, tuple[int, int]], under: tuple[str, ...]
) -> tuple[int, int]:
    """Return how many schemas a schema holds and how deep, its references written out."""
    if not isinstance(node, Mapping):
        return 1, 1
    _check_keywords(node, root=root)
    sizes = [_measure(inner, root=root, known=known, under=under) for inner in subschemas(node)]
    if (reference := node.get("$ref")) is not None:
        if reference in under:
            raise ValueError(f"$ref {reference!r} leads back to itself")
        if len(under) == _MAX_HEIGHT:
            raise ValueError(f"more than {_MAX_HEIGHT} references follow each other")
        if reference not in known:
            known[reference] = _measure(
                resolve(root, reference), root=root, known=known, under=(*under, reference)
            )
        sizes.append(known[reference])
    size = 1 + sum(size for size, _ in sizes)
    height = 1 + max((height for _, height in sizes), default=0)
    if size > MAX_NODES or height > _MAX_HEIGHT:
        raise ValueError(
            f"it holds more than {MAX_NODES:,} schemas or {_MAX_HEIGHT} levels with its references"
            " written out"
        )
    return size, height


def _check_keywords(node: Schema, *, root: Schema) -> None:
    for key in _REFUSED:
        if key in node:
            raise ValueError(f"the keyword {key} is not supported")
    for key in ("$id", "$schema"):
        if key in node and node is not root:
            raise ValueError(f"the keyword {key} is supported at the top level only")
