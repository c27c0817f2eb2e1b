"""The page on publishing names options and sizes that exist."""

import inspect
import re
from pathlib import Path

import yaml

from flows.cli.push import push
from schemas.recipe import Recipe
from tasks.release.parquet import ROW_GROUP_BYTES, ROW_GROUP_ROWS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "publish.md").read_text("utf-8")


def test_every_option_on_the_page_exists() -> None:
    options = {f"--{name.replace('_', '-')}" for name in inspect.signature(push).parameters}
    named = set(re.findall(r"--[a-z-]+", PAGE)) - {"---"}
    assert named == {"--yes", "--with-rejected", "--public", "--revision"}
    assert named <= options


def test_the_keys_on_the_page_are_the_recipes() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    recipe = Recipe.model_validate(
        {"name": "r", "rows": 1, "labels": {"a": "says a"}, **yaml.safe_load(block)}
    )
    assert recipe.licence == "CC-BY-4.0"
    assert recipe.prompt.examples is not None
    assert recipe.prompt.examples.licence == "CC0-1.0"


def test_the_sizes_on_the_page_are_the_writers() -> None:
    assert f"at most {ROW_GROUP_ROWS:,} rows or about {ROW_GROUP_BYTES >> 20} MiB" in PAGE
