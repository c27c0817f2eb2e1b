"""What pydantic found wrong with a recipe, as one error that a person can act on."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import InputError
from schemas.models import URL_PATTERN, VARIABLE_PATTERN
from schemas.output import OUTPUT_FORMS
from schemas.yaml_source import KeyPath, Source, dotted, printable

OUTPUT: KeyPath = ("prompt", "output")
_MAX_EXPLAINED = 20  # a machine-made recipe can have a hundred thousand errors
_MOST_USEFUL_FIRST = ("CS-R003", "CS-R006", "CS-R005", "CS-R004", "CS-R007")
_TAGS = ("backend", "kind")
PLAIN_PATTERNS = {
    r"^[a-z0-9][a-z0-9-]*$": "small letters a-z, digits and hyphens, with no hyphen in front",
    r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$": "one or more characters without control characters",
    r"^[a-z][a-z0-9_]*$": "small letters a-z, digits and underscores, with a letter in front",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "letters a-z, digits and underscores, with no digit in front",
    r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$": "a BCP 47 language tag such as en or pt-BR",
    r"^(auto|cpu|mps|cuda(:\d+)?)$": "auto, cpu, mps, cuda or cuda:0",
    URL_PATTERN: "an address such as http://127.0.0.1:8000/v1, without credentials, query or '#'",
    VARIABLE_PATTERN: "the name of an environment variable in capital letters, never the key",
}
_MAY_HOLD_A_SECRET = ("api_key_env", "base_url")
"""Keys whose wrong value may be a key or a password: it is not shown."""
# What pydantic calls a member of a union of plain types.
_MEMBER = re.compile(r"constrained-\w+|(dict|tuple|list)\[.*\]")
_SAID_BY_ITEMS = ("too_short", "float_type", "int_type")
_PLAIN_TYPES = {
    "int": "must be a whole number",
    "float": "must be a number",
    "finite": "must be a finite number",
    "bool": "must be true or false",
    "string": "must be text; put it in quotes",
    "dict": "must be a mapping of keys to values",
    "model": "must be a mapping of keys to values",
    "tuple": "must be a list",
    "list": "must be a list",
}


_WANTED = {
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:,}",
    "less_than_equal": "must be at most {le:,}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_too_long": "must have at most {max_length:,} characters",
    "too_long": "must have at most {max_length:,} items",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a whole number within range",
    "literal_error": "must be true or off",
}


class Problem(NamedTuple):
    """One thing that is wrong: its code, where in the recipe, the sentence and the remedy."""

    code: str
    path: KeyPath
    message: str
    hint: str


def recipe_error(
    error: ValidationError, *, source: Source, json_schema: Mapping[str, Any]
) -> InputError:
    """Pick the most useful of pydantic's errors and say it in plain words.

    An unknown key comes first (a typing error also shows up as a missing key), then an unknown
    choice, a bad value, a missing key, and last keys that contradict each other. The hint counts
    the others.

    Args:
        error: What `Recipe.model_validate` raised.
        source: What it was given.
        json_schema: The recipe's JSON Schema, for the keys that are possible at a place.
    """
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    for details in error.errors():
        by_path.setdefault(source_path(details["loc"], source.data), []).append(details)
    # A list with a wrong item also counts as too short, and a mapping with a wrong value as no
    # number where either is possible: the item says more.
    outer = {path[:length] for path in by_path for length in range(len(path))}
    for path in outer & by_path.keys():
        if all(details["type"] in _SAID_BY_ITEMS for details in by_path[path]):
            del by_path[path]
    problems = [
        _problem(path, group, source.data, json_schema)
        for path, group in islice(by_path.items(), _MAX_EXPLAINED)
    ]
    problems.sort(key=lambda problem: _MOST_USEFUL_FIRST.index(problem.code))
    first, *others = problems
    hint = first.hint
    if others:
        places = "; ".join(source.place_of(problem.path) for problem in others[:3])
        more = ", ..." if len(by_path) > 4 else ""
        hint += f" (and {len(by_path) - 1:,} more: {places}{more})"
    return InputError(first.message, code=first.code, place=source.place_of(first.path), hint=hint)


def source_path(loc: Sequence[str | int], data: Any) -> KeyPath:
    """Strip from pydantic's location what is not a key of the recipe: union tags and markers."""
    path: KeyPath = ()
    after_tag = False
    for place, part in enumerate(loc):
        is_tag = (
            not after_tag and _is_union(path) and isinstance(data, dict) and part in _tags(data)
        )
        after_tag = is_tag
        if is_tag or part == "[key]" or (isinstance(part, str) and _MEMBER.fullmatch(part)):
            continue
        last = place == len(loc) - 1
        if isinstance(data, dict) and (part in data or last):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part] if part < len(data) else None
        elif isinstance(data, list):
            continue  # the short form of a mapping that holds the list
        else:
            break
        path = (*path, part)
    return path


def suggest(word: str, choices: Iterable[str]) -> str:
    """Return `did you mean "x"? ` for the nearest choice, or nothing."""
    near = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f'did you mean "{printable(near[0])}"? ' if near else ""


def shown(value: Any) -> str:
    """Show a value of the recipe, cut to 60 characters, harmless to a terminal."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    text = printable(text)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _is_union(path: KeyPath) -> bool:
    return path in (("model",), OUTPUT) or (path != () and isinstance(path[-1], int))


def _tags(data: Mapping[str, Any]) -> tuple[Any, ...]:
    return (data.get("kind"), data.get("backend", "transformers"), *OUTPUT_FORMS)


def _problem(
    path: KeyPath, group: Sequence[ErrorDetails], data: Any, json_schema: Mapping[str, Any]
) -> Problem:
    literals = [details for details in group if details["type"] == "literal_error"]
    rest = [details for details in group if details["type"] != "literal_error"]
    details = (rest or literals)[0]
    key = _key_name(path)
    match details["type"]:
        case "extra_forbidden":
            return _unknown_key(path, data, json_schema)
        case "missing" if isinstance(path[-1], int):
            where = dotted(path[:-1])
            return Problem("CS-R005", path, f"{where} has too few items", f"add items to {where}")
        case "missing":
            return Problem("CS-R004", path, f"{key} is missing", f"add `{dotted(path)}: ...`")
        case "union_tag_not_found":
            tag = str(details["ctx"]["discriminator"]).strip("'")
            path = (*path, tag)
            return Problem("CS-R004", path, f"{tag} is missing", f"add `{tag}: ...`")
        case "union_tag_invalid":
            tag = str(details["ctx"]["discriminator"]).strip("'")
            return _unknown_choice(
                (*path, tag), details["ctx"]["tag"], details["ctx"]["expected_tags"]
            )
        case "literal_error" if details["ctx"]["expected"] != "True":
            return _unknown_choice(path, details["input"], details["ctx"]["expected"])
        case "unknown_label" | "value_error" | "output_form":
            return _refused(path, details, data)
    wanted = _wanted(details)
    if rest and literals:
        wanted += f", or {literals[0]['ctx']['expected']}"
    if details["loc"][-1] == "[key]":
        message = f"the name {shown(details['input'])} {wanted}"
    else:
        given = "" if key in _MAY_HOLD_A_SECRET else f", not {shown(details['input'])}"
        message = f"{key} {wanted}{given}"
    return Problem("CS-R005", path, message, f"change {dotted(path) or 'the recipe'}")


def _key_name(path: KeyPath) -> str:
    """Name a key in a sentence: its last part, or the whole path of a list's item."""
    if not path:
        return "the recipe"
    return dotted(path) if isinstance(path[-1], int) else printable(path[-1])


def _refused(path: KeyPath, details: ErrorDetails, data: Any) -> Problem:
    """Say what a validator of the recipe's own has against a value."""
    if details["type"] == "unknown_label":
        return _unknown_label(details["ctx"])
    if details["type"] == "output_form":
        message = f"{_key_name(path)} {_wanted(details)}"
        return Problem("CS-R005", path, message, f"change {dotted(path)}")
    message = str(details["ctx"]["error"])
    for part in path:
        data = data[part]
    key = message.split(":", 1)[0]
    if isinstance(data, dict) and key in data:
        path = (*path, key)
    return Problem("CS-R007", path, message, f"change {dotted(path) or 'one of these values'}")


def _unknown_key(path: KeyPath, data: Any, json_schema: Mapping[str, Any]) -> Problem:
    key = str(path[-1])
    known = sorted(keys_at(path[:-1], data=data, json_schema=json_schema))
    where = f"in {dotted(path[:-1])}" if path[:-1] else "at the top of the recipe"
    return Problem(
        "CS-R003",
        path,
        f"the key {shown(key)} is unknown",
        f"{suggest(key, known)}the keys {where} are: {', '.join(known)}",
    )


def _unknown_label(context: Mapping[str, Any]) -> Problem:
    label, labels = context["label"], json.loads(context["labels"])
    listed = ", ".join(printable(name) for name in labels[:10])
    more = ", ..." if len(labels) > 10 else ""
    hint = f"{suggest(label, labels)}the labels are: {listed}{more}"
    path = tuple(json.loads(context["path"]))
    return Problem("CS-R006", path, f"{shown(label)} is not a label", hint)


def _unknown_choice(path: KeyPath, value: Any, expected: str) -> Problem:
    choices = expected.replace("'", "").replace(" or ", ", ").split(", ")
    key = _key_name(path)
    hint = f"choose one of: {', '.join(choices)}"
    message = f"{shown(value)} is not a possible {key}"
    return Problem("CS-R006", path, message, suggest(str(value), choices) + hint)


def _wanted(details: ErrorDetails) -> str:
    """Say what a value must be, as the end of a sentence."""
    kind, context = details["type"], details.get("ctx", {})
    if kind == "string_pattern_mismatch":
        pattern = context["pattern"]
        return f"must be {PLAIN_PATTERNS.get(pattern, f'text of the form {pattern}')}"
    if kind in _WANTED:
        return _WANTED[kind].format_map(context)
    plain = _PLAIN_TYPES.get(kind.split("_", 1)[0])
    return plain or details["msg"].replace("Input should", "must")


def keys_at(path: KeyPath, *, data: Any, json_schema: Mapping[str, Any]) -> set[str]:
    """Return the keys that the recipe's JSON Schema knows at `path`, given what stands there."""
    nodes = _unfold(json_schema, data, json_schema)
    for part in path:
        inner = [found for node in nodes for found in _below(node, part)]
        data = data[part]
        nodes = [found for node in inner for found in _unfold(node, data, json_schema)]
    return {key for node in nodes for key in node.get("properties", {})}


def _below(node: Mapping[str, Any], part: str | int) -> list[Any]:
    if isinstance(part, int):
        return [node["items"]] if "items" in node else []
    if part in node.get("properties", {}):
        return [node["properties"][part]]
    return [*node.get("patternProperties", {}).values()]


def _unfold(node: Mapping[str, Any], data: Any, root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Follow references and list the members of unions that `data` can be."""
    if (reference := node.get("$ref")) is not None:
        return _unfold(root["$defs"][reference.rsplit("/", 1)[-1]], data, root)
    members = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if members:
        return [found for member in members for found in _unfold(member, data, root)]
    tags = {"kind": None, "backend": "transformers"} | (data if isinstance(data, dict) else {})
    constants = {tag: node.get("properties", {}).get(tag, {}).get("const") for tag in _TAGS}
    fits = all(tags[tag] in (None, const) for tag, const in constants.items() if const is not None)
    return [node] if fits else []
