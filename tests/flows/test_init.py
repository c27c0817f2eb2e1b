"""What a newcomer does first: `init`, then `generate`, unchanged."""

from pathlib import Path

import pytest

from flows.generate import generate
from recipes import init_files
from schemas.manifest import Manifest

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_api")]


def test_the_recipe_that_init_writes_makes_a_release(tmp_path: Path) -> None:
    for name, text in init_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    release = generate(tmp_path / "recipe.yaml", tmp_path / "out")
    manifest = Manifest.model_validate_json((release / "manifest.json").read_bytes())
    assert manifest.verdict == "pass"
    assert manifest.rows.accepted == manifest.rows.requested == 40
    assert set(manifest.inputs) >= {"template", "examples", "weights"}
