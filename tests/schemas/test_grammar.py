"""Grammars against the standard library's expressions and JSON."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.grammar import (
    GrammarError,
    TextMatcher,
    choices_grammar,
    json_grammar,
    regex_grammar,
)

EXPRESSIONS = [
    "a+b?",
    "^(ab|ba)*c$",
    "[^a]{2,3}",
    "é+|日本",
    "(a|ab)(c|bcd)?",
    ".b",
    "(a+)+",
    r"\\",
]


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(EXPRESSIONS), st.text(alphabet="abcdé日本\\\n", max_size=6))
def test_expressions_match_from_end_to_end(pattern: str, text: str) -> None:
    matcher = TextMatcher(regex_grammar(pattern))
    assert matcher.fits(text) == bool(re.fullmatch(pattern.strip("^$"), text))


def test_a_catastrophic_expression_is_linear() -> None:
    matcher = TextMatcher(regex_grammar("(a|a)*$"))
    assert matcher.fits("a" * 20_000)
    assert not matcher.fits("a" * 20_000 + "b")


@pytest.mark.parametrize("pattern", [r"\w+\d", r"(?i)straße", r"[\p{Greek}]+", r"(?s)a.b"])
def test_unicode_classes_and_flags(pattern: str) -> None:
    texts = {r"\w+\d": "ñé7", "(?i)straße": "STRAßE", r"[\p{Greek}]+": "αβγ", "(?s)a.b": "a\nb"}
    matcher = TextMatcher(regex_grammar(pattern))
    assert matcher.fits(texts[pattern])
    assert not matcher.fits("-")
    assert not matcher.fits("\ud800")


@pytest.mark.parametrize(
    "pattern",
    ["[a", "(?=a)b", r"(a)\1", "a^b", r"\bx", "[a&&b]", "()", "(" * 3000 + ")" * 3000, "a{1000000}",
     "((a{1000}){1000}){1000}"],
)  # fmt: skip
def test_expressions_that_cannot_be_followed(pattern: str) -> None:
    with pytest.raises(GrammarError) as caught:
        TextMatcher(regex_grammar(pattern))
    assert len(str(caught.value)) <= 200
    assert "\n" not in str(caught.value)


CHOICES = ['a"b', "a\\b", "<|end|>", "日本", "/x/", "yes", "yes please", "😀 c", "start: x"]


def test_choices_are_literal() -> None:
    matcher = TextMatcher(choices_grammar(CHOICES))
    assert all(map(matcher.fits, CHOICES))
    assert not any(map(matcher.fits, ["", "ye", "yes ", "aab", "no", "x"]))


def test_thousands_of_choices() -> None:
    matcher = TextMatcher(choices_grammar([f"choice number {number}" for number in range(10_000)]))
    assert matcher.fits("choice number 9999")
    assert not matcher.fits("choice number 10000")


PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
}


def test_json_is_compact_and_closed() -> None:
    matcher = TextMatcher(json_grammar(PERSON))
    for text in ('{"name":"a"}', '{"name":"é\\n","age":-3}'):
        assert matcher.fits(text)
    wrong = ['{"name": "a"}', '{"age":1}', '{"name":"a","x":1}', '{"name":"\x01"}', '{"name":"a"} ']
    assert not any(map(matcher.fits, wrong))


def test_a_schema_cannot_make_room_for_blanks() -> None:
    loose = {**PERSON, "x-guidance": {"whitespace_flexible": True, "lenient": True}}
    assert not TextMatcher(json_grammar(loose)).fits('{"name": "a"}')


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "uniqueItems": True},
        {"not": {"type": "string"}},
        {"type": "string", "minLength": 3, "maxLength": 2},
        {"type": "string", "format": "no-such-format"},
        {"type": "string", "pattern": "(?=a)"},
        {"allOf": [{"anyOf": [{"properties": {f"p{j}": {"enum": [i]}}} for i in range(8)]}
                   for j in range(8)]},
    ],
)  # fmt: skip
def test_schemas_that_masks_cannot_promise(schema: dict[str, Any]) -> None:
    with pytest.raises(GrammarError):
        TextMatcher(json_grammar(schema))


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=12))
def test_every_string_is_json_as_python_writes_it(text: str) -> None:
    matcher = TextMatcher(json_grammar({"type": "string", "pattern": "(?s)^.*$"}))
    assert matcher.fits(json.dumps(text, ensure_ascii=False))
