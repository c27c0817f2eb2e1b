"""Replies read as the form that a recipe asks for: parsed, coerced, validated, or found wrong.

Whatever the backend promised, every reply is checked here: an endpoint may not know masks, and a
masked reply may have been cut.
"""

import json
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol, assert_never

from schemas.grammar import TextMatcher, json_grammar, regex_grammar
from schemas.output import ChoicesOutput, JsonOutput, Output, RegexOutput
from tasks.generation.cleaning import clean_characters, clean_reply
from tasks.generation.coercion import coerce

_MAX_FAULT = 300
_MOST_STARTS = 8
"""Braces from which an object is tried to be read."""


@dataclass(frozen=True, slots=True)
class ReadReply:
    """What a reply holds, or what is wrong with it.

    Args:
        text: The row's text, clean; "" when the reply is wrong.
        attributes: Names and values of the other scalars, as text.
        fault: Where the form is broken and how; None for a good reply.
    """

    text: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    fault: str | None = None


class ReplyReader(Protocol):
    """Reads replies of one form."""

    def read(self, reply: str, *, prompt: str) -> ReadReply:
        """Read one reply to a prompt; never raises, however wrong the reply is."""
        ...


def open_reader(output: Output) -> ReplyReader:
    """Prepare to read replies of a form."""
    match output:
        case JsonOutput():
            return JsonReader(output)
        case RegexOutput():
            return RegexReader(output)
        case ChoicesOutput():
            return ChoicesReader(output)
    assert_never(output)


class RegexReader:
    """Reads texts that must match an expression, with their characters cleaned, end to end."""

    def __init__(self, output: RegexOutput) -> None:
        self._matcher = TextMatcher(regex_grammar(output.regex))

    def read(self, reply: str, *, prompt: str) -> ReadReply:
        """Read one reply."""
        text = clean_characters(reply)
        if not self._matcher.fits(text):
            return _wrong("the reply does not match the expression")
        return ReadReply(text)


class ChoicesReader:
    """Reads one of some texts; case, quotation marks and a full stop around it do not count."""

    def __init__(self, output: ChoicesOutput) -> None:
        self._exact = {clean_characters(choice) for choice in output.choices}
        self._alike: dict[str, list[str]] = {}
        for choice in self._exact:
            self._alike.setdefault(_loosely(choice), []).append(choice)

    def read(self, reply: str, *, prompt: str) -> ReadReply:
        """Read one reply; where several choices are alike, only the exact text will do."""
        text = clean_characters(reply)
        if text in self._exact:
            return ReadReply(text)
        alike = self._alike.get(_loosely(clean_reply(reply, prompt=prompt)), [])
        return (
            ReadReply(alike[0]) if len(alike) == 1 else _wrong("the reply is none of the choices")
        )


class JsonReader:
    """Reads the first JSON object of a reply; prose and code fences around it do not count."""

    def __init__(self, output: JsonOutput) -> None:
        self._output = output
        self._schema = output.json_schema
        self._validator = _validator(self._schema)

    def read(self, reply: str, *, prompt: str) -> ReadReply:
        """Read one reply: parse, coerce, validate, and clean the text that it holds."""
        try:
            value = _parse(reply)
        except (ValueError, RecursionError) as error:
            return _wrong(f"the reply is not JSON: {error}")
        try:
            value = coerce(value, self._schema, root=self._schema, is_valid=self._fits)
            fault = self._fault(value)
        except (ValueError, ArithmeticError, RecursionError) as error:
            # Such as an integer of hundreds of digits, divided by `multipleOf`.
            fault = f"the reply cannot be checked: {error}"
        if fault is not None:
            return _wrong(fault)
        text = value[self._output.text]
        if not isinstance(text, str):
            return _wrong(f"{self._output.text}: not text")
        named = ((name, value.get(name)) for name in self._output.attributes)
        attributes = tuple(
            (name, _as_text(part))
            for name, part in named
            if part is not None and not isinstance(part, (dict, list))
        )
        return ReadReply(clean_reply(text, prompt=prompt), attributes)

    def _fits(self, value: Any, node: Any) -> bool:
        return bool(self._validator.evolve(schema=node).is_valid(value))

    def _fault(self, value: Any) -> str | None:
        from jsonschema.exceptions import best_match

        error = best_match(self._validator.iter_errors(value))
        if error is None:
            return None
        place = ".".join(map(str, error.absolute_path)) or "the object"
        return f"{place}: {error.message}"


def _validator(schema: dict[str, Any]) -> Any:
    """Make a validator that fetches nothing and whose patterns take linear time."""
    from jsonschema import Draft202012Validator, ValidationError
    from jsonschema.validators import extend, validator_for
    from referencing import Registry

    matchers: dict[str, TextMatcher] = {}

    def pattern(_: Any, expression: str, value: Any, __: Any) -> Iterator[ValidationError]:
        if not isinstance(value, str):
            return
        if expression not in matchers:
            node = {"type": "string", "pattern": expression}
            matchers[expression] = TextMatcher(json_grammar(node))
        if not matchers[expression].fits(json.dumps(value, ensure_ascii=False)):
            yield ValidationError(f"{value!r} does not match {expression!r}")

    dialect = validator_for(schema, default=Draft202012Validator)
    checks = dialect.FORMAT_CHECKER
    own = extend(dialect, {"pattern": pattern})
    return own(schema, format_checker=checks, registry=Registry())


def _parse(reply: str) -> Any:
    """Read the first object; where none can be read, the next brace behind the fault may open one.

    Raises:
        ValueError: If there is none; for the first brace, if there are any.
        RecursionError: If it is nested too deep.
    """
    first: ValueError = ValueError("it holds no object")
    start = reply.find("{")
    for tries in range(_MOST_STARTS):
        if start < 0:
            break
        try:
            return _DECODER.raw_decode(reply, start)[0]
        except json.JSONDecodeError as error:
            first = error if tries == 0 else first
            start = reply.find("{", max(error.pos, start + 1))
    raise first


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def _as_text(value: Any) -> str:
    return clean_characters(value) if isinstance(value, str) else json.dumps(value)


def _loosely(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold().removesuffix(".").strip())


def _wrong(fault: str) -> ReadReply:
    return ReadReply(fault=clean_characters(fault)[:_MAX_FAULT])
