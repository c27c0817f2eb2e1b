import json
from pathlib import Path

import jsonschema
import pytest

from recipes import init_files
from schemas.json_schema import recipe_json_schema, schema_text
from schemas.recipe_file import load_recipe
from schemas.strategies import STRATEGY_CLASSES
from tasks.prompting.rendering import prepare_prompts

FOLDER = Path(__file__).resolve().parents[2] / "recipes"
SHIPPED = [*sorted(FOLDER.glob("*.yaml")), FOLDER / "init" / "recipe.yaml"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_recipe_is_ready_to_run(path: Path) -> None:
    loaded = load_recipe(path)
    writer = prepare_prompts(loaded)
    jsonschema.validate(loaded.source.data, recipe_json_schema())
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=")
    assert min(cell.rows for cell in writer.plan.quotas()) > 0


def test_the_quickstart_is_what_the_readme_promises() -> None:
    recipe = load_recipe(FOLDER / "quickstart.yaml").recipe
    assert recipe.rows == 600
    assert len(recipe.labels) >= 8
    assert len({strategy.kind for strategy in recipe.strategies}) >= 2


def test_one_recipe_shows_every_strategy_and_what_they_share() -> None:
    recipe = load_recipe(FOLDER / "strategies.yaml").recipe
    kinds = {strategy.kind for strategy in recipe.strategies}
    assert kinds == {cls.model_fields["kind"].default for cls in STRATEGY_CLASSES}
    assert any(strategy.rows_per_prompt > 1 for strategy in recipe.strategies)
    assert any(strategy.length.target for strategy in recipe.strategies)
    assert any(getattr(strategy, "best_of", None) for strategy in recipe.strategies)


def test_init_writes_a_working_recipe(tmp_path: Path) -> None:
    for name, text in init_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    writer = prepare_prompts(load_recipe(tmp_path / "recipe.yaml"))
    assert (writer.plan.rows, len(writer.plan.labels)) == (40, 3)
    assert json.loads(init_files()["recipe.schema.json"]) == json.loads(schema_text())


def test_the_template_to_copy_is_the_shipped_one(tmp_path: Path) -> None:
    import numpy as np

    own = load_recipe(FOLDER / "init" / "recipe.yaml")
    shipped = load_recipe(own.path, overrides=["prompt.template=intent"])
    rows, attempts = np.arange(40), np.zeros(40, dtype=np.int32)
    tables = [prepare_prompts(one).write(rows, attempts=attempts) for one in (own, shipped)]
    assert tables[0]["prompt"].equals(tables[1]["prompt"])


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.jsonl")), ids=lambda path: path.parent.name)
def test_no_example_stands_twice(path: Path) -> None:
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(texts) == len({text.casefold() for text in texts})


@pytest.mark.shared
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_no_example_is_a_sentence_of_the_training_data(split: str) -> None:
    from tasks.quality.fingerprints import normalise_text
    from tasks.starter.corpus import read_split

    data = FOLDER.parents[1] / "shared" / "data"
    if not data.is_dir():
        pytest.skip("the training data is not there")
    known = {normalise_text(u.text) for u in read_split(data, split)}  # type: ignore[arg-type]
    for path in FOLDER.rglob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert normalise_text(json.loads(line)["text"]) not in known
