"""What a newcomer does first: `init`, then `generate`, unchanged."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.generate import generate
from recipes import init_files
from schemas.manifest import Manifest
from schemas.noise import Edit
from tasks.noise.edit_log import undo_edits

pytestmark = [pytest.mark.flow, pytest.mark.usefixtures("prefect_api")]


def test_the_recipe_that_init_writes_makes_a_release(tmp_path: Path) -> None:
    for name, text in init_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    release = generate(tmp_path / "recipe.yaml", tmp_path / "out")
    manifest = Manifest.model_validate_json((release / "manifest.json").read_bytes())
    assert manifest.verdict == "pass"
    assert manifest.rows.accepted == manifest.rows.requested == 40
    assert set(manifest.inputs) >= {"template", "examples", "weights"}


def test_noise_that_needs_the_corpus_and_a_list_reaches_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_of: Callable[..., list[dict[str, Any]]]
) -> None:
    for name, text in init_files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "typos.tsv").write_text("card\tcrad\nmy\tmi\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    steps = [
        "{kind: word_replace, rate: 0.3}",
        "{kind: misspell, rate: 0.9, path: typos.tsv}",
        "{kind: token_replace, rate: 0.1}",
        "{kind: label_flip, rate: 0.5}",
    ]
    overrides = ["noise.share=1", f"noise.steps=[{', '.join(steps)}]"]
    # A relative folder, as the command line's default is.
    rows = rows_of(generate(Path("recipe.yaml"), Path("out"), overrides))
    kinds = Counter(edit["kind"] for row in rows for edit in row["noise"])
    assert set(kinds) == {"word_replace", "misspell", "token_replace"}
    assert 0 < sum(row["clean_label"] is not None for row in rows) < len(rows) == 40
    for row in rows:
        edits = [Edit(**edit) for edit in row["noise"]]
        assert undo_edits(row["text"], edits) == row["clean_text"]
