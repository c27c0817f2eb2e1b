"""Documentation held to the truth: links lead somewhere, recipes load, lists are whole."""

import re
from pathlib import Path

import pytest

from schemas.recipe_file import load_recipe
from tasks.prompting.sandbox import FILTER_NAMES
from tasks.prompting.templates import VARIABLES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
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


def test_the_template_page_names_every_filter_and_variable() -> None:
    page = (ROOT / "docs" / "templates.md").read_text("utf-8")
    listed = page.partition("these filters:")[2].partition(".")[0]
    names = {name.strip() for name in listed.replace("\n", " ").split(",")}
    assert names == set(FILTER_NAMES) - {"d"}
    for variable in VARIABLES:
        assert f"| `{variable}` |" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_placeholder_is_left(page: Path) -> None:
    assert not re.search(r"^(TODO|TBD|[A-Z]+(_[A-Z]+)+)$", page.read_text("utf-8"), re.MULTILINE)
