import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from schemas.json_schema import recipe_json_schema, schema_text
from schemas.yaml_source import parse_yaml

CONTRACT = """
name: support-intents
seed: 7
rows: 600
language: en
labels:
  card_arrival: {description: asks when a new card arrives, share: 2}
  lost_card: reports a lost or stolen card
attributes:
  tone: [neutral, annoyed, polite]
  channel: {values: [chat, email], weights: [3, 1]}
prompt:
  template: intent
  examples: {path: examples.jsonl, per_row: 3}
model:
  {backend: transformers, name: starter, dtype: auto, device: auto, batch_size: auto,
   deterministic: auto}
strategies:
  - {kind: nucleus, top_p: 0.9, temperature: 0.9, share: 3}
  - {kind: typical}
noise:
  share: 0.25
  steps: [{kind: keyboard, rate: 0.03}, {kind: word_delete, rate: 0.05}]
gates:
  row: {chars: [10, 400], near_duplicate: 0.8, label_leak: true, words: off}
  dataset: {label_balance: 0.9, duplicate_rate: 0.01}
splits: {train: 0.8, validation: 0.1, test: 0.1}
budget: {attempts_per_row: 5, tokens: 2_000_000}
shard_size: 1024
"""
VALIDATOR = jsonschema.Draft202012Validator(recipe_json_schema())


def recipe(**changes: Any) -> dict[str, Any]:
    return {**parse_yaml(CONTRACT, name="r.yaml").data, **changes}


def test_the_shipped_file_is_current() -> None:
    shipped = files("schemas").joinpath("recipe.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(), "python -m schemas.json_schema > schemas/recipe.schema.json"


def test_it_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"gates": "off"},
        {"gates": False},
        {"gates": {"row": "off"}},
        {"gates": {"dataset": "off"}},
        {"gates": {"row": {"chars": "off", "duplicate": False, "repetition": "off"}}},
        {"task": "classification"},
        {"task": {"kind": "classification"}},
        {"model": {"name": "starter"}},
        {"model": {"batch_size": 4}},
        {"model": {"backend": "scripted", "name": "replies.jsonl"}},
        {"model": {"backend": "vllm", "name": "owner/model"}},
        {"model": {"backend": "openai", "name": "m", "base_url": "http://[::1]:8000/v1"}},
        {"labels": {"a": "says a"}},
        {"attributes": {"a": ["b"]}},
        {"noise": None},
    ],
)
def test_it_accepts_what_the_loader_accepts(changes: dict[str, Any]) -> None:
    from schemas.recipe import Recipe

    VALIDATOR.validate(recipe(**changes))
    Recipe.model_validate(recipe(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"rowz": 1},
        {"rows": "abc"},
        {"gates": "on"},
        {"gates": None},
        {"gates": {"row": {"charz": [1, 2]}}},
        {"gates": {"row": {"duplicate": 0.5}}},
        {"labels": {"a": {"share": 2}}},
        {"labels": {"a": ""}},
        {"attributes": {"a": []}},
        {"strategies": [{"top_p": 0.5}]},
        {"strategies": [{"kind": "nuclues"}]},
        {"strategies": [{"kind": "top_k", "top_p": 0.5}]},
        {"model": {"backend": "vlm", "name": "x"}},
        {"model": {"backend": "openai", "name": "x"}},
        {"model": {"backend": "openai", "name": "x", "base_url": "ftp://h"}},
        {"model": {"backend": "scripted"}},
        {"task": "spans"},
    ],
)
def test_it_rejects_what_the_loader_rejects(changes: dict[str, Any]) -> None:
    from pydantic import ValidationError

    from schemas.recipe import Recipe

    assert not VALIDATOR.is_valid(recipe(**changes))
    with pytest.raises(ValidationError):
        Recipe.model_validate(recipe(**changes))


def test_every_key_has_a_description() -> None:
    for key, node in recipe_json_schema()["properties"].items():
        if key not in ("prompt", "model", "gates", "budget"):
            assert node.get("description"), key
