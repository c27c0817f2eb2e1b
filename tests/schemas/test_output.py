"""The forms of `prompt.output`, and what a recipe says of wrong ones."""

from typing import Any

import pytest

from schemas.errors import InputError
from schemas.output import JsonOutput, RegexOutput, grammar_of
from schemas.recipe import Recipe
from schemas.recipe_file import load_recipe
from schemas.recipe_identity import recipe_sha256, resolved_yaml

BASE = "name: a\nrows: 1\nlabels: {x: says x}\n"
SCHEMA = {
    "type": "object",
    "properties": {"stars": {"type": "integer"}, "text": {"type": "string"}},
    "required": ["stars", "text"],
}


def recipe(output: Any, **changes: Any) -> Recipe:
    data = {"name": "a", "rows": 1, "labels": {"x": "says x"}, "prompt": {"output": output}}
    return Recipe.model_validate({**data, **changes})


@pytest.mark.parametrize(
    "output", [{"json_schema": SCHEMA}, {"regex": "[a-z]+"}, {"choices": ["yes", "no"]}]
)
def test_a_form_survives_the_resolved_recipe(output: dict[str, Any], tmp_path: Any) -> None:
    asked = recipe(output)
    path = tmp_path / "recipe.yaml"
    path.write_text(resolved_yaml(asked), encoding="utf-8")
    read = load_recipe(path).recipe
    assert read == asked
    assert hash(read.prompt.output) == hash(asked.prompt.output)
    assert recipe_sha256(read, contents={}) == recipe_sha256(asked, contents={})
    assert recipe_sha256(read, contents={}) != recipe_sha256(recipe(None), contents={})
    assert grammar_of(read.prompt.output) == grammar_of(asked.prompt.output)


def test_the_order_of_properties_decides_rows() -> None:
    swapped = {**SCHEMA, "properties": dict(reversed(SCHEMA["properties"].items()))}
    one, other = recipe({"json_schema": SCHEMA}), recipe({"json_schema": swapped})
    assert recipe_sha256(one, contents={}) != recipe_sha256(other, contents={})
    assert one.prompt.output.attributes == ("stars",)


@pytest.mark.parametrize(
    ("output", "code", "words"),
    [
        ("{regex: '[a'}", "CS-R005", "unclosed"),
        ("{regex: ''}", "CS-R005", "must not be empty"),
        ("{regexp: a}", "CS-R005", "json_schema, regex and choices"),
        ("just text", "CS-R005", "json_schema, regex and choices"),
        ("{regex: a, text: t}", "CS-R003", "'text' is unknown"),
        ("{choices: [a, ' b']}", "CS-R005", "white space"),
        ("{choices: [a, \"b\\n\"]}", "CS-R005", "control characters"),
        ("{json_schema: [1]}", "CS-R005", "mapping"),
        ("{json_schema: {type: object}}", "CS-R007", "properties"),
        ("{json_schema: {type: object, properties: {t: {type: integer}}, required: [t]}, text: t}",
         "CS-R007", "type string"),
        ("{json_schema: {type: object, properties: {text: {type: string}}}}",
         "CS-R007", "required"),
        ("{json_schema: {type: object, properties: {text: {type: string, pattern: '(?=x)'}},"
         " required: [text]}}", "CS-R005", "look-around"),
    ],
)  # fmt: skip
def test_wrong_forms(output: str, code: str, words: str, tmp_path: Any) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"{BASE}prompt:\n  output: {output}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_recipe(path)
    assert caught.value.code == code
    assert words in caught.value.message
    assert "recipe.yaml:5 prompt.output" in caught.value.place
    assert caught.value.hint


@pytest.mark.parametrize(
    "strategy",
    [
        {"kind": "beam"},
        {"kind": "contrastive"},
        {"kind": "stochastic_beam"},
        {"kind": "noisy_channel"},
        {"kind": "nucleus", "stop": ["\n"]},
        {"kind": "greedy", "length": {"min": 5}},
    ],
)
def test_strategies_that_cannot_follow_a_form(strategy: dict[str, Any], tmp_path: Any) -> None:
    with pytest.raises(ValueError, match=r"strategies: .*prompt\.output"):
        recipe({"regex": "a+"}, strategies=[{"kind": "nucleus"}, strategy])
    assert recipe(None, strategies=[strategy]).prompt.output is None


def test_a_property_is_no_attribute_twice() -> None:
    with pytest.raises(ValueError, match="'stars'"):
        recipe({"json_schema": SCHEMA}, attributes={"stars": ["1", "2"]})


def test_forms_are_values() -> None:
    assert JsonOutput(json_schema=SCHEMA) == JsonOutput(json_schema=dict(SCHEMA))
    assert len({RegexOutput(regex="a"), RegexOutput(regex="a")}) == 1
