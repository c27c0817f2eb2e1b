from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.errors import InputError
from schemas.recipe_file import load_recipe
from tasks.prompting.rendering import prepare_prompts

TABLE: dict[str, Any] = yaml.safe_load(
    Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8")
)


def lay_out(case: dict[str, Any], folder: Path) -> Path:
    for name, text in {**TABLE["base"], **case.get("files", {})}.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, digits in case.get("bytes", {}).items():
        (folder / name).write_bytes(bytes.fromhex(str(digits)))
    for name in case.get("remove", ()):
        (folder / name).unlink()
    for name in case.get("folders", ()):
        (folder / name).mkdir()
    for name, target in case.get("links", {}).items():
        (folder / name).unlink()
        (folder / name).symlink_to(target)
    return folder / "recipe.yaml"


def test_the_base_is_good(tmp_path: Path) -> None:
    assert prepare_prompts(load_recipe(lay_out({}, tmp_path))).plan.rows == 12


def test_names_are_unique() -> None:
    names = [case["name"] for case in TABLE["cases"]]
    assert len(names) == len(set(names)) >= 100


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_a_bad_input_gives_its_error(case: dict[str, Any], tmp_path: Path) -> None:
    path = lay_out(case, tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        prepare_prompts(load_recipe(path, overrides=case.get("set", ())))
    error = caught.value
    assert (error.code, error.exit_code) == (case["code"], 2), error
    assert case["place"] in error.place
    assert error.message
    assert error.hint
    assert (error.message + error.place + error.hint).isprintable()
    assert error.__cause__ is None
    assert sorted(tmp_path.rglob("*")) == before
