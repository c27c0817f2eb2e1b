"""Noise in a recipe: what is said about a wrong step, and what a short form stands for."""

import json
from pathlib import Path

import jsonschema
import pytest

from schemas.errors import InputError
from schemas.json_schema import recipe_json_schema
from schemas.noise import NoiseConfig, RatedStep
from schemas.noise_mixtures import labels_named, operator_kinds, preset_steps, walk
from schemas.noise_step import LEVELS
from schemas.recipe_file import load_recipe

START = "name: x\nrows: 10\nlabels: {refund: asks for money, card: asks for a card}\nnoise:\n"
KEY = "{kind: keyboard, rate: 0.1}"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "noise-steps.md"


def in_one_of(inside: str) -> str:
    return f"{{kind: one_of, steps: [{inside}]}}"


WRONG = [
    ("steps: [{kind: keybord, rate: 0.1}]", "CS-R006", "steps[0].kind", "'keybord' is not"),
    (f"steps: [{in_one_of('{kind: keybord}')}]", "CS-R006", "steps[0].steps[0].kind", "'keybord'"),
    (f"steps: [{in_one_of('{kind: label_flip}')}]", "CS-R006", "steps[0].steps[0].kind", "flip"),
    (
        "steps: [{kind: label_flip, matrix: {refund: {refund: 0.5, card: 0.2}}}]",
        "CS-R007",
        "steps[0].matrix.refund",
        "adds up to 0.7, not to 1",
    ),
    (
        "steps: [{kind: label_flip, matrix: {refund: {refund: 0.5, cards: 0.5}}}]",
        "CS-R006",
        "steps[0].matrix.refund.cards",
        "'cards' is not a label",
    ),
    ("steps: [{kind: label_flip}]", "CS-R007", "steps[0]", "either a rate or a matrix"),
    ("steps: [{kind: keyboard, rate: {refnd: 0.2}}]", "CS-R006", "rate.refnd", "not a label"),
    ("steps: [{kind: keyboard, rate: {refund: 2}}]", "CS-R005", "rate.refund", "at most 1"),
    ("steps: [{kind: keyboard, rate: high}]", "CS-R005", "rate", "rate must be a number"),
    ("steps: [{kind: keyboard, rate: 1, labels: [crd]}]", "CS-R006", "labels[0]", "not a label"),
    ("steps: [{kind: keyboard}]", "CS-R007", "steps[0]", "either a rate or a level"),
    ("steps: [{kind: keyboard, level: lite}]", "CS-R006", "steps[0].level", "possible level"),
    (f"steps: [{{kind: one_of, steps: [{KEY}], weights: [1, 2]}}]", "CS-R007", "weights", "1 step"),
    (f"steps: [{{kind: one_of, steps: [{KEY}], weigts: [1]}}]", "CS-R003", "weigts", "unknown"),
    (
        f"steps: [{{kind: some_of, count: 3, steps: [{KEY}]}}]",
        "CS-R007",
        "count",
        "number of steps",
    ),
    (f"steps: [{{kind: some_of, count: [1], steps: [{KEY}]}}]", "CS-R005", "count[1]", "too few"),
    (f"steps: [{{kind: some_of, steps: [{KEY}]}}]", "CS-R004", "steps[0].count", "is missing"),
    ("preset: lite", "CS-R006", "noise.preset", "possible preset"),
    (f"preset: light\n  steps: [{KEY}]", "CS-R007", "noise.preset", "and not both"),
    ("share: 0.5", "CS-R007", "noise", "at least one step, or a preset"),
    (f"steps: [{', '.join([in_one_of(', '.join([KEY] * 16))] * 2)}]", "CS-R007", "steps", "34"),
    (f"steps: [{in_one_of(in_one_of(in_one_of(in_one_of(KEY))))}]", "CS-R007", "steps", "3 deep"),
    ("steps: [{kind: token_delete, rate: 1, tokenizer: x}]", "CS-R006", "tokenizer", "'x'"),
    ("steps: [{kind: plugin, rate: 0.1}]", "CS-R004", "steps[0].name", "name is missing"),
]


@pytest.mark.parametrize(("noise", "code", "place", "message"), WRONG)
def test_a_wrong_step_is_named(tmp_path, noise, code, place, message):
    path = tmp_path / "recipe.yaml"
    path.write_text(f"{START}  {noise}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_recipe(path)
    assert caught.value.code == code
    assert caught.value.place.endswith(place)
    assert message in caught.value.message


def test_a_near_name_is_suggested(tmp_path):
    path = tmp_path / "recipe.yaml"
    for noise, hint in [
        ("steps: [{kind: keybord, rate: 0.1}]", 'did you mean "keyboard"?'),
        ("steps: [{kind: keyboard, rate: {refnd: 0.2}}]", 'did you mean "refund"?'),
    ]:
        path.write_text(f"{START}  {noise}\n", encoding="utf-8")
        with pytest.raises(InputError) as caught:
            load_recipe(path)
        assert hint in caught.value.hint


def test_a_scripted_model_has_no_tokenizer(tmp_path):
    path = tmp_path / "recipe.yaml"
    steps = "  steps: [{kind: one_of, steps: [{kind: token_delete, rate: 0.1}]}]\n"
    model = "model: {backend: scripted, name: replies.jsonl}\n"
    path.write_text(START + steps + model, encoding="utf-8")
    with pytest.raises(InputError, match="no tokenizer"):
        load_recipe(path)


@pytest.mark.parametrize("level", LEVELS)
def test_a_preset_is_written_out_and_read_again(level):
    short = NoiseConfig(preset=level)
    assert short == NoiseConfig.model_validate(short.model_dump(mode="json"))
    assert short.steps == NoiseConfig(steps=preset_steps(level)).steps
    rated = [step for _, step in walk(short.steps) if isinstance(step, RatedStep)]
    assert {step.rate_of(None) for step in rated} == {step.rates_by_level[level] for step in rated}


def test_the_documentation_states_the_levels():
    page = DOCS.read_text("utf-8")
    kinds = {step.rates_by_level["light"]: step for step in walk_all(NoiseConfig(preset="light"))}
    for step in kinds.values():
        numbers = " | ".join(f"{rate:g}" for rate in step.rates_by_level.values())
        assert f"| {numbers} |" in page


def walk_all(noise: NoiseConfig) -> list[RatedStep]:
    return [step for _, step in walk(noise.steps) if isinstance(step, RatedStep)]


def test_a_tree_is_walked_from_the_top():
    inner = {"kind": "one_of", "labels": ["c"], "steps": [{"kind": "keyboard", "rate": {"a": 0.1}}]}
    noise = NoiseConfig(steps=[inner, {"kind": "label_flip", "matrix": {"a": {"b": 1.0}}}], share=1)
    named = [(*path, *key) for path, step in walk(noise.steps) for key, _ in labels_named(step)]
    assert named == [
        (0, "labels", 0),
        (0, "steps", 0, "rate", "a"),
        (1, "matrix", "a"),
        (1, "matrix", "a", "b"),
    ]
    assert operator_kinds(noise.steps) == ["keyboard", "label_flip"]


def test_the_json_schema_knows_trees():
    validator = jsonschema.Draft202012Validator(recipe_json_schema())
    recipe = {"name": "x", "rows": 1, "labels": {"a": "b"}}
    inner = {"kind": "one_of", "steps": [{"kind": "keyboard", "rate": {"a": 0.1}}]}
    good = {"steps": [{"kind": "some_of", "count": [0, 1], "steps": [inner]}]}
    assert validator.is_valid(recipe | {"noise": json.loads(json.dumps(good))})
    assert validator.is_valid(recipe | {"noise": {"preset": "light"}})
    inner["steps"][0]["kind"] = "keybord"
    assert not validator.is_valid(recipe | {"noise": good})
