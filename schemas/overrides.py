"""`--set KEY=VALUE`: changes to a recipe from the command line, before it is checked."""

from collections.abc import Sequence
from typing import Any

from schemas.errors import InputError
from schemas.yaml_source import KeyPath, Source, dotted, parse_yaml, printable

_EXAMPLE = "write --set rows=100, --set model.batch_size=4 or --set strategies.0.top_p=0.8"


def apply_overrides(source: Source, overrides: Sequence[str]) -> tuple[Source, frozenset[KeyPath]]:
    """Set values in a parsed recipe.

    A key is a dotted path; a number in it is an index into a list, from 0. Mappings that are
    missing on the way are made, and the short form of a label or an attribute becomes the long
    one. The value is YAML.

    Args:
        source: The parsed recipe; it is not changed.
        overrides: `KEY=VALUE` items, applied in order.

    Returns:
        The changed recipe, whose places name the items, and the key paths that were set.

    Raises:
        InputError: `CS-I001` for a malformed item or an index that the list does not have;
            `CS-R002` for a value that is not YAML.
    """
    data, places = _copy(source.data), dict(source.places)
    changed: set[KeyPath] = set()
    for item in overrides:
        place = f"--set {printable(_shown(item)[:100])}"
        key, value = _split(item, place)
        path = _assign(data, key.split("."), value, place)
        for inner in [known for known in places if known[: len(path)] == path]:
            del places[inner]
        places[path] = place
        changed.add(path)
    return Source(data, places), frozenset(changed)


def _shown(item: str) -> str:
    """Return an item as errors may show it: what can be a key or a password is left out."""
    key, equals, _ = item.partition("=")
    name = key.rpartition(".")[2].lower()
    return f"{key}{equals}..." if "key" in name or name == "base_url" else item


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _split(item: str, place: str) -> tuple[str, Any]:
    key, equals, text = item.partition("=")
    try:
        item.encode()
    except UnicodeEncodeError:
        raise _malformed("the option is not valid Unicode", place) from None
    if not equals or not all(part.strip() for part in key.split(".")):
        raise _malformed("the option is not KEY=VALUE", place)
    return key, parse_yaml(text, name=place).data


def _malformed(message: str, place: str) -> InputError:
    return InputError(message, code="CS-I001", place=place, hint=_EXAMPLE)


def _assign(data: Any, keys: Sequence[str], value: Any, place: str) -> KeyPath:
    """Put `value` below `data` and return its path; mappings missing on the way are made."""
    path: KeyPath = ()
    container = data
    for depth, key in enumerate(keys):
        step = _step(container, key, path, place)
        path = (*path, step)
        if depth == len(keys) - 1:
            container[step] = value
        else:
            inner = container[step] if isinstance(step, int) else container.get(step)
            container[step] = container = _opened(inner, path, keys[depth + 1])
    return path


def _step(container: Any, key: str, path: KeyPath, place: str) -> str | int:
    if isinstance(container, dict):
        return key
    if not isinstance(container, list):
        raise _malformed(f"{dotted(path)} holds a single value and has no keys", place)
    if not (key.isascii() and key.isdecimal()):
        raise _malformed(f"{dotted(path)} is a list: {key!r} is no index", place)
    if len(key) > 9 or int(key) >= len(container):
        raise _malformed(f"{dotted(path)} has {len(container)} items, counted from 0", place)
    return int(key)


def _opened(inner: Any, path: KeyPath, next_key: str) -> Any:
    """Make what stands at `path` ready to hold `next_key`: short forms and gaps become mappings."""
    if inner is None:
        return {}
    match path:
        case ("labels", _) if isinstance(inner, str):
            return {"description": inner}
        case ("attributes", _) if isinstance(inner, list) and not next_key.isdecimal():
            return {"values": inner}
    return inner
