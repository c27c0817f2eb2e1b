"""The page on candidates: its recipes are right, and what it says of gates is so."""

from pathlib import Path

import pytest
import yaml

from schemas.gates import GatesConfig
from schemas.recipe import Recipe
from tasks.prompting.restoring import corrupting

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "candidates.md"
BLOCKS = [block.split("```")[0] for block in PAGE.read_text("utf-8").split("```yaml\n")[1:]]


@pytest.mark.parametrize("block", BLOCKS)
def test_the_pieces_are_pieces_of_a_recipe(block: str) -> None:
    base = {"name": "x", "rows": 9, "labels": {"a": "says a"}}
    recipe = Recipe.model_validate({**base, **yaml.safe_load(block)})
    assert bool(corrupting(recipe)) == ("mode: corrupt" in block)


def test_the_default_gate_is_the_one_named() -> None:
    assert GatesConfig().row.example_echo == 0.8
    assert "default of 0.8" in PAGE.read_text("utf-8")
