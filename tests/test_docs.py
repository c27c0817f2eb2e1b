"""Documentation that a machine can hold to the truth: links lead somewhere, recipes load."""

import re
from pathlib import Path

import pytest

from schemas.recipe_file import load_recipe
from tasks.generation.backends import inspect_model
from tasks.prompting.rendering import prepare_prompts

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RECIPES = sorted(ROOT.glob("recipes/*.yaml")) + [ROOT / "recipes" / "init" / "recipe.yaml"]
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
BLOCK = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_whole_recipes_on_a_page_load(page: Path, tmp_path: Path) -> None:
    for block in BLOCK.findall(page.read_text("utf-8")):
        if block.startswith("name:"):
            path = tmp_path / "recipe.yaml"
            path.write_text(block, encoding="utf-8")
            load_recipe(path)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.name)
def test_shipped_recipes_are_right(recipe: Path) -> None:
    loaded = load_recipe(recipe)
    model = inspect_model(loaded.recipe.model, folder=loaded.folder)
    prepare_prompts(loaded, format_prompt=model.format_prompt)
