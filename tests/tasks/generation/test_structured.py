"""Replies of every form, right and wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.output import ChoicesOutput, JsonOutput, RegexOutput
from tasks.generation.structured import open_reader

REVIEW = JsonOutput(
    json_schema={
        "type": "object",
        "properties": {
            "stars": {"$ref": "#/$defs/stars"},
            "review": {"type": "string", "minLength": 3},
            "verified": {"type": ["boolean", "null"]},
            "code": {"type": "string", "pattern": "^([a-z]+)+$"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["stars", "review"],
        "$defs": {"stars": {"type": "integer", "minimum": 1, "maximum": 5}},
    },
    text="review",
)


def read(reply: str, output: Any = REVIEW, prompt: str = "") -> Any:
    return open_reader(output).read(reply, prompt=prompt)


def test_the_text_is_taken_out_and_other_scalars_become_attributes() -> None:
    found = read('{"stars":4,"review":"good  “soup”\\n","verified":true,"tags":["a"]}')
    assert found.text == "good “soup”"
    assert found.attributes == (("stars", "4"), ("verified", "true"))
    assert found.fault is None


@pytest.mark.parametrize(
    "reply",
    [
        '{"stars": "4", "review": "fine soup"}',
        'Sure!\n```json\n{"stars":4,"review":"fine soup","verified":null}\n```\nAnything else?',
        '{"stars":4,"review":"\\"fine soup\\"","other":{"deep":[1]}}',
        ' {"review":"fine soup","stars":4}<|im_end|>',
        'In {braces}, as {"asked": here {"review":"fine soup","stars":4}',
        '{{"review":"fine soup","stars":4}}',
    ],
)
def test_replies_that_mean_the_same(reply: str) -> None:
    found = read(reply)
    assert (found.text, found.attributes) == ("fine soup", (("stars", "4"),))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("", "holds no object"),
        ("four stars", "holds no object"),
        ('{"stars":4,"review":"cut he', "not JSON"),
        ('{"outer":{"stars":4,"review":"inner text"}', "not JSON"),
        ('{"stars":4,"review":"a\x01b"}', "not JSON"),
        ('{"stars":NaN,"review":"abc"}', "NaN"),
        ('{"stars":1e999,"review":"abc"}', "too large"),
        ('{"a":' * 100_000, "not JSON"),
        ('{"a":' + "9" * 5000 + "}", "not JSON"),
        ("{" * 7 + " {} {", "'stars' is a required property"),
        ("{" * 8 + '{"review":"abc","stars":4}', "not JSON"),
        ('{"stars":7,"review":"abc"}', "stars: 7"),
        ('{"stars":"7","review":"abc"}', "stars: 7"),
        ('{"stars":4}', "'review' is a required property"),
        ('{"stars":4,"review":"a"}', "review: "),
        ('{"stars":4,"review":["abc"]}', "review: "),
        ('{"stars":4,"review":"abc","code":"' + "a" * 5000 + '1"}', "code: "),
    ],
)
def test_replies_of_another_form_say_where(reply: str, words: str) -> None:
    found = read(reply)
    assert words in found.fault
    assert (found.text, found.attributes) == ("", ())
    assert len(found.fault) <= 300
    assert found.fault.isprintable()


@settings(deadline=None, max_examples=200)
@given(st.text() | st.builds(json.dumps, st.dictionaries(
    st.sampled_from(["stars", "review", "x"]),
    st.none() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
)))  # fmt: skip
def test_no_reply_raises(reply: str) -> None:
    for output in (REVIEW, RegexOutput(regex="(a|b)+"), ChoicesOutput(choices=("yes", "no"))):
        found = read(reply, output)
        assert (found.fault is None) or (found.text == "" and found.fault)
        found.text.encode()


def test_a_number_that_cannot_be_checked_is_a_fault() -> None:
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "half": {"type": ["number", "string"], "multipleOf": 0.5},
        },
        "required": ["text"],
    }
    output = JsonOutput(json_schema=schema)
    assert read('{"text":"abc","half":1.5}', output).fault is None
    assert "cannot be checked" in read('{"text":"abc","half":1' + "0" * 400 + "}", output).fault


def test_formats_are_checked() -> None:
    schema = {
        "type": "object",
        "properties": {"text": {"type": "string"}, "day": {"type": "string", "format": "date"}},
        "required": ["text", "day"],
    }
    output = JsonOutput(json_schema=schema)
    assert read('{"text":"abc","day":"2024-02-29"}', output).fault is None
    assert "day: " in read('{"text":"abc","day":"2023-02-29"}', output).fault


def test_lines_of_the_template_are_cut_from_the_text_alone() -> None:
    reply = json.dumps({"stars": 1, "review": "Message: cold soup\nLabel: bad"})
    assert read(reply, prompt="Label: bad\nMessage:").text == "cold soup"


def test_expressions_match_the_clean_text() -> None:
    output = RegexOutput(regex='"[a-z]+ [a-z]+": é+')
    assert read('  "ab  cd": e\u0301\n', output).text == '"ab cd": é'
    assert "does not match" in read('"ab cd": é!', output).fault
    assert "does not match" in read("", output).fault


def test_choices_are_found_however_they_are_written() -> None:
    output = ChoicesOutput(choices=("Yes", "No", "no way", "NO", "Straße"))
    for reply in ("Yes", "yes.", '"YES"', " Yes\n"):
        assert read(reply, output).text == "Yes"
    assert read("STRASSE", output).text == "Straße"
    assert read("NO", output).text == "NO"
    for reply in ("nO", "maybe", "Yes No", ""):
        assert "none of the choices" in read(reply, output).fault
