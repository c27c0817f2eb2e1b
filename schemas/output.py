"""The form that a reply must have: JSON of a schema, a regular expression, or one of some choices.

The key that stands in `prompt.output` says which.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, assert_never

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator
from pydantic_core import PydanticCustomError

from schemas.base import Frozen
from schemas.grammar import (
    GrammarError,
    TextMatcher,
    choices_grammar,
    json_grammar,
    regex_grammar,
)
from schemas.json_form import schema_fault
from schemas.strategies import TOKEN_STRATEGIES, Strategy
from schemas.yaml_source import printable

OUTPUT_FORMS = ("json_schema", "regex", "choices")
"""Keys that tell the forms apart."""


class JsonOutput(Frozen):
    """A JSON object; one of its strings is the row's text, its other scalars become attributes."""

    json_schema: dict[str, Any]
    """JSON Schema of the object, with `properties`; it may refer to itself by `#/...` alone."""
    text: str = Field(default="text", min_length=1, max_length=200)
    """The required string among its properties that becomes the row's text."""

    @field_validator("json_schema")
    @classmethod
    def _usable(cls, schema: dict[str, Any]) -> dict[str, Any]:
        fault = schema_fault(schema)
        if fault is None:
            fault = _grammar_fault(lambda: json_grammar(schema))
        if fault is not None:
            raise _refused("a JSON Schema that a model can be held to", fault)
        return schema

    @model_validator(mode="after")
    def _has_text(self) -> "JsonOutput":
        schema = self.json_schema
        if schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
            raise ValueError("json_schema: it must describe an object with `properties`")
        if self.text not in schema["properties"]:
            raise ValueError(f"text: {self.text!r} is no property of the schema")
        if self.text not in schema.get("required", ()):
            raise ValueError(f"text: {self.text!r} must be in the schema's `required`")
        node = schema["properties"][self.text]
        if isinstance(node, dict) and node.get("type", "string") != "string":
            raise ValueError(f"text: {self.text!r} must be of the type string")
        return self

    def __hash__(self) -> int:
        return hash((json.dumps(self.json_schema), self.text))

    @property
    def attributes(self) -> tuple[str, ...]:
        """Properties other than the text, in the schema's order."""
        return tuple(name for name in self.json_schema["properties"] if name != self.text)


class RegexOutput(Frozen):
    """A text that matches a regular expression from end to end."""

    regex: str = Field(min_length=1, max_length=10_000)
    """Syntax of Rust's `regex`: no look-around, no back-references; `^` and `$` only at the
    ends. `.` is any character but a line break."""

    @field_validator("regex")
    @classmethod
    def _usable(cls, regex: str) -> str:
        fault = _grammar_fault(lambda: regex_grammar(regex))
        if fault is not None:
            raise _refused("a regular expression that a model can be held to", fault)
        return regex


class ChoicesOutput(Frozen):
    """One of some texts."""

    choices: tuple[
        Annotated[
            str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]+$", max_length=2000)
        ],
        ...,
    ] = Field(min_length=1, max_length=10_000)
    """The texts, all different."""

    @field_validator("choices")
    @classmethod
    def _usable(cls, choices: tuple[str, ...]) -> tuple[str, ...]:
        fault = None
        if len(set(choices)) != len(choices):
            fault = "the same choice stands twice"
        elif odd := [choice for choice in choices if choice != " ".join(choice.split())]:
            fault = f"{odd[0][:60]!r} has white space at an end, or more than one space together"
        else:
            fault = _grammar_fault(lambda: choices_grammar(choices))
        if fault is not None:
            raise _refused("texts that a model can choose from", fault)
        return choices


def _form_of(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return next((form for form in OUTPUT_FORMS if form in value), None)
    return next((form for form in OUTPUT_FORMS if hasattr(value, form)), None)


Output = Annotated[
    Annotated[JsonOutput, Tag("json_schema")]
    | Annotated[RegexOutput, Tag("regex")]
    | Annotated[ChoicesOutput, Tag("choices")],
    Discriminator(
        _form_of,
        custom_error_type="output_form",
        custom_error_message="Input should hold one of the keys json_schema, regex and choices",
    ),
]
"""The form of a reply; its key says which."""


def grammar_of(output: JsonOutput | RegexOutput | ChoicesOutput) -> str:
    """Write the grammar, in llguidance's format, of the texts that have an output's form."""
    match output:
        case JsonOutput():
            return json_grammar(output.json_schema)
        case RegexOutput():
            return regex_grammar(output.regex)
        case ChoicesOutput():
            return choices_grammar(output.choices)
    assert_never(output)


def output_conflict(output: Output, *, strategies: Sequence[Strategy]) -> str | None:
    """Say which strategy cannot be held to a form, in a sentence with its key in front."""
    for strategy in strategies:
        if not isinstance(strategy, TOKEN_STRATEGIES):
            kinds = ", ".join(kind.model_fields["kind"].default for kind in TOKEN_STRATEGIES)
            return f"strategies: {strategy.kind} cannot follow prompt.output; these can: {kinds}"
        if strategy.stop:
            return "strategies: a stop string would cut what prompt.output asks for; remove `stop`"
        if strategy.length.min > 1:
            return (
                "strategies: length.min contradicts prompt.output, which says where a text ends;"
                " put the least length into the form (minLength, {n,})"
            )
    return None


def _grammar_fault(write: Callable[[], str]) -> str | None:
    try:
        TextMatcher(write())
    except GrammarError as error:
        return str(error)
    return None


def _refused(what: str, fault: str) -> PydanticCustomError:
    return PydanticCustomError(
        "output_form", "Input should be {what}: {fault}", {"what": what, "fault": printable(fault)}
    )
